//! What passes between the two ends, looked at from outside.

use std::fmt::Write;

use http2_engine::Role;
use http2_engine::frame::{FrameHeader, FrameType, HEADER_LEN, flags};

/// The octets that one end has sent, cut into frames.
#[derive(Default)]
pub(crate) struct Wire {
    octets: Vec<u8>,
    preface_passed: bool,
    /// The streams that this end has reset, with the codes.
    pub(crate) resets: Vec<(u32, u32)>,
    /// The codes of the GOAWAYs.
    pub(crate) go_aways: Vec<u32>,
    /// Octets of the first frame, once it was sent: the endpoint's SETTINGS.
    pub(crate) first_frame: Option<usize>,
    /// Frames with padding.
    pub(crate) padded: usize,
}

/// The client connection preface (RFC 9113, 3.4).
const PREFACE: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();

impl Wire {
    /// Takes octets that were sent, and describes the frames that they complete.
    pub(crate) fn take(&mut self, sender: Role, octets: &[u8]) -> Vec<String> {
        self.octets.extend_from_slice(octets);
        if sender == Role::Client && !self.preface_passed {
            if self.octets.len() < PREFACE {
                return Vec::new();
            }
            self.octets.drain(..PREFACE);
            self.preface_passed = true;
        }
        let mut lines = Vec::new();
        while let Some(header) = self.octets.first_chunk::<HEADER_LEN>() {
            let header = FrameHeader::parse(header);
            let length = HEADER_LEN + header.length as usize;
            if self.octets.len() < length {
                break;
            }
            self.first_frame.get_or_insert(length);
            let payload: Vec<u8> = self.octets.drain(..length).skip(HEADER_LEN).collect();
            lines.push(self.frame(header, &payload));
        }
        lines
    }

    fn frame(&mut self, header: FrameHeader, payload: &[u8]) -> String {
        let (kind, stream) = (header.kind, header.stream_id.as_u32());
        let mut line = format!("{kind} stream {stream}, {} octets", header.length);
        let number = |at: usize| {
            payload
                .get(at..)
                .and_then(|octets| octets.first_chunk())
                .map_or(0, |&octets| u32::from_be_bytes(octets))
        };
        let carries_message = matches!(kind, FrameType::DATA | FrameType::HEADERS);
        if carries_message && header.has(flags::PADDED) {
            self.padded += 1;
            line.push_str(", PADDED");
        }
        if carries_message && header.has(flags::END_STREAM) {
            line.push_str(", END_STREAM");
        }
        match kind {
            FrameType::RST_STREAM => {
                self.resets.push((stream, number(0)));
                _ = write!(line, ", code {:#x}", number(0));
            }
            FrameType::GOAWAY => {
                self.go_aways.push(number(4));
                let debug_data = payload.get(8..).unwrap_or_default().escape_ascii();
                _ = write!(line, ", last stream {}, code {:#x} {debug_data}", number(0), number(4));
            }
            FrameType::WINDOW_UPDATE => _ = write!(line, ", {}", number(0)),
            FrameType::SETTINGS if header.has(flags::ACK) => line.push_str(", ACK"),
            FrameType::SETTINGS => {
                for parameter in payload.chunks_exact(6) {
                    let value = u32::from_be_bytes([parameter[2], parameter[3], parameter[4], parameter[5]]);
                    _ = write!(line, ", {:#x} = {value}", u16::from_be_bytes([parameter[0], parameter[1]]));
                }
            }
            FrameType::PING if header.has(flags::ACK) => line.push_str(", ACK"),
            _ => {}
        }
        line
    }
}
