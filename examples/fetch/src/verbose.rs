//! Prints frames as they are received and sent.

use wasi::clocks::monotonic_clock::{self, Instant};

use crate::bindings::http2::engine::connection::{Connection, TraceFrame};

/// Prints frames to standard error, with the time since the start.
pub(crate) struct Verbose {
    since: Instant,
}

impl Verbose {
    /// Starts the clock.
    pub(crate) fn start() -> Self {
        Self { since: monotonic_clock::now() }
    }

    /// Prints the frames since the last call.
    pub(crate) fn print_trace(&self, connection: &Connection) {
        let milliseconds = monotonic_clock::now().saturating_sub(self.since) / 1_000_000;
        for frame in connection.trace() {
            eprintln!("[{:>3}.{:03}] {}", milliseconds / 1000, milliseconds % 1000, lines(&frame));
        }
    }
}

/// Formats a frame as one line, and one more for each field.
fn lines(frame: &TraceFrame) -> String {
    let direction = if frame.sent { "send" } else { "recv" };
    let space = if frame.detail.is_empty() { "" } else { " " };
    format!(
        "{direction} {} frame <length={}, flags={:#04x}, stream_id={}>{space}{}",
        name(frame.kind),
        frame.length,
        frame.flags,
        frame.stream_id,
        frame.detail.replace('\n', "\n          ")
    )
}

/// Returns the name of a frame type (RFC 9113, 6; RFC 7838; RFC 8336; RFC 9218).
fn name(kind: u8) -> String {
    let name = match kind {
        0x0 => "DATA",
        0x1 => "HEADERS",
        0x2 => "PRIORITY",
        0x3 => "RST_STREAM",
        0x4 => "SETTINGS",
        0x5 => "PUSH_PROMISE",
        0x6 => "PING",
        0x7 => "GOAWAY",
        0x8 => "WINDOW_UPDATE",
        0x9 => "CONTINUATION",
        0xa => "ALTSVC",
        0xc => "ORIGIN",
        0x10 => "PRIORITY_UPDATE",
        _ => return format!("unknown ({kind:#04x})"),
    };
    name.to_owned()
}
