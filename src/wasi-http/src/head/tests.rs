use super::*;

fn section(fields: &[(&str, &str)]) -> FieldSection {
    fields.iter().copied().collect()
}

#[test]
fn request_target_comes_from_its_pseudo_header_fields() {
    let head = section(&[
        (":method", "PATCH"),
        (":scheme", "http"),
        (":authority", "example.com"),
        (":path", "/a?b"),
        ("host", "ignored.example"),
    ]);
    let head = RequestHead::from_section(&head).unwrap();
    assert!(matches!(head.method, Method::Patch));
    assert!(matches!(head.scheme, Some(Scheme::Http)));
    assert_eq!(head.authority.as_deref(), Some("example.com"));
    assert_eq!(head.path.as_deref(), Some("/a?b"));
    assert!(!head.is_head());
}

#[test]
fn host_stands_in_for_a_missing_authority() {
    let head = section(&[(":method", "HEAD"), (":scheme", "https"), (":path", "/"), ("host", "example.com")]);
    let head = RequestHead::from_section(&head).unwrap();
    assert_eq!(head.authority.as_deref(), Some("example.com"));
    assert!(head.is_head());
}

#[test]
fn connect_has_neither_scheme_nor_path() {
    let head = RequestHead::from_section(&section(&[(":method", "CONNECT"), (":authority", "a:1")])).unwrap();
    assert!(head.scheme.is_none() && head.path.is_none());
}

#[test]
fn target_that_is_not_utf8_is_refused() {
    let mut head = section(&[(":method", "GET"), (":scheme", "http"), (":authority", "a")]);
    head.push(b":path", b"/\xff");
    assert_eq!(RequestHead::from_section(&head).unwrap_err(), Refusal(400));
}

#[test]
fn connection_specific_fields_do_not_pass() {
    for name in ["connection", "host", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"] {
        assert!(is_dropped(name, b"x"), "{name}");
    }
    assert!(!is_dropped("te", b"trailers"));
    assert!(is_dropped("te", b"gzip"));
    assert!(!is_dropped("content-type", b"text/plain"));
}

#[test]
fn names_become_lower_case() {
    assert_eq!(lower_case("Content-Type"), "content-type");
    assert!(matches!(lower_case("content-type"), Cow::Borrowed(_)));
}

#[test]
fn bare_response_has_a_status_and_no_content() {
    let response = empty_response(503);
    assert_eq!(response.status(), Some(503));
    assert_eq!(content_length(&response), Some(0));
    assert_eq!(content_length(&section(&[("content-length", "many")])), None);
}

#[test]
fn empty_trailer_section_counts_as_none() {
    assert!(matches!(wasi_trailers(Some(&FieldSection::new())), Ok(None)));
    assert!(matches!(wasi_trailers(None), Ok(None)));
}

#[test]
fn path_is_never_empty() {
    assert_eq!(path_or_default(None, &Method::Get), "/");
    assert_eq!(path_or_default(Some(""), &Method::Post), "/");
    assert_eq!(path_or_default(Some("?q"), &Method::Get), "/?q");
    assert_eq!(path_or_default(Some("/a?q"), &Method::Options), "/a?q");
    assert_eq!(path_or_default(None, &Method::Options), "*");
}

#[test]
fn every_method_has_its_token() {
    for (token, method) in [("GET", Method::Get), ("CONNECT", Method::Connect), ("PATCH", Method::Patch)] {
        assert_eq!(method_token(&method), token);
    }
    assert_eq!(method_token(&Method::Other("PURGE".to_owned())), "PURGE");
}

#[test]
fn repeated_equal_content_lengths_count_as_one() {
    assert_eq!(content_length(&section(&[("content-length", "5, 5")])), Some(5));
    assert_eq!(content_length(&section(&[("content-length", "5"), ("content-length", "5")])), Some(5));
    assert_eq!(content_length(&section(&[("content-length", "5;5")])), None);
}
