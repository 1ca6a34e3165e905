//! A peer that sends arbitrary frames, for tests of behavior that no real peer shows; a client, or a server over an
//! accepted connection.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::DEADLINE;

pub(crate) const DATA: u8 = 0x0;
pub(crate) const HEADERS: u8 = 0x1;
pub(crate) const RST_STREAM: u8 = 0x3;
pub(crate) const SETTINGS: u8 = 0x4;
pub(crate) const PING: u8 = 0x6;
pub(crate) const GOAWAY: u8 = 0x7;
pub(crate) const WINDOW_UPDATE: u8 = 0x8;
pub(crate) const CONTINUATION: u8 = 0x9;

pub(crate) const ACK: u8 = 0x1;
pub(crate) const END_STREAM: u8 = 0x1;
pub(crate) const END_HEADERS: u8 = 0x4;

/// A frame (RFC 9113, 4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// The client connection preface (RFC 9113, 3.4), without its SETTINGS.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Encodes a frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Decodes bytes that consist of whole frames.
#[track_caller]
pub(crate) fn frames(mut octets: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some((header, rest)) = octets.split_first_chunk::<9>() {
        let length = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
        let (payload, rest) = rest.split_at_checked(length).expect("whole frames");
        let stream = u32::from_be_bytes([header[5], header[6], header[7], header[8]]);
        frames.push(Frame { kind: header[3], flags: header[4], stream, payload: payload.to_vec() });
        octets = rest;
    }
    assert!(octets.is_empty(), "whole frames");
    frames
}

/// Encodes the head of a request.
pub(crate) fn request(stream: u32, method: &str, path: &str, flags: u8) -> Vec<u8> {
    // Literals without indexing; 2, 4 and 1 are names in the static table, and 0x86 is ":scheme: http" (RFC 7541, 6.2.2
    // and appendix A).
    let mut block = vec![0x86];
    for (name, value) in [(2, method), (4, path), (1, "localhost")] {
        block.extend([name, u8::try_from(value.len()).unwrap()]);
        block.extend(value.as_bytes());
    }
    frame(HEADERS, flags | END_HEADERS, stream, &block)
}

/// A connection to a server.
pub(crate) struct RawClient {
    tcp: TcpStream,
}

impl RawClient {
    /// Connects, and sends the connection preface with SETTINGS.
    pub(crate) fn connect(server: SocketAddr) -> Self {
        let mut client = Self::connect_silently(server);
        client.send_octets(PREFACE);
        client.send(SETTINGS, 0, 0, &[]);
        client
    }

    /// Connects, and sends no bytes.
    pub(crate) fn connect_silently(server: SocketAddr) -> Self {
        Self::from_tcp(TcpStream::connect(server).unwrap())
    }

    /// Uses an existing connection.
    pub(crate) fn from_tcp(tcp: TcpStream) -> Self {
        tcp.set_nodelay(true).unwrap();
        tcp.set_read_timeout(Some(DEADLINE)).unwrap();
        tcp.set_write_timeout(Some(DEADLINE)).unwrap();
        Self { tcp }
    }

    /// Sends bytes.
    pub(crate) fn send_octets(&mut self, octets: &[u8]) {
        self.tcp.write_all(octets).unwrap();
    }

    /// Returns the local address of the connection.
    pub(crate) fn local_address(&self) -> SocketAddr {
        self.tcp.local_addr().unwrap()
    }

    /// Receives exactly `count` bytes.
    pub(crate) fn receive_octets(&mut self, count: usize) -> Vec<u8> {
        let mut octets = vec![0; count];
        self.tcp.read_exact(&mut octets).unwrap();
        octets
    }

    /// Receives the bytes that arrive next, up to 64 KiB.
    pub(crate) fn receive_what_is_there(&mut self) -> Vec<u8> {
        let mut octets = vec![0; 1 << 16];
        let count = self.tcp.read(&mut octets).unwrap();
        octets.truncate(count);
        octets
    }

    /// Receives the bytes that arrive next, as whole frames.
    pub(crate) fn receive_write(&mut self) -> Vec<Frame> {
        let octets = self.receive_what_is_there();
        assert!(!octets.is_empty(), "the connection has ended");
        frames(&octets)
    }

    /// Sends bytes to a peer that may have disconnected.
    pub(crate) fn try_send_octets(&mut self, octets: &[u8]) -> io::Result<()> {
        self.tcp.write_all(octets)
    }

    /// Sends bytes to a peer that may stop reading; fails if it takes none for `time`.
    pub(crate) fn try_send_for(&mut self, time: Duration, octets: &[u8]) -> io::Result<()> {
        self.tcp.set_write_timeout(Some(time))?;
        self.try_send_octets(octets)
    }

    /// Sends a frame.
    pub(crate) fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.send_octets(&frame(kind, flags, stream, payload));
    }

    /// Sends the head of a request.
    pub(crate) fn request(&mut self, stream: u32, method: &str, path: &str, flags: u8) {
        self.send_octets(&request(stream, method, path, flags));
    }

    /// Waits until the server has processed everything that was sent.
    pub(crate) fn synchronise(&mut self) {
        self.send(PING, 0, 0, b"in order");
        while let Some(frame) = self.receive() {
            if (frame.kind, frame.flags, &*frame.payload) == (PING, ACK, b"in order") {
                return;
            }
        }
        panic!("the connection has ended");
    }

    /// Receives the next frame; `None` at the end of the connection. Acknowledges PING and SETTINGS.
    pub(crate) fn receive(&mut self) -> Option<Frame> {
        let mut header = [0; 9];
        match self.tcp.read_exact(&mut header) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                return None;
            }
            Err(error) => panic!("{error}"),
        }
        let length = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
        let mut frame = Frame {
            kind: header[3],
            flags: header[4],
            stream: u32::from_be_bytes([header[5], header[6], header[7], header[8]]),
            payload: vec![0; length],
        };
        self.tcp.read_exact(&mut frame.payload).unwrap();
        match (frame.kind, frame.flags & ACK) {
            (PING, 0) => self.send(PING, ACK, 0, &frame.payload),
            (SETTINGS, 0) => self.send(SETTINGS, ACK, 0, &[]),
            _ => {}
        }
        Some(frame)
    }

    /// Receives all frames up to the end of the connection.
    pub(crate) fn receive_all(&mut self) -> Vec<Frame> {
        std::iter::from_fn(|| self.receive()).collect()
    }
}
