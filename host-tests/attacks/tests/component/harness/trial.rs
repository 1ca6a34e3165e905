//! Checks the result of an attack against the promises of the table.

use std::sync::LazyLock;

use http2_attacks::attack::{Answer, Replies, Trial};
use http2_attacks::attacks::trials;
use http2_engine::ErrorCode;
use http2_test_support::{flag, headers};

use super::{Behaviour, Endpoint, Outcome, Received, SHORT};

/// The highest ratio of work per byte between ten times as much input and the smaller size.
const GROWTH: f64 = 1.25;

/// A variant of an attack: the answer due, and the attack itself for a given size.
type Variant<'a> = (Answer, &'a dyn Fn(u32) -> Outcome);

/// Runs all variants of the attack with this test, each in both sizes, and checks the results against the
/// table.
pub(crate) fn check_defence(test: &str, variants: &[Variant<'_>]) {
    let trial = trials().find(|trial| trial.test == test);
    let trial = trial.unwrap_or_else(|| panic!("{test} is not in the table"));
    for (number, (answer, variant)) in (1..).zip(variants) {
        let [small, large] = trial.sizes.map(|size| {
            let outcome = variant(size);
            let Received { octets, frames, .. } = outcome.received;
            let (sent, memory, work) = (outcome.sent, outcome.memory >> 10, outcome.work / *ORDINARY);
            let what = format!("{test}, variant {number}, {size} {}", trial.unit);
            println!("{what}: {sent} bytes in, {frames} frames, {octets} bytes out, {memory} KiB, {work:.2}");
            assert_eq!(outcome.answer(), *answer, "{what}");
            assert!(memory <= trial.ceilings.memory as usize, "{what}: memory grows by {memory} KiB");
            let (most_frames, most_octets) = most_replies(trial, size);
            assert!(frames as f64 <= most_frames, "{what}: {frames} frames in reply");
            assert!(octets as f64 <= most_octets, "{what}: {octets} bytes in reply");
            assert!(work <= trial.ceilings.work, "{what}: {work:.2} times the work per byte");
            work
        });
        assert!(
            large <= small * GROWTH,
            "{test}, variant {number}: work grows from {small:.2} to {large:.2}"
        );
    }
    let shown = |answer: &Answer| variants.iter().any(|(given, _)| given == answer);
    let missing = Vec::from_iter(trial.answers.iter().filter(|answer| !shown(answer)));
    assert!(missing.is_empty(), "{test}: {missing:?} is not shown");
    let unknown = Vec::from_iter(
        variants.iter().filter(|(given, _)| !trial.answers.contains(given)).map(|variant| variant.0),
    );
    assert!(unknown.is_empty(), "{test}: {unknown:?} is not in the table");
}

/// The most frames and bytes that may be sent in reply.
fn most_replies(trial: &Trial, size: u32) -> (f64, f64) {
    match trial.ceilings.replies {
        Replies::InAll(frames, octets) => (frames.into(), octets.into()),
        Replies::ForEach(frames, octets) => (f64::from(size) * frames, f64::from(size) * octets),
    }
}

/// The fuel per byte of an ordinary request, its answer included.
static ORDINARY: LazyLock<f64> = LazyLock::new(|| {
    const BROWSER: &[(&str, &str)] = &[
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/static/style.css?v=20260101"),
        (":authority", "www.example.org"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("accept", "text/css,*/*;q=0.1"),
        ("accept-language", "en-US,en;q=0.5"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("referer", "http://www.example.org/"),
        ("cookie", "session=0123456789abcdef0123456789abcdef; theme=dark"),
        ("sec-fetch-dest", "style"),
        ("sec-fetch-mode", "no-cors"),
        ("sec-fetch-site", "same-origin"),
        ("priority", "u=2"),
    ];
    let mut server = Endpoint::server(Behaviour::Answers(SHORT));
    for request in 0..100 {
        server.send(&headers(2 * request + 1, flag::END_STREAM, BROWSER));
    }
    assert_eq!(server.application.seen, 100);
    server.work()
});

impl Outcome {
    /// The answer to the peer.
    fn answer(&self) -> Answer {
        let resets = Vec::from_iter(self.received.resets.iter().map(|code| ErrorCode(*code)));
        let other = self.received.statuses.iter().find(|status| **status != 200);
        match (&resets[..], &self.received.go_aways[..], other) {
            ([], [], None) if self.is_alive => Answer::Nothing,
            ([], [], Some(status)) if self.is_alive => Answer::Status(*status),
            ([code], [], None) if self.is_alive => Answer::Streams(*code),
            // A graceful GOAWAY before the end is a warning, and not an error.
            ([], [warnings @ .., last], None)
                if self.has_ended && !self.is_alive && warnings.iter().all(|code| *code == 0) =>
            {
                Answer::Connection(ErrorCode(*last))
            }
            _ => panic!("{:?}; over: {}, alive: {}", self.received, self.has_ended, self.is_alive),
        }
    }
}
