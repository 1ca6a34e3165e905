//! Passes fields from the HPACK encoder to the decoder and to another decoder, while the table size changes.
#![no_main]

use arbitrary::Arbitrary;
use http2_engine::FieldSection;
use http2_engine::hpack::{Decoded, Decoder, Encoder, SectionLimits};

#[derive(Arbitrary, Debug)]
struct Input {
    /// The largest table that the encoder uses.
    own_cap: u16,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    /// The encoder's peer allows another table size.
    TableSize(u16),
    Section(Vec<Line>),
}

#[derive(Arbitrary, Debug)]
struct Line {
    name: Name,
    value: Value,
    never_indexed: bool,
}

/// Names from the static table, a few others, and arbitrary bytes.
#[derive(Arbitrary, Debug)]
enum Name {
    Known(u8),
    Own(u8),
    Any(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
enum Value {
    Repeated(u8),
    Any(Vec<u8>),
    Long(u8, u16),
}

const LIMITS: SectionLimits = SectionLimits {
    list_size: usize::MAX,
    list_size_hard: usize::MAX,
    fields: usize::MAX,
    fields_hard: usize::MAX,
    cookie_crumbs: usize::MAX,
};

const KNOWN: [&str; 8] =
    [":method", ":path", ":status", "cookie", "accept", "authorization", "content-length", "set-cookie"];

libfuzzer_sys::fuzz_target!(|input: Input| {
    let (mut encoder, mut decoder) = (Encoder::new(table_size(input.own_cap)), Decoder::default());
    let mut other = fluke_hpack::Decoder::new();
    let mut decoded = FieldSection::new();
    for step in &input.steps {
        let lines = match step {
            Step::TableSize(size) => {
                let size = table_size(*size);
                encoder.set_max_table_size(size);
                decoder.set_max_table_size(size);
                continue;
            }
            // The other decoder rejects a table size update at the end of a block.
            Step::Section(lines) if lines.is_empty() => continue,
            Step::Section(lines) => lines,
        };
        let section = section(lines);
        let mut block = Vec::new();
        encoder.encode(&section, &mut block);
        assert_eq!(decoder.decode(&block, &LIMITS, &mut decoded), Ok(Decoded::Whole));
        let fields = |section: &FieldSection| {
            let fields = section.iter().map(|field| (field.name.to_vec(), field.value.to_vec()));
            fields.collect::<Vec<_>>()
        };
        assert_eq!(fields(&decoded), fields(&section));
        let exposed =
            section.iter().zip(decoded.iter()).find(|(one, other)| one.never_indexed && !other.never_indexed);
        assert!(exposed.is_none(), "a sensitive field may be indexed: {exposed:?}");
        assert_eq!(other.decode(&block).expect("a block"), fields(&section));
    }
});

/// A table size; every second one is so small that entries are soon evicted.
fn table_size(size: u16) -> u32 {
    if size.is_multiple_of(2) { (size % 400).into() } else { size.into() }
}

fn section(lines: &[Line]) -> FieldSection {
    let mut section = FieldSection::new();
    for line in lines {
        let name = match &line.name {
            Name::Known(number) => KNOWN[usize::from(*number) % KNOWN.len()].as_bytes().to_vec(),
            Name::Own(letter) => vec![b'x', b'-', b'a' + letter % 26],
            Name::Any(octets) => octets.clone(),
        };
        let value = match &line.value {
            Value::Repeated(letter) => vec![letter % 4; 10],
            Value::Any(octets) => octets.clone(),
            Value::Long(octet, length) => vec![*octet; usize::from(length % 6_000)],
        };
        if line.never_indexed {
            section.push_never_indexed(&name, &value);
        } else {
            section.push(&name, &value);
        }
    }
    section
}
