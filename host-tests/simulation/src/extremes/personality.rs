//! The behaviour of an application: honest, and as far from the average as real software has been seen.

use std::time::Duration;

use http2_engine::{Config, Role};

use crate::random::Random;

/// The total of an application's messages over all streams, unless each stream has one.
const MESSAGES: usize = 10_000;

/// The behaviour of an application.
#[derive(Clone, Debug)]
pub struct Personality {
    pub(crate) credit: Credit,
    pub(crate) reading: Reading,
    pub(crate) ending: Ending,
    /// Sends a PING with each message.
    pub(crate) pings: bool,
    /// Client: the number of streams it opens in total, and how many at the same time.
    pub(crate) streams: usize,
    pub(crate) at_once: usize,
    /// The messages of a stream: their number, their length in bytes, and the interval between them.
    pub(crate) messages: usize,
    pub(crate) message: usize,
    pub(crate) pause: Duration,
}

/// How it returns credit for content that it has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credit {
    /// Left to the engine.
    Engine,
    /// One frame per byte, for the stream and for the connection.
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
    /// This many bytes every millisecond.
    Slowly(usize),
    /// With a pause of 50 s after the first bytes of each stream.
    Pauses,
}

/// How it ends streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// After sending and reading everything.
    Patient,
    /// By cancelling everything immediately.
    Cancels,
    /// By cancelling everything when the head or the first bytes of the peer's message arrive.
    CancelsLater,
    /// Server: by answering completely before the request has ended, and releasing it.
    AnswersEarly,
    /// Server: by refusing every request with content.
    RefusesUploads,
}

impl Personality {
    /// Creates random personalities for a client and a server.
    pub(crate) fn pair(random: &mut Random) -> [Self; 2] {
        let streams = if random.one_in(10) { 10_000 } else { random.pick(&[1, 5, 100, 1_000]) };
        let habits = [Credit::Engine, Credit::EveryByte, Credit::EveryRead, Credit::Late];
        let credits = [random.pick(&habits), random.pick(&habits)];
        // Acknowledging byte by byte costs two frames per byte.
        let few = credits.contains(&Credit::EveryByte);
        let bytes =
            random.pick(if few { &[10_000, 100_000, 400_000] } else { &[10_000, 1_000_000, 50_000_000] });
        let [client, server] = credits;
        [(Role::Client, client), (Role::Server, server)]
            .map(|(role, credit)| Self::new(random, role, credit, streams, bytes / streams))
    }

    /// Creates a personality whose messages on each stream have this many bytes in total.
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

    /// The configuration to go with it: the defaults, except for windows.
    pub(crate) fn config(&self, random: &mut Random) -> Config {
        let window = random.pick(&[1 << 10, 65_535, 256 << 10]);
        let mut config = Config::default();
        config.initial_window_size = window;
        config.stream_window_max = random.pick(&[window, 4 << 20]);
        config.connection_window = random.pick(&[65_535, 1 << 20]);
        config.manual_window_update = self.credit != Credit::Engine;
        config.max_concurrent_streams = random.pick(&[1, 100, 1_000]);
        config
    }
}
