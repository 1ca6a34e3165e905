//! The types of the table of attacks.

use http2_conformance::Role;
use http2_engine::ErrorCode;

/// A known attack, and the outcome here.
#[derive(Clone, Copy, Debug)]
pub struct Attack {
    /// The id of the attack in this project.
    pub id: &'static str,
    /// Its common name.
    pub name: &'static str,
    /// Its CVE numbers, and other references to fixes in affected implementations.
    pub known_as: &'static [&'static str],
    /// The kinds of damage it does.
    pub harms: &'static [Harm],
    /// The behaviour of the peer.
    pub peer: &'static str,
    /// The evidence for the outcome here.
    pub shown: Shown,
}

/// A kind of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// It exhausts memory.
    Memory,
    /// It exhausts processor time.
    Work,
    /// It turns little work of the peer into much work for the application.
    Amplification,
    /// Two parties interpret a message differently.
    Smuggling,
    /// It ends the program, or corrupts its memory.
    Crash,
    /// It stalls the connection or the program.
    Hang,
    /// It discloses data of another party.
    Leak,
}

/// The evidence for the outcome of an attack.
#[derive(Clone, Copy, Debug)]
pub enum Shown {
    /// A trial against the component in Wasmtime.
    Here(Trial),
    /// Tests next to the code that handles it.
    Elsewhere {
        /// The answers of the endpoint.
        answers: &'static [Answer],
        /// Further guarantees.
        and: &'static str,
        /// The tests.
        by: &'static [Test],
    },
    /// It does not apply to an engine, for this reason.
    NotOurs(&'static str),
}

/// Tests outside this package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// Test functions in a file of the workspace.
    Functions(&'static str, &'static [&'static str]),
    /// Cases of the package `http2-conformance`, by name.
    Cases(Role, &'static [&'static str]),
}

/// A trial of an attack.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    /// The name of the test function.
    pub test: &'static str,
    /// The small and the large size of the trial.
    pub sizes: [u32; 2],
    /// The unit of the sizes.
    pub unit: &'static str,
    /// The answers of the endpoint, one for each variant of the attack.
    pub answers: &'static [Answer],
    /// Further guarantees.
    pub and: &'static str,
    /// Upper bounds on the cost, for either size.
    pub ceilings: Ceilings,
}

/// The endpoint's answer to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// None: the endpoint treats the input as valid, or ignores it.
    Nothing,
    /// A response with this status.
    Status(u16),
    /// RST_STREAM on each affected stream; the connection survives.
    Streams(ErrorCode),
    /// GOAWAY, and the end of the connection.
    Connection(ErrorCode),
}

/// Upper bounds on the cost of an attack.
#[derive(Clone, Copy, Debug)]
pub struct Ceilings {
    /// Growth of the instance's memory in KiB; memory grows by pages of 64 KiB.
    pub memory: u32,
    /// The output sent in reply.
    pub replies: Replies,
    /// Fuel per received byte while the connection is open, as a multiple of the fuel per byte of an ordinary
    /// request.
    pub work: f64,
}

/// An upper bound on the output sent in reply.
#[derive(Clone, Copy, Debug)]
pub enum Replies {
    /// Frames and bytes in total, however long the peer continues.
    InAll(u32, u32),
    /// Frames and bytes for each unit of the size.
    ForEach(f64, f64),
}
