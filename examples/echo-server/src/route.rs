//! The answer to each request.

use crate::bindings::http2::engine::types::{Method, RequestHead};

#[cfg(test)]
mod tests;

/// Size of the response at `/early`, in bytes.
const EARLY: u64 = 10_000;

/// The answer to a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A text.
    Text { status: u16, text: String },
    /// This many bytes, generated while they are sent.
    Bytes(u64),
    /// Endless content, until the client cancels the request.
    Endless,
    /// A text, after a delay.
    Delayed { milliseconds: u64 },
    /// An informational response, then a text.
    EarlyHints { link: &'static str, text: String },
    /// The request's content.
    Echo,
    /// The size of the request's content, once the request is complete.
    Count,
    /// The resource exists, but does not permit this method.
    NotAllowed { allow: &'static str },
}

/// Chooses the answer by path and method.
pub(crate) fn route(request: &RequestHead) -> Answer {
    let path = request.path_with_query.as_deref().unwrap_or_default();
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let reads = matches!(request.method, Method::Get | Method::Head);
    match path {
        "/echo" => return Answer::Echo,
        // These two neither wait for the request's content nor read it.
        "/refuse" => return Answer::Text { status: 401, text: "refused\n".to_owned() },
        "/early" => return Answer::Bytes(EARLY),
        "/" | "/upload" if matches!(request.method, Method::Post) => return Answer::Count,
        "/upload" => return Answer::NotAllowed { allow: "POST" },
        "/" if !reads => return Answer::NotAllowed { allow: "GET, HEAD, POST" },
        "/" => {
            return Answer::Text {
                status: 200,
                text: "Hello from a WebAssembly component, over HTTP/2.\n".to_owned(),
            };
        }
        _ => {}
    }
    match resource(path, request) {
        Some(_) if !reads => Answer::NotAllowed { allow: "GET, HEAD" },
        Some(answer) => answer,
        None => Answer::Text { status: 404, text: format!("not found: {path}\n") },
    }
}

/// Returns the answer to GET at a path, if the path exists.
fn resource(path: &str, request: &RequestHead) -> Option<Answer> {
    let mut segments = path.strip_prefix('/')?.split('/');
    let answer = match (segments.next()?, segments.next(), segments.next()) {
        ("headers", None, None) => Answer::Text { status: 200, text: describe(request) },
        ("early-hints", None, None) => Answer::EarlyHints {
            link: "</style.css>; rel=preload; as=style",
            text: "an informational response came before this one\n".to_owned(),
        },
        ("endless", None, None) => Answer::Endless,
        ("bytes", Some(count), None) => Answer::Bytes(count.parse().ok()?),
        ("delay", Some(count), None) => Answer::Delayed { milliseconds: count.parse().ok()? },
        ("status", Some(status), None) => status_only(status.parse().ok()?)?,
        _ => return None,
    };
    Some(answer)
}

/// Returns an answer with a final status, and with content if the status permits it (RFC 9110, 15).
fn status_only(status: u16) -> Option<Answer> {
    let text = match status {
        204 | 205 | 304 => String::new(),
        200..=599 => format!("status {status}\n"),
        _ => return None,
    };
    Some(Answer::Text { status, text })
}

/// Formats the request, with one field per line.
fn describe(request: &RequestHead) -> String {
    let mut text = String::new();
    let pseudo =
        [(":authority", request.authority.as_deref()), (":path", request.path_with_query.as_deref())];
    for (name, value) in pseudo {
        if let Some(value) = value {
            text += &format!("{name}: {value}\n");
        }
    }
    for (name, value) in &request.headers {
        text += &format!("{name}: {}\n", String::from_utf8_lossy(value));
    }
    text
}
