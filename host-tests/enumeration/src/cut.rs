//! Splits bytes in flight into frames.

use bytes::Bytes;
use http2_test_support::{HEADER_LEN, Header, PREFACE};

/// One item of a queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Queued {
    /// A frame; or all frames at once, in scenarios that deliver them together.
    Frames(Bytes),
    /// The sender has closed the transport.
    End,
}

/// Splits output into frames; the preface travels with the first one.
///
/// # Panics
///
/// Panics if the output does not end between two frames, since an engine produces only whole frames.
pub(crate) fn cut(output: &[u8]) -> Vec<Queued> {
    let mut rest = output;
    let mut items = Vec::new();
    while !rest.is_empty() {
        let start = if rest.starts_with(PREFACE) { PREFACE.len() } else { 0 };
        let header = rest[start..].first_chunk().map(Header::parse).expect("a frame header");
        let (frame, behind) = rest.split_at(start + HEADER_LEN + header.length as usize);
        items.push(Queued::Frames(Bytes::copy_from_slice(frame)));
        rest = behind;
    }
    items
}

/// Iterates over the frames of an item, without the preface.
pub(crate) fn frames(item: &[u8]) -> impl Iterator<Item = (Header, &[u8])> {
    let mut rest = item.strip_prefix(PREFACE).unwrap_or(item);
    std::iter::from_fn(move || {
        let (header, behind) = rest.split_first_chunk::<HEADER_LEN>()?;
        let header = Header::parse(header);
        let (payload, behind) = behind.split_at(header.length as usize);
        rest = behind;
        Some((header, payload))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http2_test_support::ping;

    #[test]
    fn output_is_split_into_frames_with_the_preface_in_the_first() {
        let mut output = PREFACE.to_vec();
        for payload in [*b"pingping", *b"gnipgnip"] {
            output.extend(ping(payload));
        }
        let lengths: Vec<_> = cut(&output)
            .into_iter()
            .map(|item| match item {
                Queued::Frames(bytes) => (bytes.len(), frames(&bytes).count()),
                Queued::End => (0, 0),
            })
            .collect();
        assert_eq!(lengths, [(24 + 17, 1), (17, 1)]);
    }
}
