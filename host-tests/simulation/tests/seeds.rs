//! Many worlds, each of which a seed makes up.

use http2_simulation::{Summary, simulate_seed, with_seeds};

#[test]
fn worlds_at_random() {
    let (mut total, mut worlds) = (Summary::default(), 0);
    with_seeds(10_000, |seed| {
        total += simulate_seed(seed);
        worlds += 1;
    });
    eprintln!("{worlds} worlds: {total:?}");
    if worlds >= 1_000 {
        total.assert_lively(worlds);
    }
}
