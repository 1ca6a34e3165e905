//! Header sections and field blocks to measure with.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use http2_engine::FieldSection;
use http2_engine::hpack::Encoder;
use serde::Deserialize;

use crate::nghttp2::{Deflater, to_nv};

/// The names and values of a header section.
pub(crate) type Section = Vec<(Vec<u8>, Vec<u8>)>;

/// The header sections of one connection.
pub(crate) type Connection = Vec<Section>;

/// The field blocks of one connection.
pub(crate) type Blocks = Vec<Vec<u8>>;

/// Connections, and their field blocks as written by several encoders.
pub(crate) struct Corpus {
    pub(crate) origin: String,
    pub(crate) connections: Vec<Connection>,
    /// The name of each encoder, and the blocks of each connection.
    pub(crate) encoded: Vec<(&'static str, Vec<Blocks>)>,
}

#[derive(Deserialize)]
struct Story {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    /// The block in hexadecimal digits; empty in stories of raw data.
    #[serde(default)]
    wire: String,
    /// Maps with one name and value each.
    headers: Vec<BTreeMap<String, String>>,
}

impl Corpus {
    /// Reads the stories of <https://github.com/http2jp/hpack-test-case>, or builds requests and responses if they are
    /// missing.
    pub(crate) fn load() -> Result<Self> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/hpack");
        let (origin, connections, others) = if folder.is_dir() {
            (
                "hpack-test-case".into(),
                connections(&folder)?,
                &["nghttp2", "go-hpack", "node-http2-hpack"][..],
            )
        } else {
            let origin = format!("built-in requests and responses, as there is no {}", folder.display());
            (origin, built_in(), &[][..])
        };
        let mut encoded = Vec::new();
        for encoder in others {
            encoded.push((*encoder, blocks(&folder.join(encoder))?));
        }
        encoded.push(("nghttp2, this version", connections.iter().map(encode_by_nghttp2).collect()));
        encoded.push(("this engine", connections.iter().map(encode_by_engine).collect()));
        Ok(Self { origin, connections, encoded })
    }

    /// Returns the number of field lines.
    pub(crate) fn lines(&self) -> usize {
        self.connections.iter().flatten().map(Vec::len).sum()
    }

    /// Returns the bytes of all names and values.
    pub(crate) fn bytes(&self) -> usize {
        self.connections.iter().flatten().flatten().map(|(name, value)| name.len() + value.len()).sum()
    }
}

fn stories(folder: &Path) -> Result<Vec<Story>> {
    let files = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = files.map(|file| Ok(file?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    paths.iter().map(|path| Ok(serde_json::from_slice(&fs::read(path)?)?)).collect()
}

fn connections(folder: &Path) -> Result<Vec<Connection>> {
    let line = |(name, value): (String, String)| (name.into_bytes(), value.into_bytes());
    let section = |case: Case| case.headers.into_iter().flatten().map(line).collect();
    let stories = stories(&folder.join("raw-data"))?;
    Ok(stories.into_iter().map(|story| story.cases.into_iter().map(section).collect()).collect())
}

fn blocks(folder: &Path) -> Result<Vec<Blocks>> {
    let of_story = |story: Story| story.cases.iter().map(|case| from_hex(&case.wire)).collect();
    stories(folder)?.into_iter().map(of_story).collect()
}

fn from_hex(digits: &str) -> Result<Vec<u8>> {
    ensure!(digits.len().is_multiple_of(2), "a block has half a byte");
    (0..digits.len()).step_by(2).map(|at| Ok(u8::from_str_radix(&digits[at..at + 2], 16)?)).collect()
}

fn encode_by_nghttp2(connection: &Connection) -> Blocks {
    let mut deflater = Deflater::new();
    let encode = |section: &Section| {
        let mut block = Vec::new();
        deflater.deflate(&to_nv(section), &mut block);
        block
    };
    connection.iter().map(encode).collect()
}

fn encode_by_engine(connection: &Connection) -> Blocks {
    let mut encoder = Encoder::default();
    let encode = |section: &Section| {
        let mut block = Vec::new();
        encoder.encode(&section.iter().cloned().collect::<FieldSection>(), &mut block);
        block
    };
    connection.iter().map(encode).collect()
}

/// Returns connections with requests of a browser or responses of a server, whose values repeat about as often as on
/// the web.
fn built_in() -> Vec<Connection> {
    let message = |connection, number| if connection % 2 == 0 { request(number) } else { response(number) };
    (0..16)
        .map(|connection| (0..100).map(|exchange| message(connection, connection * 100 + exchange)).collect())
        .collect()
}

fn request(number: usize) -> Section {
    let kind = ["html", "css", "js", "png"][number % 4];
    vec![
        line(":method", "GET"),
        line(":scheme", "https"),
        line(":authority", format!("{}.example.com", ["www", "static", "images"][number % 3])),
        line(":path", format!("/assets/v2/{:x}/item-{number}.{kind}?lang=en", number * 7_919)),
        line("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        line("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        line("accept-language", "en-US,en;q=0.5"),
        line("accept-encoding", "gzip, deflate, br, zstd"),
        line("referer", format!("https://www.example.com/page/{}", number / 8)),
        line("cookie", format!("session=6f1ed002ab5595859014ebf0951522d9; visit={}", number / 16)),
        line("sec-fetch-mode", "no-cors"),
    ]
}

fn response(number: usize) -> Section {
    vec![
        line(":status", ["200", "200", "200", "304", "404"][number % 5]),
        line("date", format!("Mon, 21 Oct 2024 20:{:02}:{:02} GMT", number / 60 % 60, number % 60)),
        line("server", "example/1.2"),
        line("content-type", ["text/html; charset=utf-8", "text/css", "image/png"][number % 3]),
        line("content-length", (number * 977 % 65_521).to_string()),
        line("cache-control", "public, max-age=31536000, immutable"),
        line("etag", format!("\"{:x}\"", number * 7_919)),
        line("x-cache", ["HIT", "MISS"][number % 2]),
        line("vary", "accept-encoding"),
    ]
}

fn line(name: &str, value: impl Into<Vec<u8>>) -> (Vec<u8>, Vec<u8>) {
    (name.into(), value.into())
}
