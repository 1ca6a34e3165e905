//! The cost of each operation of the engine, by the number of streams that a connection has.
//!
//! An argument selects the operations whose names contain it. Each figure is the median of several measurements, in
//! nanoseconds. `times` compares the largest connection with the smallest. The last column repeats the largest one
//! with streams that are not in the processor's cache.

use std::env;
use std::io::{Write, stdout};

/// Numbers of streams to measure.
const SIZES: [u32; 4] = [10, 1_000, 10_000, 100_000];
/// Measurements that the median is taken from.
const MEASUREMENTS: usize = 9;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let selected = arguments.iter().find(|argument| !argument.starts_with("--"));
    // Run as a test by `cargo test --all-targets`: only check that it works.
    let (sizes, measurements) = if arguments.iter().any(|argument| argument == "--bench") {
        (&SIZES[..], MEASUREMENTS)
    } else {
        (&SIZES[..1], 1)
    };
    print!("{:<44}", "nanoseconds, with this many streams");
    sizes.iter().for_each(|size| print!("{size:>10}"));
    println!("    times      cold");
    for (row, name) in costs::names().enumerate() {
        if selected.is_some_and(|selected| !name.contains(selected.as_str())) {
            continue;
        }
        print!("{name:<44}");
        let mut medians = Vec::new();
        for &size in sizes {
            let _ = stdout().flush();
            let median = median(measurements, || costs::measure(row, size, true));
            print!("{median:>10.0}");
            medians.push(median);
        }
        let (first, last) = (medians[0], medians[medians.len() - 1]);
        let cold = median(measurements, || costs::measure(row, sizes[sizes.len() - 1], false));
        println!("{:>9.1}{cold:>10.0}", last / first);
    }
}

fn median(measurements: usize, measure: impl Fn() -> f64) -> f64 {
    let mut times: Vec<f64> = (0..measurements).map(|_| measure()).collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
