use http2_engine::{FieldSection, Malformed};

use super::{
    describe_malformed, describe_malformed_request, fields, request_extras, request_head, request_section,
    response_head, response_section, trailer_section,
};
use crate::bindings::http2::engine::types::{ErrorKind, Fields, Method, RequestHead, ResponseHead, Scheme};

fn headers(fields: &[(&str, &str)]) -> Fields {
    fields.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect()
}

fn get(fields: &[(&str, &str)]) -> RequestHead {
    RequestHead {
        method: Method::Get,
        scheme: Some(Scheme::Https),
        authority: Some("example.com".to_owned()),
        path_with_query: Some("/?q".to_owned()),
        headers: headers(fields),
    }
}

fn lines(section: &FieldSection) -> Vec<String> {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    section.iter().map(|field| format!("{}={}", text(field.name), text(field.value))).collect()
}

#[test]
fn pseudo_header_fields_come_first_and_names_are_lowercase() {
    let section = request_section(&get(&[("X-Upper", "Kept As It Is")]), None, &[]).unwrap();
    assert_eq!(
        lines(&section),
        [":method=GET", ":scheme=https", ":authority=example.com", ":path=/?q", "x-upper=Kept As It Is"]
    );
}

#[test]
fn host_field_replaces_a_missing_authority() {
    let mut head = get(&[("accept", "*/*"), ("Host", "example.org")]);
    head.authority = None;
    let section = request_section(&head, None, &[]).unwrap();
    assert_eq!(section.authority(), Some(&b"example.org"[..]));
    assert_eq!(section.get(b"host"), None);
    assert_eq!(section.get(b"accept"), Some(&b"*/*"[..]));
}

#[test]
fn connect_has_neither_scheme_nor_path() {
    let mut head = get(&[]);
    head.method = Method::Connect;
    head.scheme = None;
    head.path_with_query = None;
    assert_eq!(
        lines(&request_section(&head, None, &[]).unwrap()),
        [":method=CONNECT", ":authority=example.com"]
    );
}

#[test]
fn pseudo_header_field_among_headers_is_rejected_by_name() {
    let error = request_section(&get(&[(":path", "/other")]), None, &[]).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::InvalidArgument));
    assert!(error.message.contains("\":path\""), "{}", error.message);
    assert!(trailer_section(&headers(&[(":status", "200")]), &[]).is_err());
}

#[test]
fn never_indexed_names_are_kept_both_ways() {
    let head = get(&[("X-Token", "secret"), ("accept", "*/*")]);
    let section = request_section(&head, None, &["x-TOKEN".to_owned()]).unwrap();
    let marked: Vec<bool> = section.iter().skip(4).map(|field| field.never_indexed).collect();
    assert_eq!(marked, [true, false]);
    assert_eq!(request_extras(&section).never_indexed, ["x-token"]);
}

#[test]
fn request_head_round_trips() {
    let mut head = get(&[("a", "1"), ("a", "2")]);
    head.method = Method::Other("PROPFIND".to_owned());
    head.scheme = Some(Scheme::Other("coap".to_owned()));
    let section = request_section(&head, Some("websocket"), &[]).unwrap();
    let back = request_head(&section);
    assert!(matches!(&back.method, Method::Other(token) if token == "PROPFIND"));
    assert!(matches!(&back.scheme, Some(Scheme::Other(scheme)) if scheme == "coap"));
    assert_eq!(back.authority, head.authority);
    assert_eq!(back.path_with_query, head.path_with_query);
    assert_eq!(request_extras(&section).protocol.as_deref(), Some("websocket"));
    assert_eq!(back.headers, head.headers);
}

#[test]
fn response_head_round_trips() {
    let head = ResponseHead { status: 418, headers: headers(&[("a", "1")]) };
    let section = response_section(&head, &[]).unwrap();
    assert_eq!(lines(&section), [":status=418", "a=1"]);
    let back = response_head(&section);
    assert_eq!((back.status, back.headers), (418, head.headers));
}

#[test]
fn field_values_can_be_any_bytes() {
    let trailers = vec![("a".to_owned(), vec![0xff, 0x80])];
    assert_eq!(fields(&trailer_section(&trailers, &[]).unwrap()), trailers);
}

#[test]
fn rejected_field_is_named() {
    let message =
        headers(&[("fine", "x"), ("Transfer-Encoding", "chunked"), ("bad name", "x"), ("v", "a\r\nb")]);
    for (malformed, name) in [
        (Malformed::ConnectionField, "Transfer-Encoding"),
        (Malformed::FieldName, "bad name"),
        (Malformed::FieldValue, "v"),
    ] {
        let words = describe_malformed(malformed, &message);
        assert!(words.ends_with(&format!("{malformed}: {name:?}")), "{words}");
    }
    assert!(describe_malformed(Malformed::Method, &message).ends_with("the method is not a token"));
}

#[test]
fn missing_pseudo_header_field_is_named() {
    let mut head = get(&[]);
    head.path_with_query = None;
    let words = describe_malformed_request(Malformed::MissingPseudo, &head);
    assert!(words.ends_with(": \":path\""), "{words}");
    head.scheme = None;
    let words = describe_malformed_request(Malformed::MissingPseudo, &head);
    assert!(words.ends_with(": \":scheme\""), "{words}");
    head.authority = None;
    let words = describe_malformed_request(Malformed::Connect, &head);
    assert!(words.ends_with(": \":authority\""), "{words}");
}
