//! Buffers that are used again once nobody refers to their content.

use std::cell::Cell;
use std::collections::VecDeque;

use bytes::BytesMut;

/// Buffers in use at a time, besides the current one.
const USED: usize = 8;
/// Smallest buffer, in bytes: many small pieces share one. Below 1 KiB, allocators are quick.
const LEAST: usize = 960;

thread_local! {
    /// The memory of the connection of this thread that was last in use, for the next one: a connection that is idle most of
    /// the time need neither keep memory nor allocate it for each request.
    static SPARE: Cell<Option<BytesMut>> = const { Cell::new(None) };
}

/// A buffer to fill, and earlier ones, parts of which may still be in use.
///
/// The memory of a buffer that was split off serves again when all parts are dropped. New memory for each piece of
/// content would cost more than the copy itself.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    current: BytesMut,
    used: VecDeque<BytesMut>,
}

impl Buffers {
    /// Returns an empty buffer with room for `size` bytes, whose content the caller splits off.
    pub(crate) fn with_room(&mut self, size: usize) -> &mut BytesMut {
        if self.current.capacity() < size && !self.current.try_reclaim(size) {
            let free = self.used.iter_mut().position(|buffer| buffer.try_reclaim(size));
            let next = free.and_then(|at| self.used.remove(at));
            let next = next.or_else(|| spare(size));
            let next = next.unwrap_or_else(|| BytesMut::with_capacity(size.max(LEAST)));
            let used = std::mem::replace(&mut self.current, next);
            if used.capacity() > 0 {
                self.used.push_back(used);
            }
            if self.used.len() > USED {
                self.used.pop_front();
            }
        }
        &mut self.current
    }

    /// Gives back the memory.
    pub(crate) fn clear(&mut self) {
        let current = std::mem::take(&mut self.current);
        self.used = VecDeque::new();
        if current.capacity() > 0 {
            // It fails only while the thread ends.
            let _ = SPARE.try_with(|spare| spare.set(Some(current)));
        }
    }
}

/// Takes the spare memory, if it has room for `size` bytes.
fn spare(size: usize) -> Option<BytesMut> {
    let mut spare = SPARE.try_with(Cell::take).ok().flatten()?;
    (spare.capacity() >= size || spare.try_reclaim(size)).then_some(spare)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(buffers: &mut Buffers, byte: u8, size: usize) -> bytes::Bytes {
        let buffer = buffers.with_room(size);
        buffer.resize(size, byte);
        buffer.split().freeze()
    }

    #[test]
    fn memory_serves_again_when_its_content_is_dropped() {
        let mut buffers = Buffers::default();
        let first = fill(&mut buffers, 1, LEAST);
        let second = fill(&mut buffers, 2, LEAST);
        assert_eq!((first[0], second[0]), (1, 2));
        let address = first.as_ptr();
        drop(first);
        let third = fill(&mut buffers, 3, LEAST);
        assert_eq!((third.as_ptr(), second[0]), (address, 2));
    }

    #[test]
    fn memory_of_an_idle_connection_serves_the_next() {
        let (mut first, mut second) = (Buffers::default(), Buffers::default());
        let address = fill(&mut first, 1, LEAST).as_ptr();
        first.clear();
        assert_eq!(fill(&mut second, 2, LEAST).as_ptr(), address);

        let kept = fill(&mut second, 3, LEAST);
        second.clear();
        assert_ne!(fill(&mut first, 4, LEAST).as_ptr(), kept.as_ptr(), "the content is still in use");
        assert_eq!(kept[0], 3);
    }

    #[test]
    fn small_pieces_share_a_buffer() {
        let mut buffers = Buffers::default();
        let first = fill(&mut buffers, 1, 100);
        let second = fill(&mut buffers, 2, 100);
        assert_eq!(second.as_ptr() as usize - first.as_ptr() as usize, 100);
    }
}
