//! Defence against abusive peers (RFC 9113, 10.5), based on cost.
//!
//! An attack costs this endpoint more than it costs the peer. Everything a peer can make this endpoint do falls
//! into one of four classes, each with its own bound:
//!
//! | the peer causes | examples | cost to this endpoint | bound |
//! |---|---|---|---|
//! | constant work, without output or memory | WINDOW_UPDATE, PRIORITY, empty DATA, frames on closed streams, PING acknowledgements, unknown frames | reading the frame | [`frames_per_recv`](Limits::frames_per_recv), the connection's share of each turn |
//! | output | PING, SETTINGS, refused or reset streams | bytes queued until the transport takes them | back-pressure: `recv` takes no input while [`control_bytes`](Limits::control_bytes) bytes are queued |
//! | memory, or work for the application | requests, promises, content, priorities of idle streams | a slot, or room in a window | the slot stays occupied until the application releases the stream, however the stream ended: [`max_concurrent_streams`](crate::Config::max_concurrent_streams), the windows, and the other [`Limits`] |
//! | amplification | see [`AbuseCause`] | more work than the frame's size accounts for | the score below |
//!
//! Resets are therefore not counted: a cancelled request costs no more than an answered one, and it keeps its slot
//! until the application releases it. Frames without an apparent purpose are not counted either, because this
//! endpoint cannot see an honest peer's reasons. Only amplification raises the score; time, content and completed
//! streams lower it.

use core::fmt;
use core::num::NonZeroU64;

use crate::config::Limits;
use crate::time::Time;

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident => $weight:literal, $text:literal;)+) => {
        /// Work out of proportion to the bytes that cause it, which raises the abuse score (RFC 9113, 10.5).
        ///
        /// [`Limits::abuse`] bounds the score.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum AbuseCause {
            $($(#[$doc])* $name,)+
        }

        impl AbuseCause {
            /// Returns what one occurrence adds to the score; 1 is roughly the work for one small frame.
            fn weight(self) -> u32 {
                match self {
                    $(Self::$name => $weight,)+
                }
            }

            /// Describes the cause; a GOAWAY that ends the connection for it carries the text as debug data.
            pub fn reason(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

causes! {
    /// SETTINGS that unblock streams, or make the connection look for the highest window: charged once per sixteen
    /// streams.
    Settings => 1, "too many SETTINGS frames that change windows";
    /// Size updates that evict entries from the dynamic table (RFC 7541, 4.2): one byte can drop up to 4 KiB.
    TableThrash => 10, "too many changes of the dynamic table";
    /// A field section over the limit and more than eight times as large as its field block (RFC 7541, 7.3).
    FieldExpansion => 10, "too many field sections that expand over the limit";
    /// A GOAWAY with new content, which is kept and reported.
    GoAway => 4, "too many GOAWAY frames";
}

impl fmt::Display for AbuseCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

/// Result of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The peer may continue.
    Fine,
    /// The score has reached three quarters of the limit for the first time.
    ///
    /// The connection takes no new streams; existing ones may take all the time they need.
    Warn,
    /// The score has reached the limit, and the connection ends.
    Over,
}

/// Time that pays off one unit, in nanoseconds: 50 units per second.
const UNIT: NonZeroU64 = NonZeroU64::new(1_000_000_000 / 50).unwrap();
/// Content that pays off one unit, in bytes.
const CONTENT: u32 = 16 << 10;

/// Abuse score of one peer.
#[derive(Debug)]
pub(crate) struct Abuse {
    limit: u32,
    score: u32,
    peak: u32,
    paid_at: Time,
    /// Content that has not yet paid off a whole unit, in bytes.
    content: u32,
    warned: bool,
}

impl Abuse {
    pub(crate) fn new(limits: &Limits) -> Self {
        let limit = limits.abuse;
        Self { limit, score: 0, peak: 0, paid_at: Time::default(), content: 0, warned: false }
    }

    pub(crate) fn score(&self) -> u32 {
        self.score
    }

    /// Returns the highest score so far.
    pub(crate) fn peak(&self) -> u32 {
        self.peak
    }

    /// Charges `times` occurrences of `cause`.
    pub(crate) fn charge(&mut self, cause: AbuseCause, times: u32, now: Time) -> Verdict {
        let paid = paid_since(&mut self.paid_at, now);
        let charged = cause.weight().saturating_mul(times);
        self.score = self.score.saturating_sub(paid).saturating_add(charged);
        self.peak = self.peak.max(self.score);
        if self.score >= self.limit {
            Verdict::Over
        } else if self.score >= self.limit.saturating_sub(self.limit / 4) && !self.warned {
            self.warned = true;
            Verdict::Warn
        } else {
            Verdict::Fine
        }
    }

    /// Credits content transferred in either direction.
    pub(crate) fn earn_content(&mut self, bytes: u32) {
        self.content = self.content.saturating_add(bytes);
        if self.content >= CONTENT {
            self.score = self.score.saturating_sub(self.content / CONTENT);
            self.content %= CONTENT;
        }
    }

    /// Credits a completed stream.
    pub(crate) fn earn_stream(&mut self) {
        self.score = self.score.saturating_sub(1);
    }
}

/// Returns the whole units paid off since `from`, and advances `from` by the time they account for.
fn paid_since(from: &mut Time, now: Time) -> u32 {
    let units = now.as_nanos().saturating_sub(from.as_nanos()) / UNIT;
    *from = Time::from_nanos(from.as_nanos().saturating_add(units.saturating_mul(UNIT.get())));
    u32::try_from(units).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn burst_is_warned_then_ended() {
        let mut abuse = Abuse::new(&Limits::default());
        let verdicts: Vec<_> = (0..2_000).map(|_| abuse.charge(AbuseCause::Settings, 1, at(0))).collect();
        let first = |verdict| verdicts.iter().position(|&v| v == verdict);
        assert_eq!((first(Verdict::Warn), first(Verdict::Over)), (Some(1_499), Some(1_999)));
        assert_eq!(verdicts.iter().filter(|&&v| v == Verdict::Warn).count(), 1);
    }

    #[test]
    fn time_content_and_streams_lower_the_score() {
        let mut abuse = Abuse::new(&Limits::default());
        for second in 0..1_000 {
            assert_eq!(abuse.charge(AbuseCause::Settings, 50, at(second * 1_000)), Verdict::Fine);
        }
        for _ in 0..100_000 {
            assert_eq!(abuse.charge(AbuseCause::Settings, 2, at(0)), Verdict::Fine);
            abuse.earn_content(CONTENT);
            abuse.earn_stream();
        }
        assert!(abuse.peak() <= 52, "{}", abuse.peak());
    }
}
