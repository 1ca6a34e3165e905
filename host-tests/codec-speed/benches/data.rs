//! DATA in memory beside `memcpy` of the same bytes.
//!
//! A client sends content on one stream, each frame by `send_data` and `poll_transmit`. The server takes several frames
//! by `recv` and `read`, and returns credit by WINDOW_UPDATE. Both ends run in one thread, and nothing copies the bytes
//! in between.

use std::hint::black_box;

use anyhow::{Result, ensure};
use bytes::Bytes;
use codec_speed::{medians, rate};
use http2_engine::{Config, Connection, Read, StreamId, Time};

/// The content of one turn, less than the windows.
const TURN: usize = 64 << 10;

fn main() -> Result<()> {
    println!("{:<10} {:>8} {:>8} {:>6}", "frames of", "memcpy", "engine", "");
    println!("{:<10} {:>8} {:>8} {:>6}", "bytes", "GB/s", "GB/s", "ratio");
    for frame in [256, 1 << 10, 4 << 10, 16 << 10] {
        let content = Bytes::from(vec![7; TURN]);
        let mut pair = Pair::new()?;
        ensure!(pair.turn(&content, frame) == TURN, "all content arrives in one turn");
        let mut copy = vec![0; TURN];
        let [memcpy, engine] =
            medians([&mut || black_box(&mut copy).copy_from_slice(black_box(&content)), &mut || {
                assert_eq!(pair.turn(&content, frame), TURN);
            }]);
        let ratio = engine.as_secs_f64() / memcpy.as_secs_f64();
        let [memcpy, engine] = [memcpy, engine].map(|time| rate(TURN, time) / 1e3);
        println!("{frame:<10} {memcpy:>8.2} {engine:>8.2} {ratio:>6.2}");
    }
    Ok(())
}

/// A client and a server in memory, with one stream.
struct Pair {
    client: Connection,
    server: Connection,
    stream: StreamId,
    /// The buffer of the transport from client to server, which each turn uses again.
    wire: Vec<u8>,
}

impl Pair {
    fn new() -> Result<Self> {
        let mut client = Connection::client(Config::default())?;
        let mut server = Connection::server(Config::default())?;
        let head = [(":method", "POST"), (":scheme", "https"), (":authority", "example.com"), (":path", "/")];
        let stream = client.open(&head.into_iter().collect(), false)?;
        for _ in 0..4 {
            carry(&mut client, &mut server);
            carry(&mut server, &mut client);
        }
        while server.poll_event().is_some() {}
        Ok(Self { client, server, stream, wire: Vec::new() })
    }

    /// Carries content to the server in frames of this size, and returns how many bytes it has read.
    fn turn(&mut self, content: &Bytes, frame: usize) -> usize {
        let now = Time::default();
        for start in (0..content.len()).step_by(frame) {
            let mut piece = content.slice(start..start + frame);
            assert_eq!(self.client.send_data(self.stream, &mut piece, false), Ok(frame));
            self.client.poll_transmit(now, &mut self.wire, TURN);
        }
        let wire = Bytes::from(std::mem::take(&mut self.wire));
        let mut input = wire.clone();
        while self.server.recv(now, &mut input) > 0 {}
        while self.server.poll_event().is_some() {}
        let mut received = 0;
        while let Ok(Read::Data(piece)) = self.server.read(self.stream, usize::MAX) {
            received += black_box(piece).len();
        }
        // Nothing refers to it any more, so this only takes the buffer back.
        drop(input);
        self.wire = wire.into();
        self.wire.clear();
        carry(&mut self.server, &mut self.client);
        received
    }
}

fn carry(from: &mut Connection, to: &mut Connection) {
    let mut wire = Vec::new();
    if from.poll_transmit(Time::default(), &mut wire, TURN) > 0 {
        let length = wire.len();
        assert_eq!(to.recv(Time::default(), &mut wire.into()), length);
    }
}
