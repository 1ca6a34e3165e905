//! HPACK of this engine beside nghttp2's, on the header sections of recorded connections.
//!
//! The engine decodes as its connections do: into one section after the other, with the limits of the default
//! configuration and with validation of all names and values, which nghttp2 leaves to a later step.

mod corpus;
mod nghttp2;

use std::hint::black_box;
use std::time::Duration;

use anyhow::{Result, ensure};
use codec_speed::{medians, rate};
use corpus::{Blocks, Connection, Corpus};
use http2_engine::hpack::{Decoded, Decoder, Encoder, SectionLimits};
use http2_engine::{Config, FieldSection};
use nghttp2::{Deflater, Fields, Inflater, to_nv};

fn main() -> Result<()> {
    let corpus = Corpus::load()?;
    for (encoder, encoded) in &corpus.encoded {
        check(&corpus.connections, encoded, encoder)?;
    }
    println!("{} connections of {}:", corpus.connections.len(), corpus.origin);
    println!("{} field lines with {} bytes\n", corpus.lines(), corpus.bytes());

    print_line("", ["encoded", "nghttp2", "engine", ""]);
    print_line("", ["bytes", "MB/s", "MB/s", "ratio"]);
    for (encoder, encoded) in &corpus.encoded {
        let times = medians([&mut || inflate(encoded), &mut || decode(encoded)]);
        print_row(&format!("decode blocks of {encoder}"), &size(encoded), corpus.bytes(), times);
    }
    print_encoding(&corpus);
    Ok(())
}

fn print_encoding(corpus: &Corpus) {
    let borrowed: Vec<Vec<_>> = corpus
        .connections
        .iter()
        .map(|connection| connection.iter().map(|section| to_nv(section)).collect())
        .collect();
    let sections: Vec<Vec<_>> = corpus
        .connections
        .iter()
        .map(|connection| connection.iter().map(|section| build(section)).collect())
        .collect();

    let [nghttp2, engine, with_building] =
        medians([&mut || deflate(&borrowed), &mut || encode(&sections), &mut || {
            build_and_encode(&corpus.connections);
        }]);
    let encoded = "as above";
    print_row("encode", encoded, corpus.bytes(), [nghttp2, engine]);
    print_row("build the sections and encode", encoded, corpus.bytes(), [nghttp2, with_building]);
}

/// Checks that both decoders decode the blocks to the sections that were encoded.
fn check(connections: &[Connection], encoded: &[Blocks], encoder: &str) -> Result<()> {
    ensure!(connections.len() == encoded.len(), "{encoder} has encoded {} connections", encoded.len());
    for (connection, blocks) in connections.iter().zip(encoded) {
        ensure!(connection.len() == blocks.len(), "{encoder} has encoded {} sections", blocks.len());
        let (mut inflater, mut decoder) = (Inflater::new(), Decoder::default());
        for (section, block) in connection.iter().zip(blocks) {
            let mut inflated = Vec::new();
            inflater.inflate(block, |name, value| inflated.push((name.to_vec(), value.to_vec())));
            ensure!(inflated == *section, "nghttp2 decodes other fields than {encoder} has encoded");
            let mut decoded = FieldSection::new();
            ensure!(
                decoder.decode(block, &limits(), &mut decoded) == Ok(Decoded::Whole),
                "the block is invalid"
            );
            let lines = decoded.iter().map(|field| (field.name.to_vec(), field.value.to_vec()));
            ensure!(
                lines.eq(section.iter().cloned()),
                "the engine decodes other fields than {encoder} has encoded"
            );
        }
    }
    Ok(())
}

/// Returns the limits of connections with the default configuration.
fn limits() -> SectionLimits {
    let config = Config::default();
    SectionLimits {
        list_size: config.max_header_list_size as usize,
        list_size_hard: config.limits.field_section_hard as usize,
        fields: config.limits.fields,
        fields_hard: config.limits.fields_hard,
        cookie_crumbs: config.limits.cookie_crumbs,
    }
}

fn build(section: &[(Vec<u8>, Vec<u8>)]) -> FieldSection {
    section.iter().map(|(name, value)| (name, value)).collect()
}

fn inflate(encoded: &[Blocks]) {
    for blocks in encoded {
        let mut inflater = Inflater::new();
        for block in blocks {
            inflater.inflate(block, |name, value| {
                black_box((name, value));
            });
        }
    }
}

fn decode(encoded: &[Blocks]) {
    let (limits, mut section) = (limits(), FieldSection::new());
    for blocks in encoded {
        let mut decoder = Decoder::default();
        for block in blocks {
            let decoded = decoder.decode(block, &limits, &mut section);
            assert_eq!(decoded, Ok(Decoded::Whole));
            black_box(&section);
        }
    }
}

fn deflate(connections: &[Vec<Fields<'_>>]) {
    let mut block = Vec::new();
    for connection in connections {
        let mut deflater = Deflater::new();
        for section in connection {
            block.clear();
            deflater.deflate(section, &mut block);
            black_box(&block);
        }
    }
}

fn encode(connections: &[Vec<FieldSection>]) {
    let mut block = Vec::new();
    for connection in connections {
        let mut encoder = Encoder::default();
        for section in connection {
            block.clear();
            encoder.encode(section, &mut block);
            black_box(&block);
        }
    }
}

fn build_and_encode(connections: &[Connection]) {
    let mut block = Vec::new();
    let mut built = FieldSection::new();
    for connection in connections {
        let mut encoder = Encoder::default();
        for section in connection {
            built.clear();
            built.extend(section.iter().map(|(name, value)| (name, value)));
            block.clear();
            encoder.encode(&built, &mut block);
            black_box(&block);
        }
    }
}

fn size(encoded: &[Blocks]) -> String {
    encoded.iter().flatten().map(Vec::len).sum::<usize>().to_string()
}

fn print_row(name: &str, encoded: &str, bytes: usize, [nghttp2, engine]: [Duration; 2]) {
    let ratio = nghttp2.as_secs_f64() / engine.as_secs_f64();
    let [nghttp2, engine] = [nghttp2, engine].map(|time| format!("{:.0}", rate(bytes, time)));
    print_line(name, [encoded, &nghttp2, &engine, &format!("{ratio:.2}")]);
}

fn print_line(name: &str, [encoded, nghttp2, engine, ratio]: [&str; 4]) {
    println!("{name:<38} {encoded:>8} {nghttp2:>8} {engine:>8} {ratio:>6}");
}
