//! Runs scenarios, and collects their transcripts.

use std::fmt::Write;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime;

/// The time after which a scenario is given up. It is generous, since the machine may be busy.
const LIMIT: Duration = Duration::from_secs(180);

/// The future of a running scenario.
pub(crate) type Run = Pin<Box<dyn Future<Output = ()>>>;

/// A program with a transcript.
pub(crate) struct Scenario {
    /// The module and function that define it.
    pub(crate) name: &'static str,
    /// Starts it.
    pub(crate) start: fn(Log) -> Run,
    /// Whether tasks run in parallel. One thread makes the order of tasks the same in each run.
    pub(crate) parallel: bool,
}

impl Scenario {
    /// Runs the program on a runtime of its own, and returns its transcript.
    pub(crate) fn transcript(&self, seed: u64) -> String {
        let mut builder = if self.parallel {
            runtime::Builder::new_multi_thread()
        } else {
            runtime::Builder::new_current_thread()
        };
        let runtime = builder.worker_threads(2).enable_all().build().expect("a runtime");
        let log = Log { seed, lines: Arc::default() };
        let run = AssertUnwindSafe((self.start)(log.clone())).catch_unwind();
        let ended = runtime.block_on(async { tokio::time::timeout(LIMIT, run).await });
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(panic)) => say!(log, "PANICKED: {}", panic_message(&*panic)),
            Err(_) => say!(log, "GIVEN UP after {} s", LIMIT.as_secs()),
        }
        // A task that is stuck must not keep the others from running.
        runtime.shutdown_background();
        log.take()
    }
}

/// The transcript of a running scenario.
#[derive(Clone)]
pub(crate) struct Log {
    /// Selects sizes; see [`Log::random`].
    seed: u64,
    lines: Arc<Mutex<String>>,
}

impl Log {
    /// Appends a line.
    pub(crate) fn line(&self, line: &str) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        // One line stays one line.
        _ = writeln!(lines, "{}", line.replace('\n', "\\n"));
    }

    /// Numbers that are the same in the run that this one is compared with.
    pub(crate) fn random(&self) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.seed)
    }

    fn take(&self) -> String {
        std::mem::take(&mut self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Appends a formatted line to a [`Log`].
macro_rules! say {
    ($log:expr, $($format:tt)+) => { $log.line(&format!($($format)+)) };
}
pub(crate) use say;

/// Lists functions of a module as scenarios.
macro_rules! scenarios {
    ($(parallel $parallel:ident,)* $(single $single:ident,)*) => {
        pub(super) const ALL: &[$crate::scenario::Scenario] = &[
            $($crate::scenario::scenario!($parallel, true),)*
            $($crate::scenario::scenario!($single, false),)*
        ];
    };
}
pub(crate) use scenarios;

macro_rules! scenario {
    ($function:ident, $parallel:expr) => {
        $crate::scenario::Scenario {
            name: concat!(module_path!(), "::", stringify!($function)),
            start: |log| Box::pin($function(log)),
            parallel: $parallel,
        }
    };
}
pub(crate) use scenario;

/// The text of a panic.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a text").to_owned()
}
