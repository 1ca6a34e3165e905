//! Content and trailers, from one side to the other.

use std::pin::pin;

use bytes::Bytes;
use http2_engine::{FieldSection, Read, SendError, StreamError};
use wit_bindgen::{FutureReader, StreamReader, StreamResult, StreamWriter};

use crate::bindings::wasi::http::types::ErrorCode;
use crate::end::{self, End, EndWriter};
use crate::error;
use crate::head;
use crate::signal::at_once;
use crate::stream::Stream;

/// Octets that are moved at once.
const CHUNK: usize = 64 << 10;
/// Octets of the first buffer, if the length of the content is not known.
const FIRST_CHUNK: usize = 4 << 10;

/// Why content was not sent whole.
#[derive(Debug)]
pub enum BodyError {
    /// Its source gave it up.
    Source(ErrorCode),
    /// The stream does not take it.
    Stream(SendError),
}

impl From<SendError> for BodyError {
    fn from(error: SendError) -> Self {
        Self::Stream(error)
    }
}

/// Sends content and trailers of wasi:http on a stream, and ends the message with them.
///
/// `length` is what Content-Length says, if anything.
///
/// # Errors
///
/// What was in the way. The message is not complete then, and perhaps has not begun.
pub async fn send(
    stream: &Stream,
    mut contents: StreamReader<u8>,
    trailers: FutureReader<End>,
    length: Option<u64>,
) -> Result<(), BodyError> {
    let mut left = length.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    let mut buffer = Vec::with_capacity(left.unwrap_or(FIRST_CHUNK).min(CHUNK));
    // The end of a content whose length is known need not be waited for.
    while left != Some(0) {
        let (result, mut octets) = contents.read(buffer).await;
        if !matches!(result, StreamResult::Complete(_)) {
            break;
        }
        left = left.map(|left| left.saturating_sub(octets.len()));
        let size = octets.capacity();
        if octets.len() < size / 2 {
            stream.send(Bytes::copy_from_slice(&octets)).await?;
            octets.clear();
            buffer = octets;
        } else {
            // A source that fills its buffer gets a larger one.
            let next = if octets.len() == size { size.saturating_mul(4) } else { size };
            stream.send(Bytes::from(octets)).await?;
            buffer = Vec::with_capacity(left.unwrap_or(next).min(next).min(CHUNK));
        }
    }
    drop(contents);
    match end::read(trailers).await {
        Ok(None) => stream.finish(None)?,
        Ok(Some(trailers)) => stream.finish(Some(&head::trailers_from(&trailers)))?,
        Err(code) => return Err(BodyError::Source(code)),
    }
    Ok(())
}

/// Hands content and trailers that arrive on a stream to wasi:http.
///
/// It ends early if nobody wants them: then the rest stays unread, and releasing the stream tells the peer so.
pub async fn receive(stream: Stream, mut contents: StreamWriter<u8>, trailers: EndWriter) {
    let role = stream.connection().role();
    let end = match stream.unless_reset(receive_all(&stream, &mut contents)).await {
        Ok(Ok(end)) => head::trailers_to(end.as_ref()),
        Ok(Err(error)) | Err(error) => Err(error::of_stream(&error, role)),
    };
    drop(contents);
    trailers.tell(end, stream.connection().tasks()).await;
}

async fn receive_all(
    stream: &Stream,
    contents: &mut StreamWriter<u8>,
) -> Result<Option<FieldSection>, StreamError> {
    let mut buffer = Vec::new();
    loop {
        let read = read_chunk(stream, &mut buffer)?;
        if !buffer.is_empty() {
            buffer = contents.write_all(buffer).await;
            if !buffer.is_empty() {
                return Ok(None);
            }
        }
        match read {
            Read::Data(_) => {}
            Read::Trailers(trailers) => return Ok(Some(trailers)),
            Read::End => return Ok(None),
            Read::Blocked if stream.is_finished() && !is_wanted(contents).await => return Ok(None),
            Read::Blocked => stream.readable().await,
        }
    }
}

/// Fills the buffer with what has arrived, and says what follows: [`Read::Data`] if it is full.
fn read_chunk(stream: &Stream, buffer: &mut Vec<u8>) -> Result<Read, StreamError> {
    loop {
        let room = CHUNK.saturating_sub(buffer.len());
        if room == 0 {
            return Ok(Read::Data(Bytes::new()));
        }
        match stream.read_now(room) {
            Ok(Read::Data(octets)) => buffer.extend_from_slice(&octets),
            // It comes again once what arrived before was handed on.
            Err(_) if !buffer.is_empty() => return Ok(Read::Data(Bytes::new())),
            other => return other,
        }
    }
}

/// Whether there is still a reader.
async fn is_wanted(contents: &mut StreamWriter<u8>) -> bool {
    let probe = pin!(contents.write(Vec::new()));
    !matches!(at_once(probe).await, Some((StreamResult::Dropped, _)))
}
