//! The client end of a connection.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use http2_engine::{Config, ErrorCode, FieldSection, OpenError, Priority, State, StreamId};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::clock::Clock;
use crate::control::Control;
use crate::driver::Driver;
use crate::error::Error;
use crate::recv::RecvStream;
use crate::send::{SendStream, StreamRef};
use crate::shared::{Arrived, Inner, Shared, Wait};

/// Begins a connection over a transport.
///
/// The peer's SETTINGS are not awaited: requests can be sent at once. Nothing moves until the [`Connection`] is polled.
///
/// # Errors
///
/// Returns [`Error::Config`] if the configuration is invalid.
#[cfg(feature = "time")]
pub fn handshake<T>(io: T, config: Config) -> Result<(SendRequest, Connection<T>), Error>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    handshake_with_clock(io, config, crate::TokioClock::new())
}

/// Begins a connection over a transport, with deadlines by the caller's clock.
///
/// # Errors
///
/// Returns [`Error::Config`] if the configuration is invalid.
pub fn handshake_with_clock<T, C>(
    io: T,
    config: Config,
    clock: C,
) -> Result<(SendRequest, Connection<T, C>), Error>
where
    T: AsyncRead + AsyncWrite + Unpin,
    C: Clock,
{
    let shared = Shared::new(http2_engine::Connection::client(config)?);
    shared.lock().add_sender();
    let connection = Connection { driver: Driver::new(io, clock, shared.clone()) };
    Ok((SendRequest { shared }, connection))
}

/// The connection itself: a future that moves the bytes, to be spawned or polled along with the requests.
///
/// It is complete once all handles are dropped and all streams have ended, or when the peer ends the connection.
///
/// # Errors
///
/// The future returns why the connection has ended, unless it was orderly.
#[must_use = "nothing moves unless the connection is polled"]
pub struct Connection<T, C = DefaultClock> {
    driver: Driver<T, C>,
}

#[cfg(feature = "time")]
use crate::TokioClock as DefaultClock;
/// Without Tokio's clock, the caller names its own.
#[cfg(not(feature = "time"))]
type DefaultClock = std::convert::Infallible;

impl<T, C> Connection<T, C> {
    /// Returns a handle for operations on the whole connection.
    pub fn control(&self) -> Control {
        Control::new(self.driver.shared())
    }

    /// Returns the transport.
    pub fn get_ref(&self) -> &T {
        self.driver.get_ref()
    }
}

impl<T, C> Future for Connection<T, C>
where
    T: AsyncRead + AsyncWrite + Unpin,
    C: Clock + Unpin,
{
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            // A client gets no requests.
            if ready!(self.driver.poll(cx))?.is_none() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<T, C> std::fmt::Debug for Connection<T, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.driver.shared().lock().engine.fmt(f)
    }
}

/// Opens streams for requests.
///
/// Clones share the connection, which ends gracefully once all of them, and all streams, are dropped.
///
/// ```
/// # use http::Request;
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (mut client, server) = pair()?;
/// # tokio::spawn(echo(server));
/// client.ready().await?;
/// let request = Request::get("http://localhost/").body(())?;
/// let (response, _) = client.send_request(request, true)?;
/// assert_eq!(response.await?.status(), 200);
/// # Ok(())
/// # }
/// ```
pub struct SendRequest {
    shared: Arc<Shared>,
}

impl SendRequest {
    /// Waits until a request can be sent: at once, or as one of at most
    /// [`Config::waiting_streams`](crate::Config::waiting_streams) that wait for the peer's limit of streams.
    ///
    /// # Errors
    ///
    /// Returns why the connection takes no more requests.
    pub async fn ready(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_ready(cx)).await
    }

    /// Waits until a request can be sent; see [`ready`](Self::ready).
    ///
    /// # Errors
    ///
    /// Returns why the connection takes no more requests.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let inner = &mut *self.shared.lock();
        if inner.engine.open_capacity() > 0 {
            Poll::Ready(Ok(()))
        } else if !inner.engine.is_open() {
            Poll::Ready(Err(inner.not_open()))
        } else {
            inner.engine.notify_streams_available();
            inner.wait_to_open(cx)
        }
    }

    /// Sends the head of a request, and returns its response and its content, both to come.
    ///
    /// The URI needs scheme and authority, except for CONNECT, which has an authority only (RFC 9113, 8.3.1 and 8.5).
    /// The extension [`Protocol`](crate::Protocol) makes it an extended CONNECT (RFC 8441), for which the peer's
    /// settings have to arrive first ([`Control::peer_settings`]). The fields of HTTP/1.1 connections are not allowed
    /// (RFC 9113, 8.2.2).
    ///
    /// # Errors
    ///
    /// Returns [`Error::Open`] if the head is malformed or if no stream can be opened now, or why the connection has
    /// ended.
    pub fn send_request(
        &mut self,
        request: Request<()>,
        end_stream: bool,
    ) -> Result<(ResponseFuture, SendStream), Error> {
        self.send_head(&FieldSection::from_request_parts(&request.into_parts().0), end_stream)
    }

    /// Sends the head of a request as its fields: pseudo-header fields first (RFC 9113, 8.3.1), then the others.
    ///
    /// # Errors
    ///
    /// Those of [`send_request`](Self::send_request).
    pub fn send_head(
        &mut self,
        head: &FieldSection,
        end_stream: bool,
    ) -> Result<(ResponseFuture, SendStream), Error> {
        let id = self.shared.operate(|inner| {
            let opened = inner.engine.open(head, end_stream);
            let id = opened.map_err(|error| match error {
                OpenError::Closed => inner.not_open(),
                error => Error::Open(error),
            })?;
            inner.insert(id, 2);
            Ok::<_, Error>(id)
        })?;
        let response = ResponseFuture { stream: Some(StreamRef::new(&self.shared, id)) };
        Ok((response, SendStream::new(StreamRef::new(&self.shared, id))))
    }

    /// Waits until the request on a stream was sent, which the peer's limit of streams may delay, or is given up.
    pub fn poll_sent(&mut self, id: StreamId, cx: &mut Context<'_>) -> Poll<()> {
        self.shared.lock().poll_sent(id, cx)
    }

    /// Returns whether the request on a stream waits for the peer's limit of streams.
    pub fn is_waiting(&self, id: StreamId) -> bool {
        self.shared.lock().engine.state(id) == Some(State::Idle)
    }

    /// Returns whether the connection takes requests: neither side has begun to end it.
    pub fn is_open(&self) -> bool {
        self.shared.lock().engine.is_open()
    }

    /// Returns how many requests could be sent now, including those that would wait for the peer's limit of streams.
    pub fn open_capacity(&self) -> usize {
        self.shared.lock().engine.open_capacity()
    }

    /// Returns a handle for operations on the whole connection.
    pub fn control(&self) -> Control {
        Control::new(&self.shared)
    }
}

impl Clone for SendRequest {
    fn clone(&self) -> Self {
        self.shared.lock().add_sender();
        Self { shared: self.shared.clone() }
    }
}

impl Drop for SendRequest {
    fn drop(&mut self) {
        self.shared.operate(Inner::remove_sender);
    }
}

impl std::fmt::Debug for SendRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.shared.lock().engine.fmt(f)
    }
}

/// The response to a request; a future.
///
/// If it is dropped before it is complete, the stream is reset with CANCEL once its other handles are dropped, too.
///
/// # Errors
///
/// The future returns why the stream or the connection has ended early; see [`Error::is_retryable`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture {
    stream: Option<StreamRef>,
}

impl ResponseFuture {
    /// Returns the identifier of the stream, until the response was returned.
    pub fn stream_id(&self) -> Option<StreamId> {
        self.stream.as_ref().map(|stream| stream.id)
    }

    /// Waits for the next informational response (RFC 9110, 15.2), which `None` follows when the final one arrives.
    ///
    /// # Errors
    ///
    /// Returns why the stream has ended early.
    pub fn poll_informational(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Response<()>, Error>>> {
        let Some(stream) = &self.stream else { return Poll::Ready(None) };
        let head = stream.operate(|inner, id| match inner.take_informational(id) {
            Some(head) => Poll::Ready(Some(Ok(head))),
            None if inner.has_response(id) => Poll::Ready(None),
            None => match inner.error(id) {
                Some(error) => Poll::Ready(Some(Err(error))),
                None => inner.wait(id, Wait::Extra, cx),
            },
        });
        Poll::Ready(ready!(head).map(|head| head.and_then(|head| checked(stream, head.into_response()))))
    }

    /// Waits for the next request that the server promises to answer (RFC 9113, 8.4); `None` follows the last.
    ///
    /// Only clients that set [`Config::enable_push`](crate::Config::enable_push) get promises.
    ///
    /// # Errors
    ///
    /// Returns why the stream has ended early.
    pub fn poll_push(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Push, Error>>> {
        match &self.stream {
            Some(stream) => Pushes { stream: stream.clone() }.poll_push(cx),
            None => Poll::Ready(None),
        }
    }

    /// Returns the promises that belong to this response, which can arrive until the response has ended.
    pub fn pushes(&self) -> Option<Pushes> {
        self.stream.as_ref().map(|stream| Pushes { stream: stream.clone() })
    }

    /// Waits until the request was sent, which the peer's limit of streams may delay.
    ///
    /// # Errors
    ///
    /// Returns why the stream has ended early.
    pub fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Some(stream) = &self.stream else { return Poll::Ready(Ok(())) };
        stream.operate(|inner, id| match inner.error(id) {
            Some(error) => Poll::Ready(Err(error)),
            None => inner.poll_sent(id, cx).map(Ok),
        })
    }

    /// Resets the stream. The call has no effect if the stream has ended.
    pub fn reset(&mut self, code: ErrorCode) {
        if let Some(stream) = &self.stream {
            stream.reset(code);
        }
    }

    /// Sets the priority of the response, and tells the server (RFC 9218, 7).
    ///
    /// # Errors
    ///
    /// Returns [`Error::Send`] if the stream has ended.
    pub fn set_priority(&mut self, priority: Priority) -> Result<(), Error> {
        self.stream.as_ref().map_or(Ok(()), |stream| stream.set_priority(priority))
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<RecvStream>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(stream) = &self.stream else { return Poll::Ready(Err(Error::Dropped)) };
        let arrived = stream.operate(|inner, id| match inner.take_response(id) {
            Some(arrived) => Poll::Ready(Ok(arrived)),
            None => match inner.error(id) {
                Some(error) => Poll::Ready(Err(error)),
                None => inner.wait(id, Wait::Receive, cx),
            },
        });
        let Arrived { head, end_stream } = ready!(arrived)?;
        let (head, ()) = checked(stream, head.into_response())?.into_parts();
        let Some(stream) = self.stream.take() else { return Poll::Ready(Err(Error::Dropped)) };
        let body = RecvStream::new(stream, &head.headers, end_stream);
        Poll::Ready(Ok(Response::from_parts(head, body)))
    }
}

/// Resets the stream if its head cannot be represented by the types of `http`.
fn checked<T>(stream: &StreamRef, head: Result<T, http2_engine::Violation>) -> Result<T, Error> {
    head.map_err(|violation| {
        stream.reset(violation.code());
        stream.operate(|inner, id| inner.error(id)).unwrap_or(Error::Dropped)
    })
}

/// The requests that the server promises to answer along with a response (RFC 9113, 8.4).
#[derive(Debug)]
pub struct Pushes {
    stream: StreamRef,
}

impl Pushes {
    /// Returns the next promise, or `None` after the last.
    ///
    /// # Errors
    ///
    /// Returns why the stream has ended early.
    pub async fn push(&mut self) -> Option<Result<Push, Error>> {
        poll_fn(|cx| self.poll_push(cx)).await
    }

    /// Waits for the next promise; `None` follows the last.
    ///
    /// # Errors
    ///
    /// Returns why the stream has ended early.
    pub fn poll_push(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Push, Error>>> {
        let stream = &self.stream;
        let promised = stream.operate(|inner, id| match inner.take_promise(id) {
            Some(promised) => {
                inner.retain(promised.id, 1);
                Poll::Ready(Some(Ok(promised)))
            }
            None => match inner.error(id) {
                Some(error) => Poll::Ready(Some(Err(error))),
                None if inner.engine.is_recv_ended(id) => Poll::Ready(None),
                None => inner.wait(id, Wait::Extra, cx),
            },
        });
        let Some(promised) = ready!(promised) else { return Poll::Ready(None) };
        Poll::Ready(Some(promised.and_then(|promised| {
            let stream = StreamRef::new(&stream.shared, promised.id);
            let request = checked(&stream, promised.head.into_request())?;
            Ok(Push { request, response: ResponseFuture { stream: Some(stream) } })
        })))
    }
}

/// A promised request, and its response to come.
///
/// If the response is dropped, the push is refused with CANCEL.
#[derive(Debug)]
#[non_exhaustive]
pub struct Push {
    /// The request that the server answers.
    pub request: Request<()>,
    /// The response.
    pub response: ResponseFuture,
}
