//! The client for `wasi:http`, under a guest that sends what a test wants.

mod bodies;
mod cancelling;
mod failures;
mod heads;
mod pool;
mod retries;
