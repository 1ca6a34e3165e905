//! Two honest applications, each of them as extreme as honest software gets: no engine blames them for anything.
//!
//! Each has a personality at random: it acknowledges every byte with a frame of its own, or 40 s late; it cancels
//! everything, answers everything early, or refuses every upload; it sends a PING with each message; it pauses for
//! 50 s; it opens 10,000 streams. Their conversation may take hours, of a time that nobody has to wait for. Limits and
//! deadlines are the defaults. What the ordinary worlds watch call by call is not watched here, so that conversations
//! can be long.
//!
//! The abuse score never passes a tenth of its limit, streams end only because an application wants them to, and
//! the connection ends in good order when everything was said.

mod caller;
mod personality;

use std::time::Duration;

use http2_engine::{Role, Time};

use crate::random::Random;
use caller::Caller;
pub use personality::Personality;

/// What came about in a conversation of extremes.
#[derive(Debug)]
pub struct Conversation {
    /// The applications of the client and of the server.
    pub personalities: [Personality; 2],
    /// The highest abuse score that each of them gave to the other.
    pub highest_scores: [u64; 2],
    /// Streams that have ended, messages that were sent, and how long it took.
    pub streams: usize,
    /// Messages that were sent.
    pub messages: usize,
    /// How long it took, of the time that is made up.
    pub duration: Duration,
    /// What an engine has blamed its honest peer for.
    pub blame: Option<String>,
}

/// Rounds after which a conversation is taken to be endless, and the longest that one may take.
const ROUNDS: usize = 1_000_000;
const HOURS: Duration = Duration::from_secs(1_000 * 3_600);

/// Holds a conversation of extremes.
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
        // The client's last word is GOAWAY, behind which the transport ends.
        if pair[0].engine.is_closed() && pair[1].under_way.is_empty() {
            pair[1].engine.recv_end(now);
            continue;
        }
        let next = pair.iter().filter_map(Caller::next).min();
        match next.filter(|&at| round < ROUNDS && at - start < HOURS) {
            Some(at) => now = now.max(at),
            None => {
                blame = Some("the conversation does not come to an end".to_owned());
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

/// Both ends do what is to be done now. True if anything was.
fn step(pair: &mut [Caller; 2], now: Time, delay: Duration) -> bool {
    let [client, server] = pair;
    let mut moved = client.run(now);
    moved |= client.transmit(now, delay, server);
    moved |= server.run(now);
    moved | server.transmit(now, delay, client)
}
