//! The resource `http2-stream`.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use http2_engine::{ErrorCode, Priority as EnginePriority, Read, SendError, StreamId};
use wasi::clocks::monotonic_clock::Duration;

use crate::bindings::exports::http2::engine::connection::{GuestHttp2Stream, Http2Stream};
use crate::bindings::http2::engine::types::{
    Error, Fields, Priority, RequestExtras, RequestHead, ResponseHead,
};
use crate::endpoint::{Endpoint, to_priority};
use crate::errors;
use crate::heads;
use crate::streams::StreamState;

/// The status of the response that tells a client to send the content (RFC 9110, 15.2.1).
const CONTINUE: u16 = 100;

/// A handle to a stream.
///
/// As with [`Connection`](crate::connection::Connection), each call borrows the endpoint once.
pub(crate) struct Stream {
    endpoint: Rc<RefCell<Endpoint>>,
    id: StreamId,
}

impl Stream {
    pub(crate) fn new(endpoint: Rc<RefCell<Endpoint>>, id: StreamId) -> Self {
        Self { endpoint, id }
    }

    /// Returns the names of fields to send as never-indexed literals.
    fn never_indexed(&self) -> Vec<String> {
        let endpoint = self.endpoint.borrow();
        endpoint.streams.get(self.id).map(|stream| stream.never_indexed.clone()).unwrap_or_default()
    }

    fn send_response(&self, head: &ResponseHead, end_of_stream: bool) -> Result<(), Error> {
        let section = heads::response_section(head, &self.never_indexed())?;
        self.send(&head.headers, |endpoint, id| {
            endpoint.engine.send_response(id, &section, end_of_stream)?;
            endpoint.streams.stop_awaiting_continue(id);
            if end_of_stream {
                endpoint.streams.watch(id);
            }
            Ok(())
        })
    }

    /// Queues content, as much as there is room for, and returns the number of bytes.
    pub(crate) fn offer(&self, bytes: Bytes, end_of_stream: bool) -> Result<u32, Error> {
        let mut endpoint = self.endpoint.borrow_mut();
        let room = endpoint.engine.send_capacity(self.id);
        // Don't retain the whole buffer after a partial send.
        let (mut data, whole) = match bytes.get(..room) {
            Some(part) if part.len() < bytes.len() => (Bytes::copy_from_slice(part), false),
            _ => (bytes, true),
        };
        let offered = data.len();
        send_data(&mut endpoint, self.id, &mut data, end_of_stream && whole)?;
        Ok(u32::try_from(offered.saturating_sub(data.len())).unwrap_or(u32::MAX))
    }

    /// Reads pieces of content, at most `max` bytes together: none at all if no content has arrived, and `None` at the
    /// end.
    pub(crate) fn read_pieces(&self, max: u32) -> Result<Option<Vec<Bytes>>, Error> {
        let mut endpoint = self.endpoint.borrow_mut();
        let mut pieces = Vec::new();
        let mut left = max as usize;
        while left > 0 {
            match read_piece(&mut endpoint, self.id, left) {
                Ok(Some(piece)) if !piece.is_empty() => {
                    left = left.saturating_sub(piece.len());
                    pieces.push(piece);
                }
                Ok(Some(_)) => break,
                // The next call returns the end, or the error.
                _ if !pieces.is_empty() => break,
                ended => return ended.map(|_| None),
            }
        }
        Ok(Some(pieces))
    }

    /// Passes a message part with `fields` to the engine; an error names the field at fault.
    fn send(
        &self,
        fields: &Fields,
        send: impl FnOnce(&mut Endpoint, StreamId) -> Result<(), SendError>,
    ) -> Result<(), Error> {
        let mut endpoint = self.endpoint.borrow_mut();
        match send(&mut endpoint, self.id) {
            Err(SendError::Malformed(malformed)) => {
                Err(errors::invalid_argument(heads::describe_malformed(malformed, fields)))
            }
            outcome => outcome.map_err(|error| endpoint.send_failure(self.id, error)),
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.endpoint.borrow_mut().release(self.id);
    }
}

impl GuestHttp2Stream for Stream {
    fn id(&self) -> u32 {
        self.id.as_u32()
    }

    fn request(&self) -> Option<RequestHead> {
        self.endpoint.borrow().streams.get(self.id)?.request.as_ref().map(heads::request_head)
    }

    fn request_extras(&self) -> Option<RequestExtras> {
        self.endpoint.borrow().streams.get(self.id)?.request.as_ref().map(heads::request_extras)
    }

    fn response(&self) -> Result<Option<ResponseHead>, Error> {
        response(&mut self.endpoint.borrow_mut(), self.id)
    }

    fn response_never_indexed(&self) -> Vec<String> {
        let endpoint = self.endpoint.borrow();
        endpoint.streams.get(self.id).map(|stream| stream.response_never_indexed.clone()).unwrap_or_default()
    }

    fn blocking_response(&self, timeout: Option<Duration>) -> Result<ResponseHead, Error> {
        self.endpoint.borrow_mut().block_until(timeout, |endpoint| {
            let taken = endpoint.streams.get(self.id).is_some_and(|stream| stream.response_taken);
            if taken {
                Err(errors::invalid_state("the response was already returned"))
            } else {
                response(endpoint, self.id)
            }
        })
    }

    fn informational(&self) -> Option<ResponseHead> {
        let mut endpoint = self.endpoint.borrow_mut();
        let head = endpoint.streams.get_mut(self.id)?.take_informational()?;
        Some(heads::response_head(&head))
    }

    fn pushed(&self) -> Option<Http2Stream> {
        let mut endpoint = self.endpoint.borrow_mut();
        let id = endpoint.streams.get_mut(self.id)?.pushed.pop_front()?;
        endpoint.streams.set_app_owned(id);
        Some(Http2Stream::new(Self::new(Rc::clone(&self.endpoint), id)))
    }

    fn never_index(&self, names: Vec<String>) {
        if let Some(stream) = self.endpoint.borrow_mut().streams.get_mut(self.id) {
            stream.never_indexed = names;
        }
    }

    fn inform(&self, head: ResponseHead) -> Result<(), Error> {
        let section = heads::response_section(&head, &self.never_indexed())?;
        self.send(&head.headers, |endpoint, id| {
            endpoint.engine.send_informational(id, &section)?;
            if head.status == CONTINUE {
                endpoint.streams.stop_awaiting_continue(id);
            }
            Ok(())
        })
    }

    fn respond(&self, head: ResponseHead, end_of_stream: bool) -> Result<(), Error> {
        self.send_response(&head, end_of_stream)?;
        if !end_of_stream {
            self.endpoint.borrow_mut().message_started();
        }
        Ok(())
    }

    fn answer(&self, head: ResponseHead, content: Vec<u8>, trailers: Option<Fields>) -> Result<u32, Error> {
        let offered = content.len();
        let end = trailers.is_none();
        self.send_response(&head, end && offered == 0)?;
        let taken = if offered == 0 { 0 } else { self.send_data(content, end)? };
        match trailers {
            Some(trailers) if taken as usize == offered => self.send_trailers(trailers)?,
            _ => {}
        }
        Ok(taken)
    }

    fn push(&self, head: RequestHead) -> Result<Http2Stream, Error> {
        let section = heads::request_section(&head, None, &self.never_indexed())?;
        let mut endpoint = self.endpoint.borrow_mut();
        let id = endpoint.engine.push_request(self.id, &section).map_err(|error| {
            errors::from_open_error(error, |malformed| heads::describe_malformed_request(malformed, &head))
        })?;
        endpoint.streams.insert(id, StreamState::opened());
        Ok(Http2Stream::new(Self::new(Rc::clone(&self.endpoint), id)))
    }

    fn send_data(&self, bytes: Vec<u8>, end_of_stream: bool) -> Result<u32, Error> {
        self.offer(bytes.into(), end_of_stream)
    }

    fn blocking_send_data(
        &self,
        bytes: Vec<u8>,
        end_of_stream: bool,
        timeout: Option<Duration>,
    ) -> Result<u32, Error> {
        let mut data = Bytes::from(bytes);
        let offered = data.len();
        let mut waited = false;
        self.endpoint.borrow_mut().try_until(timeout, |endpoint| {
            send_data(endpoint, self.id, &mut data, end_of_stream)?;
            // Even if something to read has arrived before the call, move bytes once, so that each call makes progress.
            let returns = data.is_empty() || (waited && endpoint.streams.take_arrived(self.id));
            waited = true;
            Ok(returns.then_some(()))
        })?;
        Ok(u32::try_from(offered.saturating_sub(data.len())).unwrap_or(u32::MAX))
    }

    fn send_capacity(&self) -> u32 {
        u32::try_from(self.endpoint.borrow().engine.send_capacity(self.id)).unwrap_or(u32::MAX)
    }

    fn send_trailers(&self, trailers: Fields) -> Result<(), Error> {
        let section = heads::trailer_section(&trailers, &self.never_indexed())?;
        self.send(&trailers, |endpoint, id| {
            endpoint.engine.send_trailers(id, &section)?;
            endpoint.streams.watch(id);
            Ok(())
        })
    }

    fn read_data(&self, max: u32) -> Result<Option<Vec<u8>>, Error> {
        read_data(&mut self.endpoint.borrow_mut(), self.id, max)
    }

    fn blocking_read_data(&self, max: u32, timeout: Option<Duration>) -> Result<Option<Vec<u8>>, Error> {
        self.endpoint.borrow_mut().block_until(timeout, |endpoint| match read_data(endpoint, self.id, max)? {
            Some(octets) if octets.is_empty() && max > 0 => Ok(None),
            read => Ok(Some(read)),
        })
    }

    fn trailers(&self) -> Option<Fields> {
        let mut endpoint = self.endpoint.borrow_mut();
        let section = endpoint.streams.get_mut(self.id)?.trailers.take()?;
        Some(heads::fields(&section))
    }

    fn window_update(&self, bytes: u32) -> Result<(), Error> {
        self.endpoint.borrow_mut().engine.window_update(self.id, bytes).map_err(errors::from_window_error)
    }

    fn windows(&self) -> (i64, i64) {
        let windows = self.endpoint.borrow().engine.stream_windows(self.id).unwrap_or_default();
        (windows.receive, windows.send)
    }

    fn reset(&self, code: u32) {
        let mut endpoint = self.endpoint.borrow_mut();
        endpoint.reset(self.id, ErrorCode(code));
    }

    fn finished(&self) -> bool {
        self.endpoint.borrow().engine.is_finished(self.id)
    }

    fn priority(&self) -> Priority {
        to_priority(self.endpoint.borrow().engine.priority(self.id).unwrap_or_default())
    }

    fn set_priority(&self, priority: Priority) -> Result<(), Error> {
        if priority.urgency > EnginePriority::LOWEST_URGENCY {
            return Err(errors::invalid_argument("the urgency must be 0 to 7"));
        }
        let wanted = EnginePriority::new(priority.urgency, priority.incremental);
        self.send(&Vec::new(), |endpoint, id| endpoint.engine.set_priority(id, wanted))
    }
}

/// Returns the head of the response, once.
fn response(endpoint: &mut Endpoint, id: StreamId) -> Result<Option<ResponseHead>, Error> {
    let Some(stream) = endpoint.streams.get_mut(id) else { return Ok(None) };
    if let Some(head) = stream.response.take() {
        stream.response_taken = true;
        stream.response_never_indexed = heads::never_indexed(&head);
        return Ok(Some(heads::response_head(&head)));
    }
    if stream.response_taken {
        return Ok(None);
    }
    match stream.error {
        Some(error) => Err(endpoint.stream_failure(id, &error)),
        None => Ok(None),
    }
}

/// Reads content: an empty list if none has arrived, `None` at the end.
fn read_data(endpoint: &mut Endpoint, id: StreamId, max: u32) -> Result<Option<Vec<u8>>, Error> {
    if max == 0 {
        return Ok(Some(Vec::new()));
    }
    Ok(read_piece(endpoint, id, max as usize)?.map(Vec::from))
}

/// Reads one piece of content: an empty one if none has arrived, `None` at the end, where it stores the trailers.
fn read_piece(endpoint: &mut Endpoint, id: StreamId, max: usize) -> Result<Option<Bytes>, Error> {
    if endpoint.streams.is_released(id) {
        let error = endpoint.streams.get(id).and_then(|stream| stream.error);
        return error.map_or(Ok(None), |error| Err(endpoint.stream_failure(id, &error)));
    }
    let read = endpoint.engine.read(id, max);
    if endpoint.streams.stop_awaiting_continue(id) && matches!(read, Ok(Read::Blocked)) {
        endpoint.send_continue(id);
    }
    if !matches!(read, Ok(Read::Data(_)))
        && let Some(stream) = endpoint.streams.get_mut(id)
    {
        stream.readable = false;
    }
    match read {
        Ok(Read::Data(piece)) => Ok(Some(piece)),
        Ok(Read::Blocked) => Ok(Some(Bytes::new())),
        Ok(Read::End) => Ok(None),
        Ok(Read::Trailers(trailers)) => {
            if let Some(stream) = endpoint.streams.get_mut(id) {
                stream.trailers = Some(trailers);
            }
            Ok(None)
        }
        Err(error) => Err(endpoint.stream_failure(id, &error)),
    }
}

/// Queues content from the front of `data`, as much as the engine has room for.
fn send_data(
    endpoint: &mut Endpoint,
    id: StreamId,
    data: &mut Bytes,
    end_of_stream: bool,
) -> Result<(), Error> {
    let sent = endpoint.engine.send_data(id, data, end_of_stream);
    // The rest stays in `data`, which the caller looks at.
    sent.map_err(|error| endpoint.send_failure(id, error))?;
    if end_of_stream && data.is_empty() {
        endpoint.streams.watch(id);
    }
    Ok(())
}
