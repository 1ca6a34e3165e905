//! Small requests in memory, natively and in Wasmtime, on this project's engine and on h2.
//!
//! All six combinations are measured in rounds, so that a change of the machine's speed affects all of them, and the
//! medians are printed. The library of the guest `small-requests` defines the request.

use std::env;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use host_tests::guests;
use small_requests::{Subject, measure};
use wasi_http2::{Invocation, Program, Runtime};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

/// Concurrent requests on the connection.
const AT_ONCE: u32 = 100;

/// How many times these requests are sent in one measurement.
const ROUNDS: u32 = 500;

/// How many measurements the median is taken from.
const MEASUREMENTS: usize = 15;

/// The time per request in each measurement, for each subject.
type Times = [Vec<Duration>; Subject::ALL.len()];

fn main() -> Result<()> {
    if env::args().any(|arg| arg == "--bench") {
        let [native, wasm] = measure_all(MEASUREMENTS, ROUNDS)?;
        println!(
            "GET requests, {AT_ONCE} at once, 100 bytes of content in each response; client and server together\n"
        );
        print_table("native", native);
        print_table("in WebAssembly", wasm);
    } else {
        // Run as a test by `cargo test --all-targets`: only check that it works.
        measure_all(1, 1)?;
    }
    Ok(())
}

/// Measures each subject natively and in WebAssembly.
fn measure_all(measurements: usize, rounds: u32) -> Result<[Times; 2]> {
    // Only for the guest: h2 has its own Tokio runtime, so this one must not run while h2 is measured natively.
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let guest = Runtime::new()?.load(guests::SMALL_REQUESTS)?;
    let [mut native, mut wasm] = <[Times; 2]>::default();
    for _ in 0..measurements {
        for (subject, times) in Subject::ALL.into_iter().zip(&mut native) {
            times.push(measure(subject, rounds, AT_ONCE));
        }
        for (subject, times) in Subject::ALL.into_iter().zip(&mut wasm) {
            times.push(tokio.block_on(measure_guest(&guest, subject, rounds))?);
        }
    }
    Ok([native, wasm])
}

async fn measure_guest(guest: &Program, subject: Subject, rounds: u32) -> Result<Duration> {
    let stdout = MemoryOutputPipe::new(64);
    let invocation = Invocation::new("small-requests")
        .args([subject.name(), &rounds.to_string(), &AT_ONCE.to_string()])
        .stdout(stdout.clone());
    let outcome = guest.run(invocation).await?;
    ensure!(outcome.is_success(), "{outcome}");
    let output = stdout.contents();
    let nanos = str::from_utf8(&output)?.trim_end().parse().context("the guest printed no number")?;
    Ok(Duration::from_nanos(nanos))
}

fn print_table(place: &str, times: Times) {
    let medians = times.map(median);
    let [.., h2] = medians;
    println!("{place:<34}  µs per request  times as fast as h2");
    for (subject, time) in Subject::ALL.into_iter().zip(medians) {
        let micros = time.as_secs_f64() * 1e6;
        println!(
            "  {:<32}  {micros:14.2}  {:19.2}",
            describe(subject),
            h2.as_secs_f64() / time.as_secs_f64()
        );
    }
    println!();
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn describe(subject: Subject) -> &'static str {
    match subject {
        Subject::Engine => "this engine",
        Subject::EngineHttp => "this engine, types of crate http",
        Subject::H2 => "h2",
    }
}
