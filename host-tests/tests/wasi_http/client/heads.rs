//! Heads of requests and responses: which fields the client passes between wasi:http and HTTP/2, and which it drops.

use host_tests::support::requests::{Client, Request};
use http2_test_support::flag;

use super::begin;
use crate::raw_server::{Head, RawServer};

/// Returns the head of a request as the server receives it.
fn seen(change: impl FnOnce(Request) -> Request) -> Head {
    let server = RawServer::listen();
    let client = Client::start();
    let exchange = client.send(&change(Request::new("GET", &server.url("/path?query"))));
    let mut connection = server.accept();
    let head = connection.request();
    connection.respond(head.stream, "204");
    assert_eq!(exchange.response().unwrap().status, 204);
    head
}

#[test]
fn method_scheme_authority_and_path_come_first() {
    let head = seen(|request| request.field("X-Field", " value ").field("x-field", "again"));
    let authority = head.get(":authority").unwrap().to_owned();
    assert!(authority.starts_with("127.0.0.1:"), "{authority}");
    assert_eq!(
        head.fields,
        [
            ":method: GET",
            ":scheme: http",
            &format!(":authority: {authority}"),
            ":path: /path?query",
            "x-field: value",
            "x-field: again"
        ]
    );
    assert!(head.end_stream, "a request without content is one frame");
}

/// Sends a GET request with these fields, and returns its head as the server receives it.
fn request_fields(fields: &[(&str, &str)]) -> Head {
    seen(|request| fields.iter().fold(request, |request, (name, value)| request.field(name, value)))
}

#[test]
fn te_passes_only_with_the_value_trailers() {
    assert_eq!(request_fields(&[("te", "trailers")]).get("te"), Some("trailers"));
    assert_eq!(request_fields(&[("te", "Trailers")]).get("te"), Some("Trailers"));
    assert_eq!(request_fields(&[("te", "gzip")]).get("te"), None);
    assert_eq!(request_fields(&[("te", "trailers, deflate;q=0.5")]).get("te"), None);
}

#[test]
fn request_without_authority_is_an_error() {
    let request = Request::new("GET", "http://localhost/").without("authority");
    assert_eq!(Client::start().send(&request).response().unwrap_err(), "HttpRequestUriInvalid");
}

#[test]
fn every_method_arrives_as_its_token() {
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "PURGE", "get"] {
        let head = seen(|request| request.option("method", method));
        assert_eq!(head.get(":method"), Some(method));
    }
}

#[test]
fn connect_has_only_an_authority() {
    let head = seen(|request| request.option("method", "CONNECT").without("path"));
    assert_eq!(head.fields.len(), 2, "{head:?}");
    assert_eq!(head.get(":method"), Some("CONNECT"));
    assert!(head.get(":authority").is_some());
}

#[test]
fn path_is_never_empty() {
    let path = |change: fn(Request) -> Request| seen(change).get(":path").map(str::to_owned).unwrap();
    assert_eq!(path(|request| request.without("path")), "/");
    assert_eq!(path(|request| request.option("path", "?only=query")), "/?only=query");
    assert_eq!(path(|request| request.option("method", "OPTIONS").without("path")), "*");
    assert_eq!(path(|request| request.option("path", "//a/../b;c%20d?e?f")), "//a/../b;c%20d?e?f");
}

#[test]
fn default_scheme_is_http() {
    assert_eq!(seen(|request| request.without("scheme")).get(":scheme"), Some("http"));
}

#[test]
fn https_error_explains_that_tls_is_missing() {
    let server = RawServer::listen();
    let client = Client::start();
    let https = Request::new("GET", &server.url("/")).option("scheme", "https");
    let error = client.send(&https).response().unwrap_err();
    assert!(error.starts_with("InternalError(Some(") && error.contains("no TLS yet"), "{error}");
    let ftp = Request::new("GET", &server.url("/")).option("scheme", "ftp");
    assert_eq!(client.send(&ftp).response().unwrap_err(), "HttpRequestUriInvalid");
    assert!(server.try_accept().is_none(), "neither request opens a connection");
}

#[test]
fn invalid_authorities_are_refused() {
    let client = Client::start();
    for authority in ["localhost:99999", "localhost:port", "[::1", "user@"] {
        let request = Request::new("GET", "http://localhost/").option("authority", authority);
        let error = client.send(&request).response().unwrap_err();
        // The host already rejects some of them, before the guest can send the request.
        assert!(
            ["HttpRequestUriInvalid", "Unmade(the authority)"].contains(&error.as_str()),
            "{authority}: {error}"
        );
    }
}

#[test]
fn response_head_arrives_unchanged() {
    let (_client, exchange, mut connection, stream) = begin("GET", |request| request);
    connection.head(stream, &[(":status", "103"), ("link", "</early>")], 0);
    let long = "v".repeat(9_000);
    let fields = [(":status", "418"), ("x-a", "1"), ("x-a", "2"), ("x-long", &long), ("x-empty", "")];
    connection.head(stream, &fields, flag::END_STREAM);
    let response = exchange.response().unwrap();
    assert_eq!(response.status, 418, "informational responses do not pass to wasi:http");
    assert_eq!(response.fields, ["x-a: 1", "x-a: 2", &format!("x-long: {long}"), "x-empty: "]);
}
