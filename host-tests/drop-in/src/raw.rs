//! A peer that writes frames by hand, with none of the types of `h2`.

use std::time::Duration;

use http2_test_support::{self as frames, Frame, Receiver, code, flag, kind};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;

use crate::describe::shows_texts;
use crate::h2_pair::settle;
use crate::net::soon;

/// One end of a connection in memory.
pub(crate) struct Raw {
    io: DuplexStream,
    receiver: Receiver,
}

impl Raw {
    /// Acts as a client.
    pub(crate) fn client(io: DuplexStream) -> Self {
        Self { io, receiver: Receiver::from_server() }
    }

    /// Acts as a server.
    pub(crate) fn server(io: DuplexStream) -> Self {
        Self { io, receiver: Receiver::from_client() }
    }

    /// A client that has exchanged SETTINGS with the server.
    pub(crate) async fn greeted_client(io: DuplexStream) -> Self {
        let mut raw = Self::client(io);
        raw.write(&[frames::PREFACE, &frames::settings(&[])].concat()).await;
        raw.until(|frame| frame.kind == kind::SETTINGS && frame.flags & flag::ACK != 0).await;
        raw.write(&frames::settings_ack()).await;
        raw
    }

    /// A server that has exchanged SETTINGS with the client.
    pub(crate) async fn greeted_server(io: DuplexStream, settings: &[(u16, u32)]) -> Self {
        let mut raw = Self::server(io);
        raw.write(&[frames::settings(settings), frames::settings_ack()].concat()).await;
        raw.until(|frame| frame.kind == kind::SETTINGS && frame.flags & flag::ACK != 0).await;
        raw
    }

    /// Writes bytes; the peer may be gone.
    pub(crate) async fn write(&mut self, octets: &[u8]) {
        _ = self.io.write_all(octets).await;
    }

    /// Ends the direction to the peer.
    pub(crate) async fn shutdown(&mut self) {
        _ = self.io.shutdown().await;
    }

    /// The next frame, or `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        let mut buffer = [0; 16_384];
        loop {
            if let Some(frame) = self.receiver.next_frame().expect("valid frames") {
                return Some(frame);
            }
            match self.io.read(&mut buffer).await {
                Ok(0) | Err(_) => return None,
                Ok(size) => self.receiver.push(&buffer[..size]).expect("a preface"),
            }
        }
    }

    /// Reads until a frame is the wanted one, and returns it.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Frame) -> bool) -> Frame {
        soon("a frame", async {
            loop {
                let frame = self.next().await.expect("a frame before the end");
                if wanted(&frame) {
                    return frame;
                }
            }
        })
        .await
    }

    /// Reads until the peer has answered everything written so far, and returns the frames that matter to callers.
    ///
    /// A PING marks the point, unless the connection ends before.
    pub(crate) async fn answers(&mut self) -> Vec<String> {
        let mut answers = self.answers_before_mark(*b"1st mark").await;
        // Some answers may follow that to the PING.
        settle().await;
        answers.extend(self.answers_before_mark(*b"2nd mark").await);
        answers.dedup_by(|next, last| next == last && next == "the end");
        answers
    }

    async fn answers_before_mark(&mut self, mark: [u8; 8]) -> Vec<String> {
        self.write(&frames::ping(mark)).await;
        let mut answers = Vec::new();
        let read = async {
            while let Some(frame) = self.next().await {
                if frame.kind == kind::PING && frame.flags & flag::ACK != 0 && frame.payload == mark {
                    return;
                }
                answers.extend(described(&frame));
            }
            answers.push("the end".to_owned());
        };
        if timeout(Duration::from_secs(20), read).await.is_err() {
            answers.push("silence".to_owned());
        }
        answers
    }

    /// Everything until the peer closes the connection.
    pub(crate) async fn rest(&mut self) -> Vec<String> {
        soon("the end of the connection", async {
            let mut rest = Vec::new();
            while let Some(frame) = self.next().await {
                rest.extend(described(&frame));
            }
            rest
        })
        .await
    }
}

/// A frame, unless endpoints may send it when they like.
fn described(frame: &Frame) -> Option<String> {
    match frame.kind {
        kind::RST_STREAM => Some(format!("RST_STREAM {} {}", frame.stream, code::name(frame.number(0)))),
        kind::GOAWAY => {
            let debug = if shows_texts() { frame.payload.get(8..).unwrap_or_default() } else { &[] };
            let (last, code) = (frame.number(0), code::name(frame.number(4)));
            Some(format!("GOAWAY {last} {code}{}", debug.escape_ascii()))
        }
        kind::HEADERS => {
            let status = frame.fields.iter().find(|(name, _)| name == ":status");
            let end = if frame.ends_stream() { " END_STREAM" } else { "" };
            Some(format!("HEADERS {} {:?}{end}", frame.stream, status.map(|(_, status)| status)))
        }
        kind::PING if frame.flags & flag::ACK != 0 => Some("PING ACK".to_owned()),
        _ => None,
    }
}
