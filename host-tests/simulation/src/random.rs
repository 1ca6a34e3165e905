//! The source of all decisions: a seed, or the input of a fuzzer.

use std::vec;

/// A source of decisions; equal sources make equal decisions.
#[derive(Debug)]
pub struct Random {
    /// The rest of the fuzzer's input.
    octets: Option<vec::IntoIter<u8>>,
    seeded: fastrand::Rng,
}

impl Random {
    /// Creates a source that follows from a seed.
    pub fn from_seed(seed: u64) -> Self {
        Self { octets: None, seeded: fastrand::Rng::with_seed(seed) }
    }

    /// Creates a source that reads decisions from bytes; once they are used up, decisions follow from a seed.
    pub fn from_octets(octets: Vec<u8>) -> Self {
        Self { octets: Some(octets.into_iter()), ..Self::from_seed(0) }
    }

    /// Whether all bytes are used up.
    pub fn is_exhausted(&self) -> bool {
        self.octets.as_ref().is_some_and(|octets| octets.as_slice().is_empty())
    }

    /// Returns a number below `bound`, which must not be 0.
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

    /// Returns true once in `n` times on average.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) + 1 == n
    }

    /// Returns a number below `bound`, with small numbers as likely as large ones.
    pub fn size(&mut self, bound: usize) -> usize {
        let magnitude = self.below(bound.ilog2() as usize + 1);
        self.below(1 << (magnitude + 1)).min(bound - 1)
    }

    /// Like [`size`](Self::size), for 32 bits.
    pub fn size_u32(&mut self, bound: u32) -> u32 {
        u32::try_from(self.size(bound as usize)).expect("the bound has 32 bits")
    }

    /// Returns one of these choices.
    pub fn pick<T: Copy>(&mut self, choice: &[T]) -> T {
        choice[self.below(choice.len())]
    }
}
