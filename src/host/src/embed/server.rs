//! The server side: requests and their responses.

use std::future::poll_fn;

use http::{Request, Response};
use http2_engine::ErrorCode;

use super::body::{RecvBody, SendBody};
use super::command::{Accepted, Command, Operation};
use super::control::Control;
use super::error::Error;
use super::handle::{Handle, Leave, Next, Stream};
use super::head;

/// A server connection, which accepts requests.
///
/// When it is dropped, the connection shuts down gracefully: accepted requests run to completion, and others are
/// refused.
pub struct Server {
    connection: Leave,
    request: Next<Accepted>,
}

impl Server {
    pub(super) fn new(connection: Handle) -> Self {
        Self { connection: Leave(connection), request: Next::new() }
    }

    /// Waits for the next request; returns `None` once the connection has ended gracefully.
    ///
    /// Cancel-safe: no request is lost.
    ///
    /// # Errors
    ///
    /// The reason why the connection ended.
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

    /// Returns a handle for operations on the connection as a whole.
    pub fn control(&self) -> Control {
        Control::new(self.connection.0.clone())
    }
}

/// Responds to a request.
///
/// If it and the [`RecvBody`] are dropped before a response, the stream is reset with CANCEL.
pub struct Responder {
    stream: Stream,
}

impl Responder {
    /// Sends an informational response (1xx) before the final response.
    ///
    /// # Errors
    ///
    /// The errors of [`send_response`](Self::send_response).
    pub async fn send_informational(&mut self, response: Response<()>) -> Result<(), Error> {
        let (head, never_indexed) = head::response_head(&response);
        self.stream.ask(|answer| Operation::Inform(head, never_indexed, answer)).await
    }

    /// Sends the head of the response.
    ///
    /// With `end_of_stream`, the response has no content.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](super::ErrorKind::InvalidArgument) for a malformed head;
    /// [`InvalidState`](super::ErrorKind::InvalidState) for a second response;
    /// [`StreamReset`](super::ErrorKind::StreamReset); the reason why the connection ended.
    pub async fn send_response(
        &mut self,
        response: Response<()>,
        end_of_stream: bool,
    ) -> Result<SendBody, Error> {
        let (head, never_indexed) = head::response_head(&response);
        self.stream.ask(|answer| Operation::Respond(head, never_indexed, end_of_stream, answer)).await?;
        Ok(SendBody::new(self.stream.clone()))
    }

    /// Promises a request by server push, and returns the responder to answer it (RFC 9113, 8.4).
    ///
    /// # Errors
    ///
    /// [`InvalidState`](super::ErrorKind::InvalidState) if the client has not enabled push;
    /// [`WouldBlock`](super::ErrorKind::WouldBlock) at the client's limit of concurrent streams; the errors of
    /// [`send_response`](Self::send_response).
    pub async fn push_request(&mut self, request: Request<()>) -> Result<Responder, Error> {
        let (head, extras) = head::request_head(&request);
        let push = |answer| Operation::Push(head, extras.never_indexed, answer);
        let stream = self.stream.ask(push).await?;
        Ok(Self { stream })
    }

    /// Returns the stream identifier (RFC 9113, 5.1.1).
    pub fn stream_id(&self) -> u32 {
        self.stream.id()
    }

    /// Resets the stream with `code`, which ends both directions.
    pub fn reset(&self, code: ErrorCode) {
        self.stream.reset(code.0);
    }
}
