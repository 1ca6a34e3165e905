//! Splits the output of an endpoint into frames, independently of the engine.

use std::fmt::Write;

use http2_engine::frame::{FrameHeader, FrameType, HEADER_LEN, SettingId, flags};
use http2_engine::{ErrorCode, Role};

/// The client connection preface (RFC 9113, 3.4).
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Splits bytes into frames, however they are cut.
#[derive(Debug)]
pub struct Frames {
    preface_due: bool,
    /// The first bytes of a frame, or of the preface.
    partial: Vec<u8>,
    /// A DATA frame without padding, and the number of its bytes still missing.
    data: Option<(FrameHeader, usize)>,
}

/// A part of a frame that has arrived.
#[derive(Clone, Debug)]
pub enum Part {
    /// The header of a frame.
    Header(FrameHeader),
    /// Bytes of an unpadded DATA frame's content, which count on arrival.
    Content(FrameHeader, Vec<u8>),
    /// A complete frame; the payload is empty if it was reported as content.
    Frame(FrameHeader, Vec<u8>),
}

impl Frames {
    /// Creates a splitter for the output of `sender`, from its first byte on.
    pub fn new(sender: Role) -> Self {
        Self { preface_due: sender == Role::Client, partial: Vec::new(), data: None }
    }

    /// Whether the bytes so far end between two frames.
    pub fn is_between_frames(&self) -> bool {
        self.partial.is_empty() && self.data.is_none() && !self.preface_due
    }

    /// Takes bytes, and returns the parts that they complete.
    ///
    /// # Panics
    ///
    /// Panics if a client does not begin with the preface.
    pub fn take(&mut self, mut octets: &[u8]) -> Vec<Part> {
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
                self.arrived(&mut parts);
            }
        }
        parts
    }

    fn wanted(&self) -> usize {
        match self.header() {
            _ if self.preface_due => PREFACE.len(),
            Some(header) => HEADER_LEN + header.length as usize,
            None => HEADER_LEN,
        }
    }

    fn header(&self) -> Option<FrameHeader> {
        self.partial.first_chunk().map(FrameHeader::parse)
    }

    /// Handles a part once all its bytes have arrived.
    fn arrived(&mut self, parts: &mut Vec<Part>) {
        if self.preface_due {
            assert_eq!(self.partial, PREFACE, "a client begins with the preface");
            self.preface_due = false;
            self.partial.clear();
            return;
        }
        let Some(header) = self.header() else { return };
        if self.partial.len() == HEADER_LEN {
            parts.push(Part::Header(header));
            if header.kind == FrameType::DATA && !header.has(flags::PADDED) {
                self.partial.clear();
                self.begin_data(header, header.length as usize, parts);
                return;
            }
        }
        if self.partial.len() == HEADER_LEN + header.length as usize {
            parts.push(Part::Frame(header, self.partial.split_off(HEADER_LEN)));
            self.partial.clear();
        }
    }

    fn begin_data(&mut self, header: FrameHeader, left: usize, parts: &mut Vec<Part>) {
        self.data = (left > 0).then_some((header, left));
        if left == 0 {
            parts.push(Part::Frame(header, Vec::new()));
        }
    }
}

/// Describes a frame for humans.
pub fn describe(header: FrameHeader, payload: &[u8]) -> String {
    let kind = header.kind;
    let mut words = format!("{kind} stream {}, {} bytes", header.stream_id, header.length);
    let named: &[(u8, &str)] = match kind {
        FrameType::DATA | FrameType::HEADERS => {
            &[(flags::END_STREAM, "END_STREAM"), (flags::PADDED, "PADDED")]
        }
        FrameType::SETTINGS | FrameType::PING => &[(flags::ACK, "ACK")],
        _ => &[],
    };
    for (_, name) in named.iter().filter(|&&(flag, _)| header.has(flag)) {
        _ = write!(words, ", {name}");
    }
    if header.carries_field_block() && !header.has(flags::END_HEADERS) {
        words.push_str(", continued");
    }
    match kind {
        FrameType::RST_STREAM => _ = write!(words, ", {}", ErrorCode(number(payload, 0))),
        FrameType::GOAWAY => {
            let debug_data = payload.get(8..).unwrap_or_default().escape_ascii();
            let (last, code) = (number(payload, 0), ErrorCode(number(payload, 4)));
            _ = write!(words, ", last stream {last}, {code} {debug_data}");
        }
        FrameType::WINDOW_UPDATE => _ = write!(words, ", {}", number(payload, 0)),
        FrameType::PUSH_PROMISE => _ = write!(words, ", promises {}", number(payload, 0)),
        FrameType::SETTINGS => {
            for parameter in payload.as_chunks::<6>().0 {
                let id = SettingId(u16::from_be_bytes([parameter[0], parameter[1]]));
                _ = write!(words, ", {id} = {}", number(parameter, 2));
            }
        }
        _ => {}
    }
    words
}

/// The 32-bit number at an offset; 0 if the payload is too short.
pub fn number(payload: &[u8], at: usize) -> u32 {
    let octets = payload.get(at..).and_then(|octets| octets.first_chunk());
    octets.map_or(0, |&octets| u32::from_be_bytes(octets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http2_engine::StreamId;
    use http2_engine::frame::{Ping, data};

    #[test]
    fn frames_do_not_depend_on_how_input_is_cut() {
        let mut octets = PREFACE.to_vec();
        Ping { ack: false, opaque_data: *b"12345678" }.encode(&mut octets);
        data::encode_header(&mut octets, StreamId::new(1).unwrap(), 7, true);
        octets.extend(b"content");
        data::encode_header(&mut octets, StreamId::new(3).unwrap(), 0, true);
        for size in 1..octets.len() {
            let mut frames = Frames::new(Role::Client);
            let (mut whole, mut content) = (Vec::new(), Vec::new());
            for part in octets.chunks(size).flat_map(|piece| frames.take(piece)) {
                match part {
                    Part::Header(_) => {}
                    Part::Content(_, octets) => content.extend(octets),
                    Part::Frame(header, payload) => whole.push(describe(header, &payload)),
                }
            }
            assert_eq!(content, b"content");
            let expected = [
                "PING stream 0, 8 bytes",
                "DATA stream 1, 7 bytes, END_STREAM",
                "DATA stream 3, 0 bytes, END_STREAM",
            ];
            assert_eq!(whole, expected, "in pieces of {size}");
            assert!(frames.is_between_frames());
        }
    }
}
