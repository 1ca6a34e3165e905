//! What the benchmarks of HPACK and DATA have in common.

use std::env;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Shortest measurement: the clock hardly matters in it.
const SHORTEST: Duration = Duration::from_millis(1);

/// Measurements that each median is taken from.
const ROUNDS: usize = 101;

/// A piece of work to measure.
pub type Work<'a> = &'a mut dyn FnMut();

/// Returns the median processor time that each of the subjects takes.
///
/// The subjects take turns, so that a change of the machine's speed affects all of them. If `cargo test` runs the
/// benchmark, each subject runs once.
pub fn medians<const N: usize>(mut subjects: [Work<'_>; N]) -> [Duration; N] {
    if !env::args().any(|arg| arg == "--bench") {
        return subjects.each_mut().map(|subject| time(1, subject));
    }
    let repetitions = subjects.each_mut().map(|subject| {
        let once = time(1, subject).max(Duration::from_nanos(1));
        u32::try_from(SHORTEST.as_nanos().div_ceil(once.as_nanos())).unwrap_or(u32::MAX)
    });
    let mut times = [const { Vec::new() }; N];
    for _ in 0..ROUNDS {
        for ((subject, times), repetitions) in subjects.iter_mut().zip(&mut times).zip(repetitions) {
            times.push(time(repetitions, subject));
        }
    }
    times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    })
}

/// Returns the processor time of one of several repetitions.
fn time(repetitions: u32, work: &mut Work<'_>) -> Duration {
    let start = processor_time();
    for _ in 0..repetitions {
        work();
    }
    processor_time().saturating_sub(start) / repetitions
}

/// Returns the processor time that this thread has used, which other programs hardly affect.
fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("a clock's time is not negative")
}

/// Returns a rate in megabytes per second.
pub fn rate(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / time.as_secs_f64() / 1e6
}
