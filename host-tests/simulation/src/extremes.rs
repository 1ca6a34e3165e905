//! Conversations of two honest applications, each as extreme as honest software gets: neither engine may
//! blame them for it.
//!
//! Each application has a random personality: it acknowledges every byte with a separate frame, or 40 s late;
//! it cancels everything, answers everything early, or refuses every upload; it sends a PING with each
//! message; it pauses for 50 s; it opens 10,000 streams. A conversation may take hours of simulated time.
//! Limits and deadlines are the defaults. To keep long conversations cheap, they run without the per-call
//! checks of the ordinary worlds.
//!
//! The abuse score never exceeds a tenth of its limit, streams end only because an application wants them to,
//! and the connection ends gracefully when both applications have finished.

mod caller;
mod personality;

use std::time::Duration;

use http2_engine::{Role, Time};

use crate::random::Random;
use caller::Caller;
pub use personality::Personality;

/// The result of a conversation of extremes.
#[derive(Debug)]
pub struct Conversation {
    /// The personalities of the client and the server.
    pub personalities: [Personality; 2],
    /// The highest abuse score that each end assigned to the other.
    pub highest_scores: [u64; 2],
    /// The number of streams that have ended.
    pub streams: usize,
    /// The number of messages sent.
    pub messages: usize,
    /// The duration in simulated time.
    pub duration: Duration,
    /// An engine's accusation against its honest peer, if any.
    pub blame: Option<String>,
}

/// The number of rounds after which a conversation counts as endless, and the longest simulated duration.
const ROUNDS: usize = 1_000_000;
const HOURS: Duration = Duration::from_secs(1_000 * 3_600);

/// Runs a conversation of extremes.
pub fn converse(mut random: Random) -> Conversation {
    let [client, server] = Personality::pair(&mut random);
    let mut caller = |role, personality: Personality| {
        let config = personality.config(&mut random);
        Caller::new(role, personality, config)
    };
    let mut pair = [caller(Role::Client, client), caller(Role::Server, server)];
    let delay = Duration::from_micros(random.size_u32(200_000).into());
    let mut now = Time::from_nanos(1);
    let start = now;
    let mut blame = None;
    for round in 0.. {
        blame = pair.iter().find_map(|end| {
            let words = end.blame.as_ref()?;
            Some(format!("{:?}: {words}", end.role))
        });
        if blame.is_some() || pair.iter().all(|end| end.engine.is_closed()) {
            break;
        }
        if step(&mut pair, now, delay) {
            continue;
        }
        if pair.iter().all(Caller::is_done) {
            pair[0].engine.shutdown(now);
            if step(&mut pair, now, delay) {
                continue;
            }
        }
        // The client's last output is GOAWAY; then the transport ends.
        if pair[0].engine.is_closed() && pair[1].in_flight.is_empty() {
            pair[1].engine.recv_end(now);
            continue;
        }
        let next = pair.iter().filter_map(Caller::next).min();
        match next.filter(|&at| round < ROUNDS && at - start < HOURS) {
            Some(at) => now = now.max(at),
            None => {
                blame = Some("the conversation did not end".to_owned());
                break;
            }
        }
    }
    let [client, server] = pair;
    Conversation {
        highest_scores: [client.highest_score, server.highest_score],
        streams: client.ended_streams,
        messages: client.messages_sent + server.messages_sent,
        duration: now - start,
        personalities: [client.personality, server.personality],
        blame,
    }
}

/// Performs the due tasks of both ends; returns whether there were any.
fn step(pair: &mut [Caller; 2], now: Time, delay: Duration) -> bool {
    let [client, server] = pair;
    let mut moved = client.run(now);
    moved |= client.transmit(now, delay, server);
    moved |= server.run(now);
    moved | server.transmit(now, delay, client)
}
