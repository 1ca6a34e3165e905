//! One request and its response.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use http2_engine::{FieldSection, SendError, StreamError};
use http2_wasi_http::bindings::wasi::clocks::monotonic_clock;
use http2_wasi_http::bindings::wasi::http::types::{ErrorCode, Request, RequestOptions, Response};
use http2_wasi_http::bindings::{wit_future, wit_stream};
use http2_wasi_http::body::{BodyError, Source};
use http2_wasi_http::head::{self, OutgoingRequestHead};
use http2_wasi_http::signal::run_until;
use http2_wasi_http::trailers::TrailersWriter;
use http2_wasi_http::{Connection, Stream, body, error};
use wit_bindgen::FutureWriter;

use crate::pool::Pool;

/// Tells the caller how sending the request ended.
type Transmitted = FutureWriter<Result<(), ErrorCode>>;
/// The upload of a request's content, which returns the source with the result.
type Upload = Pin<Box<dyn Future<Output = (Source, Result<(), BodyError>)>>>;

/// How long a request is sent again if its options have no first-byte timeout, in nanoseconds.
const RETRY_TIMEOUT: u64 = 30_000_000_000;
/// The first and the longest pause before a request is sent again, in nanoseconds.
const RETRY_BACKOFF: (u64, u64) = (5_000_000, 1_000_000_000);

/// The timeouts of a request's options, in nanoseconds.
struct Timeouts {
    connect: Option<u64>,
    first_byte: Option<u64>,
    between_bytes: Option<u64>,
}

impl Timeouts {
    fn from_request(request: &Request) -> Self {
        let options = request.get_options();
        let options = options.as_ref();
        Self {
            connect: options.and_then(RequestOptions::get_connect_timeout),
            first_byte: options.and_then(RequestOptions::get_first_byte_timeout),
            between_bytes: options.and_then(RequestOptions::get_between_bytes_timeout),
        }
    }
}

/// Sends a request, and waits for the head of its response; the rest of both messages follows in the background.
///
/// If the server certainly has not processed the request (REFUSED_STREAM, or GOAWAY for earlier streams), it is
/// sent again until the server accepts it (RFC 9113, 8.7): on the same connection if that remains open, otherwise
/// on another one. Retries end after the request's first-byte timeout, or [`RETRY_TIMEOUT`] if it has none, or when
/// more content has been sent than is kept.
///
/// A complete response does not stop an unfinished request: content continues until its end, or until the server
/// declines the rest with RST_STREAM(NO_ERROR). The client could reset the stream instead (RFC 9113, 8.1), but
/// servers count resets, and some close connections with many of them.
///
/// # Errors
///
/// | cause | `error-code` |
/// |---|---|
/// | the request cannot be sent | [`error::from_malformed`], [`Pool::origin`] |
/// | no connection can be established | [`error::from_lookup`], [`error::from_socket`], `connection-timeout` |
/// | the source aborted the request's content | the source's error |
/// | no response in time | `connection-read-timeout` |
/// | the stream or the connection ended first | [`error::from_response`] |
pub(crate) async fn exchange(pool: &Pool, request: Request) -> Result<Response, ErrorCode> {
    let head = OutgoingRequestHead::from_request(&request)?;
    let origin = pool.origin(&head)?;
    let timeouts = Timeouts::from_request(&request);
    let (transmitted, transmitted_reader) = wit_future::new(|| Err(ErrorCode::ConnectionTerminated));
    let (contents, trailers) = Request::consume_body(request, transmitted_reader);
    let mut source = Source::new(contents, trailers, head.content_length).keep();
    // A request without content is then one frame, and a head with its first content one write.
    source.prefetch(usize::MAX, pool.tasks()).await;
    let mut first_attempt: Option<Retries> = None;
    loop {
        let end_stream = source.is_empty();
        let opened = pool.open(&origin, &head.section, end_stream, timeouts.connect);
        let stream = match first_attempt.as_ref().and_then(|retries| retries.remaining(timeouts.first_byte)) {
            None => opened.await?,
            Some(left) => {
                let opened = run_until(opened, monotonic_clock::wait_for(left)).await;
                opened.unwrap_or(Err(ErrorCode::ConnectionReadTimeout))?
            }
        };
        let retries = first_attempt.get_or_insert_with(Retries::new);
        let has_peer_settings = stream.connection().has_peer_settings();
        let mut sending = Sending::new(&stream, source, end_stream);
        let failure = match sending.until_response(&stream, retries.remaining(timeouts.first_byte)).await {
            Ok((head, end)) => {
                pool.tasks().spawn(sending.complete(stream.clone(), transmitted));
                return build_response(stream, &head, end, timeouts.between_bytes).await;
            }
            Err(failure) => failure,
        };
        let error = match failure {
            Failure::Stream(error) if error.retryable => error,
            Failure::Stream(error) => return Err(error::from_response(&error)),
            Failure::Body(error) => return Err(error::from_body(&error)),
            Failure::Timeout => return Err(ErrorCode::ConnectionReadTimeout),
        };
        source = match sending.rewind().await {
            Some(source) if !retries.is_expired(timeouts.first_byte) => source,
            _ => return Err(error::from_response(&error)),
        };
        // A refusal of a request sent before the server announced its limit says nothing about its load.
        if has_peer_settings {
            retries.pause(pool, stream.connection()).await;
        }
    }
}

/// The retries of a request.
struct Retries {
    /// The time of the first attempt.
    started: u64,
    refusals: u32,
}

impl Retries {
    fn new() -> Self {
        Self { started: monotonic_clock::now(), refusals: 0 }
    }

    /// The rest of a time limit counted from the first attempt.
    fn remaining(&self, time: Option<u64>) -> Option<u64> {
        time.map(|time| time.saturating_sub(monotonic_clock::now().saturating_sub(self.started)))
    }

    /// Whether the time for retries is over.
    fn is_expired(&self, time: Option<u64>) -> bool {
        self.remaining(time.or(Some(RETRY_TIMEOUT))) == Some(0)
    }

    /// Pauses before the next attempt, longer after each refusal.
    ///
    /// A connection on which the server refuses a second time gets no further requests.
    async fn pause(&mut self, pool: &Pool, connection: &Connection) {
        if self.refusals > 0 {
            pool.retire(connection);
        }
        let pause = RETRY_BACKOFF.0.saturating_mul(1 << self.refusals.min(16)).min(RETRY_BACKOFF.1);
        self.refusals = self.refusals.saturating_add(1);
        monotonic_clock::wait_for(pause).await;
    }
}

/// Why an attempt failed.
enum Failure {
    Stream(StreamError),
    Body(BodyError),
    Timeout,
}

/// A request whose head was sent.
struct Sending {
    upload: Upload,
    /// The result of the upload.
    done: Option<(Source, Result<(), BodyError>)>,
}

impl Sending {
    fn new(stream: &Stream, mut source: Source, end_stream: bool) -> Self {
        if end_stream {
            return Self { upload: Box::pin(std::future::pending()), done: Some((source, Ok(()))) };
        }
        let stream = stream.clone();
        let upload = Box::pin(async move {
            let result = body::send(&stream, &mut source).await;
            (source, result)
        });
        Self { upload, done: None }
    }

    /// Sends content until the head of the response arrives.
    async fn until_response(
        &mut self,
        stream: &Stream,
        timeout: Option<u64>,
    ) -> Result<(FieldSection, bool), Failure> {
        let mut response = pin!(stream.response());
        let mut timer = timeout.map(|timeout| Box::pin(monotonic_clock::wait_for(timeout)));
        poll_fn(|context| {
            if self.done.is_none()
                && let Poll::Ready(done) = self.upload.as_mut().poll(context)
            {
                self.done = Some(done);
            }
            if let Poll::Ready(response) = response.as_mut().poll(context) {
                return Poll::Ready(response.map_err(Failure::Stream));
            }
            // A server may decline the rest of a request that it has answered; any other error ends the request.
            if let Some((_, result)) = &mut self.done
                && let Err(error) = std::mem::replace(result, Ok(()))
                && !matches!(error, BodyError::Stream(SendError::Reset(_)))
            {
                return Poll::Ready(Err(Failure::Body(error)));
            }
            match &mut timer {
                Some(timer) => timer.as_mut().poll(context).map(|()| Err(Failure::Timeout)),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Sends the rest of the content and reports the result, or cancels the request if its content is incomplete.
    async fn complete(self, stream: Stream, transmitted: Transmitted) {
        let (_, result) = match self.done {
            Some(done) => done,
            None => self.upload.await,
        };
        if matches!(&result, Err(error) if !matches!(error, BodyError::Stream(SendError::Reset(_)))) {
            stream.cancel();
        }
        drop(stream);
        // The caller may have dropped the reader.
        _ = transmitted.write(result.map_err(|error| error::from_body(&error))).await;
    }

    /// Returns the content from its start after the stream was reset, unless too much of it was sent.
    async fn rewind(self) -> Option<Source> {
        let (mut source, _) = match self.done {
            Some(done) => done,
            None => self.upload.await,
        };
        source.rewind().then_some(source)
    }
}

/// Builds the response; its content follows.
async fn build_response(
    stream: Stream,
    head: &FieldSection,
    end_stream: bool,
    between_bytes: Option<u64>,
) -> Result<Response, ErrorCode> {
    let tasks = stream.connection().tasks().clone();
    let (trailers, trailers_reader) = TrailersWriter::new();
    if end_stream {
        let response = head::wasi_response(head, None, trailers_reader)?;
        trailers.write(Ok(None), &tasks).await;
        return Ok(response);
    }
    let (contents, contents_reader) = wit_stream::new();
    let response = head::wasi_response(head, Some(contents_reader), trailers_reader)?;
    tasks.spawn(body::receive(stream, contents, trailers, between_bytes));
    Ok(response)
}
