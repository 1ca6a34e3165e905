//! A handler of wasi:http with a route for everything that a server has to pass on.
//!
//! | path | answer |
//! |---|---|
//! | `/` | a short text |
//! | `/headers` | the request, one line a field |
//! | `/echo` | content and trailers of the request, as they come |
//! | `/upload` | how many octets the request had, after its end |
//! | `/bytes/N` | N octets |
//! | `/status/N` | that status |
//! | `/delay/N` | a text after N milliseconds |
//! | `/trailers` | a text and trailers |
//! | `/trailers-only` | a head that is all there is |
//! | `/error/NAME` | the `error-code` of that name instead of a response |
//! | `/broken` | some content, then an error in place of its end |
//! | `/cancelled` | how many calls of `/delay` were given up by their clients |

mod answer;

use std::sync::atomic::{AtomicU32, Ordering};

use wasip3::clocks::monotonic_clock;
use wasip3::http::types::{ErrorCode, Request, Response};

use crate::answer::{broken, bytes, echo, text, trailers, trailers_only};

struct Service;

wasip3::http::service::export!(Service);

static CANCELLED: AtomicU32 = AtomicU32::new(0);

impl wasip3::exports::http::handler::Guest for Service {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let path = request.get_path_with_query().unwrap_or_default();
        let path = path.split_once('?').map_or(path.as_str(), |(path, _)| path);
        match path {
            "/" => text(200, "Hello from a component that knows nothing of HTTP/2.\n"),
            "/headers" => text(200, &describe(&request)),
            "/echo" => echo(request),
            "/upload" => text(200, &format!("{}\n", answer::count(request).await?)),
            "/trailers" => trailers(),
            "/trailers-only" => trailers_only(),
            "/broken" => broken(),
            "/cancelled" => text(200, &format!("{}\n", CANCELLED.load(Ordering::Relaxed))),
            _ => numbered(path).await,
        }
    }
}

/// Answers a path that ends with an argument.
async fn numbered(path: &str) -> Result<Response, ErrorCode> {
    let argument = |prefix| path.strip_prefix(prefix);
    let number = |prefix| argument(prefix).and_then(|number| number.parse::<u32>().ok());
    if let Some(octets) = number("/bytes/") {
        bytes(octets as usize)
    } else if let Some(status) = number("/status/").and_then(|status| u16::try_from(status).ok()) {
        text(status, if matches!(status, 204 | 304) { "" } else { "as you wish\n" })
    } else if let Some(milliseconds) = number("/delay/") {
        let unless_done = CountCancelled;
        monotonic_clock::wait_for(u64::from(milliseconds) * 1_000_000).await;
        std::mem::forget(unless_done);
        text(200, &format!("after {milliseconds} ms\n"))
    } else if let Some(name) = argument("/error/") {
        Err(error_code(name))
    } else {
        text(404, "there is nothing here\n")
    }
}

/// Counts itself if it is dropped.
struct CountCancelled;

impl Drop for CountCancelled {
    fn drop(&mut self) {
        CANCELLED.fetch_add(1, Ordering::Relaxed);
    }
}

fn error_code(name: &str) -> ErrorCode {
    match name {
        "denied" => ErrorCode::HttpRequestDenied,
        "too-large" => ErrorCode::HttpRequestBodySize(Some(1)),
        "timeout" => ErrorCode::ConnectionReadTimeout,
        "refused" => ErrorCode::ConnectionRefused,
        "unavailable" => ErrorCode::DestinationUnavailable,
        _ => ErrorCode::InternalError(None),
    }
}

/// The request as text, one line a field.
fn describe(request: &Request) -> String {
    let mut lines = format!(
        ":method: {:?}\n:scheme: {:?}\n:authority: {}\n:path: {}\n",
        request.get_method(),
        request.get_scheme(),
        request.get_authority().unwrap_or_default(),
        request.get_path_with_query().unwrap_or_default(),
    );
    for (name, value) in request.get_headers().copy_all() {
        lines += &format!("{name}: {}\n", String::from_utf8_lossy(&value));
    }
    lines
}
