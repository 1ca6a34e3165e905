//! WASI 0.3, generated from `wit/`.

#![allow(missing_docs, reason = "the WIT files hold the documentation")]

wit_bindgen::generate!({
    path: "wit",
    world: "http2:wasi-http/imports",
    generate_all,
});
