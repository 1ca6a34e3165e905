//! The server's side: requests as they come, and the responses to them.

use std::future::poll_fn;

use http::{Request, Response};
use http2_engine::ErrorCode;

use super::body::{RecvBody, SendBody};
use super::command::{Accepted, Command, Operation};
use super::control::Control;
use super::error::Error;
use super::handle::{Handle, Leave, Next, Stream};
use super::head;

/// A connection on which requests are answered.
///
/// Dropped, it is shut down in good order: requests that were accepted go on until they are answered, and others are
/// refused.
pub struct Server {
    connection: Leave,
    request: Next<Accepted>,
}

impl Server {
    pub(super) fn new(connection: Handle) -> Self {
        Self { connection: Leave(connection), request: Next::new() }
    }

    /// Waits for the next request; none when the connection has ended in good order. Who stops waiting loses nothing.
    ///
    /// # Errors
    ///
    /// Why the connection has ended.
    pub async fn accept(&mut self) -> Option<Result<(Request<RecvBody>, Responder), Error>> {
        let Self { connection: Leave(connection), request } = self;
        let accepted = poll_fn(|cx| request.poll(cx, connection, Command::Accept)).await;
        match accepted {
            Err(_) if connection.has_ended_well() => None,
            Err(error) => Some(Err(error)),
            Ok(accepted) => accepted.map(|(request, stream)| {
                Ok((request.map(|()| RecvBody::new(stream.clone())), Responder { stream }))
            }),
        }
    }

    /// What concerns the connection as a whole.
    pub fn control(&self) -> Control {
        Control::new(self.connection.0.clone())
    }
}

/// Answers a request. If it is dropped before, and the [`RecvBody`] too, the stream is reset with CANCEL.
pub struct Responder {
    stream: Stream,
}

impl Responder {
    /// Sends an informational response (1xx), before the response.
    ///
    /// # Errors
    ///
    /// Those of [`respond`](Self::respond).
    pub async fn inform(&mut self, response: Response<()>) -> Result<(), Error> {
        let head = head::response_head(&response);
        self.stream.ask(|answer| Operation::Inform(head, answer)).await
    }

    /// Sends the head of the response. With `end_of_stream`, it has no content.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](super::ErrorKind::InvalidArgument) for a malformed head;
    /// [`InvalidState`](super::ErrorKind::InvalidState) for a second response;
    /// [`StreamReset`](super::ErrorKind::StreamReset); why the connection has ended.
    pub async fn respond(&mut self, response: Response<()>, end_of_stream: bool) -> Result<SendBody, Error> {
        let head = head::response_head(&response);
        self.stream.ask(|answer| Operation::Respond(head, end_of_stream, answer)).await?;
        Ok(SendBody::new(self.stream.clone()))
    }

    /// Promises a request, and gives what answers it (RFC 9113, 8.4).
    ///
    /// # Errors
    ///
    /// [`InvalidState`](super::ErrorKind::InvalidState) if the client has not enabled push;
    /// [`WouldBlock`](super::ErrorKind::WouldBlock) at the client's limit of streams; those of
    /// [`respond`](Self::respond).
    pub async fn push(&mut self, request: Request<()>) -> Result<Responder, Error> {
        let head = head::request_head(&request);
        let stream = self.stream.ask(|answer| Operation::Push(head, answer)).await?;
        Ok(Self { stream })
    }

    /// The identifier of the stream (RFC 9113, 5.1.1).
    pub fn stream_id(&self) -> u32 {
        self.stream.id()
    }

    /// Ends the stream at once, in both directions.
    pub fn reset(&self, code: ErrorCode) {
        self.stream.reset(code.0);
    }
}
