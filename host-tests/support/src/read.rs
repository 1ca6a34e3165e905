//! Splits bytes into frames.

use std::fmt::Write;

use crate::{PREFACE, code, flag, kind, setting};

/// The length of a frame header in bytes (RFC 9113, 4.1).
pub const HEADER_LEN: usize = 9;

/// A frame header (RFC 9113, 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// The length of the payload in bytes.
    pub length: u32,
    /// The [type](kind).
    pub kind: u8,
    /// The [flags](flag).
    pub flags: u8,
    /// The stream, and the reserved bit.
    pub stream: u32,
}

impl Header {
    /// Decodes a header.
    pub fn parse(octets: &[u8; HEADER_LEN]) -> Self {
        let &[a, b, c, kind, flags, d, e, f, g] = octets;
        let length = u32::from_be_bytes([0, a, b, c]);
        Self { length, kind, flags, stream: u32::from_be_bytes([d, e, f, g]) }
    }

    /// Encodes the header.
    pub fn encode(self) -> [u8; HEADER_LEN] {
        let [_, a, b, c] = self.length.to_be_bytes();
        let [d, e, f, g] = self.stream.to_be_bytes();
        [a, b, c, self.kind, self.flags, d, e, f, g]
    }

    /// Whether the flag is set.
    pub fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether the frame ends its sender's message (RFC 9113, 8.1).
    pub fn ends_stream(self) -> bool {
        matches!(self.kind, kind::DATA | kind::HEADERS) && self.has(flag::END_STREAM)
    }

    /// Whether the frame carries a part of a field block (RFC 9113, 4.3).
    pub fn carries_field_block(self) -> bool {
        matches!(self.kind, kind::HEADERS | kind::PUSH_PROMISE | kind::CONTINUATION)
    }

    /// Whether CONTINUATION must follow (RFC 9113, 6.10).
    pub fn is_continued(self) -> bool {
        self.carries_field_block() && !self.has(flag::END_HEADERS)
    }

    /// Describes a frame for humans; the payload may be missing.
    pub fn describe(self, payload: &[u8]) -> String {
        let mut words = format!("{} stream {}, {} bytes", kind::name(self.kind), self.stream, self.length);
        let named: &[(u8, &str)] = match self.kind {
            kind::DATA | kind::HEADERS => &[(flag::END_STREAM, "END_STREAM"), (flag::PADDED, "PADDED")],
            kind::SETTINGS | kind::PING => &[(flag::ACK, "ACK")],
            _ => &[],
        };
        for (_, name) in named.iter().filter(|&&(flag, _)| self.has(flag)) {
            _ = write!(words, ", {name}");
        }
        if self.is_continued() {
            words.push_str(", continued");
        }
        match self.kind {
            kind::RST_STREAM => _ = write!(words, ", {}", code::name(number(payload, 0))),
            kind::GOAWAY => {
                let debug_data = payload.get(8..).unwrap_or_default().escape_ascii();
                let (last, code) = (number(payload, 0), code::name(number(payload, 4)));
                _ = write!(words, ", last stream {last}, {code} {debug_data}");
            }
            kind::WINDOW_UPDATE => _ = write!(words, ", {}", number(payload, 0)),
            kind::PUSH_PROMISE => _ = write!(words, ", promises {}", number(payload, 0)),
            kind::SETTINGS => {
                for (id, value) in parameters(payload) {
                    _ = write!(words, ", {} = {value}", setting::name(id));
                }
            }
            _ => {}
        }
        words
    }
}

/// The 32-bit number at an offset; 0 if the payload is too short.
pub fn number(payload: &[u8], at: usize) -> u32 {
    let octets = payload.get(at..).and_then(|octets| octets.first_chunk());
    octets.map_or(0, |&octets| u32::from_be_bytes(octets))
}

/// The parameters of a SETTINGS frame, in their order.
pub fn parameters(payload: &[u8]) -> impl Iterator<Item = (u16, u32)> {
    let parameters = payload.as_chunks::<6>().0.iter();
    parameters.map(|&[a, b, c, d, e, f]| (u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f])))
}

/// Splits the output of an endpoint into frames, however it is cut on arrival.
#[derive(Debug)]
pub struct Frames {
    preface_due: bool,
    /// The first bytes of a frame, or of the preface.
    partial: Vec<u8>,
    /// A DATA frame without padding, and the number of its bytes still missing.
    data: Option<(Header, usize)>,
}

/// A part of a frame that has arrived.
#[derive(Clone, Debug)]
pub enum Part {
    /// The header of a frame.
    Header(Header),
    /// Bytes of an unpadded DATA frame's content, which count on arrival.
    Content(Header, Vec<u8>),
    /// A complete frame; the payload is empty if it was reported as content.
    Frame(Header, Vec<u8>),
}

impl Frames {
    /// Splits the output of a client, which begins with the preface.
    pub fn from_client() -> Self {
        Self { preface_due: true, partial: Vec::new(), data: None }
    }

    /// Splits the output of a server, or of a client after its preface.
    pub fn from_server() -> Self {
        Self { preface_due: false, partial: Vec::new(), data: None }
    }

    /// Whether the bytes so far end between two frames.
    pub fn is_between_frames(&self) -> bool {
        self.partial.is_empty() && self.data.is_none() && !self.preface_due
    }

    /// Takes bytes, and returns the parts that they complete.
    ///
    /// # Errors
    ///
    /// Fails if a client does not begin with the preface.
    pub fn take(&mut self, mut octets: &[u8]) -> Result<Vec<Part>, String> {
        let mut parts = Vec::new();
        while !octets.is_empty() {
            if let Some((header, left)) = self.data {
                let (content, rest) = octets.split_at(left.min(octets.len()));
                octets = rest;
                parts.push(Part::Content(header, content.to_vec()));
                self.begin_data(header, left - content.len(), &mut parts);
                continue;
            }
            let lacking = self.wanted() - self.partial.len();
            let (piece, rest) = octets.split_at(lacking.min(octets.len()));
            octets = rest;
            self.partial.extend_from_slice(piece);
            if piece.len() == lacking {
                self.arrived(&mut parts)?;
            }
        }
        Ok(parts)
    }

    fn wanted(&self) -> usize {
        match self.header() {
            _ if self.preface_due => PREFACE.len(),
            Some(header) => HEADER_LEN + header.length as usize,
            None => HEADER_LEN,
        }
    }

    fn header(&self) -> Option<Header> {
        self.partial.first_chunk().map(Header::parse)
    }

    /// Handles a part once all its bytes have arrived.
    fn arrived(&mut self, parts: &mut Vec<Part>) -> Result<(), String> {
        if self.preface_due {
            if self.partial != PREFACE {
                return Err("the client's output does not begin with the preface".to_owned());
            }
            self.preface_due = false;
            self.partial.clear();
            return Ok(());
        }
        let Some(header) = self.header() else { return Ok(()) };
        if self.partial.len() == HEADER_LEN {
            parts.push(Part::Header(header));
            if header.kind == kind::DATA && !header.has(flag::PADDED) {
                self.partial.clear();
                self.begin_data(header, header.length as usize, parts);
                return Ok(());
            }
        }
        if self.partial.len() == HEADER_LEN + header.length as usize {
            parts.push(Part::Frame(header, self.partial.split_off(HEADER_LEN)));
            self.partial.clear();
        }
        Ok(())
    }

    fn begin_data(&mut self, header: Header, left: usize, parts: &mut Vec<Part>) {
        self.data = (left > 0).then_some((header, left));
        if left == 0 {
            parts.push(Part::Frame(header, Vec::new()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{data, go_away, ping, settings};

    #[test]
    fn frames_do_not_depend_on_how_input_is_cut() {
        let octets = [
            PREFACE,
            &settings(&[(setting::ENABLE_PUSH, 0), (0x99, 7)]),
            &ping(*b"12345678"),
            &data(1, flag::END_STREAM, b"content"),
            &data(3, flag::END_STREAM, b""),
            &go_away(5, code::CANCEL),
        ]
        .concat();
        for size in 1..octets.len() {
            let mut frames = Frames::from_client();
            let (mut whole, mut content) = (Vec::new(), Vec::new());
            for part in octets.chunks(size).flat_map(|piece| frames.take(piece).unwrap()) {
                match part {
                    Part::Header(_) => {}
                    Part::Content(_, octets) => content.extend(octets),
                    Part::Frame(header, payload) => whole.push(header.describe(&payload)),
                }
            }
            assert_eq!(content, b"content");
            let expected = [
                "SETTINGS stream 0, 12 bytes, ENABLE_PUSH = 0, 0x99 = 7",
                "PING stream 0, 8 bytes",
                "DATA stream 1, 7 bytes, END_STREAM",
                "DATA stream 3, 0 bytes, END_STREAM",
                "GOAWAY stream 0, 8 bytes, last stream 5, CANCEL ",
            ];
            assert_eq!(whole, expected, "in pieces of {size}");
            assert!(frames.is_between_frames());
        }
    }

    #[test]
    fn headers_survive_encoding() {
        let header = Header { length: 0x01_02_03, kind: kind::PING, flags: flag::ACK, stream: 0x8000_0005 };
        assert_eq!(Header::parse(&header.encode()), header);
    }
}
