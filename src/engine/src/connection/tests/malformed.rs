//! Malformed messages passed by the caller: the call fails, nothing is sent, and the connection continues
//! (RFC 9113, 8.1.1).

use bytes::Bytes;

use super::pair::{Pair, request, response};
use crate::error::{Malformed, OpenError, SendError};
use crate::{Config, Event, FieldSection, Read, StreamId};

type Fields<'a> = &'a [(&'a str, &'a str)];

const TARGET: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "http"), (":authority", "example.com"), (":path", "/")];

fn section(fields: Fields) -> FieldSection {
    fields.iter().copied().collect()
}

/// Builds a GET request with these additional fields.
fn get(fields: Fields) -> FieldSection {
    TARGET.iter().chain(fields).copied().collect()
}

/// Builds a request that has this value for a pseudo-header field, or lacks the field if there is no value.
fn target(name: &str, value: Option<&str>) -> FieldSection {
    let replaced =
        TARGET.iter().filter_map(|&(n, v)| if n == name { Some((n, value?)) } else { Some((n, v)) });
    replaced.collect()
}

/// Fields that are malformed in any request, response or trailer section.
const FIELDS: [(Fields, Malformed); 20] = [
    (&[("", "value")], Malformed::FieldName),
    (&[("Name", "value")], Malformed::FieldName),
    (&[("na me", "value")], Malformed::FieldName),
    (&[("na\r\nme", "value")], Malformed::FieldName),
    (&[("na:me", "value")], Malformed::FieldName),
    (&[("na(me", "value")], Malformed::FieldName),
    (&[("na\u{7f}me", "value")], Malformed::FieldName),
    (&[("näme", "value")], Malformed::FieldName),
    (&[("name", "a\0b")], Malformed::FieldValue),
    (&[("name", "a\nb")], Malformed::FieldValue),
    (&[("name", "a\rb")], Malformed::FieldValue),
    (&[("name", " value")], Malformed::FieldValue),
    (&[("name", "value\t")], Malformed::FieldValue),
    (&[("connection", "close")], Malformed::ConnectionField),
    (&[("keep-alive", "timeout=5")], Malformed::ConnectionField),
    (&[("proxy-connection", "close")], Malformed::ConnectionField),
    (&[("transfer-encoding", "chunked")], Malformed::ConnectionField),
    (&[("upgrade", "h2c")], Malformed::ConnectionField),
    (&[("x", "y"), ("connection", "close")], Malformed::ConnectionField),
    (&[("x", "y"), ("Name", "value")], Malformed::FieldName),
];

/// Returns malformed request heads.
fn bad_requests() -> Vec<(FieldSection, Malformed)> {
    let bad = |name, value| target(name, Some(value));
    let connect = |fields: Fields| section(&[&[(":method", "CONNECT")], fields].concat());
    let mut heads: Vec<_> = FIELDS.iter().map(|&(fields, malformed)| (get(fields), malformed)).collect();
    heads.extend([
        (get(&[("te", "gzip")]), Malformed::ConnectionField),
        (get(&[("te", "trailers"), ("te", "trailers")]), Malformed::ConnectionField),
        (get(&[(":fancy", "x")]), Malformed::UnknownPseudo),
        (response(200), Malformed::UnknownPseudo),
        (get(&[(":path", "/")]), Malformed::DuplicatePseudo),
        (section(&[("x", "y"), (":method", "GET")]), Malformed::LatePseudo),
        (target(":method", None), Malformed::MissingPseudo),
        (target(":scheme", None), Malformed::MissingPseudo),
        (target(":path", None), Malformed::MissingPseudo),
        (bad(":method", "GET /"), Malformed::Method),
        (bad(":scheme", "http:"), Malformed::Scheme),
        (bad(":path", ""), Malformed::Path),
        (bad(":path", "*"), Malformed::Path),
        (bad(":path", "/ HTTP/1.1"), Malformed::Path),
        (bad(":path", "/#there"), Malformed::Path),
        (bad(":authority", "user@example.com"), Malformed::Authority),
        (bad(":authority", "example.com/x"), Malformed::Authority),
        (get(&[("host", "other.example")]), Malformed::Host),
        (get(&[("host", "example.com"), ("host", "example.com")]), Malformed::Host),
        (connect(&[]), Malformed::Connect),
        (connect(&[(":authority", "example.com")]), Malformed::Connect),
        (connect(&[(":authority", "example.com:80"), (":path", "/")]), Malformed::Connect),
        (get(&[(":protocol", "websocket")]), Malformed::Protocol),
        (get(&[("content-length", "five")]), Malformed::ContentLength),
        (get(&[("content-length", "5"), ("content-length", "6")]), Malformed::ContentLength),
        (get(&[("content-length", "5")]), Malformed::ContentLengthMismatch),
    ]);
    heads
}

#[test]
fn malformed_request_is_not_sent() {
    let mut pair = Pair::new();
    pair.run();
    for (head, malformed) in bad_requests() {
        let fields: Vec<_> = head.iter().collect();
        assert_eq!(pair.client.open(&head, true), Err(OpenError::Malformed(malformed)), "{fields:?}");
    }
    assert!(pair.server_event().is_none());
    let id = pair.client.open(&request("GET", "/"), true).unwrap();
    assert_eq!(id.as_u32(), 1, "no stream identifier was used up");
    pair.run();
    assert!(matches!(pair.server_event(), Some(Event::Request { .. })));
}

/// Creates a pair whose server has received a request and not answered it yet.
fn with_unanswered_request() -> (Pair, StreamId) {
    let mut pair = Pair::with(Config::default(), Config::default());
    let id = pair.client.open(&request("GET", "/"), true).unwrap();
    pair.run();
    assert!(matches!(pair.server_event(), Some(Event::Request { .. })));
    (pair, id)
}

#[test]
fn malformed_response_is_not_sent_and_can_be_replaced() {
    let (mut pair, id) = with_unanswered_request();
    let ok = |fields: Fields| section(&[&[(":status", "200")], fields].concat());
    let status = |status| section(&[(":status", status)]);
    let mut heads: Vec<_> = FIELDS.iter().map(|&(fields, malformed)| (ok(fields), malformed)).collect();
    heads.extend([
        (ok(&[(":fancy", "x")]), Malformed::UnknownPseudo),
        (ok(&[(":path", "/")]), Malformed::UnknownPseudo),
        (ok(&[(":status", "200")]), Malformed::DuplicatePseudo),
        (section(&[("server", "x"), (":status", "200")]), Malformed::LatePseudo),
        (section(&[("server", "x")]), Malformed::MissingPseudo),
        (status("20"), Malformed::Status),
        (status("200 OK"), Malformed::Status),
        (status("101"), Malformed::Status),
        (status("103"), Malformed::Status),
        (ok(&[("content-length", "-1")]), Malformed::ContentLength),
        (ok(&[("content-length", "5")]), Malformed::ContentLengthMismatch),
    ]);
    for (head, malformed) in heads {
        let fields: Vec<_> = head.iter().collect();
        assert_eq!(
            pair.server.send_response(id, &head, true),
            Err(SendError::Malformed(malformed)),
            "{fields:?}"
        );
    }
    for (fields, malformed) in FIELDS {
        let hint = section(&[&[(":status", "103")], fields].concat());
        assert_eq!(
            pair.server.send_informational(id, &hint),
            Err(SendError::Malformed(malformed)),
            "{fields:?}"
        );
    }
    pair.run();
    assert!(pair.client_event().is_none(), "nothing was sent");
    pair.server.send_response(id, &response(200), true).unwrap();
    pair.run();
    assert!(matches!(pair.client_event(), Some(Event::Response { end_stream: true, .. })));
}

#[test]
fn malformed_trailers_are_not_sent_and_can_be_replaced() {
    let mut trailers = FIELDS.to_vec();
    trailers.extend([
        (&[(":status", "200")][..], Malformed::PseudoInTrailers),
        (&[(":fancy", "x")], Malformed::PseudoInTrailers),
        (&[("content-length", "0")], Malformed::TrailerField),
        (&[("host", "example.com")], Malformed::TrailerField),
        (&[("te", "trailers")], Malformed::TrailerField),
        (&[("trailer", "checksum")], Malformed::TrailerField),
    ]);
    let mut pair = Pair::new();
    let id = pair.client.open(&request("POST", "/"), false).unwrap();
    pair.run();
    assert!(matches!(pair.server_event(), Some(Event::Request { .. })));
    pair.server.send_response(id, &response(200), false).unwrap();
    for end in [&mut pair.client, &mut pair.server] {
        for &(fields, malformed) in &trailers {
            let outcome = end.send_trailers(id, &section(fields));
            assert_eq!(outcome, Err(SendError::Malformed(malformed)), "{fields:?}");
        }
        end.send_trailers(id, &section(&[("checksum", "0123")])).unwrap();
    }
    pair.run();
    for end in [&mut pair.client, &mut pair.server] {
        assert!(matches!(end.read(id, 100), Ok(Read::Trailers(_))));
        assert_eq!(end.close_reason(), None);
    }
}

#[test]
fn content_violating_content_length_is_not_sent() {
    let (mut pair, id) = with_unanswered_request();
    let mismatch = SendError::Malformed(Malformed::ContentLengthMismatch);
    pair.server.send_response(id, &section(&[(":status", "200"), ("content-length", "5")]), false).unwrap();
    let mut send = |octets: &'static str, end| pair.server.send_data(id, &mut Bytes::from(octets), end);
    assert_eq!(send("hello!", true), Err(mismatch));
    assert_eq!(send("hell", true), Err(mismatch));
    assert_eq!(send("hell", false), Ok(4));
    assert_eq!(pair.server.send_trailers(id, &section(&[("checksum", "0123")])), Err(mismatch));
    assert_eq!(pair.server.send_data(id, &mut Bytes::from("o"), true), Ok(1));
    pair.run();
    assert!(matches!(pair.client_event(), Some(Event::Response { .. })));
    assert!(matches!(pair.client.read(id, 100), Ok(Read::Data(octets)) if octets == "hello"));
    assert!(matches!(pair.client.read(id, 100), Ok(Read::End)));
}
