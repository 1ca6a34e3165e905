//! Helpers shared by the tests.

pub(crate) mod apps;
pub(crate) mod peers;
pub(crate) mod process;
pub(crate) mod raw;
pub(crate) mod serve;

pub(crate) use process::{Finished, Process, run, run_with_input};
pub(crate) use serve::Serve;

use std::future::Future;
use std::process::Command;
use std::time::Duration;

/// How long any step may take.
///
/// The deadline only guards against hangs: no test measures time.
pub(crate) const DEADLINE: Duration = Duration::from_secs(240);

/// Returns a command that runs `wasi-http2`.
pub(crate) fn wasi_http2(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasi-http2-tested"));
    command.args(args);
    command
}

/// Runs `wasi-http2 get`.
pub(crate) fn get(args: &[&str]) -> Finished {
    run(wasi_http2(&["get"]).args(args))
}

/// Returns bytes that do not repeat.
///
/// They are the same in every call.
pub(crate) fn octets(count: usize) -> Vec<u8> {
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
pub(crate) fn assert_same(received: &[u8], sent: &[u8]) {
    if received != sent {
        let at = received.iter().zip(sent).position(|(left, right)| left != right);
        panic!("{} bytes received, {} sent, first difference at {at:?}", received.len(), sent.len());
    }
}

/// Runs an asynchronous test, up to the deadline.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(DEADLINE, future).await.expect("the test hangs") })
}
