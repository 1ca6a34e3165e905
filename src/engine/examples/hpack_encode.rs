//! Encodes the header sections of one connection, to test the encoder with another implementation's decoder.
//!
//! Reads a story of <https://github.com/http2jp/hpack-test-case> from standard input, and prints the field block of
//! each case in hexadecimal, one per line. A case's `header_table_size` applies before the case.

use std::{collections::BTreeMap, error::Error, io};

use http2_engine::{FieldSection, hpack::Encoder};
use serde::Deserialize;

#[derive(Deserialize)]
struct Story {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    header_table_size: Option<u32>,
    /// Maps with one name and its value each.
    headers: Vec<BTreeMap<String, String>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let story: Story = serde_json::from_reader(io::stdin().lock())?;
    let mut encoder = Encoder::default();
    for case in story.cases {
        if let Some(size) = case.header_table_size {
            encoder.set_max_table_size(size);
        }
        let section: FieldSection = case.headers.iter().flatten().collect();
        let mut block = Vec::new();
        encoder.encode(&section, &mut block);
        let digits: String = block.iter().map(|byte| format!("{byte:02x}")).collect();
        println!("{digits}");
    }
    Ok(())
}
