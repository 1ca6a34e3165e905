//! Which members of a set have been ready lately.

use std::collections::BTreeMap;

/// Members are few if this many times their number is at most that of all.
const FEW: usize = 64;
/// The score from which the recent members are waited for alone.
const SUFFICIENT: usize = 32;
/// The highest score: eight surprises in a row end the time of the recent members.
const HIGHEST: usize = 2 * SUFFICIENT;
/// The weight of a surprise, a member that becomes ready without being a recent one.
const SURPRISE: usize = 4;

/// The members that were ready at one of the latest two looks at all of them, or since.
#[derive(Debug)]
pub(crate) struct Recent<K> {
    /// With the number of the look at which, or after which, each was last ready.
    members: BTreeMap<K, u64>,
    /// The number of the latest look.
    look: u64,
    /// High if the recent members are few, and nearly all that happens belongs to them.
    score: usize,
}

impl<K: Copy + Ord> Recent<K> {
    pub(crate) const fn new() -> Self {
        Self { members: BTreeMap::new(), look: 0, score: 0 }
    }

    /// Notes the result of a look at `all` members.
    pub(crate) fn look(&mut self, ready: &[K], all: usize) {
        self.look = self.look.wrapping_add(1);
        self.add(ready, all);
        let look = self.look;
        self.members.retain(|_, last| look.wrapping_sub(*last) <= 1);
    }

    /// Notes the result of waiting for the recent ones of `all` members.
    pub(crate) fn add(&mut self, ready: &[K], all: usize) {
        let known = ready.iter().filter(|key| self.members.insert(**key, self.look).is_some()).count();
        let surprises = ready.len().saturating_sub(known);
        let is_few = ready.len().saturating_mul(FEW) <= all;
        let score = if is_few { self.score.saturating_add(known).min(HIGHEST) } else { 0 };
        self.score = score.saturating_sub(surprises.saturating_mul(SURPRISE));
    }

    /// Returns whether it suffices to wait for the recent members, and to look at the others now and then.
    pub(crate) fn suffice(&self) -> bool {
        self.score >= SUFFICIENT && !self.members.is_empty()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.members.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: usize = 1_000;

    fn busy(key: u32) -> Recent<u32> {
        let mut recent = Recent::new();
        for _ in 0..1_000 {
            recent.look(&[key], ALL);
        }
        recent
    }

    #[test]
    fn one_busy_member_suffices() {
        let recent = busy(7);
        assert!(recent.suffice());
        assert_eq!(Vec::from_iter(recent.keys()), [&7]);
    }

    #[test]
    fn members_that_take_turns_do_not_suffice() {
        let mut recent = Recent::new();
        for key in 0..10_000 {
            recent.look(&[key % 100], ALL);
            assert!(!recent.suffice());
        }
    }

    #[test]
    fn many_busy_members_do_not_suffice() {
        let many = Vec::from_iter(0..ALL / FEW + 1);
        let mut recent = Recent::new();
        for _ in 0..1_000 {
            recent.look(&many, ALL);
            assert!(!recent.suffice());
        }
    }

    #[test]
    fn a_small_set_is_always_looked_at() {
        let mut recent = Recent::new();
        for _ in 0..1_000 {
            recent.look(&[1], FEW - 1);
            assert!(!recent.suffice());
        }
    }

    #[test]
    fn a_surprise_now_and_then_changes_nothing() {
        let mut recent = busy(7);
        for other in 100..1_000 {
            for _ in 0..10 {
                recent.add(&[7], ALL);
            }
            recent.look(&[other], ALL);
            assert!(recent.suffice());
        }
    }

    #[test]
    fn surprises_end_the_time_of_the_recent_members() {
        let mut recent = busy(7);
        for other in 100..109 {
            recent.look(&[other], ALL);
        }
        assert!(!recent.suffice());
    }

    #[test]
    fn a_member_that_was_not_ready_at_two_looks_is_forgotten() {
        let mut recent = busy(7);
        recent.look(&[8], ALL);
        assert_eq!(Vec::from_iter(recent.keys()), [&7, &8]);
        recent.look(&[8], ALL);
        assert_eq!(Vec::from_iter(recent.keys()), [&8]);
    }

    #[test]
    fn without_recent_members_all_are_waited_for() {
        let mut recent = busy(7);
        recent.look(&[], ALL);
        recent.look(&[], ALL);
        assert!(!recent.suffice());
    }
}
