//! The engine and libnghttp2 agree on conversations at random.

use http2_differential::{Engine, Nghttp2, Pairing, with_seeds};

const SEEDS: u64 = 500;

#[test]
fn the_engine_as_a_client_and_nghttp2_as_a_server_agree() {
    let pairing = Pairing {
        client: &|start| Box::new(Engine::new(start)),
        server: &|start| Box::new(Nghttp2::new(start)),
    };
    with_seeds(SEEDS, &pairing);
}

#[test]
fn nghttp2_as_a_client_and_the_engine_as_a_server_agree() {
    let pairing = Pairing {
        client: &|start| Box::new(Nghttp2::new(start)),
        server: &|start| Box::new(Engine::new(start)),
    };
    with_seeds(SEEDS, &pairing);
}
