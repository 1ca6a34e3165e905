//! Services on a server's connection.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use futures_util::stream::{FuturesUnordered, Stream};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body;
use http2_tokio::server::{Connection, Respond};
use http2_tokio::{Clock, Error, ErrorCode, RecvStream};
use hyper::service::Service;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::message::{self, SendBody};

/// Answers every request with a service: the future runs the connection and all calls of the service.
///
/// The service and its futures need not be `Send`, and nothing is spawned: a service whose work should spread over
/// threads spawns it itself. A `tower::Service` is adapted by `hyper_util::service::TowerToHyperService`; so an axum
/// `Router` or a tonic `Routes` is served in one line.
///
/// Fields of HTTP/1.1 connections are removed from responses, and Content-Length (if the length is known) and Date
/// are added. A call whose stream is reset by the client is dropped. If a call fails, or its body does, the stream is
/// reset with INTERNAL_ERROR.
///
/// ```
/// # use http::Request;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::{Router, routing::get};
/// use http2_hyper::serve;
/// use http2_tokio::{Config, client, server};
/// use hyper_util::service::TowerToHyperService;
///
/// let (ours, theirs) = tokio::io::duplex(65_536);
/// let app: Router = Router::new().route("/", get(async || "hello"));
/// let connection = server::handshake(theirs, Config::default())?;
/// tokio::spawn(serve(connection, TowerToHyperService::new(app)));
///
/// let (mut client, connection) = client::handshake(ours, Config::default())?;
/// tokio::spawn(connection);
/// let request = Request::get("http://localhost/").body(())?;
/// let response = client.send_request(request, true)?.0.await?;
/// assert_eq!(response.headers()["content-length"], "5");
/// assert_eq!(response.into_body().data().await.expect("content")?, "hello");
/// # Ok(())
/// # }
/// ```
pub fn serve<T, C, S, B>(connection: Connection<T, C>, service: S) -> Serve<T, C, S, B>
where
    S: Service<Request<RecvStream>, Response = Response<B>>,
    B: Body,
{
    Serve { connection, service, calls: FuturesUnordered::new(), date: Date::default() }
}

/// Runs a connection and the calls of a service; see [`serve`].
///
/// # Errors
///
/// The future returns why the connection has ended, unless it was orderly.
#[must_use = "nothing moves unless the future is polled"]
pub struct Serve<T, C, S, B>
where
    S: Service<Request<RecvStream>, Response = Response<B>>,
{
    connection: Connection<T, C>,
    service: S,
    calls: FuturesUnordered<Call<S::Future, B>>,
    date: Date,
}

impl<T, C, S, B> Serve<T, C, S, B>
where
    S: Service<Request<RecvStream>, Response = Response<B>>,
{
    /// Returns the connection, for [`Connection::control`] for example.
    pub fn connection(&self) -> &Connection<T, C> {
        &self.connection
    }
}

impl<T, C, S, B> Unpin for Serve<T, C, S, B> where S: Service<Request<RecvStream>, Response = Response<B>> {}

impl<T, C, S, B> Future for Serve<T, C, S, B>
where
    T: AsyncRead + AsyncWrite + Unpin,
    C: Clock,
    S: Service<Request<RecvStream>, Response = Response<B>>,
    B: Body,
{
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            // Sends the output of the calls as well, once no more requests are at hand.
            while let Poll::Ready(request) = this.connection.poll_accept(cx)? {
                let Some((request, respond)) = request else { return Poll::Ready(Ok(())) };
                let head_only = request.method() == Method::HEAD;
                let state = CallState::Service(Box::pin(this.service.call(request)), respond);
                this.calls.push(Call { state, head_only, date: this.date.now() });
            }
            let mut ended = false;
            while let Poll::Ready(Some(())) = Pin::new(&mut this.calls).poll_next(cx) {
                ended = true;
            }
            if !ended {
                return Poll::Pending;
            }
        }
    }
}

/// The answer to one request.
struct Call<F, B> {
    state: CallState<F, B>,
    /// Whether the request was HEAD, whose response has no content (RFC 9110, 9.3.2).
    head_only: bool,
    date: HeaderValue,
}

enum CallState<F, B> {
    Service(Pin<Box<F>>, Respond),
    Body(SendBody<B>),
}

impl<F, B, E> Future for Call<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        loop {
            match &mut this.state {
                CallState::Service(future, respond) => {
                    let Poll::Ready(response) = future.as_mut().poll(cx) else {
                        return respond.poll_reset(cx).map(drop);
                    };
                    let Ok(response) = response else {
                        respond.reset(ErrorCode::INTERNAL_ERROR);
                        return Poll::Ready(());
                    };
                    let (mut head, body) = response.into_parts();
                    let no_content = matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
                    let empty = this.head_only || no_content || body.is_end_stream();
                    // An empty body of a response to HEAD does not tell the length that GET would give.
                    let hint = body.size_hint().exact();
                    let length = hint.filter(|&length| !(no_content || this.head_only && length == 0));
                    message::prepare(&mut head.headers, length);
                    if head.status == StatusCode::NO_CONTENT {
                        // RFC 9110, 8.6.
                        head.headers.remove(header::CONTENT_LENGTH);
                    }
                    head.headers.entry(header::DATE).or_insert_with(|| this.date.clone());
                    // If it fails, the client has left.
                    match respond.send_response(Response::from_parts(head, ()), empty) {
                        Ok(stream) if !empty => {
                            let body = SendBody::new(body, stream, ErrorCode::INTERNAL_ERROR);
                            this.state = CallState::Body(body);
                        }
                        Ok(_) => return Poll::Ready(()),
                        Err(Error::Send(_)) => {
                            respond.reset(ErrorCode::INTERNAL_ERROR);
                            return Poll::Ready(());
                        }
                        Err(_) => return Poll::Ready(()),
                    }
                }
                // If it fails, the client has left.
                CallState::Body(body) => return Pin::new(body).poll(cx).map(drop),
            }
        }
    }
}

/// The value of the Date field (RFC 9110, 6.6.1), formatted once a second.
struct Date {
    value: HeaderValue,
    until: SystemTime,
}

impl Default for Date {
    fn default() -> Self {
        Self { value: HeaderValue::from_static(""), until: SystemTime::UNIX_EPOCH }
    }
}

impl Date {
    fn now(&mut self) -> HeaderValue {
        let now = SystemTime::now();
        if now >= self.until || now + Duration::from_secs(1) < self.until {
            let text = httpdate::fmt_http_date(now);
            self.value = HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""));
            self.until = now + Duration::from_secs(1);
        }
        self.value.clone()
    }
}
