//! A record of received and sent frames, for debugging.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

use http2_engine::{
    Connection, Direction, ErrorCode, FieldSection, FrameHeader, FrameType, SettingId, StreamId, Subscriber,
};

use crate::bindings::exports::http2::engine::connection::TraceFrame;

#[cfg(test)]
mod tests;

/// Frames kept until the application takes them.
const MAX_FRAMES: usize = 4_096;

/// The recorded frames that the application has not taken yet.
///
/// A subscriber must be `Send`, hence the lock, although only one thread ever uses the record.
pub(crate) struct Trace(Arc<Mutex<Record>>);

#[derive(Default)]
struct Record {
    frames: VecDeque<TraceFrame>,
    /// The fields of the next HEADERS or PUSH_PROMISE frame to be sent.
    fields: String,
}

impl Trace {
    /// Records the frames of `engine` from now on.
    pub(crate) fn attach(engine: &mut Connection) -> Self {
        let record = Arc::default();
        engine.set_subscriber(Box::new(Recorder(Arc::clone(&record))));
        Self(record)
    }

    /// Takes the frames since the last call.
    pub(crate) fn take(&self) -> Vec<TraceFrame> {
        self.0.lock().map(|mut record| record.frames.drain(..).collect()).unwrap_or_default()
    }
}

/// The engine's subscriber.
struct Recorder(Arc<Mutex<Record>>);

impl Subscriber for Recorder {
    fn frame(&mut self, direction: Direction, header: FrameHeader, payload: &[u8]) {
        let Ok(mut record) = self.0.lock() else { return };
        let sent = direction == Direction::Sent;
        let mut detail = describe(header, payload);
        if sent && has_fields(header.kind) {
            detail.push_str(&std::mem::take(&mut record.fields));
        }
        if record.frames.len() >= MAX_FRAMES {
            record.frames.pop_front();
        }
        record.frames.push_back(TraceFrame {
            sent,
            kind: header.kind.0,
            flags: header.flags,
            stream_id: header.stream_id.as_u32(),
            length: header.length,
            detail,
        });
    }

    fn fields(&mut self, direction: Direction, stream: StreamId, section: &FieldSection) {
        let Ok(mut record) = self.0.lock() else { return };
        let mut lines = String::new();
        for field in section.iter() {
            let mark = if field.never_indexed { " (never indexed)" } else { "" };
            let _ = write!(lines, "\n{}: {}{mark}", field.name.escape_ascii(), field.value.escape_ascii());
        }
        if direction == Direction::Sent {
            record.fields = lines;
            return;
        }
        let starts_section = |frame: &&mut TraceFrame| {
            !frame.sent && frame.stream_id == stream.as_u32() && has_fields(FrameType(frame.kind))
        };
        if let Some(frame) = record.frames.iter_mut().rev().find(starts_section) {
            frame.detail.push_str(&lines);
        }
    }
}

/// Returns whether frames of this type start a field block.
fn has_fields(kind: FrameType) -> bool {
    matches!(kind, FrameType::HEADERS | FrameType::PUSH_PROMISE)
}

/// Describes a frame, without its fields.
fn describe(header: FrameHeader, payload: &[u8]) -> String {
    let mut detail = flags(header);
    let contents = contents(header.kind, payload);
    if !detail.is_empty() && !contents.is_empty() {
        detail.push_str("; ");
    }
    detail.push_str(&contents);
    detail
}

/// Returns the names of the flags that are set (RFC 9113, 6).
fn flags(header: FrameHeader) -> String {
    let known: &[(u8, &str)] = match header.kind {
        FrameType::DATA => &[(0x1, "END_STREAM"), (0x8, "PADDED")],
        FrameType::HEADERS => {
            &[(0x1, "END_STREAM"), (0x4, "END_HEADERS"), (0x8, "PADDED"), (0x20, "PRIORITY")]
        }
        FrameType::PUSH_PROMISE => &[(0x4, "END_HEADERS"), (0x8, "PADDED")],
        FrameType::CONTINUATION => &[(0x4, "END_HEADERS")],
        FrameType::SETTINGS | FrameType::PING => &[(0x1, "ACK")],
        _ => &[],
    };
    let set: Vec<&str> =
        known.iter().filter(|(bit, _)| header.flags & bit != 0).map(|&(_, name)| name).collect();
    set.join(" | ")
}

/// Describes the payload of frames other than DATA, HEADERS, PUSH_PROMISE and CONTINUATION.
fn contents(kind: FrameType, payload: &[u8]) -> String {
    match kind {
        FrameType::SETTINGS => settings(payload),
        FrameType::RST_STREAM => {
            number(payload, 0).map(|code| ErrorCode(code).to_string()).unwrap_or_default()
        }
        FrameType::WINDOW_UPDATE => number(payload, 0).map(|octets| format!("+{octets}")).unwrap_or_default(),
        FrameType::PING => payload.iter().map(|octet| format!("{octet:02x}")).collect(),
        FrameType::GOAWAY => match (number(payload, 0), number(payload, 4)) {
            (Some(last), Some(code)) => {
                let debug = payload.get(8..).unwrap_or_default();
                format!("last stream {last}, {}, {:?}", ErrorCode(code), String::from_utf8_lossy(debug))
            }
            _ => String::new(),
        },
        FrameType::PRIORITY_UPDATE => match number(payload, 0) {
            Some(stream) => {
                format!("stream {stream}, {}", payload.get(4..).unwrap_or_default().escape_ascii())
            }
            None => String::new(),
        },
        _ => String::new(),
    }
}

/// Describes the parameters of SETTINGS (RFC 9113, 6.5.1).
fn settings(payload: &[u8]) -> String {
    let (parameters, _) = payload.as_chunks::<6>();
    let words: Vec<String> = parameters
        .iter()
        .map(|&[id0, id1, v0, v1, v2, v3]| {
            let id = SettingId(u16::from_be_bytes([id0, id1]));
            let value = u32::from_be_bytes([v0, v1, v2, v3]);
            match id.name() {
                Some(name) => format!("{name}={value}"),
                None => format!("{:#06x}={value}", id.0),
            }
        })
        .collect();
    words.join(", ")
}

/// Reads the 32-bit number at an offset.
fn number(payload: &[u8], offset: usize) -> Option<u32> {
    payload.get(offset..)?.first_chunk().map(|octets| u32::from_be_bytes(*octets))
}
