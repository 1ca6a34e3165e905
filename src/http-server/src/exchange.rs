//! One request and its response.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use http2_engine::ErrorCode as Http2ErrorCode;
use http2_wasi_http::bindings::wasi::http::types::{ErrorCode, Request, Response};
use http2_wasi_http::bindings::{wit_future, wit_stream};
use http2_wasi_http::body::{BodyError, Source};
use http2_wasi_http::head::{self, Refusal, RequestHead, ResponseHead};
use http2_wasi_http::trailers::TrailersWriter;
use http2_wasi_http::{IncomingRequest, Stream, Tasks, body, error};

use crate::bindings::wasi::http::handler;

/// Passes a request to the application and sends its response.
///
/// If the client cancels the request, the server drops its ends of the content streams, which is how the
/// application can notice. The call itself is cancelled only if `cancel` is set: an application that does not
/// support cancellation may trap, and take the server with it. The stream is released and the permit returned
/// when the call has returned.
pub(crate) async fn serve(request: IncomingRequest, tasks: Tasks, cancel: bool) {
    let stream = request.stream.clone();
    let head = match RequestHead::from_section(&request.head) {
        Ok(head) => head,
        Err(refusal) => return refuse(&stream, refusal),
    };
    let called = handle(request, &head, &tasks);
    let answer = if cancel { stream.unless_reset(called).await } else { Ok(called.await) };
    match answer {
        // The client no longer wants the response.
        Err(_reset) => {}
        Ok(Ok(Ok(response))) => respond(&stream, response, head.is_head()).await,
        Ok(Ok(Err(code))) => refuse(&stream, Refusal(error::status(&code))),
        Ok(Err(refusal)) => refuse(&stream, refusal),
    }
}

/// Calls the application.
async fn handle(
    request: IncomingRequest,
    head: &RequestHead,
    tasks: &Tasks,
) -> Result<Result<Response, ErrorCode>, Refusal> {
    let fields = head::wasi_fields(&request.head).map_err(|_| Refusal(431))?;
    let (trailers, trailers_reader) = TrailersWriter::new();
    if request.end_stream {
        let (wasi_request, _) = Request::new(fields, None, trailers_reader, None);
        head.apply(&wasi_request)?;
        let handling = pin!(handler::handle(wasi_request));
        // Most applications never ask how such a request ended. The report costs no turn of its own if it is made
        // while the call is pending and the application has already dropped the future: so let the application run
        // for its first turn before reporting.
        return Ok(first_turn_then(handling, trailers.write(Ok(None), tasks)).await);
    }
    let (contents, contents_reader) = wit_stream::new();
    let (wasi_request, _) = Request::new(fields, Some(contents_reader), trailers_reader, None);
    head.apply(&wasi_request)?;
    let expects_continue = head::expects_continue(&request.head);
    tasks.spawn(body::receive_request(request.stream, contents, trailers, expects_continue));
    Ok(handler::handle(wasi_request).await)
}

/// Polls `future` once, runs `then` to completion, and completes `future`.
async fn first_turn_then<T>(
    mut future: Pin<&mut impl Future<Output = T>>,
    then: impl Future<Output = ()>,
) -> T {
    let first = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
    then.await;
    match first {
        Poll::Ready(done) => done,
        Poll::Pending => future.await,
    }
}

/// Sends the application's response.
async fn respond(stream: &Stream, response: Response, is_head: bool) {
    let head = match ResponseHead::from_response(&response) {
        Ok(head) => head,
        Err(code) => return refuse(stream, Refusal(error::status(&code))),
    };
    let (transmitted, transmitted_reader) = wit_future::new(|| Err(ErrorCode::ConnectionTerminated));
    let (contents, trailers) = Response::consume_body(response, transmitted_reader);
    if is_head || head.is_bodiless {
        drop((contents, trailers));
        stream.respond(head.section);
        if stream.finish(None).is_err() {
            return stream.reset(Http2ErrorCode::INTERNAL_ERROR);
        }
    } else {
        let mut source = Source::new(contents, trailers, head.content_length);
        // A reset shows again when the content is sent.
        let connection = stream.connection();
        _ = stream.unless_reset(source.prefetch(connection.send_limit(), connection.tasks())).await;
        stream.respond(head.section);
        if let Err(error) = body::send(stream, &mut source).await {
            return abort_response(stream, &error);
        }
    }
    // The application may have dropped the reader.
    _ = transmitted.write(Ok(())).await;
}

/// Ends an incomplete response.
fn abort_response(stream: &Stream, error: &BodyError) {
    match error {
        BodyError::Source(code) if !stream.has_sent_head() => refuse(stream, Refusal(error::status(code))),
        _ => stream.reset(Http2ErrorCode::INTERNAL_ERROR),
    }
}

/// Sends a response with a status and no content.
fn refuse(stream: &Stream, Refusal(status): Refusal) {
    stream.respond(head::empty_response(status));
    if stream.finish(None).is_err() {
        stream.reset(Http2ErrorCode::INTERNAL_ERROR);
    }
}
