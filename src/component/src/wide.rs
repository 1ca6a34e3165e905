//! The interface `http2:engine/wide`: content in words.

use bytes::{Buf, Bytes};

use crate::Component;
use crate::bindings::exports::http2::engine::connection::Http2StreamBorrow;
use crate::bindings::exports::http2::engine::wide::{Content, Guest};
use crate::bindings::http2::engine::types::Error;
use crate::errors;
use crate::stream::Stream;

#[cfg(test)]
mod tests;

impl Guest for Component {
    fn send_data(
        stream: Http2StreamBorrow<'_>,
        words: Vec<u64>,
        skip: u32,
        length: u32,
        end_of_stream: bool,
    ) -> Result<u32, Error> {
        stream.get::<Stream>().offer(bytes(words, skip, length)?, end_of_stream)
    }

    fn read_data(stream: Http2StreamBorrow<'_>, max: u32) -> Result<Option<Content>, Error> {
        Ok(stream.get::<Stream>().read_pieces(max)?.map(|pieces| content(&pieces)))
    }
}

/// Words that are used as bytes.
struct Words(Vec<u64>);

impl AsRef<[u8]> for Words {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

/// Returns `length` bytes of words, after `skip` bytes, without copying them.
fn bytes(words: Vec<u64>, skip: u32, length: u32) -> Result<Bytes, Error> {
    let mut bytes = Bytes::from_owner(Words(words));
    let (skip, length) = (skip as usize, length as usize);
    if bytes.len().checked_sub(skip).is_none_or(|there| there < length) {
        return Err(errors::invalid_argument("the list has fewer bytes than skip and length say"));
    }
    bytes.advance(skip);
    bytes.truncate(length);
    Ok(bytes)
}

/// Joins pieces of content.
fn content(pieces: &[Bytes]) -> Content {
    let length = pieces.iter().map(Bytes::len).sum::<usize>();
    let mut words = vec![0; length.div_ceil(size_of::<u64>())];
    let mut rest: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    for piece in pieces {
        if let Some(place) = rest.split_off_mut(..piece.len()) {
            place.copy_from_slice(piece);
        }
    }
    Content { words, length: u32::try_from(length).unwrap_or(u32::MAX) }
}
