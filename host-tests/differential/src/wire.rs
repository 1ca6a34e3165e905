//! Observes the traffic between the two ends.

use http2_engine::Role;
use http2_simulation::wire::frames_of;
use http2_test_support::{Frames, HEADER_LEN, Header, Part, flag, kind, number};

/// The output of one end, split into frames.
pub(crate) struct Wire {
    frames: Frames,
    /// The streams that this end has reset, with their codes.
    pub(crate) resets: Vec<(u32, u32)>,
    /// The codes of its GOAWAY frames.
    pub(crate) go_aways: Vec<u32>,
    /// The length in bytes of the first frame (the endpoint's SETTINGS), once it was sent.
    pub(crate) first_frame: Option<usize>,
    /// Frames with padding.
    pub(crate) padded: usize,
}

impl Wire {
    /// Creates an observer for an end that has sent nothing yet.
    pub(crate) fn new(sender: Role) -> Self {
        Self {
            frames: frames_of(sender),
            resets: Vec::new(),
            go_aways: Vec::new(),
            first_frame: None,
            padded: 0,
        }
    }

    /// Records output, and describes the frames that it completes.
    pub(crate) fn take(&mut self, octets: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for part in self.frames.take(octets).expect("frames") {
            if let Part::Frame(header, payload) = part {
                self.frame(header, &payload);
                lines.push(header.describe(&payload));
            }
        }
        lines
    }

    fn frame(&mut self, header: Header, payload: &[u8]) {
        self.first_frame.get_or_insert(HEADER_LEN + header.length as usize);
        match header.kind {
            kind::DATA | kind::HEADERS => self.padded += usize::from(header.has(flag::PADDED)),
            kind::RST_STREAM => self.resets.push((header.stream, number(payload, 0))),
            kind::GOAWAY => self.go_aways.push(number(payload, 4)),
            _ => {}
        }
    }
}
