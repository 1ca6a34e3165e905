//! Responses that a client must not accept (RFC 9113, 8; RFC 9110).

use super::still_serves;
use crate::case::{Case, Expected};
use http2_test_support::{OK, block, code, data, flag, headers, headers_block, literal, rst_stream};

const END: u8 = flag::END_STREAM;

pub(super) fn cases() -> Vec<Case> {
    [fields(), pseudo(), lengths(), messages()].concat()
}

/// These frames on stream 1 are malformed: the client resets the stream, and the connection survives.
fn malformed(requirements: &'static [&'static str], name: &'static str, frames: &[Vec<u8>]) -> Case {
    let case = Case::client(requirements, name).send(frames.concat());
    still_serves(case.stream_error(1, code::PROTOCOL_ERROR))
}

/// A response with this head is malformed.
fn head(requirements: &'static [&'static str], name: &'static str, fields: &[(&str, &str)]) -> Case {
    malformed(requirements, name, &[headers(1, 0, fields)])
}

/// A response with this field is malformed.
fn field(requirements: &'static [&'static str], case: &'static str, name: &[u8], value: &[u8]) -> Case {
    let block = [block(OK), literal(name, value)].concat();
    malformed(requirements, case, &[headers_block(1, 0, &block)])
}

/// These frames form a complete response, which the client accepts.
fn taken(requirements: &'static [&'static str], name: &'static str, frames: &[Vec<u8>]) -> Case {
    let case = Case::client(requirements, name).send(frames.concat());
    still_serves(case.expect(Expected::Request { stream: 5 }).nothing())
}

fn fields() -> Vec<Case> {
    vec![
        field(&["M2"], "an empty name", b"", b"value"),
        field(&["M2"], "upper case in a name", b"x-Name", b"value"),
        field(&["M2"], "a space in a name", b"x name", b"value"),
        field(&["M2"], "a whole field in a name", b"x: y\r\nname", b"value"),
        field(&["M2"], "DEL in a name", b"x\x7fname", b"value"),
        field(&["M2"], "a byte above 0x7f in a name", b"x\x80name", b"value"),
        field(&["M2"], "a colon inside a name", b"x:name", b"value"),
        field(&["M3"], "NUL in a value", b"name", b"a\0b"),
        field(&["M3"], "a line feed in a value", b"name", b"a\nb"),
        field(&["M3"], "a carriage return in a value", b"name", b"a\rb"),
        field(&["M3", "X14"], "a whole response in a value", b"name", b"a\r\n\r\nHTTP/1.1 200 OK\r\n"),
        field(&["M3"], "a space before a value", b"name", b" value"),
        field(&["M3"], "a tab after a value", b"name", b"value\t"),
        field(&["X14"], "a bracket in a name", b"x(name", b"value"),
        field(&["M4"], "Connection", b"connection", b"close"),
        field(&["M4"], "Keep-Alive", b"keep-alive", b"timeout=5"),
        field(&["M4"], "Proxy-Connection", b"proxy-connection", b"keep-alive"),
        field(&["M4"], "Transfer-Encoding", b"transfer-encoding", b"chunked"),
        field(&["M4"], "Upgrade", b"upgrade", b"h2c"),
        field(&["M4"], "TE other than trailers", b"te", b"gzip"),
    ]
}

fn pseudo() -> Vec<Case> {
    let status = |name, status| head(&["M9"], name, &[(":status", status)]);
    vec![
        head(&["M6"], "an unknown pseudo-header field", &[(":status", "200"), (":fancy", "x")]),
        head(&["M6"], "a pseudo-header field of requests", &[(":status", "200"), (":path", "/")]),
        head(&["M6", "M9"], "`:status` twice", &[(":status", "200"), (":status", "200")]),
        head(&["M6"], "`:status` after a regular field", &[("server", "x"), (":status", "200")]),
        head(&["M9"], "a response without `:status`", &[("server", "x")]),
        head(&["M9"], "no fields", &[]),
        status("an empty `:status`", ""),
        status("`:status` of two digits", "20"),
        status("`:status` of four digits", "2000"),
        status("`:status` that begins with 0", "020"),
        status("`:status` with a sign", "+20"),
        status("`:status` with a reason", "200 OK"),
        status("`:status` of letters", "two"),
        status("status 101, which HTTP/2 forbids", "101"),
    ]
}

fn lengths() -> Vec<Case> {
    let sized = |status, lengths: &[&'static str], flags| {
        let lengths: Vec<_> = lengths.iter().map(|length| ("content-length", *length)).collect();
        headers(1, flags, &[&[(":status", status)], &lengths[..]].concat())
    };
    let number = |name, lengths: &[&'static str]| malformed(&["X13"], name, &[sized("200", lengths, 0)]);
    let mismatch =
        |name, frames: &[Vec<u8>]| malformed(&["M10"], name, &[&[sized("200", &["5"], 0)], frames].concat());
    let hello = || [data(1, 0, b"hel"), data(1, END, b"lo")].concat();
    vec![
        number("an empty Content-Length", &[""]),
        number("Content-Length with a sign", &["+5"]),
        number("a negative Content-Length", &["-5"]),
        number("two different Content-Length fields", &["5", "6"]),
        number("a Content-Length list of different values", &["5, 6"]),
        number("Content-Length beyond 64 bits", &["18446744073709551621"]),
        taken(&["M10"], "content as long as Content-Length", &[sized("200", &["5"], 0), hello()]),
        taken(&["X13"], "two equal Content-Length fields", &[sized("200", &["5", "5"], 0), hello()]),
        taken(&["X13"], "a Content-Length list of equal values", &[sized("200", &["5, 5"], 0), hello()]),
        mismatch("content longer than Content-Length", &[data(1, 0, b"hello!")]),
        mismatch("content shorter than Content-Length", &[data(1, END, b"hell")]),
        mismatch(
            "content shorter than Content-Length, ended by trailers",
            &[data(1, 0, b"hell"), headers(1, END, &[("checksum", "0123")])],
        ),
        malformed(&["M10"], "Content-Length without content", &[sized("200", &["5"], END)]),
        taken(&["M10"], "304 with Content-Length and without content", &[sized("304", &["5"], END)]),
        malformed(&["M10"], "304 with content", &[sized("304", &["5"], 0), data(1, END, b"hello")]),
        malformed(&["M10"], "204 with content", &[sized("204", &[], 0), data(1, END, b"x")]),
    ]
}

fn messages() -> Vec<Case> {
    let informational = |status, flags| headers(1, flags, &[(":status", status), ("link", "</style.css>")]);
    let trailers = |requirements, name, fields: &[(&str, &str)]| {
        malformed(requirements, name, &[headers(1, 0, OK), data(1, 0, b"hello"), headers(1, END, fields)])
    };
    vec![
        malformed(&["M11"], "an informational response that ends the stream", &[informational("103", END)]),
        malformed(&["M11", "H3"], "DATA before HEADERS", &[data(1, 0, b"early")]),
        malformed(
            &["M11"],
            "DATA after an informational response",
            &[informational("100", 0), data(1, 0, b"early")],
        ),
        malformed(&["M11", "M9"], "an informational response of two digits", &[informational("10", 0)]),
        taken(
            &["M12", "X16"],
            "many informational responses before the final one",
            &[
                informational("100", 0),
                informational("103", 0).repeat(50),
                informational("199", 0),
                headers(1, END, OK),
            ],
        ),
        malformed(
            &["H3", "M12"],
            "a second HEADERS without END_STREAM",
            &[headers(1, 0, OK), headers(1, 0, &[("checksum", "0123")])],
        ),
        malformed(&["H3", "M12"], "a second final response", &[headers(1, 0, OK), headers(1, 0, OK)]),
        malformed(
            &["M12"],
            "an informational response after the final one",
            &[headers(1, 0, OK), informational("103", 0)],
        ),
        taken(
            &["M12"],
            "trailers",
            &[headers(1, 0, OK), data(1, 0, b"hello"), headers(1, END, &[("checksum", "0123")])],
        ),
        trailers(&["M6"], "a pseudo-header field in trailers", &[(":status", "200")]),
        trailers(&["M2"], "upper case in a name in trailers", &[("Checksum", "0123")]),
        trailers(&["M4"], "Transfer-Encoding in trailers", &[("transfer-encoding", "chunked")]),
        trailers(&["X15"], "Content-Length in trailers", &[("content-length", "5")]),
        trailers(&["X15"], "Host in trailers", &[("host", "localhost")]),
        taken(
            &["M13", "T7"],
            "RST_STREAM with NO_ERROR after a complete response",
            &[headers(1, END, OK), rst_stream(1, code::NO_ERROR)],
        ),
        malformed(
            &["M1", "T6"],
            "content of a malformed response",
            &[headers(1, 0, &[(":status", "200"), ("Bad", "")]), data(1, END, b"content")],
        ),
    ]
}
