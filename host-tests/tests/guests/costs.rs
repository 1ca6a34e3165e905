//! Operations of the engine take about as many instructions with 100,000 streams as with 10.

use std::fmt::Write as _;

use host_tests::guests;
use host_tests::support::instructions::InstructionClock;

/// The most that an operation may take with 100,000 streams, as a multiple of the same with 10.
///
/// The largest are logarithmic: a stream that has no window is in two sorted sets.
const GROWTH: f64 = 1.7;

#[test]
fn operations_do_not_grow_with_the_number_of_streams() {
    let program = InstructionClock::new(guests::COSTS);
    let mut grown = String::new();
    for (row, name) in ::costs::names().enumerate() {
        let [few, many] =
            [10, 100_000].map(|streams: u32| program.run(&[&row.to_string(), &streams.to_string()]));
        eprintln!("{name:<44} {few:>8} {many:>8} {:>6.2}", many / few);
        if many > GROWTH * few {
            _ = writeln!(grown, "{name}: {few} instructions with 10 streams, {many} with 100,000");
        }
    }
    assert!(grown.is_empty(), "{grown}");
}
