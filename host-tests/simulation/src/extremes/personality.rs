//! How an application behaves: honestly, and as far from the average as others have been seen to.

use std::time::Duration;

use http2_engine::{Config, Role};

use crate::random::Random;

/// Messages of all streams of an application together, unless each has one.
const MESSAGES: usize = 10_000;

/// How an application behaves.
#[derive(Clone, Debug)]
pub struct Personality {
    pub(crate) credit: Credit,
    pub(crate) reading: Reading,
    pub(crate) ending: Ending,
    /// Sends a PING with each message.
    pub(crate) pings: bool,
    /// Client: how many streams it opens in all, and how many of them it has at once.
    pub(crate) streams: usize,
    pub(crate) at_once: usize,
    /// The messages of a stream: how many, their bytes, and the time between two of them.
    pub(crate) messages: usize,
    pub(crate) message: usize,
    pub(crate) pause: Duration,
}

/// How it gives back what it has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credit {
    /// As the engine does by itself.
    Engine,
    /// Byte by byte, to the stream and to the connection.
    EveryByte,
    /// After each read.
    EveryRead,
    /// 40 s later.
    Late,
}

/// How it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    AtOnce,
    /// So many bytes every millisecond.
    Slowly(usize),
    /// It pauses for 50 s after the first bytes of each stream.
    Pauses,
}

/// How it ends streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// When everything was said and read.
    Patient,
    /// Cancels everything at once.
    Cancels,
    /// Cancels everything when the first bytes, or the head, of the peer's message are there.
    CancelsLater,
    /// Server: answers everything completely before the request has ended, and is done with it.
    AnswersEarly,
    /// Server: refuses every request with content.
    RefusesUploads,
}

impl Personality {
    /// Personalities of a client and a server at random.
    pub(crate) fn pair(random: &mut Random) -> [Self; 2] {
        let streams = if random.one_in(10) { 10_000 } else { random.pick(&[1, 5, 100, 1_000]) };
        let habits = [Credit::Engine, Credit::EveryByte, Credit::EveryRead, Credit::Late];
        let credits = [random.pick(&habits), random.pick(&habits)];
        // What is acknowledged byte by byte costs two frames for each.
        let few = credits.contains(&Credit::EveryByte);
        let bytes =
            random.pick(if few { &[10_000, 100_000, 400_000] } else { &[10_000, 1_000_000, 50_000_000] });
        let [client, server] = credits;
        [(Role::Client, client), (Role::Server, server)]
            .map(|(role, credit)| Self::new(random, role, credit, streams, bytes / streams))
    }

    /// A personality whose messages on each stream have so many bytes together.
    fn new(random: &mut Random, role: Role, credit: Credit, streams: usize, bytes: usize) -> Self {
        let reading =
            random.pick(&[Reading::AtOnce, Reading::Slowly(512), Reading::Slowly(4_096), Reading::Pauses]);
        let ending = if role == Role::Client {
            random.pick(&[Ending::Patient, Ending::Patient, Ending::Cancels, Ending::CancelsLater])
        } else {
            random.pick(&[
                Ending::Patient,
                Ending::Patient,
                Ending::Cancels,
                Ending::AnswersEarly,
                Ending::RefusesUploads,
            ])
        };
        let at_once = random.pick(&[1, 10, 100, 10_000]);
        let message = random.pick(&[1, 100, 16_384, 1_000_000]).min(bytes.max(1));
        let pause = random.pick(&[Duration::ZERO, Duration::from_millis(10), Duration::from_secs(10)]);
        Self {
            credit,
            reading,
            ending,
            pings: random.one_in(3),
            streams,
            at_once,
            messages: (bytes / message).min((MESSAGES / streams).max(1)),
            message,
            pause,
        }
    }

    /// The configuration that goes with it: the defaults, but for windows.
    pub(crate) fn config(&self, random: &mut Random) -> Config {
        let window = random.pick(&[1 << 10, 65_535, 256 << 10]);
        Config {
            initial_window_size: window,
            stream_window_max: random.pick(&[window, 4 << 20]),
            connection_window: random.pick(&[65_535, 1 << 20]),
            manual_window_update: self.credit != Credit::Engine,
            max_concurrent_streams: random.pick(&[1, 100, 1_000]),
            ..Config::default()
        }
    }
}
