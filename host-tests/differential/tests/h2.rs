//! The engine and the crate `h2` agree on conversations at random.

use http2_differential::{Engine, Pairing, RustH2, with_seeds};

const SEEDS: u64 = 500;

#[test]
fn the_engine_as_a_client_and_h2_as_a_server_agree() {
    let pairing = Pairing {
        client: &|start| Box::new(Engine::new(start)),
        server: &|start| Box::new(RustH2::new(start)),
    };
    with_seeds(SEEDS, &pairing);
}

#[test]
fn h2_as_a_client_and_the_engine_as_a_server_agree() {
    let pairing = Pairing {
        client: &|start| Box::new(RustH2::new(start)),
        server: &|start| Box::new(Engine::new(start)),
    };
    with_seeds(SEEDS, &pairing);
}
