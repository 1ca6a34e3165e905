//! Known attacks on HTTP/2 with their outcomes here, and heavy legal use that no limit may affect, as data.
//!
//! Each row names a test in `tests/component`, which runs it against the component in Wasmtime. The program
//! of this package prints the rows as Markdown tables; the README contains them.

pub mod attack;
pub mod attacks;
pub mod good_clients;
pub mod markdown;
