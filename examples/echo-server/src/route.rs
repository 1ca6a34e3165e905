//! What each request is answered with.

use crate::bindings::http2::engine::types::{Method, RequestHead};

#[cfg(test)]
mod tests;

/// Bytes of the response at `/early`.
const EARLY: u64 = 10_000;

/// The answer to a request, before any octet of it is sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A text, known as a whole.
    Text { status: u16, text: String },
    /// So many octets, made while they are sent.
    Bytes(u64),
    /// Content without end, until the client gives up.
    Endless,
    /// A text, after so many milliseconds.
    Delayed { milliseconds: u64 },
    /// An informational response, then a text.
    EarlyHints { link: &'static str, text: String },
    /// What the client sends.
    Echo,
    /// How much the client has sent, once it is complete.
    Count,
    /// The resource is there, and does not take this method.
    NotAllowed { allow: &'static str },
}

/// Chooses the answer by path and method.
pub(crate) fn route(request: &RequestHead) -> Answer {
    let path = request.path_with_query.as_deref().unwrap_or_default();
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let reads = matches!(request.method, Method::Get | Method::Head);
    match path {
        "/echo" => return Answer::Echo,
        // Neither waits for the content of the request, nor reads it.
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
        None => Answer::Text { status: 404, text: format!("there is nothing at {path}\n") },
    }
}

/// What can be read at a path.
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

/// A final status, with content where it may have some (RFC 9110, 15).
fn status_only(status: u16) -> Option<Answer> {
    let text = match status {
        204 | 205 | 304 => String::new(),
        200..=599 => format!("status {status}\n"),
        _ => return None,
    };
    Some(Answer::Text { status, text })
}

/// The request as text, one field a line.
fn describe(request: &RequestHead) -> String {
    let mut text = String::new();
    let pseudo = [
        (":authority", request.authority.as_deref()),
        (":path", request.path_with_query.as_deref()),
        (":protocol", request.protocol.as_deref()),
    ];
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
