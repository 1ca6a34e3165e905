//! Exhausts the resource named by its argument: `memory` or `time`; or traps, for `trap`.

use std::hint::black_box;
use std::process::{ExitCode, abort};

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("memory") => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(black_box(vec![1_u8; 1 << 20]));
            }
        }
        Some("time") => loop {
            black_box(());
        },
        Some("trap") => abort(),
        _ => ExitCode::FAILURE,
    }
}
