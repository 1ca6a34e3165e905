//! WASI 0.3, generated from `wit/`.

#![allow(missing_docs, reason = "the documentation stands in the WIT files")]

wit_bindgen::generate!({
    path: "wit",
    world: "http2:wasi-http/imports",
    generate_all,
});
