//! A queue from which any value can be removed.

use std::collections::VecDeque;

/// Values in the order of their keys, which only grow, modulo 2^32.
///
/// A removed value leaves a gap, so that removal moves no other value. Gaps never take more room than values.
#[derive(Debug)]
pub(crate) struct Sparse<T> {
    /// The first entry is no gap.
    entries: VecDeque<(u32, Option<T>)>,
    gaps: usize,
    /// The place that was last looked up to be changed, since the next look-up is often the same.
    last: usize,
}

/// Number of entries for which an emptier queue keeps room.
const KEPT: usize = 32;

impl<T> Default for Sparse<T> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), gaps: 0, last: 0 }
    }
}

impl<T> Sparse<T> {
    /// Adds a value at the end; its key is above all others.
    pub(crate) fn push(&mut self, key: u32, value: T) {
        self.entries.push_back((key, Some(value)));
    }

    /// Removes and returns the first value.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let (_, value) = self.entries.pop_front()?;
        self.tidy();
        value
    }

    /// Removes and returns the value with this key.
    pub(crate) fn remove(&mut self, key: u32) -> Option<T> {
        let place = self.find(key)?;
        let value = self.entries.get_mut(place)?.1.take()?;
        self.gaps = self.gaps.saturating_add(1);
        self.tidy();
        Some(value)
    }

    pub(crate) fn get(&self, key: u32) -> Option<&T> {
        self.entries.get(self.find(key)?)?.1.as_ref()
    }

    pub(crate) fn get_mut(&mut self, key: u32) -> Option<&mut T> {
        self.last = self.find(key)?;
        self.entries.get_mut(self.last)?.1.as_mut()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.entries.iter().filter_map(|(_, value)| value.as_ref())
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len().saturating_sub(self.gaps)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn find(&self, key: u32) -> Option<usize> {
        let &(first, _) = self.entries.front()?;
        let distance = |key: u32| key.wrapping_sub(first);
        let is_at = |&place: &usize| self.entries.get(place).is_some_and(|entry| entry.0 == key);
        // Keys without a break are their own places, until gaps are removed.
        [self.last, distance(key) as usize]
            .into_iter()
            .find(is_at)
            .or_else(|| self.entries.binary_search_by_key(&distance(key), |&(key, _)| distance(key)).ok())
    }

    /// Removes gaps at the front, and all once they are the majority.
    fn tidy(&mut self) {
        while let Some((_, None)) = self.entries.front() {
            self.entries.pop_front();
            self.gaps = self.gaps.saturating_sub(1);
        }
        if self.gaps > self.entries.len() / 2 {
            self.entries.retain(|(_, value)| value.is_some());
            self.gaps = 0;
        }
        if self.entries.capacity() > self.entries.len().saturating_mul(4).max(KEPT) {
            self.entries.shrink_to(self.entries.len().saturating_mul(2));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue whose keys pass the end of their range.
    #[test]
    fn any_order_of_removal_agrees_with_a_list() {
        let mut sparse = Sparse::default();
        let mut list = VecDeque::new();
        let mut random = 1_u32;
        for n in 0..5_000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = 3_u32.wrapping_mul(n).wrapping_sub(300);
            sparse.push(key, n);
            list.push_back((key, n));
            assert_eq!((sparse.get(key), sparse.get(key.wrapping_add(1))), (Some(&n), None));
            match random >> 29 {
                0..=2 => assert_eq!(sparse.pop(), list.pop_front().map(|(_, n)| n)),
                3..=6 => {
                    let (key, n) = list.remove((random >> 8) as usize % list.len()).unwrap();
                    assert_eq!((sparse.remove(key), sparse.remove(key)), (Some(n), None));
                    assert_eq!(sparse.get_mut(key), None);
                }
                _ => {}
            }
            assert!(sparse.entries.len() <= 2 * list.len() + 1);
            assert_eq!((sparse.len(), sparse.is_empty()), (list.len(), list.is_empty()));
        }
        assert!(sparse.iter().eq(list.iter().map(|(_, n)| n)));
    }

    /// A peer that changes a priority again and again behind a stream that cannot send.
    #[test]
    fn gaps_take_bounded_memory() {
        let mut sparse = Sparse::default();
        sparse.push(0, 'a');
        for key in 1..1_000 {
            sparse.push(key, 'b');
            assert_eq!(sparse.remove(key), Some('b'));
        }
        assert!(sparse.entries.len() <= 3, "{sparse:?}");
        assert_eq!((sparse.pop(), sparse.pop(), sparse.gaps), (Some('a'), None, 0));
    }

    #[test]
    fn memory_shrinks_with_the_queue() {
        let mut sparse = Sparse::default();
        (0..10_000).for_each(|key| sparse.push(key, key));
        (0..9_990).for_each(|key| assert_eq!(sparse.remove(key), Some(key)));
        assert!(sparse.len() == 10 && sparse.entries.capacity() <= 4 * KEPT, "{}", sparse.entries.capacity());
    }
}
