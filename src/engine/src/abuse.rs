//! Useless work that a peer makes us do (RFC 9113, 10.5): one score, paid off by useful work and by time.

use core::num::NonZeroU64;

use crate::config::Limits;
use crate::time::Time;

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident => $weight:literal, $text:literal;)+) => {
        /// What is charged. The weights are in units of about one small frame's work.
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
    /// Beyond what streams and DATA give rise to, as for all [reactions](Cause::is_reaction).
    Ping => 1, "too many PING frames";
    Settings => 4, "too many SETTINGS frames";
    Priority => 1, "too many PRIORITY frames";
    PriorityUpdate => 1, "too many PRIORITY_UPDATE frames";
    EmptyData => 1, "too many empty DATA frames";
    Continuation => 1, "too many CONTINUATION frames";
    WindowUpdate => 1, "too many WINDOW_UPDATE frames";
    /// HEADERS on a stream that is closed, or DATA on one that the peer has ended.
    LateFrame => 1, "too many frames on closed streams";
    /// RST_STREAM on a stream that is closed, PING acknowledgements that nothing asked for, and the like.
    Pointless => 1, "too many frames without any effect";
    Extension => 1, "too many frames of extensions";
    GoAway => 4, "too many GOAWAY frames";
    /// A stream that we had to reset for what the peer did.
    StreamViolation => 10, "too many invalid streams";
    Refused => 10, "too many streams above the limit";
    TableThrash => 10, "too many changes of the dynamic table";
    /// Counted apart.
    EarlyReset => 0, "too many streams were reset before they were complete";
}

impl Cause {
    /// Whether good peers send it in answer to a stream or to DATA: credit, a PING that measures the way, another
    /// priority. Of these, only those that nothing explains count.
    fn is_reaction(self) -> bool {
        matches!(self, Self::Ping | Self::Priority | Self::PriorityUpdate | Self::WindowUpdate)
    }
}

/// What a charge comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The peer may go on.
    Fine,
    /// Three quarters are used up, for the first time: the connection is to be shut down gracefully.
    Warn,
    /// It is used up: the connection is to be ended.
    Over,
}

/// Nanoseconds that pay off a unit: 50 a second.
const UNIT: NonZeroU64 = NonZeroU64::new(1_000_000_000 / 50).unwrap();
/// Octets of content that pay off a unit, and an early reset.
const OCTETS: u32 = 16 << 10;
/// Nanoseconds that pay off an early reset: 100 a second.
const RESET: NonZeroU64 = NonZeroU64::new(1_000_000_000 / 100).unwrap();
/// Reactions that a stream, or a DATA frame sent, may give rise to.
const REACTIONS: u32 = 4;
/// Reactions that may be saved up.
const REACTIONS_MAX: u32 = 10_000;
/// Reactions that need no reason.
const REACTIONS_FREE: u32 = 200;

/// The account of one peer.
#[derive(Debug)]
pub(crate) struct Abuse {
    limit: u32,
    score: u32,
    paid_at: Time,
    useful: u32,
    resets_limit: u32,
    resets: u32,
    resets_paid_at: Time,
    reactions: u32,
    warned: bool,
}

impl Abuse {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            limit: limits.abuse,
            score: 0,
            paid_at: Time::default(),
            useful: 0,
            resets_limit: limits.early_resets,
            resets: 0,
            resets_paid_at: Time::default(),
            reactions: REACTIONS_FREE,
            warned: false,
        }
    }

    pub(crate) fn score(&self) -> u32 {
        self.score
    }

    pub(crate) fn early_resets(&self) -> u32 {
        self.resets
    }

    /// Charges one case of a cause.
    pub(crate) fn charge(&mut self, cause: Cause, now: Time) -> Verdict {
        if cause.is_reaction() && self.reactions > 0 {
            self.reactions = self.reactions.saturating_sub(1);
            return Verdict::Fine;
        }
        let paid = paid_since(&mut self.paid_at, UNIT, now);
        self.score = self.score.saturating_sub(paid).saturating_add(cause.weight());
        self.judge(self.score, self.limit)
    }

    /// A stream was reset before it was complete, by either side.
    pub(crate) fn charge_reset(&mut self, now: Time) -> Verdict {
        let paid = paid_since(&mut self.resets_paid_at, RESET, now);
        self.resets = self.resets.saturating_sub(paid).saturating_add(1);
        self.judge(self.resets, self.resets_limit)
    }

    /// A stream was opened, or a DATA frame sent.
    pub(crate) fn allow_reactions(&mut self) {
        self.reactions = self.reactions.saturating_add(REACTIONS).min(REACTIONS_MAX);
    }

    /// Content has passed.
    pub(crate) fn earn_octets(&mut self, octets: u32) {
        self.useful = self.useful.saturating_add(octets);
        if self.useful >= OCTETS {
            let units = self.useful / OCTETS;
            self.score = self.score.saturating_sub(units);
            self.resets = self.resets.saturating_sub(units);
            self.useful %= OCTETS;
        }
    }

    /// A stream was completed.
    pub(crate) fn earn_stream(&mut self) {
        self.score = self.score.saturating_sub(1);
        self.resets = self.resets.saturating_sub(1);
    }

    fn judge(&mut self, used: u32, limit: u32) -> Verdict {
        if used >= limit {
            Verdict::Over
        } else if used >= limit.saturating_sub(limit / 4) && !self.warned {
            self.warned = true;
            Verdict::Warn
        } else {
            Verdict::Fine
        }
    }
}

/// Whole units that the time since `from` pays off; `from` moves on by what they took.
fn paid_since(from: &mut Time, unit: NonZeroU64, now: Time) -> u32 {
    let units = now.as_nanos().saturating_sub(from.as_nanos()) / unit;
    *from = Time::from_nanos(from.as_nanos().saturating_add(units.saturating_mul(unit.get())));
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
        let verdicts: Vec<_> = (0..2_000).map(|_| abuse.charge(Cause::EmptyData, at(0))).collect();
        let first = |verdict| verdicts.iter().position(|&v| v == verdict);
        assert_eq!((first(Verdict::Warn), first(Verdict::Over)), (Some(1_499), Some(1_999)));
        assert_eq!(verdicts.iter().filter(|&&v| v == Verdict::Warn).count(), 1);
    }

    #[test]
    fn time_and_useful_work_pay_it_off() {
        let mut abuse = Abuse::new(&Limits::default());
        for second in 0..1_000 {
            for _ in 0..50 {
                assert_eq!(abuse.charge(Cause::EmptyData, at(second * 1_000)), Verdict::Fine);
            }
        }
        for _ in 0..100_000 {
            assert_eq!(abuse.charge(Cause::EmptyData, at(0)), Verdict::Fine);
            abuse.earn_octets(OCTETS);
        }
    }

    #[test]
    fn cancelled_requests_need_completed_ones_or_time_beside_them() {
        let mut abuse = Abuse::new(&Limits::default());
        for _ in 0..10_000 {
            assert_eq!(abuse.charge_reset(at(0)), Verdict::Fine);
            abuse.earn_stream();
        }
        let over = (0..10_000).find(|_| abuse.charge_reset(at(0)) == Verdict::Over);
        assert_eq!(over, Some(1_999));
        assert_eq!(abuse.charge_reset(at(20)), Verdict::Fine, "20 ms pay off two");
        abuse.earn_octets(2 * OCTETS);
        assert_eq!(abuse.early_resets(), 1_997);
    }

    #[test]
    fn reactions_are_free_as_far_as_streams_and_data_explain_them() {
        let mut abuse = Abuse::new(&Limits::default());
        let free = (0..).find(|_| abuse.charge(Cause::Ping, at(0)) == Verdict::Fine && abuse.score() > 0);
        assert_eq!(free, Some(200));
        abuse.allow_reactions();
        let causes = [Cause::WindowUpdate, Cause::Ping, Cause::PriorityUpdate, Cause::Priority, Cause::Ping];
        let scores = causes.map(|cause| {
            abuse.charge(cause, at(0));
            abuse.score()
        });
        assert_eq!(scores, [1, 1, 1, 1, 2]);
    }
}
