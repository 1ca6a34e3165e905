//! Echoes the metadata of the public tests.

use http::HeaderMap;
use http_body_util::BodyExt;
use tonic::body::Body;

/// Metadata echoed in the head of a response.
const INITIAL: &str = "x-grpc-test-echo-initial";
/// Metadata echoed in its trailers.
const TRAILING: &str = "x-grpc-test-echo-trailing-bin";

/// Adds the metadata to a response that its request asks to be echoed.
pub(crate) fn echo(request: &HeaderMap, response: http::Response<Body>) -> http::Response<Body> {
    let (mut head, body) = response.into_parts();
    copy(request, &mut head.headers, INITIAL);
    if !request.contains_key(TRAILING) {
        return http::Response::from_parts(head, body);
    }
    let request = request.clone();
    let body = body.map_frame(move |mut frame| {
        if let Some(trailers) = frame.trailers_mut() {
            copy(&request, trailers, TRAILING);
        }
        frame
    });
    http::Response::from_parts(head, Body::new(body))
}

fn copy(from: &HeaderMap, to: &mut HeaderMap, name: &'static str) {
    for value in from.get_all(name) {
        to.append(name, value.clone());
    }
}
