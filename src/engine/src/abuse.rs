//! Abuse by a peer (RFC 9113, 10.5), judged by cost.
//!
//! An attack costs this endpoint more than it costs the peer. Each thing that a peer can make the endpoint do belongs
//! to one of four classes, and each class has its bound:
//!
//! | the peer causes | examples | cost here | bound |
//! |---|---|---|---|
//! | constant work, no output, no memory | WINDOW_UPDATE, PRIORITY, empty DATA, frames of closed streams, PING acknowledgements, unknown frames | that of reading the frame's own bytes | [`frames_per_recv`](Limits::frames_per_recv), the connection's share of each turn |
//! | output | PING, SETTINGS, streams that are refused or reset | some bytes, until the transport takes them | back-pressure: `recv` takes nothing while [`control_octets`](Limits::control_octets) of it wait |
//! | memory, or work of the application | requests, promises, content, priorities of idle streams | a slot, or room in a window | the slot stays taken until the application has let go, however the stream ended: [`max_concurrent_streams`](crate::Config::max_concurrent_streams), the windows, and the other [`Limits`] |
//! | amplification | see [`Cause`] | more than the frame's bytes pay for | the score below |
//!
//! So resets are not counted: a request that is cancelled costs no more than one that is answered, and it keeps its slot
//! until the application has released it. Nor are frames counted because nothing explains them: an honest peer's
//! reasons are not visible here. Only amplification adds to the score; time, content and completed streams pay it off.

use core::num::NonZeroU64;

use crate::config::Limits;
use crate::time::Time;

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident => $weight:literal, $text:literal;)+) => {
        /// Work out of proportion to the bytes that cause it. A weight of 1 is about the work of one small frame.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Cause {
            $($(#[$doc])* $name,)+
        }

        impl Cause {
            fn weight(self) -> u32 {
                match self {
                    $(Self::$name => $weight,)+
                }
            }

            pub(crate) fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

causes! {
    /// SETTINGS that let blocked streams go on, charged for each sixteen of them: each goes back to the scheduler.
    Settings => 1, "too many SETTINGS frames that change windows";
    /// Size updates that evict entries from the dynamic table (RFC 7541, 4.2): a byte drops up to 4 KiB.
    TableThrash => 10, "too many changes of the dynamic table";
    /// A field section over the limit that is more than eight times as large as its block (RFC 7541, 7.3).
    FieldExpansion => 10, "too many field sections that expand over the limit";
    /// GOAWAY that says something new, for which all streams are gone through.
    GoAway => 4, "too many GOAWAY frames";
}

/// What a charge comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The peer may go on.
    Fine,
    /// The score has reached three quarters of the limit for the first time: no new streams, but those that run
    /// keep all the time that they need.
    Warn,
    /// The score has reached the limit: the connection ends.
    Over,
}

/// Nanoseconds that pay off a unit: 50 a second.
const UNIT: NonZeroU64 = NonZeroU64::new(1_000_000_000 / 50).unwrap();
/// Bytes of content that pay off a unit.
const CONTENT: u32 = 16 << 10;

/// The account of one peer.
#[derive(Debug)]
pub(crate) struct Abuse {
    limit: u32,
    score: u32,
    peak: u32,
    paid_at: Time,
    /// Content that has not paid off a whole unit yet, in bytes.
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

    /// The highest score so far.
    pub(crate) fn peak(&self) -> u32 {
        self.peak
    }

    /// Charges `times` cases of a cause.
    pub(crate) fn charge(&mut self, cause: Cause, times: u32, now: Time) -> Verdict {
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

    /// Content has passed, in either direction.
    pub(crate) fn earn_content(&mut self, bytes: u32) {
        self.content = self.content.saturating_add(bytes);
        if self.content >= CONTENT {
            self.score = self.score.saturating_sub(self.content / CONTENT);
            self.content %= CONTENT;
        }
    }

    /// A stream was completed.
    pub(crate) fn earn_stream(&mut self) {
        self.score = self.score.saturating_sub(1);
    }
}

/// Whole units that the time since `from` pays off; `from` moves on by what they took.
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
    fn a_burst_is_warned_of_and_then_ended() {
        let mut abuse = Abuse::new(&Limits::default());
        let verdicts: Vec<_> = (0..2_000).map(|_| abuse.charge(Cause::Settings, 1, at(0))).collect();
        let first = |verdict| verdicts.iter().position(|&v| v == verdict);
        assert_eq!((first(Verdict::Warn), first(Verdict::Over)), (Some(1_499), Some(1_999)));
        assert_eq!(verdicts.iter().filter(|&&v| v == Verdict::Warn).count(), 1);
    }

    #[test]
    fn time_and_useful_work_pay_it_off() {
        let mut abuse = Abuse::new(&Limits::default());
        for second in 0..1_000 {
            assert_eq!(abuse.charge(Cause::Settings, 50, at(second * 1_000)), Verdict::Fine);
        }
        for _ in 0..100_000 {
            assert_eq!(abuse.charge(Cause::Settings, 2, at(0)), Verdict::Fine);
            abuse.earn_content(CONTENT);
            abuse.earn_stream();
        }
        assert!(abuse.peak() <= 52, "{}", abuse.peak());
    }
}
