//! Messages of `http` types with bodies, as services give and take them.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http_body::Body;
use http2_tokio::{Error, ErrorCode, SendStream};

/// Fields of HTTP/1.1 connections, which HTTP/2 does not allow (RFC 9113, 8.2.2).
const CONNECTION_FIELDS: [HeaderName; 5] = [
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Removes the fields that an application written for HTTP/1.1 may have set, and adds the length of the content.
pub(crate) fn prepare(headers: &mut HeaderMap, length: Option<u64>) {
    for name in CONNECTION_FIELDS {
        headers.remove(name);
    }
    if headers.get(header::TE).is_some_and(|value| value != "trailers") {
        headers.remove(header::TE);
    }
    if let Some(length) = length {
        headers.entry(header::CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(length));
    }
}

/// Sends a body; a future.
///
/// # Errors
///
/// The future returns why the stream has ended early. If the body fails, the stream is reset with INTERNAL_ERROR
/// (server) or CANCEL (client).
pub(crate) struct SendBody<B> {
    body: Pin<Box<B>>,
    stream: SendStream,
    /// The code that tells the peer of a failure of the body.
    failure: ErrorCode,
}

impl<B: Body> SendBody<B> {
    pub(crate) fn new(body: B, stream: SendStream, failure: ErrorCode) -> Self {
        Self { body: Box::pin(body), stream, failure }
    }
}

impl<B: Body> Future for SendBody<B> {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { body, stream, failure } = self.get_mut();
        loop {
            if body.is_end_stream() {
                return Poll::Ready(stream.finish());
            }
            // The body is asked for content only when the windows have room for it.
            ready!(stream.poll_capacity(cx))?;
            let Poll::Ready(frame) = body.as_mut().poll_frame(cx) else {
                // A body that has nothing to say must not outlive its stream.
                return match stream.poll_reset(cx) {
                    Poll::Ready(reset) => Poll::Ready(Err(reset.map_or_else(|error| error, Error::Stream))),
                    Poll::Pending => Poll::Pending,
                };
            };
            let frame = match frame {
                None => return Poll::Ready(stream.finish()),
                Some(Ok(frame)) => frame,
                Some(Err(_)) => {
                    stream.reset(*failure);
                    return Poll::Ready(Ok(()));
                }
            };
            match frame.into_data() {
                Ok(mut data) => {
                    let data = data.copy_to_bytes(data.remaining());
                    let end = body.is_end_stream();
                    if end || !data.is_empty() {
                        stream.send_data(data, end)?;
                    }
                    if end {
                        return Poll::Ready(Ok(()));
                    }
                }
                Err(frame) => {
                    if let Ok(trailers) = frame.into_trailers() {
                        return Poll::Ready(stream.send_trailers(&trailers));
                    }
                }
            }
        }
    }
}
