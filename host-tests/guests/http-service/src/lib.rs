//! A handler of wasi:http with a route for each behaviour that a server must pass on.
//!
//! | path | response |
//! |---|---|
//! | `/` | a short text; to POST after the end of the request |
//! | `/headers` | the request, one field per line |
//! | `/echo` | content and trailers of the request, as they arrive |
//! | `/upload` | the size of the request's content in bytes, after its end |
//! | `/bytes/N` | N bytes |
//! | `/endless` | content without end |
//! | `/refuse` | 401 with a short text at once; the request is dropped unread |
//! | `/early` | 10,000 bytes at once; the request is dropped unread |
//! | `/status/N` | status N |
//! | `/delay/N` | a text after N milliseconds; the request's content is not read |
//! | `/memory/N` | a text after allocating N bytes of memory |
//! | `/loop` | none: computes without end |
//! | `/trap` | none: traps |
//! | `/trailers` | a text and trailers |
//! | `/trailers-only` | a head without content or trailers |
//! | `/empty-trailers` | a text and a trailer section without fields |
//! | `/error/NAME` | the `error-code` of that name instead of a response |
//! | `/broken` | some content, then an error in place of its end |
//! | `/too-short` | less content than Content-Length |
//! | `/written` | total number of bytes of `/bytes` accepted by the server |
//! | `/unwanted` | number of `/bytes` and `/endless` responses cut short by the client |
//! | `/cut` | number of requests to `/upload` that were cut short |
//! | `/cancelled` | number of calls of `/delay` that were cancelled |

#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "only components export it: other linkers reject the names")
)]

mod answer;

use std::sync::atomic::{AtomicU64, Ordering};

use wasip3::clocks::monotonic_clock;
use wasip3::http::types::TlsAlertReceivedPayload;
use wasip3::http::types::{DnsErrorPayload, ErrorCode, FieldSizePayload, Method, Request, Response};

use crate::answer::{broken, bytes, echo, empty_trailers, text, too_short, trailers, trailers_only};

struct Service;

#[cfg(target_arch = "wasm32")]
wasip3::http::service::export!(Service);

static WRITTEN: AtomicU64 = AtomicU64::new(0);
static UNWANTED: AtomicU64 = AtomicU64::new(0);
static CUT: AtomicU64 = AtomicU64::new(0);
static CANCELLED: AtomicU64 = AtomicU64::new(0);

impl wasip3::exports::http::handler::Guest for Service {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let path = request.get_path_with_query().unwrap_or_default();
        let path = path.split_once('?').map_or(path.as_str(), |(path, _)| path);
        let counted = |counter: &AtomicU64| text(200, &format!("{}\n", counter.load(Ordering::Relaxed)));
        match path {
            "/" => {
                if matches!(request.get_method(), Method::Post) {
                    answer::count(request).await?;
                }
                text(200, "Hello from a WebAssembly component, over HTTP/2.\n")
            }
            "/headers" => text(200, &describe(&request)),
            "/echo" => echo(request),
            "/loop" => loop {
                std::hint::black_box(());
            },
            "/trap" => std::process::abort(),
            "/upload" => text(200, &format!("{}\n", answer::count(request).await?)),
            "/endless" => answer::endless(),
            "/refuse" => text(401, "not you\n"),
            "/early" => answer::early(),
            "/trailers" => trailers(),
            "/trailers-only" => trailers_only(),
            "/empty-trailers" => empty_trailers(),
            "/broken" => broken(),
            "/too-short" => too_short(),
            "/written" => counted(&WRITTEN),
            "/unwanted" => counted(&UNWANTED),
            "/cut" => counted(&CUT),
            "/cancelled" => counted(&CANCELLED),
            _ => numbered(path, request).await,
        }
    }
}

/// Responds to a path that ends with an argument.
async fn numbered(path: &str, request: Request) -> Result<Response, ErrorCode> {
    let argument = |prefix| path.strip_prefix(prefix);
    let number = |prefix| argument(prefix).and_then(|number| number.parse::<u64>().ok());
    if let Some(octets) = number("/bytes/") {
        match request.get_method() {
            Method::Get | Method::Head => bytes(octets),
            _ => answer::not_allowed(),
        }
    } else if let Some(status) = number("/status/").and_then(|status| u16::try_from(status).ok()) {
        text(status, if matches!(status, 204 | 304) { "" } else { "as you wish\n" })
    } else if let Some(milliseconds) = number("/delay/") {
        let unless_done = CountCancelled;
        monotonic_clock::wait_for(milliseconds * 1_000_000).await;
        std::mem::forget(unless_done);
        text(200, "that took a while\n")
    } else if let Some(octets) = number("/memory/").and_then(|octets| usize::try_from(octets).ok()) {
        drop(std::hint::black_box(vec![1_u8; octets]));
        text(200, "there was enough\n")
    } else if let Some(name) = argument("/error/") {
        Err(error_code(name).unwrap_or(ErrorCode::HttpRequestUriInvalid))
    } else {
        text(404, "there is nothing here\n")
    }
}

/// Counts a cancelled call when dropped.
struct CountCancelled;

impl Drop for CountCancelled {
    fn drop(&mut self) {
        CANCELLED.fetch_add(1, Ordering::Relaxed);
    }
}

/// The error with this name in Rust.
fn error_code(name: &str) -> Option<ErrorCode> {
    let size = || FieldSizePayload { field_name: None, field_size: None };
    let codes = [
        ErrorCode::DnsTimeout,
        ErrorCode::DnsError(DnsErrorPayload { rcode: None, info_code: None }),
        ErrorCode::DestinationNotFound,
        ErrorCode::DestinationUnavailable,
        ErrorCode::DestinationIpProhibited,
        ErrorCode::DestinationIpUnroutable,
        ErrorCode::ConnectionRefused,
        ErrorCode::ConnectionTerminated,
        ErrorCode::ConnectionTimeout,
        ErrorCode::ConnectionReadTimeout,
        ErrorCode::ConnectionWriteTimeout,
        ErrorCode::ConnectionLimitReached,
        ErrorCode::TlsProtocolError,
        ErrorCode::TlsCertificateError,
        ErrorCode::TlsAlertReceived(TlsAlertReceivedPayload { alert_id: None, alert_message: None }),
        ErrorCode::HttpRequestDenied,
        ErrorCode::HttpRequestLengthRequired,
        ErrorCode::HttpRequestBodySize(None),
        ErrorCode::HttpRequestMethodInvalid,
        ErrorCode::HttpRequestUriInvalid,
        ErrorCode::HttpRequestUriTooLong,
        ErrorCode::HttpRequestHeaderSectionSize(None),
        ErrorCode::HttpRequestHeaderSize(None),
        ErrorCode::HttpRequestTrailerSectionSize(None),
        ErrorCode::HttpRequestTrailerSize(size()),
        ErrorCode::HttpResponseIncomplete,
        ErrorCode::HttpResponseHeaderSectionSize(None),
        ErrorCode::HttpResponseHeaderSize(size()),
        ErrorCode::HttpResponseBodySize(None),
        ErrorCode::HttpResponseTrailerSectionSize(None),
        ErrorCode::HttpResponseTrailerSize(size()),
        ErrorCode::HttpResponseTransferCoding(None),
        ErrorCode::HttpResponseContentCoding(None),
        ErrorCode::HttpResponseTimeout,
        ErrorCode::HttpUpgradeFailed,
        ErrorCode::HttpProtocolError,
        ErrorCode::LoopDetected,
        ErrorCode::ConfigurationError,
        ErrorCode::InternalError(None),
    ];
    let matches = |code: &ErrorCode| {
        let text = format!("{code:?}");
        text.trim_start_matches("ErrorCode::").split('(').next() == Some(name)
    };
    codes.into_iter().find(matches)
}

/// The request as text, one field per line.
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
