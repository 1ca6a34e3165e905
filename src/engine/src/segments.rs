//! Output as segments.

use bytes::Bytes;

use crate::stream::Chunks;

/// Content of at least so many bytes is referred to; less is copied, which costs less than a slice of its own.
const SLICE: usize = 2_048;

/// Output that refers to large content instead of copying it, for transports with vectored writes.
///
/// [`poll_transmit_segments`](crate::Connection::poll_transmit_segments) adds output at the end. The transport writes the
/// [slices](Self::slices) in order, and [`advance`](Self::advance) removes the bytes that it took.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bytes::Bytes;
/// use http2_engine::{Segments, Time};
/// # let (mut client, mut server) = pair();
/// # carry(&mut client, &mut server);
/// # carry(&mut server, &mut client);
///
/// let id = client.open(&request("POST"), false)?;
/// client.queue_data(id, Bytes::from(vec![7; 20_000]), true)?;
/// let mut output = Segments::default();
/// client.poll_transmit_segments(Time::default(), &mut output, 65_536);
/// let lengths: Vec<_> = output.slices().map(<[u8]>::len).collect();
/// // Two DATA frames: HEADERS and the first frame's header, its content, and the second one's.
/// assert_eq!(lengths[1..], [16_384, 9, 3_616]);
///
/// output.advance(lengths[0] + 1_000);
/// assert_eq!(output.slices().next().map(<[u8]>::len), Some(15_384));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Segments {
    /// Length from which on content is referred to.
    threshold: usize,
    /// Everything but the slices.
    bytes: Vec<u8>,
    /// Content, and its place in `bytes`.
    content: Vec<(usize, Bytes)>,
    /// Bytes of `content`.
    content_len: usize,
    /// Bytes that were removed at the front.
    taken: usize,
}

impl Segments {
    /// Creates segments that refer to pieces of content of at least `threshold` bytes, and copy shorter ones.
    ///
    /// With `usize::MAX` everything is copied, and there is one slice.
    pub fn new(threshold: usize) -> Self {
        Self { threshold, bytes: Vec::new(), content: Vec::new(), content_len: 0, taken: 0 }
    }

    /// Returns the number of bytes.
    pub fn len(&self) -> usize {
        self.bytes.len().saturating_add(self.content_len).saturating_sub(self.taken)
    }

    /// Returns whether there is no output.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the output in order; no slice is empty.
    pub fn slices(&self) -> impl Iterator<Item = &[u8]> {
        let ends = self.content.iter().map(|&(place, _)| place).chain([self.bytes.len()]);
        let starts = [0].into_iter().chain(self.content.iter().map(|&(place, _)| place));
        let bytes = starts.zip(ends).map(|(start, end)| self.bytes.get(start..end).unwrap_or_default());
        let content = self.content.iter().map(|(_, piece)| &piece[..]).chain([&[][..]]);
        let mut skip = self.taken;
        bytes.zip(content).flat_map(|(bytes, piece)| [bytes, piece]).filter_map(move |slice| {
            let left = slice.get(skip.min(slice.len())..).unwrap_or_default();
            skip = skip.saturating_sub(slice.len());
            Some(left).filter(|left| !left.is_empty())
        })
    }

    /// Adds bytes that do not come from an engine, such as [`HTTP1_ANSWER`](crate::HTTP1_ANSWER).
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Removes `bytes` at the front, which the transport has taken.
    pub fn advance(&mut self, bytes: usize) {
        self.taken = self.taken.saturating_add(bytes);
        if self.is_empty() {
            self.clear();
        }
    }

    /// Removes everything, and keeps the memory for further output.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.content.clear();
        self.content_len = 0;
        self.taken = 0;
    }

    /// Gives back memory, except for `kept` bytes.
    pub fn shrink_to(&mut self, kept: usize) {
        self.bytes.shrink_to(kept);
        self.content.shrink_to(0);
    }
}

impl Default for Segments {
    /// Refers to content from 2 KiB on.
    fn default() -> Self {
        Self::new(SLICE)
    }
}

/// A destination of output.
pub(crate) trait Sink {
    /// Returns the bytes so far, including those of which the sink has removed some, to append to.
    fn bytes(&mut self) -> &mut Vec<u8>;

    /// Returns the number of all bytes added so far.
    fn total(&self) -> usize;

    /// Moves the first `length` bytes of the content to the end; `copy` asks for a copy in [`bytes`](Self::bytes).
    fn content(&mut self, content: &mut Chunks, length: usize, copy: bool);
}

impl Sink for Vec<u8> {
    fn bytes(&mut self) -> &mut Vec<u8> {
        self
    }

    fn total(&self) -> usize {
        self.len()
    }

    fn content(&mut self, content: &mut Chunks, length: usize, _: bool) {
        content.move_to(self, length);
    }
}

impl Sink for Segments {
    fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    fn total(&self) -> usize {
        self.bytes.len().saturating_add(self.content_len)
    }

    fn content(&mut self, content: &mut Chunks, length: usize, copy: bool) {
        if copy || self.threshold == usize::MAX {
            return content.move_to(&mut self.bytes, length);
        }
        let mut left = length;
        while left > 0 && !content.is_empty() {
            let piece = content.pop(left);
            left = left.saturating_sub(piece.len());
            if piece.len() < self.threshold {
                self.bytes.extend_from_slice(&piece);
            } else {
                self.content_len = self.content_len.saturating_add(piece.len());
                self.content.push((self.bytes.len(), piece));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Segments of these pieces, and the same in one piece.
    fn segments(pieces: &[&[u8]]) -> (Segments, Vec<u8>) {
        let mut segments = Segments::default();
        for piece in pieces {
            let mut content = Chunks::default();
            content.push(Bytes::copy_from_slice(piece));
            segments.bytes.extend_from_slice(b"head");
            segments.content(&mut content, piece.len(), false);
        }
        let all = pieces.iter().flat_map(|piece| [b"head", *piece].concat()).collect();
        (segments, all)
    }

    #[test]
    fn slices_are_in_order_wherever_the_transport_stops() {
        let large = vec![1; SLICE];
        let larger = vec![2; 3 * SLICE];
        let pieces: &[&[u8]] = &[&large, b"small", &larger, &large, b""];
        for step in [1, 3, 4, 5, 100, SLICE, SLICE + 4, 10 * SLICE] {
            let (mut segments, all) = segments(pieces);
            let mut written = 0;
            while !segments.is_empty() {
                let rest = segments.slices().collect::<Vec<_>>().concat();
                assert_eq!((rest.len(), &rest[..]), (segments.len(), &all[written..]));
                let taken = step.min(rest.len());
                segments.advance(taken);
                written += taken;
            }
            assert_eq!(written, all.len());
            assert_eq!(segments.slices().next(), None);
        }
    }

    #[test]
    fn large_content_is_not_copied() {
        let piece = Bytes::from(vec![7; SLICE]);
        let mut content = Chunks::default();
        content.push(piece.clone());
        let mut segments = Segments::default();
        segments.content(&mut content, SLICE, false);
        assert_eq!(segments.slices().next().map(<[u8]>::as_ptr), Some(piece.as_ptr()));
    }
}
