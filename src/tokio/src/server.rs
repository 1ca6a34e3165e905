//! The server end of a connection.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http2_engine::{Config, ErrorCode, FieldSection, OpenError, Priority, StreamError, StreamId};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::clock::Clock;
use crate::control::Control;
use crate::driver::Driver;
use crate::error::Error;
use crate::recv::RecvStream;
use crate::send::{SendStream, StreamRef};
use crate::shared::{Incoming, Shared};

/// Begins a connection over a transport that a client has opened.
///
/// The client's preface is not awaited. Nothing moves until [`Connection::accept`] is polled.
///
/// # Errors
///
/// Returns [`Error::Config`] if the configuration is invalid.
#[cfg(feature = "time")]
pub fn handshake<T>(io: T, config: Config) -> Result<Connection<T>, Error>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    handshake_with_clock(io, config, crate::TokioClock::new())
}

/// Begins a connection over a transport that a client has opened, with deadlines by the caller's clock.
///
/// # Errors
///
/// Returns [`Error::Config`] if the configuration is invalid.
pub fn handshake_with_clock<T, C>(io: T, config: Config, clock: C) -> Result<Connection<T, C>, Error>
where
    T: AsyncRead + AsyncWrite + Unpin,
    C: Clock,
{
    let shared = Shared::new(http2_engine::Connection::server(config)?);
    Ok(Connection { driver: Driver::new(io, clock, shared), early: None })
}

/// The connection itself, which yields the requests and moves the bytes of all streams.
///
/// Bytes move only while [`accept`](Self::accept) is polled: continue to call it until it returns `None`.
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use http2_tokio::{Config, client, server};
///
/// let (ours, theirs) = tokio::io::duplex(65_536);
/// let mut connection = server::handshake(theirs, Config::default())?;
/// tokio::spawn(async move {
///     while let Some(request) = connection.accept().await {
///         let (_request, mut respond) = request?;
///         let mut content = respond.send_response(Response::new(()), false)?;
///         content.send_data(Bytes::from_static(b"hello"), true)?;
///     }
///     Ok::<_, http2_tokio::Error>(())
/// });
///
/// let (mut client, connection) = client::handshake(ours, Config::default())?;
/// tokio::spawn(connection);
/// let request = Request::get("http://localhost/").body(())?;
/// let mut response = client.send_request(request, true)?.0.await?;
/// assert_eq!(response.body_mut().data().await.expect("content")?, "hello");
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing moves unless requests are accepted"]
pub struct Connection<T, C = DefaultClock> {
    driver: Driver<T, C>,
    /// A request that arrived before it was asked for.
    early: Option<Incoming>,
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

impl<T, C> Connection<T, C>
where
    T: AsyncRead + AsyncWrite + Unpin,
    C: Clock,
{
    /// Returns the next request, or `None` once the connection has ended in an orderly way.
    ///
    /// # Errors
    ///
    /// Returns why the connection has ended. No request follows.
    pub async fn accept(&mut self) -> Option<Result<(Request<RecvStream>, Respond), Error>> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// Waits for the next request; see [`accept`](Self::accept).
    #[allow(clippy::type_complexity, reason = "the item of a stream of requests")]
    pub fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Request<RecvStream>, Respond), Error>>> {
        loop {
            let incoming = match self.early.take() {
                None => match ready!(self.driver.poll(cx)) {
                    Ok(incoming) => incoming,
                    Err(error) => return Poll::Ready(Some(Err(error))),
                },
                early => early,
            };
            let Some(Incoming { id, head, end_stream }) = incoming else { return Poll::Ready(None) };
            let shared = self.driver.shared();
            match head.into_request() {
                Ok(request) => {
                    shared.lock().insert(id, 2);
                    let (head, ()) = request.into_parts();
                    let body = RecvStream::new(StreamRef::new(shared, id), &head.headers, end_stream);
                    let respond = Respond { stream: StreamRef::new(shared, id) };
                    return Poll::Ready(Some(Ok((Request::from_parts(head, body), respond))));
                }
                // The engine has checked the head; only a target that `http` cannot represent is left.
                Err(_) => shared.operate(|inner| {
                    let head = FieldSection::from_iter([(":status", "400")]);
                    // A stream that has ended in the meantime needs no answer.
                    let _ = inner.engine.send_response(id, &head, true);
                    inner.engine.release(id);
                }),
            }
        }
    }

    /// Waits for the 24 bytes with which the client begins (RFC 9113, 3.4).
    ///
    /// # Errors
    ///
    /// Returns why the connection has ended before.
    pub fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            let has_preface = |server: &Self| server.driver.shared().lock().engine.has_client_preface();
            if has_preface(self) {
                return Poll::Ready(Ok(()));
            }
            match self.driver.poll(cx)? {
                Poll::Ready(Some(incoming)) => self.early = Some(incoming),
                Poll::Ready(None) => return Poll::Ready(Err(OpenError::Closed.into())),
                Poll::Pending if has_preface(self) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Moves bytes until the connection has ended. Requests that arrive are refused.
    ///
    /// # Errors
    ///
    /// Returns why the connection has ended, unless it was orderly.
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            match ready!(self.driver.poll(cx))? {
                Some(Incoming { id, .. }) => self.driver.shared().operate(|inner| {
                    inner.engine.reset(id, ErrorCode::REFUSED_STREAM);
                    inner.engine.release(id);
                }),
                None => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl<T, C> std::fmt::Debug for Connection<T, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.driver.shared().lock().engine.fmt(f)
    }
}

/// Answers a request.
///
/// If it is dropped without an answer, the stream is reset with CANCEL once its other handles are dropped, too.
#[derive(Debug)]
pub struct Respond {
    stream: StreamRef,
}

impl Respond {
    /// Returns the identifier of the stream.
    pub fn stream_id(&self) -> StreamId {
        self.stream.id
    }

    /// Sends an informational response (RFC 9110, 15.2), any number of which may precede the response.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Send`] if the status is not 1xx or if the response was sent, or why the stream has ended.
    pub fn send_informational(&mut self, response: Response<()>) -> Result<(), Error> {
        let head = FieldSection::from_response_parts(&response.into_parts().0);
        self.stream.operate(|inner, id| {
            let result = inner.engine.send_informational(id, &head);
            result.map_err(|error| inner.operation_error(id, error.into()))
        })
    }

    /// Sends the head of the response, and returns its content to come.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Send`] if the head is malformed or if a response was sent before, or why the stream has ended.
    pub fn send_response(&mut self, response: Response<()>, end_stream: bool) -> Result<SendStream, Error> {
        let (parts, ()) = response.into_parts();
        self.stream.operate(|inner, id| {
            let result = inner.send_response(id, &parts, end_stream);
            result.map_err(|error| inner.operation_error(id, error.into()))?;
            inner.retain(id, 1);
            Ok::<_, Error>(())
        })?;
        Ok(SendStream::new(StreamRef::new(&self.stream.shared, self.stream.id)))
    }

    /// Sends a whole response: head, content and end.
    ///
    /// # Errors
    ///
    /// Those of [`send_response`](Self::send_response).
    pub fn respond(self, response: Response<Bytes>) -> Result<(), Error> {
        let (parts, content) = response.into_parts();
        self.stream.operate(|inner, id| {
            let mut result = inner.send_response(id, &parts, content.is_empty());
            if result.is_ok() && !content.is_empty() {
                result = inner.engine.queue_data(id, content, true);
            }
            result.map_err(|error| inner.operation_error(id, error.into()))
        })
    }

    /// Promises to answer a request that the client has not made (RFC 9113, 8.4).
    ///
    /// The request is safe and cacheable, has no content, and has the authority of this request.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Open`] if the client takes no pushes or no more streams, if the head does not allow a promise,
    /// or if the response has ended.
    pub fn push_request(&mut self, request: Request<()>) -> Result<Self, Error> {
        let head = FieldSection::from_request_parts(&request.into_parts().0);
        let id = self.stream.operate(|inner, parent| {
            let result = inner.engine.push_request(parent, &head);
            let id = result.map_err(|error| inner.operation_error(parent, error.into()))?;
            inner.insert(id, 1);
            Ok::<_, Error>(id)
        })?;
        Ok(Self { stream: StreamRef::new(&self.stream.shared, id) })
    }

    /// Resets the stream. The call has no effect if the stream has ended.
    pub fn reset(&mut self, code: ErrorCode) {
        self.stream.reset(code);
    }

    /// Waits until either endpoint resets the stream, and returns the reset.
    ///
    /// # Errors
    ///
    /// Returns why the connection has ended, if that comes first.
    pub fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<Result<StreamError, Error>> {
        self.stream.poll_reset(cx)
    }

    /// Sets the priority of the response (RFC 9218, 8).
    ///
    /// # Errors
    ///
    /// Returns [`Error::Send`] if the stream has ended.
    pub fn set_priority(&mut self, priority: Priority) -> Result<(), Error> {
        self.stream.set_priority(priority)
    }
}
