//! Requests that a server must not accept (RFC 9113, 8; RFC 9110).

use super::{open, still_serves};
use crate::case::{Case, Expected};
use http2_test_support::{GET, POST, block, code, data, flag, headers, headers_block, literal, rst_stream};

pub(super) fn cases() -> Vec<Case> {
    [names_and_values(), connection_fields(), pseudo(), targets(), hosts(), connect(), lengths(), messages()]
        .concat()
}

/// A request with these fields is malformed: the server resets its stream, and answers the next request.
fn malformed(
    requirements: &'static [&'static str],
    name: &'static str,
    fields: &[(&'static str, &'static str)],
) -> Case {
    malformed_block(requirements, name, &block(fields))
}

fn malformed_block(requirements: &'static [&'static str], name: &'static str, block: &[u8]) -> Case {
    let case = Case::server(requirements, name).send(headers_block(1, flag::END_STREAM, block));
    still_serves(case.stream_error(1, code::PROTOCOL_ERROR))
}

/// GET, followed by these fields.
fn get(fields: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    [GET, fields].concat()
}

/// GET followed by this field is malformed.
fn field(
    requirements: &'static [&'static str],
    case: &'static str,
    name: &'static [u8],
    value: &'static [u8],
) -> Case {
    malformed_block(requirements, case, &[block(GET), literal(name, value)].concat())
}

/// A request that the server accepts and answers.
fn taken(requirements: &'static [&'static str], name: &'static str, fields: &[(&str, &str)]) -> Case {
    let case = Case::server(requirements, name).send(headers(1, flag::END_STREAM, fields));
    still_serves(case.expect(Expected::End { stream: 1 }).nothing())
}

fn names_and_values() -> Vec<Case> {
    vec![
        field(&["M2"], "an empty name", b"", b"value"),
        field(&["M2"], "upper case in a name", b"x-Name", b"value"),
        field(&["M2"], "a name entirely in upper case", b"X", b"value"),
        field(&["M2"], "NUL in a name", b"x\0name", b"value"),
        field(&["M2"], "a line feed in a name", b"x\nname", b"value"),
        field(&["M2"], "a whole field in a name", b"x: y\r\nname", b"value"),
        field(&["M2"], "a tab in a name", b"x\tname", b"value"),
        field(&["M2"], "a space in a name", b"x name", b"value"),
        field(&["M2"], "a space after a name", b"name ", b"value"),
        field(&["M2"], "DEL in a name", b"x\x7fname", b"value"),
        field(&["M2"], "a byte above 0x7f in a name", b"x\x80name", b"value"),
        field(&["M2"], "byte 0xff in a name", b"x\xffname", b"value"),
        field(&["M2"], "a colon inside a name", b"x:name", b"value"),
        field(&["M2"], "a colon after a name", b"content-length:", b"0"),
        field(&["M3"], "NUL in a value", b"name", b"a\0b"),
        field(&["M3"], "a line feed in a value", b"name", b"a\nb"),
        field(&["M3"], "a carriage return in a value", b"name", b"a\rb"),
        field(&["M3", "X14"], "a whole request in a value", b"name", b"a\r\n\r\nGET / HTTP/1.1\r\n"),
        field(&["M3"], "a folded line in a value", b"name", b"a\r\n b"),
        field(&["M3"], "a space before a value", b"name", b" value"),
        field(&["M3"], "a space after a value", b"name", b"value "),
        field(&["M3"], "a tab before a value", b"name", b"\tvalue"),
        field(&["M3"], "a tab after a value", b"name", b"value\t"),
        field(&["M3"], "a value of one space", b"name", b" "),
        field(&["X14"], "a bracket in a name", b"x(name", b"value"),
        field(&["X14"], "a comma in a name", b"x,name", b"value"),
        field(&["X14"], "a quote in a name", b"\"name\"", b"value"),
        taken(
            &["M2", "M3", "X14"],
            "names and values with all allowed bytes",
            &get(&[("!#$%&'*+-.^_`|~0a", "\u{a0}ÿ \t ~!"), ("empty", "")]),
        ),
    ]
}

fn connection_fields() -> Vec<Case> {
    vec![
        malformed(&["M4"], "Connection", &get(&[("connection", "close")])),
        malformed(&["M4"], "Keep-Alive", &get(&[("keep-alive", "timeout=5")])),
        malformed(&["M4"], "Proxy-Connection", &get(&[("proxy-connection", "keep-alive")])),
        malformed(&["M4"], "Transfer-Encoding", &get(&[("transfer-encoding", "chunked")])),
        malformed(&["M4"], "Transfer-Encoding of identity", &get(&[("transfer-encoding", "identity")])),
        malformed(&["M4"], "Upgrade", &get(&[("upgrade", "h2c")])),
        malformed(&["M4"], "TE other than trailers", &get(&[("te", "gzip")])),
        malformed(&["M4"], "TE of trailers and another value", &get(&[("te", "trailers, gzip")])),
        malformed(&["M4"], "an empty TE", &get(&[("te", "")])),
        malformed(
            &["M4"],
            "TE twice, the second other than trailers",
            &get(&[("te", "trailers"), ("te", "gzip")]),
        ),
        taken(&["M4"], "TE of trailers", &get(&[("te", "trailers")])),
    ]
}

fn pseudo() -> Vec<Case> {
    let regular = |late: &'static [(&'static str, &'static str)]| [&[("accept", "*/*")], late].concat();
    let late = |name, without: &'static str, field: &'static [(&'static str, &'static str)]| {
        let rest: Vec<_> = GET.iter().copied().filter(|(name, _)| *name != without).collect();
        malformed(&["M6"], name, &[rest, regular(field)].concat())
    };
    vec![
        malformed(&["M6"], "an unknown pseudo-header field", &[&[(":fancy", "x")], GET].concat()),
        malformed(&["M6"], "a pseudo-header field without a name", &[&[(":", "x")], GET].concat()),
        malformed(&["M6"], "a pseudo-header field of responses", &[&[(":status", "200")], GET].concat()),
        malformed(&["M6"], "`:method` twice", &[&[(":method", "GET")], GET].concat()),
        malformed(&["M6"], "`:scheme` twice", &[&[(":scheme", "http")], GET].concat()),
        malformed(&["M6"], "`:path` twice", &[&[(":path", "/other")], GET].concat()),
        malformed(&["M6"], "`:authority` twice", &[&[(":authority", "localhost")], GET].concat()),
        malformed(&["M6"], "a second `:path` after the regular fields", &get(&[("x", "y"), (":path", "/")])),
        malformed(
            &["M6"],
            "an unknown pseudo-header field after the known ones",
            &get(&[("x", "y"), (":z", "")]),
        ),
        late("`:method` after a regular field", ":method", &[(":method", "GET")]),
        late("`:scheme` after a regular field", ":scheme", &[(":scheme", "http")]),
        late("`:path` after a regular field", ":path", &[(":path", "/")]),
        late("`:authority` after a regular field", ":authority", &[(":authority", "localhost")]),
    ]
}

fn targets() -> Vec<Case> {
    let without = |name, left_out: &str| {
        let fields: Vec<_> = GET.iter().copied().filter(|(name, _)| *name != left_out).collect();
        malformed(&["M7"], name, &fields)
    };
    let with = |method, scheme, path| {
        [(":method", method), (":scheme", scheme), (":path", path), (":authority", "localhost")]
    };
    vec![
        without("a request without `:method`", ":method"),
        without("a request without `:scheme`", ":scheme"),
        without("a request without `:path`", ":path"),
        malformed(&["M7"], "no fields", &[]),
        malformed(&["M7"], "an empty `:path`", &with("GET", "http", "")),
        malformed(&["M7"], "`:path` of *, for GET", &with("GET", "http", "*")),
        malformed(&["M7"], "`:path` without a slash", &with("GET", "http", "index.html")),
        malformed(&["M7"], "`:path` of a whole URI", &with("GET", "http", "http://other.example/")),
        malformed(&["M7"], "`:path` with a space", &with("GET", "http", "/ HTTP/1.1")),
        malformed(&["M7"], "`:path` with a line feed", &with("GET", "http", "/\nx: y")),
        malformed(&["M7"], "`:path` with a tab", &with("GET", "http", "/\tx")),
        malformed(&["M7"], "`:path` with a fragment", &with("GET", "http", "/#there")),
        malformed(&["M7"], "an empty `:method`", &with("", "http", "/")),
        malformed(&["M7"], "`:method` with a space", &with("GET /", "http", "/")),
        malformed(&["M7"], "`:method` with a line feed", &with("GET\r\nx: y", "http", "/")),
        malformed(&["M7"], "an empty `:scheme`", &with("GET", "", "/")),
        malformed(&["M7"], "`:scheme` with a whole URI", &with("GET", "http://other.example/?", "/")),
        malformed(&["M7"], "`:scheme` with a line feed", &with("GET", "http\n", "/")),
        taken(&["M7"], "`:path` of *, for OPTIONS", &with("OPTIONS", "http", "*")),
        taken(&["M7"], "`:path` with a query", &with("GET", "http", "/?a=b&c=%20/?")),
        taken(&["M7"], "an unknown method", &with("FROBNICATE", "http", "/echo")),
    ]
}

fn hosts() -> Vec<Case> {
    let authority = |requirements, name, authority| {
        malformed(requirements, name, &[&GET[..3], &[(":authority", authority)]].concat())
    };
    vec![
        authority(&["M8"], "user information in `:authority`", "user@localhost"),
        authority(&["M8"], "user information with a password in `:authority`", "user:secret@localhost"),
        authority(&["M8"], "an empty `:authority`", ""),
        authority(&["M8"], "a path in `:authority`", "localhost/other"),
        authority(&["M8"], "a query in `:authority`", "localhost?other"),
        authority(&["M8"], "a fragment in `:authority`", "localhost#other"),
        authority(&["M8"], "a backslash in `:authority`", "localhost\\other"),
        authority(&["M8"], "a space in `:authority`", "localhost other"),
        authority(&["M8"], "two ports in `:authority`", "localhost:80:81"),
        authority(&["M8"], "an invalid port in `:authority`", "localhost:http"),
        malformed(&["M8"], "Host that differs from `:authority`", &get(&[("host", "other.example")])),
        malformed(&["M8"], "Host with a port that `:authority` lacks", &get(&[("host", "localhost:80")])),
        malformed(&["M8"], "an empty Host beside `:authority`", &get(&[("host", "")])),
        malformed(&["M8"], "user information in Host", &[&GET[..3], &[("host", "user@localhost")]].concat()),
        malformed(&["X15"], "Host twice", &get(&[("host", "localhost"), ("host", "localhost")])),
        malformed(
            &["X15"],
            "Host twice, without `:authority`",
            &[&GET[..3], &[("host", "localhost"), ("host", "other.example")]].concat(),
        ),
        malformed(&["X15"], "an invalid Host", &[&GET[..3], &[("host", "local host")]].concat()),
        taken(&["M8"], "Host equal to `:authority`", &get(&[("host", "LOCALHOST")])),
        taken(&["M8"], "Host without `:authority`", &[&GET[..3], &[("host", "localhost:80")]].concat()),
    ]
}

fn connect() -> Vec<Case> {
    let connect = |name, fields: &[(&'static str, &'static str)]| {
        malformed(&["M14"], name, &[&[(":method", "CONNECT")], fields].concat())
    };
    vec![
        connect("CONNECT without `:authority`", &[]),
        connect("CONNECT with Host instead of `:authority`", &[("host", "localhost:80")]),
        connect("CONNECT without a port", &[(":authority", "localhost")]),
        connect("CONNECT with an empty port", &[(":authority", "localhost:")]),
        connect("CONNECT without a host", &[(":authority", ":80")]),
        connect("CONNECT with user information", &[(":authority", "user@localhost:80")]),
        connect("CONNECT with `:path`", &[(":authority", "localhost:80"), (":path", "/")]),
        connect("CONNECT with `:scheme`", &[(":authority", "localhost:80"), (":scheme", "http")]),
        connect(
            "CONNECT with Host that differs from `:authority`",
            &[(":authority", "localhost:80"), ("host", "other:80")],
        ),
        taken(
            &["M14"],
            "CONNECT with any outcome",
            &[(":method", "CONNECT"), (":authority", "localhost:80")],
        ),
    ]
}

/// POST with these values of Content-Length, and without END_STREAM.
fn post(values: &[&'static str]) -> Vec<u8> {
    let lengths: Vec<_> = values.iter().map(|value| ("content-length", *value)).collect();
    headers(1, 0, &[POST, &lengths].concat())
}

fn lengths() -> Vec<Case> {
    let number = |name, values: &[&'static str]| {
        let case = Case::server(&["X13"], name).send(post(values));
        still_serves(case.stream_error(1, code::PROTOCOL_ERROR))
    };
    let mismatch = |name, pieces: &[&[u8]]| {
        let case = Case::server(&["M10"], name).send(post(&["5"])).send(pieces.concat());
        still_serves(case.stream_error(1, code::PROTOCOL_ERROR))
    };
    let end = flag::END_STREAM;
    let fits = |requirements, name, values: &[&'static str]| {
        Case::server(requirements, name)
            .send(post(values))
            .send([data(1, 0, b"hel"), data(1, end, b"lo")].concat())
            .expect(Expected::Content { stream: 1, content: b"hello".to_vec() })
            .nothing()
    };
    vec![
        number("an empty Content-Length", &[""]),
        number("Content-Length with a sign", &["+5"]),
        number("a negative Content-Length", &["-5"]),
        number("Content-Length in hexadecimal", &["0x5"]),
        number("Content-Length with a fraction", &["5.0"]),
        number("Content-Length of two numbers", &["5 5"]),
        number("Content-Length beyond 64 bits", &["18446744073709551621"]),
        number("two different Content-Length fields", &["5", "6"]),
        number("a Content-Length list of different values", &["5, 6"]),
        number("a Content-Length list with an empty last element", &["5,"]),
        fits(&["X13", "M10"], "two equal Content-Length fields", &["5", "5"]),
        fits(&["X13", "M10"], "a Content-Length list of equal values", &["5, 5"]),
        fits(&["M10"], "content as long as Content-Length", &["5"]),
        mismatch("content longer than Content-Length", &[&data(1, 0, b"hello!")]),
        mismatch(
            "content longer than Content-Length, in two pieces",
            &[&data(1, 0, b"hello"), &data(1, end, b"!")],
        ),
        mismatch("content shorter than Content-Length", &[&data(1, end, b"hell")]),
        mismatch(
            "content shorter than Content-Length, ended by an empty DATA",
            &[&data(1, 0, b"hell"), &data(1, end, b"")],
        ),
        mismatch(
            "content shorter than Content-Length, ended by trailers",
            &[&data(1, 0, b"hell"), &headers(1, end, &[("checksum", "0123")])],
        ),
        malformed(&["M10"], "Content-Length without content", &get(&[("content-length", "5")])),
    ]
}

fn messages() -> Vec<Case> {
    let end = flag::END_STREAM;
    let trailers = |requirements, name, fields: &[(&str, &str)]| {
        let case = open(Case::server(requirements, name)).send(headers(1, end, fields));
        still_serves(case.stream_error(1, code::PROTOCOL_ERROR))
    };
    vec![
        still_serves(
            open(Case::server(&["H3", "M12"], "a second HEADERS without END_STREAM"))
                .send(headers(1, 0, &[("checksum", "0123")]))
                .stream_error(1, code::PROTOCOL_ERROR),
        ),
        still_serves(
            open(Case::server(&["M12"], "trailers after content"))
                .send([data(1, 0, b"hello"), headers(1, end, &[("checksum", "0123")])].concat())
                .expect(Expected::End { stream: 1 })
                .nothing(),
        ),
        trailers(&["M6"], "a pseudo-header field in trailers", &[(":path", "/")]),
        trailers(&["M6"], "a pseudo-header field of responses in trailers", &[(":status", "200")]),
        trailers(&["M2"], "upper case in a name in trailers", &[("Checksum", "0123")]),
        trailers(&["M3"], "a line feed in a value in trailers", &[("checksum", "01\n23")]),
        trailers(&["M4"], "Transfer-Encoding in trailers", &[("transfer-encoding", "chunked")]),
        trailers(&["X15"], "Content-Length in trailers", &[("content-length", "0")]),
        trailers(&["X15"], "Host in trailers", &[("host", "localhost")]),
        trailers(&["X15"], "TE in trailers", &[("te", "trailers")]),
        still_serves(
            Case::server(&["M1"], "requests in flight beside a malformed one")
                .send(
                    [headers(1, end, GET), headers(3, end, &get(&[("Bad", "")])), headers(5, end, GET)]
                        .concat(),
                )
                .expect(Expected::End { stream: 1 })
                .expect(Expected::End { stream: 5 })
                .stream_error(3, code::PROTOCOL_ERROR),
        ),
        still_serves(
            Case::server(&["M1", "T6"], "content of a malformed request")
                .send([headers(1, 0, &get(&[("Bad", "")])), data(1, end, b"content")].concat())
                .stream_error(1, code::PROTOCOL_ERROR)
                .send(rst_stream(1, code::CANCEL))
                .nothing(),
        ),
    ]
}
