//! Prints the cost of an operation in nanoseconds.
//!
//! The test of this guest lets a nanosecond pass with each instruction.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some((row, streams)) = arguments() else {
        eprintln!("usage: costs OPERATION STREAMS\n\noperations:");
        costs::names().enumerate().for_each(|(row, name)| eprintln!("{row:4}  {name}"));
        return ExitCode::FAILURE;
    };
    println!("{:.0}", costs::measure(row, streams, true));
    ExitCode::SUCCESS
}

fn arguments() -> Option<(usize, u32)> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [row, streams] = arguments.as_slice() else { return None };
    let row = row.parse().ok().filter(|&row| row < costs::names().count())?;
    Some((row, streams.parse().ok().filter(|&streams| streams > 1)?))
}
