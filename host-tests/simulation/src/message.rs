//! Random, well-formed messages, and the comparison of sent and delivered sections.

use std::ops::Range;

use http2_engine::{FieldSection, Role};

use crate::random::Random;

/// A message to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// The informational responses before the head.
    pub(crate) informational: Vec<FieldSection>,
    pub(crate) head: FieldSection,
    /// The length of the content in bytes.
    pub(crate) content: usize,
    pub(crate) trailers: Option<FieldSection>,
}

impl Message {
    /// Creates a request with at most `most` bytes of content.
    pub(crate) fn request(random: &mut Random, most: usize) -> Self {
        let method = random.pick(&["GET", "POST", "PUT", "HEAD", "CONNECT"]);
        let mut head = FieldSection::new();
        head.push(b":method", method.as_bytes());
        if method == "CONNECT" {
            head.push(b":authority", b"example.com:443");
        } else {
            push_target(&mut head, random);
        }
        Self::new(head, random, most, method != "CONNECT")
    }

    /// Creates a request that a server may promise (RFC 9113, 8.4.1).
    pub(crate) fn promised(random: &mut Random) -> FieldSection {
        let mut head = FieldSection::new();
        head.push(b":method", random.pick(&["GET", "HEAD"]).as_bytes());
        push_target(&mut head, random);
        push_fields(&mut head, random);
        head
    }

    /// Creates a response to the request with this head.
    pub(crate) fn response(random: &mut Random, request: &FieldSection, most: usize) -> Self {
        let status = random.pick(&["200", "200", "200", "404", "204"]);
        let mut head = FieldSection::new();
        head.push(b":status", status.as_bytes());
        let tunnel = request.method() == Some(b"CONNECT") && status.starts_with('2');
        let without_content = !tunnel && (request.method() == Some(b"HEAD") || status == "204");
        let mut response = Self::new(head, random, if without_content { 1 } else { most }, !tunnel);
        for _ in 0..random.size(4) {
            let mut head = FieldSection::new();
            head.push(b":status", random.pick(&["100", "103"]).as_bytes());
            push_fields(&mut head, random);
            response.informational.push(head);
        }
        response
    }

    fn new(mut head: FieldSection, random: &mut Random, most: usize, framed: bool) -> Self {
        let content = if random.one_in(3) { 0 } else { random.size(most) };
        push_fields(&mut head, random);
        if framed && random.one_in(3) {
            head.push(b"content-length", content.to_string().as_bytes());
        }
        let trailers = (framed && random.one_in(4)).then(|| {
            let mut trailers = FieldSection::new();
            push_fields(&mut trailers, random);
            trailers
        });
        Self { informational: Vec::new(), head, content, trailers }
    }

    /// Whether the message consists of its head alone.
    pub(crate) fn is_head_only(&self) -> bool {
        self.content == 0 && self.trailers.is_none()
    }
}

fn push_target(head: &mut FieldSection, random: &mut Random) {
    for (name, value) in [(":scheme", "http"), (":authority", "example.com"), (":path", "/")] {
        head.push(name.as_bytes(), value.as_bytes());
    }
    push_fields(head, random);
}

/// Names allowed in every section.
const NAMES: [&str; 6] =
    ["accept", "etag", "x-one", "x-two", "x-a-rather-long-name-that-nobody-else-uses", "via"];

fn push_fields(section: &mut FieldSection, random: &mut Random) {
    for _ in 0..random.size(5) {
        let name = random.pick(&NAMES);
        let octets = if random.one_in(100) { random.size(12_000) } else { random.size(60) };
        let value = vec![random.pick(b"abcdefgh"); octets];
        if random.one_in(20) {
            section.push_never_indexed(name.as_bytes(), &value);
        } else {
            section.push(name.as_bytes(), &value);
        }
    }
}

/// The content of a message; position, stream and sender determine every byte.
pub fn content(stream: u32, sender: Role, at: Range<usize>) -> Vec<u8> {
    let salt = stream as usize + if sender == Role::Client { 0 } else { 101 };
    at.map(|at| (at.wrapping_mul(31) ^ (at >> 8) ^ salt) as u8).collect()
}

/// Whether a section was delivered as it was sent: in order, and with sensitive fields still marked so (RFC
/// 7541, 7.1.3).
///
/// `secret` lists the names that the sender excludes from compression.
pub(crate) fn is_delivered(sent: &FieldSection, delivered: &FieldSection, secret: &[bytes::Bytes]) -> bool {
    let same = |(sent, delivered): (http2_engine::Field<'_>, http2_engine::Field<'_>)| {
        let kept_secret = sent.never_indexed || secret.iter().any(|name| name == sent.name);
        sent.name == delivered.name && sent.value == delivered.value && kept_secret == delivered.never_indexed
    };
    sent.len() == delivered.len() && sent.iter().zip(delivered.iter()).all(same)
}
