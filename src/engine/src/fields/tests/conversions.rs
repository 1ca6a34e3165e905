//! Tests of conversions to and from the types of the `http` crate.

use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, request};

use super::*;
use crate::error::Violation;

fn request_section(request: request::Builder) -> Vec<String> {
    texts(&FieldSection::from_request_parts(&request.body(()).unwrap().into_parts().0))
}

#[test]
fn request_has_pseudo_header_fields_first() {
    let request =
        Request::post("https://user:pass@example.com:8443/a?b=c").header("X-A", "1").header("x-b", "2");
    assert_eq!(
        request_section(request),
        [
            ":method: POST",
            ":scheme: https",
            ":authority: example.com:8443",
            ":path: /a?b=c",
            "x-a: 1",
            "x-b: 2"
        ]
    );
}

#[test]
fn host_becomes_authority_if_the_uri_has_none() {
    let request = Request::get("/a").header("host", "example.com").header("a", "b");
    assert_eq!(request_section(request), [":method: GET", ":authority: example.com", ":path: /a", "a: b"]);
    let request = Request::get("http://one.example").header("host", "other.example");
    assert_eq!(
        request_section(request),
        [":method: GET", ":scheme: http", ":authority: one.example", ":path: /"],
        "the URI wins"
    );
}

#[test]
fn host_is_kept_if_it_equals_the_authority() {
    for host in ["one.example:80", "ONE.example:80"] {
        let request = Request::get("http://user@one.example:80").header("host", host);
        assert_eq!(
            request_section(request),
            [
                ":method: GET",
                ":scheme: http",
                ":authority: one.example:80",
                ":path: /",
                &format!("host: {host}")
            ]
        );
    }
}

#[test]
fn path_is_never_empty() {
    for (uri, path) in [("http://a", "/"), ("http://a?b", "/?b"), ("http://a/", "/"), ("*", "*")] {
        let fields = request_section(Request::options(uri));
        assert_eq!(fields.last().unwrap(), &format!(":path: {path}"), "{uri}");
    }
}

#[test]
fn connect_has_only_an_authority() {
    let request = Request::connect("example.com:443");
    assert_eq!(request_section(request), [":method: CONNECT", ":authority: example.com:443"]);
}

#[test]
fn extended_connect_has_a_protocol() {
    let request = Request::connect("https://example.com/chat").extension(Protocol::from_static("websocket"));
    let fields = FieldSection::from_request_parts(&request.body(()).unwrap().into_parts().0);
    assert_eq!(
        texts(&fields),
        [
            ":method: CONNECT",
            ":scheme: https",
            ":authority: example.com",
            ":path: /chat",
            ":protocol: websocket"
        ]
    );
    let request = fields.into_request().unwrap();
    assert_eq!(request.extensions().get::<Protocol>().unwrap().as_bytes(), b"websocket");
    assert_eq!(*request.uri(), "https://example.com/chat");
}

#[test]
fn section_converts_to_a_request() {
    let fields = section(&[
        (":method", "PUT"),
        (":scheme", "https"),
        (":authority", "example.com"),
        (":path", "/a?b"),
        ("te", "trailers"),
        ("x-a", "1"),
        ("x-a", "\u{e9}"),
    ]);
    let views = (fields.method(), fields.scheme(), fields.authority(), fields.path(), fields.protocol());
    assert_eq!(
        views,
        (Some(&b"PUT"[..]), Some(&b"https"[..]), Some(&b"example.com"[..]), Some(&b"/a?b"[..]), None)
    );
    let request = fields.into_request().unwrap();
    assert_eq!(request.method(), Method::PUT);
    assert_eq!(*request.uri(), "https://example.com/a?b");
    assert_eq!(request.version(), Version::HTTP_2);
    assert_eq!(request.headers().len(), 3);
    assert_eq!(request.headers()["te"], "trailers");
    let values: Vec<_> = request.headers().get_all("x-a").iter().map(HeaderValue::as_bytes).collect();
    assert_eq!(values, [&b"1"[..], "\u{e9}".as_bytes()]);
}

#[test]
fn requests_with_partial_uris() {
    let uri = |fields: &[(&str, &str)]| section(fields).into_request().unwrap().uri().to_string();
    assert_eq!(uri(&[(":method", "CONNECT"), (":authority", "a:1")]), "a:1");
    assert_eq!(uri(&[(":method", "GET"), (":scheme", "http"), (":path", "/"), ("host", "a")]), "http://a/");
    assert_eq!(uri(&[(":method", "GET"), (":scheme", "http"), (":path", "/x")]), "/x");
    assert_eq!(uri(&[(":method", "OPTIONS"), (":scheme", "http"), (":path", "*")]), "*");
}

#[test]
fn invalid_sections_do_not_convert_to_requests() {
    let error = |fields: &[(&str, &str)]| section(fields).into_request().unwrap_err();
    let missing = Violation::Malformed(Malformed::MissingPseudo);
    assert_eq!(error(&[]), missing);
    assert_eq!(error(&[(":method", "")]), Malformed::Method.into());
    assert_eq!(error(&[(":method", "GET"), (":path", "/a b")]), Malformed::Path.into());
    assert_eq!(error(&[(":method", "GET"), (":authority", "a b")]), Malformed::Authority.into());
    let scheme = [(":method", "GET"), (":scheme", "a b"), (":authority", "a"), (":path", "/")];
    assert_eq!(error(&scheme), Malformed::Scheme.into());
    assert_eq!(error(&[(":method", "GET"), ("a b", "")]), Malformed::FieldName.into());
    assert_eq!(error(&[(":method", "GET"), ("a", "\x01")]), Malformed::FieldValue.into());
}

#[test]
fn responses_round_trip() {
    let response = Response::builder().status(404).header("server", "tests").body(()).unwrap();
    let fields = FieldSection::from_response_parts(&response.into_parts().0);
    assert_eq!(texts(&fields), [":status: 404", "server: tests"]);
    assert_eq!(fields.status(), Some(404));
    let response = fields.into_response().unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(response.version(), Version::HTTP_2);
    assert_eq!(response.headers()["server"], "tests");
}

#[test]
fn invalid_sections_do_not_convert_to_responses() {
    assert_eq!(section(&[]).into_response().unwrap_err(), Malformed::MissingPseudo.into());
    for status in ["20", "2000", "abc", "+20", ""] {
        assert_eq!(section(&[(":status", status)]).status(), None, "{status}");
        assert_eq!(section(&[(":status", status)]).into_response().unwrap_err(), Malformed::Status.into());
    }
}

#[test]
fn sensitive_values_are_never_indexed() {
    let mut headers = HeaderMap::new();
    let mut value = HeaderValue::from_static("secret");
    value.set_sensitive(true);
    headers.append("x-a", value);
    headers.append("x-b", HeaderValue::from_static("open"));
    let fields = FieldSection::from(&headers);
    assert_eq!(fields.iter().map(|field| field.never_indexed).collect::<Vec<_>>(), [true, false]);
    let headers = fields.into_header_map().unwrap();
    assert!(headers["x-a"].is_sensitive() && !headers["x-b"].is_sensitive());
}

#[test]
fn header_map_has_no_pseudo_header_fields() {
    let headers = section(&[(":status", "200"), (":unknown", "1"), ("a", "2")]).into_header_map().unwrap();
    assert_eq!(headers.len(), 1);
}

#[test]
fn more_names_than_a_map_holds_is_an_error() {
    let fields: FieldSection = (0..40_000).map(|number| (format!("x-{number}"), "")).collect();
    assert_eq!(fields.into_header_map().unwrap_err(), Violation::FieldSectionTooLarge);
}
