//! The messages: a GET request as a browser sends it, and a short response.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};

pub(crate) const SCHEME: &str = "https";
pub(crate) const AUTHORITY: &str = "api.example.com";

/// The paths requested, in turn.
pub(crate) const PATHS: [&str; 8] = [
    "/v1/accounts/17/orders",
    "/v1/accounts/17/orders/2041",
    "/v1/accounts/17/orders/2042",
    "/v1/accounts/17/orders/2043",
    "/v1/accounts/17/addresses",
    "/v1/accounts/17/settings",
    "/v1/products?page=1&per_page=20",
    "/v1/products?page=2&per_page=20",
];

/// The header fields of every request, after its four pseudo-header fields.
pub(crate) const REQUEST_FIELDS: [(&str, &str); 4] = [
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("accept-language", "en-US,en;q=0.5"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
];

/// The header fields of every response, after `:status`.
pub(crate) const RESPONSE_FIELDS: [(&str, &str); 5] = [
    ("server", "example"),
    ("date", "Mon, 06 Oct 2025 08:49:37 GMT"),
    ("content-type", "application/json"),
    ("content-length", "100"),
    ("cache-control", "no-cache"),
];

/// The content of every response.
pub(crate) const CONTENT: Bytes = Bytes::from_static(&[b'x'; 100]);

/// The requests in the types of the `http` crate, one per path; cloning is the cheapest way to build a request.
pub(crate) fn requests() -> Vec<Request<()>> {
    let request = |path| {
        let mut request = Request::new(());
        *request.uri_mut() = format!("{SCHEME}://{AUTHORITY}{path}").parse().expect("a URI");
        insert(request.headers_mut(), REQUEST_FIELDS);
        request
    };
    PATHS.into_iter().map(request).collect()
}

/// The response in the types of the `http` crate, to be cloned.
pub(crate) fn response() -> Response<()> {
    let mut response = Response::new(());
    insert(response.headers_mut(), RESPONSE_FIELDS);
    response
}

fn insert(headers: &mut HeaderMap, fields: impl IntoIterator<Item = (&'static str, &'static str)>) {
    for (name, value) in fields {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Reads the parts of a request that every server needs.
pub(crate) fn check_request(method: &[u8], path: &[u8]) {
    assert!(method == b"GET" && path.starts_with(b"/v1/"), "the request differs from those sent");
}

/// Reads the parts of a response that every client needs.
pub(crate) fn check_response(status: u16, content: usize) {
    assert!(status == 200 && content == CONTENT.len(), "the response differs from the one sent");
}
