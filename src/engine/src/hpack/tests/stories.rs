//! Tests with connections recorded from other implementations (http2jp/hpack-test-case).

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Story {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    /// The table size to apply before the block.
    header_table_size: Option<u32>,
    /// The block in hexadecimal digits; empty in stories of raw data.
    #[serde(default)]
    wire: String,
    /// Maps with one name and value each.
    headers: Vec<BTreeMap<String, String>>,
}

impl Case {
    fn section(&self) -> FieldSection {
        self.headers.iter().flatten().collect()
    }
}

/// Reads the stories of an encoder, ordered by number. Prints a message and returns none if the data is missing.
fn stories(encoder: &str) -> Vec<(PathBuf, Story)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/hpack").join(encoder);
    let Ok(files) = fs::read_dir(&folder) else {
        println!("skipped: there is no {}", folder.display());
        return Vec::new();
    };
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let story = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        (path, story)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn blocks_of_other_encoders_are_decoded() {
    for folder in ["go-hpack", "nghttp2", "nghttp2-change-table-size", "node-http2-hpack"] {
        for (path, story) in stories(folder) {
            let mut decoder = Decoder::default();
            for (number, case) in story.cases.iter().enumerate() {
                if let Some(size) = case.header_table_size {
                    decoder.set_max_table_size(size);
                }
                let decoded = decode(&mut decoder, &from_hex(&case.wire));
                assert_eq!(texts(&decoded), texts(&case.section()), "{} {number}", path.display());
            }
        }
    }
}

#[test]
fn blocks_of_our_encoder_are_decoded() {
    for (path, story) in stories("raw-data") {
        // A constant table of 4,096 bytes, then a table that changes its size before each block.
        for sizes in [&[4096][..], &[0, 100, 1000, 4096]] {
            let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
            for (number, (case, size)) in story.cases.iter().zip(sizes.iter().cycle()).enumerate() {
                encoder.set_max_table_size(*size);
                decoder.set_max_table_size(*size);
                let block = encode(&mut encoder, &case.section());
                let decoded = decode(&mut decoder, &block);
                assert_eq!(texts(&decoded), texts(&case.section()), "{} {number}", path.display());
            }
        }
    }
}
