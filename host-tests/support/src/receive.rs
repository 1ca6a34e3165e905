//! Reads an endpoint's output, and decodes its field sections.

use std::collections::VecDeque;
use std::fmt;

use fluke_hpack::Decoder;

use crate::{Frames, Header, Part, flag, kind, number};

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
        self.header().ends_stream()
    }

    /// Four bytes of the payload as a big-endian number; 0 if the payload is too short.
    pub fn number(&self, at: usize) -> u32 {
        number(&self.payload, at)
    }

    /// The fields of the block, each as "NAME: VALUE".
    pub fn lines(&self) -> Vec<String> {
        self.fields.iter().map(|(name, value)| format!("{name}: {value}")).collect()
    }

    fn header(&self) -> Header {
        let length = u32::try_from(self.payload.len()).unwrap_or(u32::MAX);
        Header { length, kind: self.kind, flags: self.flags, stream: self.stream }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flags, payload, fields, .. } = self;
        write!(f, "{}, flags {flags:#x}", self.header().describe(payload))?;
        if fields.is_empty() {
            write!(f, ": {:x?}", payload.get(..payload.len().min(24)).unwrap_or_default())
        } else {
            write!(f, ": {fields:?}")
        }
    }
}

/// Reads whole frames from an endpoint's output, however it is cut on arrival, and checks the rules common to all
/// frames.
///
/// It expects neither padding nor priorities (RFC 9113, 6.2), and allows frames of 16,384 bytes.
pub struct Receiver {
    frames: Frames,
    parts: VecDeque<Part>,
    /// The received part of a DATA frame.
    content: Vec<u8>,
    block: Vec<u8>,
    decoder: Decoder<'static>,
}

impl Receiver {
    /// Reads the output of a client, which begins with the preface.
    pub fn from_client() -> Self {
        Self::new(Frames::from_client())
    }

    /// Reads the output of a server, or of a client after its preface.
    pub fn from_server() -> Self {
        Self::new(Frames::from_server())
    }

    fn new(frames: Frames) -> Self {
        let (content, block) = (Vec::new(), Vec::new());
        Self { frames, parts: VecDeque::new(), content, block, decoder: Decoder::new() }
    }

    /// Appends input as it arrives.
    ///
    /// # Errors
    ///
    /// Fails if a client does not begin with the preface.
    pub fn push(&mut self, octets: &[u8]) -> Result<(), String> {
        self.parts.extend(self.frames.take(octets)?);
        Ok(())
    }

    /// Returns the next complete frame.
    ///
    /// # Errors
    ///
    /// Fails if the frame is one that no endpoint may send.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, String> {
        while let Some(part) = self.parts.pop_front() {
            match part {
                Part::Header(_) => {}
                Part::Content(_, octets) => self.content.extend(octets),
                Part::Frame(header, payload) => return self.received(header, payload).map(Some),
            }
        }
        Ok(None)
    }

    /// Takes bytes that end between two frames, and returns the frames.
    ///
    /// # Panics
    ///
    /// Panics if the last frame is incomplete, or if a frame is one that no endpoint may send.
    #[track_caller]
    pub fn take_whole(&mut self, octets: &[u8]) -> Vec<Frame> {
        self.push(octets).expect("the preface");
        assert!(self.frames.is_between_frames(), "whole frames");
        std::iter::from_fn(|| self.next_frame().expect("valid frames")).collect()
    }

    /// Checks the rules common to all frames, and decodes a complete field block.
    fn received(&mut self, header: Header, mut payload: Vec<u8>) -> Result<Frame, String> {
        if header.stream >> 31 != 0 {
            return Err(format!("the reserved bit is set in {}", header.describe(&payload)));
        }
        if header.length > 16_384 {
            return Err(format!("a frame of {} bytes exceeds SETTINGS_MAX_FRAME_SIZE", header.length));
        }
        if payload.is_empty() {
            payload = std::mem::take(&mut self.content);
        }
        let Header { kind, flags, stream, .. } = header;
        let mut frame = Frame { kind, flags, stream, payload, block: Vec::new(), fields: Vec::new() };
        if header.carries_field_block() {
            let start = if kind == kind::PUSH_PROMISE { 4 } else { 0 };
            self.block.extend(frame.payload.get(start..).unwrap_or_default());
            if header.has(flag::END_HEADERS) {
                frame.block = std::mem::take(&mut self.block);
                frame.fields = self.decode(&frame.block)?;
            }
        }
        Ok(frame)
    }

    fn decode(&mut self, block: &[u8]) -> Result<Vec<(String, String)>, String> {
        let decoded = self.decoder.decode(block);
        let fields = decoded.map_err(|error| format!("the field block cannot be decoded: {error:?}"))?;
        let text = |octets: Vec<u8>| String::from_utf8_lossy(&octets).into_owned();
        Ok(fields.into_iter().map(|(name, value)| (text(name), text(value))).collect())
    }
}
