//! What an attack is, and what is promised against it.

use http2_conformance::Role;
use http2_engine::ErrorCode;

/// A known attack, and what comes of it here.
#[derive(Clone, Copy, Debug)]
pub struct Attack {
    /// Its name in this project.
    pub id: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// CVE numbers, and other names under which implementations had to be repaired.
    pub known_as: &'static [&'static str],
    /// What it does harm to.
    pub harms: &'static [Harm],
    /// What the peer does.
    pub peer: &'static str,
    /// Where it is shown what comes of it.
    pub shown: Shown,
}

/// What an attack does harm to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// Memory is used up.
    Memory,
    /// Processor time is used up.
    Work,
    /// A little of the peer's work makes much for the application.
    Amplification,
    /// A message is understood in two ways.
    Smuggling,
    /// The program ends, or its memory is corrupted.
    Crash,
    /// The connection, or the program, does not get on.
    Hang,
    /// Somebody else's data is told.
    Leak,
}

/// Where it is shown what comes of an attack.
#[derive(Clone, Copy, Debug)]
pub enum Shown {
    /// It is tried on the component in Wasmtime.
    Here(Trial),
    /// It has tests where it is dealt with.
    Elsewhere {
        /// Our answers.
        answers: &'static [Answer],
        /// What holds besides.
        and: &'static str,
        /// The tests.
        by: &'static [Test],
    },
    /// It does not concern an engine, for this reason.
    NotOurs(&'static str),
}

/// A test that is not of this package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// Functions in a file of the workspace.
    Functions(&'static str, &'static [&'static str]),
    /// Cases of the package `http2-conformance`, by their names.
    Cases(Role, &'static [&'static str]),
}

/// An attack as it is tried.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    /// The function of the test.
    pub test: &'static str,
    /// How much of it, the one time and the other.
    pub sizes: [u32; 2],
    /// What that counts.
    pub of: &'static str,
    /// What is answered; more than one answer where the peer has several ways.
    pub answers: &'static [Answer],
    /// What holds besides.
    pub and: &'static str,
    /// What it may cost at most, in either size.
    pub ceilings: Ceilings,
}

/// What a peer is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing: it is taken as what it looks like, or passed over.
    Nothing,
    /// A response with this status.
    Status(u16),
    /// RST_STREAM on each stream that it is about; the connection goes on.
    Streams(ErrorCode),
    /// GOAWAY, and the end of the connection.
    Connection(ErrorCode),
}

/// What an attack may cost at most.
#[derive(Clone, Copy, Debug)]
pub struct Ceilings {
    /// KiB by which the memory of the instance grows. It grows by pages of 64.
    pub memory: u32,
    /// What is sent in reply.
    pub replies: Replies,
    /// Fuel for each octet that comes in as long as there is the connection, as a multiple of what an octet of an
    /// ordinary request costs.
    pub work: f64,
}

/// What is sent in reply at most.
#[derive(Clone, Copy, Debug)]
pub enum Replies {
    /// So many frames and octets, however long the peer goes on.
    InAll(u32, u32),
    /// So many frames and octets for each that is counted by the size.
    ForEach(f64, f64),
}
