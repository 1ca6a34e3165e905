//! Content in transit, in order.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

/// Pieces up to this size, in bytes, are gathered in one buffer; larger ones are kept as they are.
const SMALL: usize = 1_024;

/// Length of the gathered pieces, in bytes, from which on they are a piece of their own.
const GATHERED: usize = 16 << 10;

/// A queue of bytes.
///
/// Large pieces are kept as slices, and small ones are gathered. A piece therefore costs memory in proportion to
/// its size, however finely the peer or the caller divides the content.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    /// The first piece, and the only one of most messages.
    front: Bytes,
    rest: Option<Box<Rest>>,
    len: usize,
}

/// The pieces behind the first.
#[derive(Debug, Default)]
struct Rest {
    /// The pieces between the first and `tail`.
    middle: VecDeque<Bytes>,
    /// Small pieces, gathered behind all others.
    tail: BytesMut,
}

impl Chunks {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends a piece that may be kept as a slice.
    pub(crate) fn push(&mut self, piece: Bytes) {
        if piece.is_empty() {
            return;
        }
        if self.is_empty() {
            self.len = piece.len();
            self.front = piece;
        } else if piece.len() <= SMALL {
            self.gather(&piece);
        } else {
            self.len = self.len.saturating_add(piece.len());
            let rest = self.rest.get_or_insert_default();
            rest.close_tail();
            rest.middle.push_back(piece);
        }
    }

    /// Appends a copy of a piece, so that its buffer is not kept alive.
    pub(crate) fn push_copy(&mut self, piece: &[u8]) {
        if self.is_empty() {
            self.push(Bytes::copy_from_slice(piece));
        } else {
            self.gather(piece);
        }
    }

    fn gather(&mut self, piece: &[u8]) {
        let rest = self.rest.get_or_insert_default();
        if rest.tail.is_empty() {
            // As much again as there is already, so that a long queue of small pieces is not moved as it grows.
            rest.tail.reserve(self.len.min(GATHERED));
        }
        self.len = self.len.saturating_add(piece.len());
        rest.tail.extend_from_slice(piece);
        if rest.tail.len() >= GATHERED {
            rest.close_tail();
        }
    }

    /// Takes at most `max` bytes as one piece, which is empty only if the queue is empty or `max` is 0.
    pub(crate) fn pop(&mut self, max: usize) -> Bytes {
        self.refill_front();
        let piece =
            if self.front.len() <= max { core::mem::take(&mut self.front) } else { self.front.split_to(max) };
        self.len = self.len.saturating_sub(piece.len());
        piece
    }

    /// Takes `n` bytes as one piece, which is a slice unless they have arrived in several; `n` is at most
    /// [`len`](Self::len).
    pub(crate) fn take(&mut self, n: usize) -> Bytes {
        self.refill_front();
        if self.front.len() >= n {
            return self.pop(n);
        }
        let mut piece = Vec::with_capacity(n);
        self.move_to(&mut piece, n);
        piece.into()
    }

    /// Moves the first `n` bytes to the end of `out`; `n` is at most [`len`](Self::len).
    pub(crate) fn move_to(&mut self, out: &mut Vec<u8>, n: usize) {
        let mut left = n;
        while left > 0 && !self.is_empty() {
            self.refill_front();
            let taken = left.min(self.front.len());
            out.extend_from_slice(self.front.get(..taken).unwrap_or_default());
            if taken == self.front.len() {
                self.front = Bytes::new();
            } else {
                self.front.advance(taken);
            }
            self.len = self.len.saturating_sub(taken);
            left = left.saturating_sub(taken);
        }
    }

    fn refill_front(&mut self) {
        if self.front.is_empty()
            && let Some(rest) = &mut self.rest
        {
            self.front = rest.middle.pop_front().unwrap_or_else(|| rest.tail.split().freeze());
            if rest.middle.is_empty() && rest.tail.is_empty() {
                self.rest = None;
            }
        }
    }

    /// Drops everything, and returns the number of bytes dropped.
    pub(crate) fn clear(&mut self) -> usize {
        if self.is_empty() { 0 } else { core::mem::take(self).len }
    }
}

impl Rest {
    fn close_tail(&mut self) {
        if !self.tail.is_empty() {
            self.middle.push_back(self.tail.split().freeze());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(chunks: &mut Chunks, max: usize) -> Vec<Bytes> {
        std::iter::from_fn(|| Some(chunks.pop(max)).filter(|piece| !piece.is_empty())).collect()
    }

    #[test]
    fn large_pieces_stay_apart_and_small_ones_are_gathered() {
        let mut chunks = Chunks::default();
        let large = Bytes::from(vec![7; 5_000]);
        chunks.push(Bytes::from_static(b"first"));
        for _ in 0..10 {
            chunks.push(Bytes::from_static(b"small "));
        }
        chunks.push(large.clone());
        chunks.push_copy(b"last");
        assert_eq!(chunks.len(), 5 + 60 + 5_000 + 4);
        let pieces = drain(&mut chunks, usize::MAX);
        assert_eq!(pieces.len(), 4);
        assert_eq!(pieces[1], b"small ".repeat(10));
        assert_eq!(pieces[2].as_ptr(), large.as_ptr(), "kept, not copied");
        assert!(chunks.is_empty());
    }

    #[test]
    fn order_is_kept_for_any_size_of_pieces() {
        for max in [1, 3, 1_000, 4_096] {
            let mut chunks = Chunks::default();
            let mut expected = Vec::new();
            for (i, size) in [1, 2_000, 3, 1_024, 1_025, 40_000, 0, 9].into_iter().enumerate() {
                let piece = vec![u8::try_from(i).unwrap(); size];
                expected.extend_from_slice(&piece);
                if i % 2 == 0 { chunks.push(piece.into()) } else { chunks.push_copy(&piece) }
            }
            let mut out = Vec::new();
            while !chunks.is_empty() {
                if out.len() % 2 == 0 {
                    chunks.move_to(&mut out, max);
                } else {
                    out.extend_from_slice(&chunks.pop(max));
                }
            }
            assert_eq!(out, expected, "cut at {max}");
        }
    }

    #[test]
    fn clear_returns_the_dropped_length() {
        let mut chunks = Chunks::default();
        chunks.push(Bytes::from_static(b"abc"));
        chunks.push_copy(b"de");
        assert_eq!((chunks.clear(), chunks.len()), (5, 0));
    }
}
