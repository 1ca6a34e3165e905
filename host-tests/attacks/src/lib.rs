//! Known attacks on HTTP/2 with what becomes of them here, and heavy use that is none and must not be hurt, as data.
//!
//! Each row names a test, which holds the component in Wasmtime against it: `tests/component`. The program of this package
//! prints all of it as Markdown, and the README has it.

pub mod attack;
pub mod attacks;
pub mod good_clients;
pub mod markdown;
