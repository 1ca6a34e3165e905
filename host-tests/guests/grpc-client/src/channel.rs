//! The channel for tonic's calls: wasi:http.

use std::future::{self, Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures::future::Either;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, Request, Response};
use http_body::{Body as _, Frame};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Service;
use wasip3::clocks::monotonic_clock;
use wasip3::http::types::{ErrorCode, Method, Scheme};
use wasip3::http::{client, types};
use wasip3::http_compat::{BodyWriter, IncomingResponseBody, http_from_wasi_response};
use wasip3::wit_bindgen::spawn_local;

/// Sends the request of a call, and enforces its deadline.
#[derive(Clone)]
pub(crate) struct Channel;

type Answer = Result<Response<Content>, Status>;

impl Service<Request<Body>> for Channel {
    type Response = Response<Content>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Answer>>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut deadline = Deadline::of(request.headers());
        Box::pin(async move {
            let request = outgoing(request).map_err(|code| deadline.status(&code))?;
            let sent = pin!(client::send(request));
            let expired = poll_fn(|context| deadline.poll(context));
            let response = match futures::future::select(expired, sent).await {
                Either::Left((expired, _)) => return Err(expired),
                Either::Right((response, _)) => response.and_then(http_from_wasi_response),
            };
            Ok(response.map_err(|code| deadline.status(&code))?.map(|body| Content { body, deadline }))
        })
    }
}

/// Builds the wasi:http request, whose content follows in a task.
fn outgoing(request: Request<Body>) -> Result<types::Request, ErrorCode> {
    let (head, body) = request.into_parts();
    let (writer, contents, trailers) = BodyWriter::new();
    let fields = head.headers.try_into().map_err(|_| ErrorCode::HttpProtocolError)?;
    let (request, _) = types::Request::new(fields, Some(contents), trailers, None);
    let invalid = |()| ErrorCode::HttpRequestUriInvalid;
    request.set_method(&Method::from(head.method)).map_err(invalid)?;
    request.set_scheme(head.uri.scheme().map(Scheme::from).as_ref()).map_err(invalid)?;
    request.set_authority(head.uri.authority().map(Authority::as_str)).map_err(invalid)?;
    request.set_path_with_query(head.uri.path_and_query().map(PathAndQuery::as_str)).map_err(invalid)?;
    spawn_local(send(body, writer));
    Ok(request)
}

/// Sends the content of a request.
///
/// This replaces `http_into_wasi_request`, which reports a body that breaks off before the stream has ended, when
/// no task is waiting for the report yet.
async fn send(mut body: Body, mut writer: BodyWriter) {
    let end = loop {
        match poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            Some(Ok(frame)) => {
                if writer.send_frame(frame).await.is_err() {
                    return;
                }
            }
            Some(Err(status)) => break Err(ErrorCode::InternalError(Some(status.to_string()))),
            None => break Ok(None),
        }
    };
    drop(writer.stream_writer);
    // The reader may have been dropped.
    _ = writer.result_writer.write(end).await;
}

/// The content of a response, up to the deadline of its call.
pub(crate) struct Content {
    body: IncomingResponseBody,
    deadline: Deadline,
}

impl http_body::Body for Content {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Poll::Ready(expired) = self.deadline.poll(context) {
            return Poll::Ready(Some(Err(expired)));
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(frame.map(|frame| frame.map_err(|code| self.deadline.status(&code))))
    }
}

/// The deadline of a call.
struct Deadline {
    /// The deadline on the monotonic clock; `None` for a call without one.
    at: Option<u64>,
    timer: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Deadline {
    /// Parses the field `grpc-timeout`; a call without it has no deadline.
    fn of(headers: &HeaderMap) -> Self {
        let timeout = headers.get("grpc-timeout").and_then(|value| parse_timeout(value.to_str().ok()?));
        match timeout.and_then(|timeout| u64::try_from(timeout.as_nanos()).ok()) {
            Some(nanoseconds) => Self {
                at: Some(monotonic_clock::now().saturating_add(nanoseconds)),
                timer: Box::pin(monotonic_clock::wait_for(nanoseconds)),
            },
            None => Self { at: None, timer: Box::pin(future::pending()) },
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Status> {
        self.timer.as_mut().poll(context).map(|()| Self::expired())
    }

    /// The status of a call that wasi:http could not complete.
    ///
    /// A server that enforces the same deadline may reset the stream before this timer is seen to fire.
    fn status(&self, code: &ErrorCode) -> Status {
        if self.at.is_some_and(|at| at <= monotonic_clock::now()) {
            Self::expired()
        } else {
            Status::unavailable(code.to_string())
        }
    }

    fn expired() -> Status {
        Status::deadline_exceeded("the deadline has passed")
    }
}

/// Parses digits and a unit.
fn parse_timeout(value: &str) -> Option<Duration> {
    let (number, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    let number: u32 = number.parse().ok()?;
    let unit = match unit {
        "H" => Duration::from_secs(3600),
        "M" => Duration::from_secs(60),
        "S" => Duration::from_secs(1),
        "m" => Duration::from_millis(1),
        "u" => Duration::from_micros(1),
        "n" => Duration::from_nanos(1),
        _ => return None,
    };
    unit.checked_mul(number)
}
