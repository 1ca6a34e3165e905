//! Processes, servers, and other implementations.

pub mod apps;
pub mod instructions;
pub mod metered;
pub mod peers;
mod process;
pub mod raw;
pub mod requests;
mod serve;

pub use process::{Finished, Process, run, run_with_input};
pub use serve::Serve;

use std::env;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

/// How long any step may take.
///
/// The deadline only guards against hangs: no test measures time.
pub const DEADLINE: Duration = Duration::from_secs(240);

/// The folder of the profile in the target directory.
///
/// Cargo tells only integration tests about it, at compile time; each of them is `<target>/<profile>/deps/<test>`.
static PROFILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = env::current_exe().expect("the path of this test");
    test.ancestors().nth(2).expect("the test is in a target directory").to_owned()
});

/// Returns the path of this build of `wasi-http2`.
///
/// # Panics
///
/// Panics if Cargo has not built it, which it does for every test and benchmark of this package.
pub fn command_path() -> PathBuf {
    let command = PROFILE.join(format!("wasi-http2-tested{}", env::consts::EXE_SUFFIX));
    assert!(
        command.is_file(),
        "{} is missing; `cargo build --package host-tests` builds it",
        command.display()
    );
    command
}

/// Returns a command that runs `wasi-http2`.
pub fn wasi_http2(args: &[&str]) -> Command {
    let mut command = Command::new(command_path());
    command.args(args);
    command
}

/// Returns the path of a file of this package.
fn package_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Runs `wasi-http2 get`.
pub fn get(args: &[&str]) -> Finished {
    run(wasi_http2(&["get"]).args(args))
}

/// Returns bytes that do not repeat.
///
/// They are the same in every call.
pub fn octets(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut octets = Vec::with_capacity(count.next_multiple_of(8));
    while octets.len() < count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        octets.extend_from_slice(&state.to_le_bytes());
    }
    octets.truncate(count);
    octets
}

/// Asserts that two contents are equal.
///
/// On failure, prints where they differ instead of both contents.
#[track_caller]
pub fn assert_same(received: &[u8], sent: &[u8]) {
    if received != sent {
        let at = received.iter().zip(sent).position(|(left, right)| left != right);
        panic!("{} bytes received, {} sent, first difference at {at:?}", received.len(), sent.len());
    }
}

/// Runs an asynchronous test, up to the deadline.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(DEADLINE, future).await.expect("the test hangs") })
}
