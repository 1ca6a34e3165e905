//! Prints the tables of attacks and good clients as Markdown.

use http2_attacks::markdown;

fn main() {
    println!("{}\n{}", markdown::attacks(), markdown::good_clients());
}
