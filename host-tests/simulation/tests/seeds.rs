//! Many random worlds, each determined by a seed.

use http2_simulation::{Summary, simulate_seed, with_seeds};

#[test]
fn random_worlds() {
    let (mut total, mut worlds) = (Summary::default(), 0);
    with_seeds(10_000, |seed| {
        total += simulate_seed(seed);
        worlds += 1;
    });
    eprintln!("{worlds} worlds: {total:?}");
    if worlds >= 1_000 {
        total.assert_coverage(worlds);
    }
}
