//! Describes messages and errors in a line that is the same in each run.

use std::error::Error;
use std::fmt::{self, Display, Write};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Buf, Bytes};
use http::{HeaderMap, Response};
use http_body::Body;
use http_body_util::BodyExt;
use http2_test_support::code;

/// Whether the texts of errors of `h2` are shown, which programs should not rely on.
static TEXTS: AtomicBool = AtomicBool::new(false);

/// Shows the texts of errors of `h2`.
pub(crate) fn show_texts() {
    TEXTS.store(true, Ordering::Relaxed);
}

/// Whether texts are shown that programs should not rely on.
pub(crate) fn shows_texts() -> bool {
    TEXTS.load(Ordering::Relaxed)
}

/// The length and a checksum of content.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digest {
    length: usize,
    /// FNV-1a.
    sum: u64,
}

impl Digest {
    /// The digest of nothing.
    pub(crate) const EMPTY: Self = Self { length: 0, sum: 0xcbf2_9ce4_8422_2325 };

    /// The digest of some bytes.
    pub(crate) fn of(content: &[u8]) -> Self {
        let mut digest = Self::EMPTY;
        digest.add(content);
        digest
    }

    /// Adds bytes that follow.
    pub(crate) fn add(&mut self, content: &[u8]) {
        self.length += content.len();
        for byte in content {
            self.sum = (self.sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    /// The number of bytes.
    pub(crate) fn length(self) -> usize {
        self.length
    }
}

impl Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes {:016x}", self.length, self.sum)
    }
}

/// Everything of a body that a receiver sees, except how it is cut.
pub(crate) struct Content {
    /// The content.
    pub(crate) digest: Digest,
    /// The trailers.
    pub(crate) trailers: Option<HeaderMap>,
    /// The description of the error that broke it off.
    pub(crate) error: Option<String>,
}

impl Content {
    /// Reads a body to its end.
    pub(crate) async fn of<B>(body: B) -> Self
    where
        B: Body<Data: Buf, Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        let mut body = std::pin::pin!(body);
        let mut content = Self { digest: Digest::EMPTY, trailers: None, error: None };
        while let Some(frame) = body.frame().await {
            match frame.map(http_body::Frame::into_data) {
                Ok(Ok(mut data)) => content.digest.add(&data.copy_to_bytes(data.remaining())),
                Ok(Err(frame)) => content.trailers = frame.into_trailers().ok(),
                Err(error) => {
                    content.error = Some(describe(&*error.into()));
                    break;
                }
            }
        }
        content
    }
}

impl Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // How much arrives before an error is a matter of time.
        if let Some(error) = &self.error {
            return write!(f, "broken off: {error}");
        }
        write!(f, "{}", self.digest)?;
        if let Some(trailers) = &self.trailers {
            write!(f, ", trailers {}", fields(trailers))?;
        }
        Ok(())
    }
}

/// The whole of a response.
pub(crate) async fn response<B>(response: Response<B>) -> String
where
    B: Body<Data: Buf, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    let (parts, body) = response.into_parts();
    let hint = body.size_hint().exact();
    let at_end = body.is_end_stream();
    let content = Content::of(body).await;
    let head = format!("{} {:?} {}", parts.status.as_u16(), parts.version, fields(&parts.headers));
    // The end of an empty body may come with the head, or after it.
    if content.digest.length() == 0 && !parts.headers.contains_key("content-length") {
        return format!("{head} {content}");
    }
    format!("{head} hint={hint:?} at_end={at_end} {content}")
}

/// The result of a request that was sent by hyper.
pub(crate) async fn result<B, E>(result: Result<Response<B>, E>) -> String
where
    B: Body<Data: Buf, Error: Into<Box<dyn Error + Send + Sync>>>,
    E: Error + 'static,
{
    match result {
        Ok(ok) => response(ok).await,
        Err(error) => describe(&error),
    }
}

/// Fields in the order of their names; values of the same name keep their order.
pub(crate) fn fields(fields: &HeaderMap) -> String {
    let mut names: Vec<_> = fields.keys().collect();
    names.sort_by_key(|name| name.as_str());
    let mut text = String::from("{");
    for (index, name) in names.into_iter().enumerate() {
        let separator = if index == 0 { "" } else { "; " };
        _ = write!(text, "{separator}{name}:");
        for value in fields.get_all(name) {
            let value = value.as_bytes();
            // The date is another one each time, and long values would hide the rest.
            match (name.as_str(), value.len()) {
                ("date", _) => _ = write!(text, " (now)"),
                (_, 0..100) => _ = write!(text, " {}", value.escape_ascii()),
                _ => _ = write!(text, " ({})", Digest::of(value)),
            }
        }
    }
    text + "}"
}

/// An error with its sources; for the types of `h2` and hyper with their predicates.
pub(crate) fn describe(error: &(dyn Error + 'static)) -> String {
    let mut text = one(error);
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text} <- {}", one(error));
        source = error.source();
    }
    text
}

/// The innermost source of an error: the same, whether it came before or after the head of a message.
pub(crate) fn root(error: &(dyn Error + 'static)) -> String {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    one(root)
}

/// An error without its sources.
fn one(error: &(dyn Error + 'static)) -> String {
    if let Some(error) = error.downcast_ref::<h2::Error>() {
        return h2_error(error);
    }
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        return hyper_error(error);
    }
    if let Some(error) = error.downcast_ref::<reqwest::Error>() {
        return reqwest_error(error);
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return io_error(error);
    }
    format!("\"{error}\"")
}

/// An error of `h2`: its text, its predicates and its reason.
pub(crate) fn h2_error(error: &h2::Error) -> String {
    let flags = flags(&[
        ("io", error.is_io()),
        ("go_away", error.is_go_away()),
        ("reset", error.is_reset()),
        ("remote", error.is_remote()),
        ("library", error.is_library()),
    ]);
    let reason = error.reason().map_or_else(|| "none".to_owned(), reason);
    // The text of the operating system depends on which call noticed first.
    let shown = shows_texts() && !error.is_io();
    let text = if shown { format!(" \"{error}\"") } else { String::new() };
    let io = error.get_io().map_or_else(String::new, |error| format!(" {}", io_error(error)));
    format!("h2[{flags}] reason {reason}{text}{io}")
}

/// The name of a reason, or its number.
pub(crate) fn reason(reason: h2::Reason) -> String {
    code::name(reason.into())
}

/// The outcome of `poll_reset`.
pub(crate) fn reset(reset: Result<h2::Reason, h2::Error>) -> String {
    reset.map_or_else(|error| h2_error(&error), reason)
}

/// An error of hyper: its text and its predicates.
pub(crate) fn hyper_error(error: &hyper::Error) -> String {
    let flags = flags(&[
        ("parse", error.is_parse()),
        ("user", error.is_user()),
        ("canceled", error.is_canceled()),
        ("closed", error.is_closed()),
        ("incomplete", error.is_incomplete_message()),
        ("body_write_aborted", error.is_body_write_aborted()),
        ("timeout", error.is_timeout()),
        ("shutdown", error.is_shutdown()),
    ]);
    format!("hyper[{flags}] \"{error}\"")
}

fn reqwest_error(error: &reqwest::Error) -> String {
    let flags = flags(&[
        ("builder", error.is_builder()),
        ("redirect", error.is_redirect()),
        ("status", error.is_status()),
        ("timeout", error.is_timeout()),
        ("request", error.is_request()),
        ("connect", error.is_connect()),
        ("body", error.is_body()),
        ("decode", error.is_decode()),
    ]);
    // The text contains the address, whose port is another one each time.
    format!("reqwest[{flags}]")
}

fn io_error(error: &io::Error) -> String {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    match error.kind() {
        // Reading and writing notice the end of a connection in different ways, and either may be first.
        BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof => "lost".to_owned(),
        kind => format!(
            "io {kind:?}{}",
            error.get_ref().map_or_else(String::new, |inner| format!(" of {}", describe(inner)))
        ),
    }
}

fn flags(flags: &[(&str, bool)]) -> String {
    let set: Vec<_> = flags.iter().filter(|flag| flag.1).map(|flag| flag.0).collect();
    set.join(" ")
}

/// Bytes in a pattern that shows lost, doubled and exchanged pieces.
pub(crate) fn pattern(length: usize) -> Bytes {
    let mut state = 0x9e37_79b9_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}
