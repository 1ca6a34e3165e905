//! A peer that sends arbitrary frames, for tests of behavior that no real peer shows; a client, or a server over an
//! accepted connection.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use http2_test_support::{
    Frame, HEADER_LEN, Header, PREFACE, Receiver, flag, frame, kind, ping, settings, settings_ack,
    window_update,
};

use super::DEADLINE;

/// Encodes the head of a request.
pub fn request(stream: u32, method: &str, path: &str, flags: u8) -> Vec<u8> {
    let fields = [(":method", method), (":scheme", "http"), (":authority", "localhost"), (":path", path)];
    http2_test_support::headers(stream, flags, &fields)
}

/// A connection whose frames the test controls.
pub struct RawClient {
    tcp: TcpStream,
    receiver: Receiver,
}

impl RawClient {
    /// Connects, and sends the connection preface with SETTINGS.
    pub fn connect(server: SocketAddr) -> Self {
        let mut client = Self::connect_silently(server);
        client.send_octets(&[PREFACE, &settings(&[])].concat());
        client
    }

    /// Connects, and sends no bytes.
    pub fn connect_silently(server: SocketAddr) -> Self {
        Self::from_tcp(TcpStream::connect(server).unwrap())
    }

    /// Uses an existing connection; a client's preface is left to the caller.
    pub fn from_tcp(tcp: TcpStream) -> Self {
        tcp.set_nodelay(true).unwrap();
        tcp.set_read_timeout(Some(DEADLINE)).unwrap();
        tcp.set_write_timeout(Some(DEADLINE)).unwrap();
        Self { tcp, receiver: Receiver::from_server() }
    }

    /// Sends bytes.
    pub fn send_octets(&mut self, octets: &[u8]) {
        self.tcp.write_all(octets).unwrap();
    }

    /// Returns the local address of the connection.
    pub fn local_address(&self) -> SocketAddr {
        self.tcp.local_addr().unwrap()
    }

    /// Receives the preface of a client.
    #[track_caller]
    pub fn receive_preface(&mut self) {
        let mut preface = [0; PREFACE.len()];
        self.tcp.read_exact(&mut preface).unwrap();
        assert_eq!(preface, PREFACE);
    }

    /// Receives the bytes that arrive next, up to 64 KiB.
    pub fn receive_what_is_there(&mut self) -> Vec<u8> {
        let mut octets = vec![0; 1 << 16];
        let count = self.tcp.read(&mut octets).unwrap();
        octets.truncate(count);
        octets
    }

    /// Receives the bytes that arrive next, as whole frames.
    pub fn receive_write(&mut self) -> Vec<Frame> {
        let octets = self.receive_what_is_there();
        assert!(!octets.is_empty(), "the connection has ended");
        self.receiver.take_whole(&octets)
    }

    /// Sends bytes to a peer that may have disconnected.
    ///
    /// # Errors
    ///
    /// Fails if the peer has disconnected.
    pub fn try_send_octets(&mut self, octets: &[u8]) -> io::Result<()> {
        self.tcp.write_all(octets)
    }

    /// Sends bytes to a peer that may stop reading.
    ///
    /// # Errors
    ///
    /// Fails if the peer takes none for `time`.
    pub fn try_send_for(&mut self, time: Duration, octets: &[u8]) -> io::Result<()> {
        self.tcp.set_write_timeout(Some(time))?;
        self.try_send_octets(octets)
    }

    /// Sends a frame.
    pub fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.send_octets(&frame(kind, flags, stream, payload));
    }

    /// Sends the head of a request.
    pub fn request(&mut self, stream: u32, method: &str, path: &str, flags: u8) {
        self.send_octets(&request(stream, method, path, flags));
    }

    /// Sends a GET request for `/`, and receives frames until the content of its response has ended.
    pub fn exchange(&mut self, stream: u32) {
        self.request(stream, "GET", "/", flag::END_STREAM);
        loop {
            let frame = self.receive().expect("the rest of the response");
            if (frame.stream, frame.kind, frame.flags & flag::END_STREAM)
                == (stream, kind::DATA, flag::END_STREAM)
            {
                return;
            }
        }
    }

    /// Widens the windows of the connection and of a stream by a number of bytes.
    pub fn widen_windows(&mut self, stream: u32, octets: usize) {
        let increment = u32::try_from(octets).unwrap();
        self.send_octets(&[window_update(0, increment), window_update(stream, increment)].concat());
    }

    /// Waits until the peer has processed everything that was sent, and returns the frames received meanwhile.
    pub fn synchronise(&mut self) -> Vec<Frame> {
        self.send_octets(&ping(*b"in order"));
        let mut frames = Vec::new();
        loop {
            let frame = self.receive().expect("the connection remains open");
            if (frame.kind, frame.flags, &*frame.payload) == (kind::PING, flag::ACK, b"in order") {
                return frames;
            }
            frames.push(frame);
        }
    }

    /// Receives the next frame; `None` at the end of the connection. Acknowledges PING and SETTINGS.
    pub fn receive(&mut self) -> Option<Frame> {
        let mut header = [0; HEADER_LEN];
        match self.tcp.read_exact(&mut header) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                return None;
            }
            Err(error) => panic!("{error}"),
        }
        // Bytes of the next frame remain in the socket for `receive_what_is_there`.
        let mut octets = header.to_vec();
        octets.resize(HEADER_LEN + Header::parse(&header).length as usize, 0);
        self.tcp.read_exact(&mut octets[HEADER_LEN..]).unwrap();
        let frame = self.receiver.take_whole(&octets).pop().expect("a frame");
        match (frame.kind, frame.flags & flag::ACK) {
            (kind::PING, 0) => self.send(kind::PING, flag::ACK, 0, &frame.payload),
            (kind::SETTINGS, 0) => self.send_octets(&settings_ack()),
            _ => {}
        }
        Some(frame)
    }

    /// Receives all frames up to the end of the connection.
    pub fn receive_all(&mut self) -> Vec<Frame> {
        std::iter::from_fn(|| self.receive()).collect()
    }
}
