//! Connections as other implementations have encoded them (http2jp/hpack-test-case).

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Story {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    /// Applies before the block.
    header_table_size: Option<u32>,
    /// The block in hexadecimal digits; stories of raw data have none.
    #[serde(default)]
    wire: String,
    /// Maps of one name and its value each.
    headers: Vec<BTreeMap<String, String>>,
}

impl Case {
    fn section(&self) -> FieldSection {
        self.headers.iter().flatten().collect()
    }
}

/// The stories of an encoder in the order of their numbers; none, and a message, if the data is not there.
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
fn blocks_of_other_encoders_decode() {
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
fn blocks_of_our_encoder_decode() {
    for (path, story) in stories("raw-data") {
        // A table of 4,096 octets, and one that changes its size before each block.
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
