//! Splits an endpoint's output into frames, and decodes their field sections.

use std::fmt;

use fluke_hpack::Decoder;

use crate::case::Role;
use crate::frame::{PREFACE, flag, kind};

/// A received frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its [type](kind).
    pub kind: u8,
    /// Its [flags](flag).
    pub flags: u8,
    /// Its stream.
    pub stream: u32,
    /// Its payload.
    pub payload: Vec<u8>,
    /// The complete field block, on the frame (HEADERS, PUSH_PROMISE or CONTINUATION) that ends one.
    pub block: Vec<u8>,
    /// The fields of that block.
    pub fields: Vec<(String, String)>,
}

impl Frame {
    /// Whether the frame ends its sender's message (RFC 9113, 8.1).
    pub fn ends_stream(&self) -> bool {
        matches!(self.kind, kind::DATA | kind::HEADERS) && self.flags & flag::END_STREAM != 0
    }

    /// Four bytes of the payload as a big-endian number; 0 if the payload is too short.
    pub fn number(&self, at: usize) -> u32 {
        self.payload
            .get(at..at + 4)
            .map_or(0, |octets| octets.iter().fold(0, |number, octet| number << 8 | u32::from(*octet)))
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, flags, stream, payload, fields, .. } = self;
        write!(f, "type {kind:#x}, flags {flags:#x}, stream {stream}, {} bytes", payload.len())?;
        if fields.is_empty() {
            write!(f, ": {:x?}", payload.get(..payload.len().min(24)).unwrap_or_default())
        } else {
            write!(f, ": {fields:?}")
        }
    }
}

/// Splits an endpoint's output into frames, however it is cut on arrival, and checks the rules common to all
/// frames.
pub struct Receiver {
    octets: Vec<u8>,
    /// The number of bytes consumed.
    taken: usize,
    preface_is_due: bool,
    block: Vec<u8>,
    decoder: Decoder<'static>,
}

impl Receiver {
    /// Creates a receiver for the output of an endpoint of this role, from its first byte on.
    pub fn new(sender: Role) -> Self {
        Self {
            octets: Vec::new(),
            taken: 0,
            preface_is_due: sender == Role::Client,
            block: Vec::new(),
            decoder: Decoder::new(),
        }
    }

    /// Appends input as it arrives.
    pub fn push(&mut self, octets: &[u8]) {
        self.octets.drain(..self.taken);
        self.taken = 0;
        self.octets.extend(octets);
    }

    /// Returns the next complete frame.
    ///
    /// # Errors
    ///
    /// Fails if the frame is one that no endpoint may send.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, String> {
        if self.preface_is_due {
            let Some(preface) = self.octets.get(..PREFACE.len()) else { return Ok(None) };
            if preface != PREFACE {
                return Err("the client's output does not begin with the preface".to_owned());
            }
            self.taken = PREFACE.len();
            self.preface_is_due = false;
        }
        let Some((&[a, b, c, kind, flags, d, e, f, g], rest)) = self.octets[self.taken..].split_first_chunk()
        else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        let Some(payload) = rest.get(..length) else { return Ok(None) };
        let (payload, stream) = (payload.to_vec(), u32::from_be_bytes([d, e, f, g]));
        self.taken += 9 + length;
        let mut frame = Frame { kind, flags, stream, payload, block: Vec::new(), fields: Vec::new() };
        self.check(&mut frame)?;
        Ok(Some(frame))
    }

    /// Checks the rules common to all frames, and decodes the fields of a complete field block.
    fn check(&mut self, frame: &mut Frame) -> Result<(), String> {
        if frame.stream >> 31 != 0 {
            return Err(format!("the reserved bit is set in {frame:?}"));
        }
        if frame.payload.len() > 16_384 {
            return Err(format!(
                "a frame of {} bytes exceeds the tester's SETTINGS_MAX_FRAME_SIZE",
                frame.payload.len()
            ));
        }
        let fragment = match frame.kind {
            kind::HEADERS | kind::CONTINUATION => &frame.payload[..],
            kind::PUSH_PROMISE => frame.payload.get(4..).unwrap_or_default(),
            _ => return Ok(()),
        };
        self.block.extend(fragment);
        if frame.flags & flag::END_HEADERS != 0 {
            frame.block = std::mem::take(&mut self.block);
            let decoded = self.decoder.decode(&frame.block);
            let fields = decoded.map_err(|error| format!("the field block cannot be decoded: {error:?}"))?;
            let text = |octets: Vec<u8>| String::from_utf8_lossy(&octets).into_owned();
            frame.fields = fields.into_iter().map(|(name, value)| (text(name), text(value))).collect();
        }
        Ok(())
    }
}
