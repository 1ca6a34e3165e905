//! The client side: requests and their responses.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http2_engine::ErrorCode;
use tokio::sync::oneshot;

use super::body::{RecvBody, SendBody};
use super::command::{Command, Open, Operation, Pushed};
use super::control::Control;
use super::error::Error;
use super::handle::{Handle, Leave, Next, Stream};
use super::head;

/// A client connection, which sends requests.
///
/// Clones share the connection.
///
/// When the last clone is dropped, the connection shuts down gracefully: open streams run to completion.
#[derive(Clone)]
pub struct Client {
    connection: Arc<Leave>,
}

impl Client {
    pub(super) fn new(connection: Handle) -> Self {
        Self { connection: Arc::new(Leave(connection)) }
    }

    /// Sends the head of a request, which needs an absolute URI.
    ///
    /// With `end_of_stream`, the request has no content.
    ///
    /// Waits while too many requests are queued for the peer's limit of concurrent streams.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](super::ErrorKind::InvalidArgument) for a malformed head;
    /// [`ConnectionClosed`](super::ErrorKind::ConnectionClosed), retryable, if the connection accepts no more requests;
    /// the reason why the connection ended.
    pub async fn request(
        &self,
        request: Request<()>,
        end_of_stream: bool,
    ) -> Result<(ResponseFuture, SendBody), Error> {
        let (head, extras) = head::request_head(&request);
        let (answer, response) = oneshot::channel();
        let open = |opened| Command::Open(Open { head, extras, end_of_stream, opened, response: answer });
        let stream = self.connection.0.ask(open).await?;
        let body = SendBody::new(stream.clone());
        Ok((ResponseFuture { stream, response, informational: Next::new() }, body))
    }

    /// Returns a handle for operations on the connection as a whole.
    pub fn control(&self) -> Control {
        Control::new(self.connection.0.clone())
    }
}

/// A future that resolves to the response.
///
/// # Errors
///
/// [`StreamReset`](super::ErrorKind::StreamReset), or the reason why the connection ended.
#[must_use = "dropping the future cancels the response"]
pub struct ResponseFuture {
    stream: Stream,
    response: oneshot::Receiver<Result<Response<()>, Error>>,
    informational: Next<Option<Response<()>>>,
}

impl ResponseFuture {
    /// Waits for the next informational response (1xx); returns `None` once the final response has arrived or cannot
    /// arrive any more.
    ///
    /// # Errors
    ///
    /// The reason why the connection ended.
    pub async fn informational(&mut self) -> Option<Result<Response<()>, Error>> {
        let Self { stream, informational, .. } = self;
        let next = |answer| Command::Stream(stream.id(), Operation::Informational(answer));
        poll_fn(|cx| informational.poll(cx, stream.connection(), next)).await.transpose()
    }

    /// Returns the requests that the server promises to answer by server push, which is off unless
    /// [`ENABLE_PUSH`](super::SettingId::ENABLE_PUSH) is set (RFC 9113, 8.4).
    pub fn pushes(&self) -> Pushes {
        Pushes { stream: self.stream.clone(), next: Next::new() }
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

impl Future for ResponseFuture {
    type Output = Result<Response<RecvBody>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.response).poll(cx).map(|answer| {
            let head = self.stream.connection().settle(answer)?;
            Ok(head.map(|()| RecvBody::new(self.stream.clone())))
        })
    }
}

/// The requests that the server promises to answer by server push.
pub struct Pushes {
    stream: Stream,
    next: Next<Option<Pushed>>,
}

impl Pushes {
    /// Waits for the next promised request; returns `None` once the associated response has been read to its end.
    ///
    /// # Errors
    ///
    /// The reason why the connection ended.
    pub async fn next(&mut self) -> Option<Result<(Request<()>, ResponseFuture), Error>> {
        let Self { stream, next } = self;
        let pushed = |answer| Command::Stream(stream.id(), Operation::Pushed(answer));
        let pushed = poll_fn(|cx| next.poll(cx, stream.connection(), pushed)).await.transpose()?;
        Some(pushed.map(|Pushed { request, stream, response }| {
            (request, ResponseFuture { stream, response, informational: Next::new() })
        }))
    }
}
