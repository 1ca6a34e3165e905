//! The engine and libnghttp2 agree in random conversations.

use http2_differential::{Engine, Nghttp2, Pairing, with_seeds};

const SEEDS: u64 = 500;

#[test]
fn engine_client_agrees_with_nghttp2_server() {
    let pairing = Pairing {
        client: &|start| Box::new(Engine::new(start)),
        server: &|start| Box::new(Nghttp2::new(start)),
    };
    with_seeds(SEEDS, &pairing);
}

#[test]
fn engine_server_agrees_with_nghttp2_client() {
    let pairing = Pairing {
        client: &|start| Box::new(Nghttp2::new(start)),
        server: &|start| Box::new(Engine::new(start)),
    };
    with_seeds(SEEDS, &pairing);
}
