//! The engine agrees with itself, which shows that the conversations are valid.

use http2_differential::{Engine, Pairing, with_seeds};

#[test]
fn engine_agrees_with_itself() {
    let pairing = Pairing {
        client: &|start| Box::new(Engine::new(start)),
        server: &|start| Box::new(Engine::new(start)),
    };
    with_seeds(500, &pairing);
}
