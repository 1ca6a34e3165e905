//! The client's side: requests, and the responses to them.

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

/// A connection on which requests are sent. Clones share it.
///
/// With the last clone, the connection is shut down in good order: streams go on until they are done.
#[derive(Clone)]
pub struct Client {
    connection: Arc<Leave>,
}

impl Client {
    pub(super) fn new(connection: Handle) -> Self {
        Self { connection: Arc::new(Leave(connection)) }
    }

    /// Sends the head of a request, with an absolute URI. With `end_of_stream`, it has no content.
    ///
    /// Where too many requests wait for the peer's limit of streams, this waits, too.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](super::ErrorKind::InvalidArgument) for a malformed head;
    /// [`ConnectionClosed`](super::ErrorKind::ConnectionClosed), retryable, when the connection takes no more
    /// requests; why the connection has ended.
    pub async fn request(
        &self,
        request: Request<()>,
        end_of_stream: bool,
    ) -> Result<(ResponseFuture, SendBody), Error> {
        let head = head::request_head(&request);
        let (answer, response) = oneshot::channel();
        let open = |opened| Command::Open(Open { head, end_of_stream, opened, response: answer });
        let stream = self.connection.0.ask(open).await?;
        let body = SendBody::new(stream.clone());
        Ok((ResponseFuture { stream, response, informational: Next::new() }, body))
    }

    /// What concerns the connection as a whole.
    pub fn control(&self) -> Control {
        Control::new(self.connection.0.clone())
    }
}

/// A response that is on its way.
///
/// # Errors
///
/// [`StreamReset`](super::ErrorKind::StreamReset), or why the connection has ended.
#[must_use = "a response that nobody waits for is cancelled"]
pub struct ResponseFuture {
    stream: Stream,
    response: oneshot::Receiver<Result<Response<()>, Error>>,
    informational: Next<Option<Response<()>>>,
}

impl ResponseFuture {
    /// Waits for the next informational response (1xx); none once the response itself has come, or never will.
    ///
    /// # Errors
    ///
    /// Why the connection has ended.
    pub async fn informational(&mut self) -> Option<Result<Response<()>, Error>> {
        let Self { stream, informational, .. } = self;
        let next = |answer| Command::Stream(stream.id(), Operation::Informational(answer));
        poll_fn(|cx| informational.poll(cx, stream.connection(), next)).await.transpose()
    }

    /// The requests that the server promises to answer without being asked, if
    /// [`ENABLE_PUSH`](super::SettingId::ENABLE_PUSH) was set (RFC 9113, 8.4).
    pub fn pushes(&self) -> Pushes {
        Pushes { stream: self.stream.clone(), next: Next::new() }
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

impl Future for ResponseFuture {
    type Output = Result<Response<RecvBody>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.response).poll(cx).map(|answer| {
            let head = self.stream.connection().settle(answer)?;
            Ok(head.map(|()| RecvBody::new(self.stream.clone())))
        })
    }
}

/// The requests that the server promises to answer without being asked.
pub struct Pushes {
    stream: Stream,
    next: Next<Option<Pushed>>,
}

impl Pushes {
    /// Waits for the next promised request; none once the response that it belongs to was read to its end.
    ///
    /// # Errors
    ///
    /// Why the connection has ended.
    pub async fn next(&mut self) -> Option<Result<(Request<()>, ResponseFuture), Error>> {
        let Self { stream, next } = self;
        let pushed = |answer| Command::Stream(stream.id(), Operation::Pushed(answer));
        let pushed = poll_fn(|cx| next.poll(cx, stream.connection(), pushed)).await.transpose()?;
        Some(pushed.map(|Pushed { request, stream, response }| {
            (request, ResponseFuture { stream, response, informational: Next::new() })
        }))
    }
}
