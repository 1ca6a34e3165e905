//! Prints the attacks and the good clients as Markdown.

use http2_attacks::markdown;

fn main() {
    println!("{}\n{}", markdown::attacks(), markdown::good_clients());
}
