//! What the tests share.

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

/// How long anything may take. It guards against hangs alone: nothing here measures time.
pub(crate) const DEADLINE: Duration = Duration::from_secs(240);

/// The command of this project.
pub(crate) fn wasi_http2(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasi-http2"));
    command.args(args);
    command
}

/// Runs `wasi-http2 get`.
pub(crate) fn get(args: &[&str]) -> Finished {
    run(wasi_http2(&["get"]).args(args))
}

/// Octets that do not repeat, always the same ones.
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

/// Says where two contents differ, instead of printing both.
#[track_caller]
pub(crate) fn assert_same(received: &[u8], sent: &[u8]) {
    if received != sent {
        let at = received.iter().zip(sent).position(|(left, right)| left != right);
        panic!("{} octets received, {} sent, first difference at {at:?}", received.len(), sent.len());
    }
}

/// Runs a test that waits, until the deadline.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(DEADLINE, future).await.expect("it hangs") })
}
