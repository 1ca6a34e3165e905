//! What passes between the two ends, looked at from outside.

use http2_engine::Role;
use http2_engine::frame::{FrameHeader, FrameType, HEADER_LEN, flags};
use http2_simulation::wire::{Frames, Part, describe, number};

/// The octets that one end has sent, cut into frames.
pub(crate) struct Wire {
    frames: Frames,
    /// The streams that this end has reset, with the codes.
    pub(crate) resets: Vec<(u32, u32)>,
    /// The codes of the GOAWAYs.
    pub(crate) go_aways: Vec<u32>,
    /// Octets of the first frame, once it was sent: the endpoint's SETTINGS.
    pub(crate) first_frame: Option<usize>,
    /// Frames with padding.
    pub(crate) padded: usize,
}

impl Wire {
    /// Nothing was sent.
    pub(crate) fn new(sender: Role) -> Self {
        Self {
            frames: Frames::new(sender),
            resets: Vec::new(),
            go_aways: Vec::new(),
            first_frame: None,
            padded: 0,
        }
    }

    /// Takes octets that were sent, and describes the frames that they complete.
    pub(crate) fn take(&mut self, octets: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for part in self.frames.take(octets) {
            if let Part::Frame(header, payload) = part {
                self.frame(header, &payload);
                lines.push(describe(header, &payload));
            }
        }
        lines
    }

    fn frame(&mut self, header: FrameHeader, payload: &[u8]) {
        self.first_frame.get_or_insert(HEADER_LEN + header.length as usize);
        match header.kind {
            FrameType::DATA | FrameType::HEADERS => self.padded += usize::from(header.has(flags::PADDED)),
            FrameType::RST_STREAM => self.resets.push((header.stream_id.as_u32(), number(payload, 0))),
            FrameType::GOAWAY => self.go_aways.push(number(payload, 4)),
            _ => {}
        }
    }
}
