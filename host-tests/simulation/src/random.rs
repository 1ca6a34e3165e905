//! Where all decisions come from: a seed, or the octets of a fuzzer.

use std::vec;

/// A source of decisions. The same source makes the same decisions.
#[derive(Debug)]
pub struct Random {
    /// What is left of the fuzzer's octets.
    octets: Option<vec::IntoIter<u8>>,
    seeded: fastrand::Rng,
}

impl Random {
    /// Decisions that follow from a seed.
    pub fn from_seed(seed: u64) -> Self {
        Self { octets: None, seeded: fastrand::Rng::with_seed(seed) }
    }

    /// Decisions that are written down in octets. Those that are needed when they are used up follow from a seed.
    pub fn from_octets(octets: Vec<u8>) -> Self {
        Self { octets: Some(octets.into_iter()), ..Self::from_seed(0) }
    }

    /// Whether there are no octets left to decide by.
    pub fn is_used_up(&self) -> bool {
        self.octets.as_ref().is_some_and(|octets| octets.as_slice().is_empty())
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let Some(octets) = self.octets.as_mut().filter(|octets| !octets.as_slice().is_empty()) else {
            return self.seeded.usize(..bound);
        };
        let width = match bound {
            0..=0x100 => 1,
            0x101..=0x1_0000 => 2,
            _ => 4,
        };
        octets.take(width).fold(0, |number, octet| number << 8 | usize::from(octet)) % bound
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) + 1 == n
    }

    /// A number below `bound`: small ones are as likely as large ones.
    pub fn size(&mut self, bound: usize) -> usize {
        let magnitude = self.below(bound.ilog2() as usize + 1);
        self.below(1 << (magnitude + 1)).min(bound - 1)
    }

    /// [`size`](Self::size) for what has 32 bits.
    pub fn size_u32(&mut self, bound: u32) -> u32 {
        u32::try_from(self.size(bound as usize)).expect("it is below a number of 32 bits")
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, choice: &[T]) -> T {
        choice[self.below(choice.len())]
    }
}
