//! Sections and the expected verdicts, with one table for each rule.

use super::{
    ConnectPort, MethodKind, RequestFacts, ResponseFacts, promise, request, request_to_port, response,
    trailers,
};
use crate::error::{Malformed, Violation};
use crate::fields::FieldSection;
use crate::priority::Priority;

/// Creates a section from lines of `name: value`.
fn section(lines: &[&str]) -> FieldSection {
    lines
        .iter()
        .map(|line| {
            let (name, value) = line[1..].split_once(": ").unwrap();
            (format!("{}{name}", &line[..1]), value)
        })
        .collect()
}

/// Creates a valid request that ends with these lines.
fn get(lines: &[&str]) -> FieldSection {
    section(&[&[":method: GET", ":scheme: https", ":path: /", ":authority: example.org"], lines].concat())
}

fn verdict_on_request(section: &FieldSection) -> Result<MethodKind, Malformed> {
    request(section, true).map(|facts| facts.method)
}

/// Asserts the verdict on each request.
fn assert_requests(cases: &[(&[&str], Result<MethodKind, Malformed>)]) {
    for (lines, expected) in cases {
        assert_eq!(verdict_on_request(&section(lines)), *expected, "{lines:?}");
    }
}

/// Asserts the verdict on a valid request that ends with each of these groups of lines.
fn assert_fields(cases: &[(&[&str], Result<(), Malformed>)]) {
    for (lines, expected) in cases {
        assert_eq!(verdict_on_request(&get(lines)).map(drop), *expected, "{lines:?}");
    }
}

#[test]
fn request_facts() {
    let facts = request(&get(&["content-length: 5", "priority: u=1, i"]), false);
    let priority = Some(Priority::new(1, true));
    assert_eq!(facts, Ok(RequestFacts { method: MethodKind::Get, content_length: Some(5), priority }));
    let facts = request(&get(&[]), false);
    assert_eq!(facts, Ok(RequestFacts { method: MethodKind::Get, content_length: None, priority: None }));
}

#[test]
fn pseudo_header_fields_of_requests() {
    assert_requests(&[
        (&[":method: GET", ":scheme: https", ":path: /", ":authority: a"], Ok(MethodKind::Get)),
        (&[":path: /", ":authority: a", ":scheme: https", ":method: HEAD"], Ok(MethodKind::Head)),
        (&[":method: get", ":scheme: https", ":path: /", ":authority: a"], Ok(MethodKind::Other)),
        // Neither :authority nor Host.
        (&[":method: GET", ":scheme: https", ":path: /"], Ok(MethodKind::Get)),
        (&[":scheme: https", ":path: /"], Err(Malformed::MissingPseudo)),
        (&[":method: GET", ":path: /"], Err(Malformed::MissingPseudo)),
        (&[":method: GET", ":scheme: https"], Err(Malformed::MissingPseudo)),
        (&[], Err(Malformed::MissingPseudo)),
        (&[":method: GET", ":method: GET", ":scheme: https", ":path: /"], Err(Malformed::DuplicatePseudo)),
        (&[":method: GET", ":scheme: https", ":path: /", ":path: /"], Err(Malformed::DuplicatePseudo)),
        (&[":method: GET", ":scheme: https", "accept: */*", ":path: /"], Err(Malformed::LatePseudo)),
        (
            &[":method: GET", ":scheme: https", ":path: /", "x: y", ":path: /"],
            Err(Malformed::DuplicatePseudo),
        ),
        (&[":method: GET", ":scheme: https", ":path: /", ":status: 200"], Err(Malformed::UnknownPseudo)),
        (&[":method: GET", ":scheme: https", ":path: /", ":unknown: x"], Err(Malformed::UnknownPseudo)),
    ]);
}

#[test]
fn invalid_field_names_and_values() {
    assert_fields(&[
        (&["x-name: value"], Ok(())),
        (&["X-Name: value"], Err(Malformed::FieldName)),
        (&["x name: value"], Err(Malformed::FieldName)),
        (&["x-name:: value"], Err(Malformed::FieldName)),
        (&["x-name: a\r\nb"], Err(Malformed::FieldValue)),
        (&["x-name: a\0b"], Err(Malformed::FieldValue)),
        (&["x-name:  value"], Err(Malformed::FieldValue)),
        (&["x-name: value\t"], Err(Malformed::FieldValue)),
    ]);
    assert_eq!(response(&section(&[":status: 200", "X-Name: value"])), Err(Malformed::FieldName));
    assert_eq!(trailers(&section(&["x-name: a\nb"])), Err(Malformed::FieldValue));
}

#[test]
fn connection_specific_fields() {
    assert_fields(&[
        (&["connection: close"], Err(Malformed::ConnectionField)),
        (&["keep-alive: timeout=5"], Err(Malformed::ConnectionField)),
        (&["proxy-connection: close"], Err(Malformed::ConnectionField)),
        (&["transfer-encoding: chunked"], Err(Malformed::ConnectionField)),
        (&["upgrade: websocket"], Err(Malformed::ConnectionField)),
        (&["te: trailers"], Ok(())),
        (&["te: Trailers"], Ok(())),
        (&["te: gzip"], Err(Malformed::ConnectionField)),
        (&["te: trailers, gzip"], Err(Malformed::ConnectionField)),
        (&["te: "], Err(Malformed::ConnectionField)),
        (&["te: trailers", "te: trailers"], Err(Malformed::ConnectionField)),
    ]);
    assert_eq!(response(&section(&[":status: 200", "connection: close"])), Err(Malformed::ConnectionField));
    assert_eq!(trailers(&section(&["connection: close"])), Err(Malformed::ConnectionField));
}

#[test]
fn methods_are_tokens() {
    for (method, expected) in [
        ("PATCH", Ok(MethodKind::Other)),
        ("M-SEARCH", Ok(MethodKind::Other)),
        ("", Err(Malformed::Method)),
        ("GET /", Err(Malformed::Method)),
        ("GE(T", Err(Malformed::Method)),
        ("GÉT", Err(Malformed::Method)),
    ] {
        let section = section(&[&format!(":method: {method}"), ":scheme: https", ":path: /"]);
        assert_eq!(verdict_on_request(&section), expected, "{method:?}");
    }
}

#[test]
fn schemes() {
    for (scheme, expected) in [
        ("https", Ok(MethodKind::Get)),
        ("HTTP", Ok(MethodKind::Get)),
        ("coap+tcp", Ok(MethodKind::Get)),
        ("", Err(Malformed::Scheme)),
        ("1http", Err(Malformed::Scheme)),
        ("https:", Err(Malformed::Scheme)),
        ("http://evil.example/?", Err(Malformed::Scheme)),
    ] {
        let section = section(&[":method: GET", &format!(":scheme: {scheme}"), ":path: /"]);
        assert_eq!(verdict_on_request(&section), expected, "{scheme:?}");
    }
}

#[test]
fn paths() {
    let cases = [
        ("GET", "https", "/", Ok(())),
        ("GET", "https", "/a/b;c=d?e=f&g=%20", Ok(())),
        ("GET", "https", "/\"<>\\^`{|}", Ok(())),
        ("GET", "https", "/grüße", Ok(())),
        ("GET", "https", "//evil.example", Ok(())),
        ("OPTIONS", "https", "*", Ok(())),
        ("GET", "https", "*", Err(Malformed::Path)),
        ("OPTIONS", "https", "*/", Err(Malformed::Path)),
        ("GET", "https", "", Err(Malformed::Path)),
        ("GET", "coap", "", Ok(())),
        ("GET", "coap", "a", Err(Malformed::Path)),
        ("GET", "https", "a", Err(Malformed::Path)),
        ("GET", "https", "https://a/", Err(Malformed::Path)),
        ("GET", "https", "/a#b", Err(Malformed::Path)),
        ("GET", "https", "/a HTTP/1.1", Err(Malformed::Path)),
        ("GET", "https", "/a\tb", Err(Malformed::Path)),
        ("GET", "https", "/a\u{1}", Err(Malformed::Path)),
        ("GET", "https", "/a\u{7f}", Err(Malformed::Path)),
    ];
    for (method, scheme, path, expected) in cases {
        let lines = [format!(":method: {method}"), format!(":scheme: {scheme}"), format!(":path: {path}")];
        let verdict = verdict_on_request(&section(&lines.each_ref().map(String::as_str)));
        assert_eq!(verdict.map(drop), expected, "{lines:?}");
    }
}

#[test]
fn authorities() {
    let cases = [
        ("example.org", Ok(())),
        ("example.org:8080", Ok(())),
        ("example.org:", Ok(())),
        ("EXAMPLE_1.org", Ok(())),
        ("192.0.2.1:80", Ok(())),
        ("[2001:db8::1]", Ok(())),
        ("[2001:db8::1]:443", Ok(())),
        ("[fe80::1%25eth0]", Ok(())),
        ("%2Frun%2Fsocket", Ok(())),
        ("", Err(Malformed::Authority)),
        (":80", Err(Malformed::Authority)),
        ("user@example.org", Err(Malformed::Authority)),
        ("user:password@example.org", Err(Malformed::Authority)),
        ("example.org/path", Err(Malformed::Authority)),
        ("example.org?query", Err(Malformed::Authority)),
        ("example.org#fragment", Err(Malformed::Authority)),
        ("example.org\\path", Err(Malformed::Authority)),
        ("example.org evil", Err(Malformed::Authority)),
        ("example.org:port", Err(Malformed::Authority)),
        ("example.org:+80", Err(Malformed::Authority)),
        ("example.org:65536", Err(Malformed::Authority)),
        ("example.org:80:80", Err(Malformed::Authority)),
        ("2001:db8::1", Err(Malformed::Authority)),
        ("[2001:db8::1", Err(Malformed::Authority)),
        ("[]", Err(Malformed::Authority)),
        ("[::1]a", Err(Malformed::Authority)),
        ("[::1]]:80", Err(Malformed::Authority)),
        ("grüße.example", Err(Malformed::Authority)),
    ];
    for (authority, expected) in cases {
        for name in [":authority", "host"] {
            let line = format!("{name}: {authority}");
            let section = section(&[":method: GET", ":scheme: https", ":path: /", &line]);
            assert_eq!(verdict_on_request(&section).map(drop), expected, "{line:?}");
        }
    }
}

#[test]
fn host_agrees_with_authority() {
    assert_fields(&[
        (&["host: example.org"], Ok(())),
        (&["host: Example.ORG"], Ok(())),
        (&["host: evil.example"], Err(Malformed::Host)),
        (&["host: example.org:443"], Err(Malformed::Host)),
        (&["host: "], Err(Malformed::Host)),
        (&["host: example.org", "host: example.org"], Err(Malformed::Host)),
    ]);
    let twice = [":method: GET", ":scheme: https", ":path: /", "host: a", "host: a"];
    assert_eq!(verdict_on_request(&section(&twice)), Err(Malformed::Host));
}

#[test]
fn connect_has_a_host_and_a_port_and_nothing_else() {
    assert_requests(&[
        (&[":method: CONNECT", ":authority: a:443"], Ok(MethodKind::Connect)),
        (&[":method: CONNECT", ":authority: [::1]:443", "host: [::1]:443"], Ok(MethodKind::Connect)),
        (&[":method: CONNECT", ":authority: a:443", "host: b:443"], Err(Malformed::Host)),
        (&[":method: CONNECT"], Err(Malformed::Connect)),
        (&[":method: CONNECT", "host: a:443"], Err(Malformed::Connect)),
        (&[":method: CONNECT", ":authority: a"], Err(Malformed::Connect)),
        (&[":method: CONNECT", ":authority: a:"], Err(Malformed::Connect)),
        (&[":method: CONNECT", ":authority: :443"], Err(Malformed::Connect)),
        (&[":method: CONNECT", ":authority: a:70000"], Err(Malformed::Connect)),
        (&[":method: CONNECT", ":authority: a@b:443"], Err(Malformed::Connect)),
        (&[":method: CONNECT", ":authority: a:443", ":path: /"], Err(Malformed::Connect)),
        (&[":method: CONNECT", ":authority: a:443", ":scheme: https"], Err(Malformed::Connect)),
    ]);
}

#[test]
fn port_of_connect_may_be_optional() {
    for (authority, expected) in [
        ("a", Ok(MethodKind::Connect)),
        ("a:443", Ok(MethodKind::Connect)),
        ("a:70000", Err(Malformed::Authority)),
        ("a@b", Err(Malformed::Authority)),
    ] {
        let head = FieldSection::from_iter([(":method", "CONNECT"), (":authority", authority)]);
        let checked = request_to_port(&head, false, ConnectPort::Optional);
        assert_eq!(checked.map(|facts| facts.method), expected, "{authority}");
    }
}

#[test]
fn extended_connect_has_a_whole_target() {
    assert_requests(&[
        (
            &[":method: CONNECT", ":protocol: websocket", ":scheme: https", ":path: /chat", ":authority: a"],
            Ok(MethodKind::ExtendedConnect),
        ),
        (
            &[":method: CONNECT", ":protocol: a/1", ":scheme: https", ":path: /", ":authority: a"],
            Ok(MethodKind::ExtendedConnect),
        ),
        (
            &[":method: CONNECT", ":protocol: web socket", ":scheme: https", ":path: /", ":authority: a"],
            Err(Malformed::Protocol),
        ),
        (
            &[":method: CONNECT", ":protocol: websocket", ":path: /", ":authority: a"],
            Err(Malformed::MissingPseudo),
        ),
        (
            &[":method: CONNECT", ":protocol: websocket", ":scheme: https", ":authority: a"],
            Err(Malformed::MissingPseudo),
        ),
        (
            &[":method: CONNECT", ":protocol: websocket", ":scheme: https", ":path: /"],
            Err(Malformed::MissingPseudo),
        ),
        (
            &[":method: GET", ":protocol: websocket", ":scheme: https", ":path: /", ":authority: a"],
            Err(Malformed::Protocol),
        ),
    ]);
    let lines = [":method: CONNECT", ":protocol: websocket", ":scheme: https", ":path: /", ":authority: a"];
    assert_eq!(request(&section(&lines), false), Err(Malformed::Protocol), "the server has not enabled it");
}

#[test]
fn content_length_is_one_number() {
    let cases = [
        (&["content-length: 0"][..], Ok(Some(0))),
        (&["content-length: 00042"], Ok(Some(42))),
        (&["content-length: 18446744073709551615"], Ok(Some(u64::MAX))),
        (&["content-length: 42", "content-length: 42"], Ok(Some(42))),
        (&["content-length: 42, 42 ,\t42"], Ok(Some(42))),
        (&["content-length: "], Err(Malformed::ContentLength)),
        (&["content-length: +1"], Err(Malformed::ContentLength)),
        (&["content-length: -1"], Err(Malformed::ContentLength)),
        (&["content-length: 1 2"], Err(Malformed::ContentLength)),
        (&["content-length: 0x10"], Err(Malformed::ContentLength)),
        (&["content-length: 18446744073709551616"], Err(Malformed::ContentLength)),
        (&["content-length: 42", "content-length: 43"], Err(Malformed::ContentLength)),
        (&["content-length: 42, 43"], Err(Malformed::ContentLength)),
        (&["content-length: 42,"], Err(Malformed::ContentLength)),
    ];
    for (lines, expected) in cases {
        assert_eq!(request(&get(lines), false).map(|facts| facts.content_length), expected, "{lines:?}");
        let response = response(&section(&[&[":status: 200"], lines].concat()));
        assert_eq!(response.map(|facts| facts.content_length), expected, "{lines:?}");
    }
}

#[test]
fn a_tunnel_has_no_content_length() {
    let connect = section(&[":method: CONNECT", ":authority: a:443", "content-length: 5"]);
    assert_eq!(request(&connect, false).map(|facts| facts.content_length), Ok(None));
}

#[test]
fn statuses() {
    for (status, expected) in [
        ("200", Ok(200)),
        ("103", Ok(103)),
        ("599", Ok(599)),
        ("999", Ok(999)),
        ("101", Err(Malformed::Status)),
        ("", Err(Malformed::Status)),
        ("20", Err(Malformed::Status)),
        ("2000", Err(Malformed::Status)),
        ("020", Err(Malformed::Status)),
        ("+20", Err(Malformed::Status)),
        ("200 OK", Err(Malformed::Status)),
    ] {
        let verdict = response(&section(&[&format!(":status: {status}")]));
        assert_eq!(verdict.map(|facts| facts.status), expected, "{status:?}");
    }
    let informational = |status| ResponseFacts { status, content_length: None }.is_informational();
    assert!(informational(100) && informational(199) && !informational(200));
}

#[test]
fn pseudo_header_fields_of_responses() {
    let cases = [
        (&[":status: 200", "server: x"][..], Ok(())),
        (&["server: x"], Err(Malformed::MissingPseudo)),
        (&[":status: 200", ":status: 200"], Err(Malformed::DuplicatePseudo)),
        (&["server: x", ":status: 200"], Err(Malformed::LatePseudo)),
        (&[":status: 200", ":path: /"], Err(Malformed::UnknownPseudo)),
        (&[":status: 200", ":protocol: websocket"], Err(Malformed::UnknownPseudo)),
        (&[":status: 200", ":unknown: x"], Err(Malformed::UnknownPseudo)),
    ];
    for (lines, expected) in cases {
        assert_eq!(response(&section(lines)).map(drop), expected, "{lines:?}");
    }
}

#[test]
fn trailer_sections() {
    let cases = [
        (&[][..], Ok(())),
        (&["grpc-status: 0", "x-checksum: 1"], Ok(())),
        (&[":status: 200"], Err(Malformed::PseudoInTrailers)),
        (&[":unknown: x"], Err(Malformed::PseudoInTrailers)),
        (&["content-length: 5"], Err(Malformed::TrailerField)),
        (&["host: a"], Err(Malformed::TrailerField)),
        (&["te: trailers"], Err(Malformed::TrailerField)),
        (&["trailer: x"], Err(Malformed::TrailerField)),
        (&["transfer-encoding: chunked"], Err(Malformed::ConnectionField)),
    ];
    for (lines, expected) in cases {
        assert_eq!(trailers(&section(lines)), expected, "{lines:?}");
    }
}

#[test]
fn promised_requests() {
    let promised = |lines: &[&str]| promise(&section(lines)).map(|facts| facts.method);
    let cases = [
        (&[":method: GET", ":scheme: https", ":path: /", ":authority: a"][..], Ok(MethodKind::Get)),
        (&[":method: HEAD", ":scheme: https", ":path: /", ":authority: a"], Ok(MethodKind::Head)),
        (
            &[":method: GET", ":scheme: https", ":path: /", ":authority: a", "content-length: 0"],
            Ok(MethodKind::Get),
        ),
        (
            &[":method: GET", ":scheme: https", ":path: /", ":authority: a", "content-length: 1"],
            Err(Violation::BadPromise),
        ),
        (&[":method: POST", ":scheme: https", ":path: /", ":authority: a"], Err(Violation::BadPromise)),
        (&[":method: GET", ":scheme: https", ":path: /", "host: a"], Err(Violation::BadPromise)),
        (&[":method: GET", ":path: /", ":authority: a"], Err(Violation::Malformed(Malformed::MissingPseudo))),
    ];
    for (lines, expected) in cases {
        assert_eq!(promised(lines), expected, "{lines:?}");
    }
}
