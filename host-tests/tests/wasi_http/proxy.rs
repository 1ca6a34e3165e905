//! The server composed directly with the client: a reverse proxy.

use std::net::TcpListener;

use host_tests::support::{assert_same, octets, peers, run, run_with_input};
use http2_test_support::{flag, kind};

use crate::h2_server::H2Server;
use crate::in_process::{InProcess, PROXY};
use crate::raw_client::Client;
use crate::raw_server::{Connection, RawServer};
use crate::serve::Serve;

/// INTERNAL_ERROR, REFUSED_STREAM, CANCEL (RFC 9113, 7).
const INTERNAL_ERROR: u32 = 0x2;
const REFUSED_STREAM: u32 = 0x7;
const CANCEL: u32 = 0x8;

/// Starts a proxy in front of a server.
fn before(upstream: &str) -> InProcess {
    InProcess::start(&PROXY, &[], &[("HTTP2_CLIENT_UPSTREAM", upstream)])
}

/// A proxy between a client and a server whose frames the test controls.
struct Between {
    client: Client,
    server: RawServer,
    _proxy: InProcess,
}

impl Between {
    fn start() -> Self {
        let server = RawServer::listen();
        let proxy = before(&server.authority());
        Self { client: Client::connect_to(proxy.address), server, _proxy: proxy }
    }

    /// Sends a request without content, and returns the upstream connection that it opened.
    fn first(&mut self) -> Connection {
        let stream = self.client.start_ended("GET", "/first");
        let mut connection = self.server.accept();
        let head = connection.request();
        connection.respond(head.stream, "200");
        assert_eq!(self.client.response(stream).status(), "200");
        connection
    }
}

#[test]
fn curl_and_nghttp_work_through_the_proxy() {
    let serve = Serve::start();
    let proxy = before(&serve.address().to_string());
    if let Some(mut curl) = peers::installed("curl", "curl") {
        let sent = octets(20 << 20);
        curl.args(["-sS", "--http2-prior-knowledge", "-X", "POST", "-T", "-", &proxy.url("/echo")]);
        assert_same(&run_with_input(&mut curl, sent.clone()).content(), &sent);
    }
    if let Some(mut nghttp) = peers::installed("nghttp", "nghttp2-client") {
        let frames = run(nghttp.args(["-nv", &proxy.url("/trailers")])).text();
        assert!(frames.contains("recv (stream_id=13) checksum: 1234"), "{frames}");
    }
}

#[test]
fn h2load_gets_20_000_responses() {
    let serve = Serve::start();
    let proxy = before(&serve.address().to_string());
    let Some(mut h2load) = peers::installed("h2load", "nghttp2-client") else { return };
    let summary = run(h2load.args(["-n", "20000", "-c", "10", "-m", "100", &proxy.url("/")])).text();
    assert!(summary.contains("20000 succeeded, 0 failed, 0 errored, 0 timeout"), "{summary}");
    assert!(summary.contains("20000 2xx"), "{summary}");
}

#[test]
fn request_and_response_pass_unchanged() {
    let mut between = Between::start();
    let head = [
        (":method", "PURGE"),
        (":scheme", "http"),
        (":authority", "example.com"),
        (":path", "/a?b"),
        ("te", "trailers"),
        ("x-one", "1"),
        ("x-empty", ""),
    ];
    let stream = between.client.send_head(&head, 0);
    let mut connection = between.server.accept();
    let seen = connection.request();
    assert_eq!(seen.fields, head.map(|(name, value)| format!("{name}: {value}")));
    between.client.wire.send(kind::DATA, 0, stream, b"content");
    let trailers = http2_test_support::block(&[("checksum", "1234")]);
    between.client.wire.send(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, stream, &trailers);
    assert_eq!(connection.next(kind::DATA).unwrap().payload, b"content");
    assert_eq!(connection.request().fields, ["checksum: 1234"]);
    connection.head(seen.stream, &[(":status", "299"), ("x-two", "2")], 0);
    connection.data(seen.stream, b"answer", 0);
    connection.head(seen.stream, &[("grpc-status", "0")], flag::END_STREAM);
    let response = between.client.response(stream);
    assert_eq!(response.fields, [":status: 299", "x-two: 2"]);
    assert_eq!(response.text(), "answer");
    assert_eq!(response.trailers, Some(vec!["grpc-status: 0".to_owned()]));
}

#[test]
fn host_becomes_the_authority_and_is_not_forwarded() {
    let mut between = Between::start();
    let target = [(":method", "GET"), (":scheme", "http"), (":path", "/"), ("host", "a.example")];
    let stream = between.client.send_head(&target, flag::END_STREAM);
    let mut connection = between.server.accept();
    let seen = connection.request();
    assert_eq!((seen.get(":authority"), seen.get("host")), (Some("a.example"), None));
    connection.head(seen.stream, &[(":status", "200"), ("grpc-status", "7")], flag::END_STREAM);
    assert!(between.client.response(stream).is_head_alone, "a trailers-only response stays one");
}

#[test]
fn both_directions_flow_concurrently() {
    let mut between = Between::start();
    let stream = between.client.start("POST", "/");
    let mut connection = between.server.accept();
    let behind = connection.request().stream;
    connection.head(behind, &[(":status", "200")], 0);
    assert_eq!(between.client.head(stream).get(":status"), Some("200"));
    for word in ["one", "two", "three"] {
        between.client.wire.send(kind::DATA, 0, stream, word.as_bytes());
        assert_eq!(connection.next(kind::DATA).unwrap().payload, word.as_bytes());
        connection.data(behind, word.as_bytes(), 0);
        assert_eq!(between.client.next(kind::DATA, stream).payload, word.as_bytes());
    }
    between.client.wire.send(kind::DATA, flag::END_STREAM, stream, b"");
    assert_eq!(connection.next(kind::DATA).unwrap().flags, flag::END_STREAM);
    connection.data(behind, b"", flag::END_STREAM);
    assert_eq!(between.client.next(kind::DATA, stream).flags, flag::END_STREAM);
}

#[test]
fn all_clients_share_one_upstream_connection() {
    let server = H2Server::start();
    let authority = server.url("").replace("http://", "");
    let proxy = before(&authority);
    let mut clients: Vec<Client> = (0..10).map(|_| Client::connect_to(proxy.address)).collect();
    for client in &mut clients {
        let stream = client.start("POST", "/");
        client.wire.send(kind::DATA, flag::END_STREAM, stream, b"content");
        assert_eq!(client.response(stream).text(), "content");
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn unreachable_server_is_bad_gateway() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = before(&free.to_string());
    assert_eq!(Client::connect_to(proxy.address).get("/").status(), "502");
    let proxy = before("no.such.name.invalid:80");
    assert_eq!(Client::connect_to(proxy.address).get("/").status(), "502");
}

#[test]
fn refused_request_is_sent_again() {
    let mut between = Between::start();
    let stream = between.client.start_ended("GET", "/");
    let mut connection = between.server.accept();
    let behind = connection.request().stream;
    connection.reset(behind, REFUSED_STREAM);
    let behind = connection.request().stream;
    connection.respond(behind, "200");
    assert_eq!(between.client.response(stream).status(), "200");
}

#[test]
fn server_error_is_bad_gateway_before_the_head_and_a_reset_after_it() {
    let mut between = Between::start();
    let mut connection = between.first();
    let stream = between.client.start_ended("GET", "/");
    let behind = connection.request().stream;
    connection.reset(behind, INTERNAL_ERROR);
    assert_eq!(between.client.response(stream).status(), "502");

    let stream = between.client.start_ended("GET", "/");
    let behind = connection.request().stream;
    connection.head(behind, &[(":status", "200")], 0);
    connection.data(behind, b"half of", 0);
    assert_eq!(between.client.next(kind::DATA, stream).payload, b"half of");
    connection.reset(behind, INTERNAL_ERROR);
    assert_eq!(between.client.reset_of(stream), INTERNAL_ERROR);
}

#[test]
fn cancellation_by_the_client_reaches_the_server() {
    let mut between = Between::start();
    let mut connection = between.first();
    let stream = between.client.start_ended("GET", "/download");
    let behind = connection.request().stream;
    connection.head(behind, &[(":status", "200")], 0);
    connection.data(behind, b"some", 0);
    assert_eq!(between.client.next(kind::DATA, stream).payload, b"some");
    between.client.reset(stream, CANCEL);
    assert_eq!(connection.reset_by_peer(), (behind, CANCEL));

    let stream = between.client.start("POST", "/upload");
    let behind = connection.request().stream;
    between.client.wire.send(kind::DATA, 0, stream, b"some");
    assert_eq!(connection.next(kind::DATA).unwrap().payload, b"some");
    between.client.reset(stream, CANCEL);
    assert_eq!(connection.reset_by_peer().0, behind);
}

#[test]
fn cancel_option_cancels_a_waiting_request_at_the_server() {
    let server = RawServer::listen();
    let variables = [("HTTP2_CLIENT_UPSTREAM", server.authority())];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let proxy = InProcess::start(&PROXY, &["--cancel"], &variables);
    let mut client = Client::connect_to(proxy.address);
    let stream = client.start_ended("GET", "/");
    let mut connection = server.accept();
    let behind = connection.request().stream;
    client.wire.synchronise();
    client.reset(stream, CANCEL);
    assert_eq!(connection.reset_by_peer(), (behind, CANCEL));
}

#[test]
fn slow_client_slows_the_server_down() {
    let mut between = Between::start();
    let mut connection = between.first();
    let stream = between.client.start_ended("GET", "/download");
    let behind = connection.request().stream;
    connection.head(behind, &[(":status", "200")], 0);
    assert_eq!(between.client.head(stream).get(":status"), Some("200"));
    // Content beyond the client's window fills the buffers in between, until the server's window is closed.
    let mut window = 65_535;
    let mut sent = 0;
    loop {
        let piece = window.min(16_384);
        connection.data(behind, &vec![b'a'; piece as usize], 0);
        sent += piece;
        window -= piece;
        for frame in connection.wire.synchronise() {
            if frame.kind == kind::WINDOW_UPDATE && frame.stream == behind {
                window += u32::from_be_bytes(frame.payload.try_into().unwrap());
            }
        }
        if window == 0 {
            break;
        }
        assert!(sent < 16 << 20, "the proxy must not buffer without limit");
    }
}

#[test]
fn malformed_requests_are_not_forwarded() {
    let target = [(":method", "POST"), (":scheme", "http"), (":authority", "a"), (":path", "/")];
    let with = |more: &[(&'static str, &'static str)]| [&target[..], more].concat();
    let instead = |index: usize, value: &'static str| {
        let mut head = target.to_vec();
        head[index].1 = value;
        head
    };
    let heads = [
        with(&[("content-length", "0"), ("content-length", "5")]),
        with(&[("content-length", "5, 0")]),
        with(&[("content-length", "+5")]),
        with(&[("transfer-encoding", "chunked")]),
        with(&[("connection", "x")]),
        with(&[("te", "trailers, chunked")]),
        with(&[("host", "b")]),
        with(&[("x", "a\r\nx-smuggled: 1")]),
        with(&[("x", "a\nb")]),
        with(&[("x\r\ny", "a")]),
        with(&[("x y", "a")]),
        with(&[("x:", "a")]),
        with(&[("Upper", "a")]),
        with(&[(":path", "/other")]),
        instead(0, "GET / HTTP/1.1\r\n"),
        instead(0, "G ET"),
        instead(1, "ht tp"),
        instead(2, "a\r\nb"),
        instead(2, "user@a"),
        instead(3, "/ HTTP/1.1\r\nx: y"),
        instead(3, "/a b"),
        instead(3, "no-slash"),
        instead(3, ""),
    ];
    let mut between = Between::start();
    let mut connection = between.first();
    for head in &heads {
        let stream = between.client.send_head(head, 0);
        between.client.wire.send(kind::DATA, flag::END_STREAM, stream, b"12345");
        assert!(between.client.is_refused(stream), "{head:?}");
    }
    assert_eq!(between.client.start_ended("GET", "/last") % 2, 1);
    assert_eq!(connection.request().get(":path"), Some("/last"), "no earlier request arrives");
}

#[test]
fn content_length_mismatch_never_completes_at_the_server() {
    let mut between = Between::start();
    let mut connection = between.first();
    for content in ["1234", "123456"] {
        let target = [
            (":method", "POST"),
            (":scheme", "http"),
            (":authority", "a"),
            (":path", "/"),
            ("content-length", "5"),
        ];
        let stream = between.client.send_head(&target, 0);
        let behind = connection.request().stream;
        between.client.wire.send(kind::DATA, flag::END_STREAM, stream, content.as_bytes());
        assert!(between.client.is_refused(stream), "{content}");
        loop {
            let frame = connection.wire.receive().expect("the connection remains open");
            assert!(frame.kind != kind::DATA || frame.flags & flag::END_STREAM == 0, "{content}: {frame:?}");
            if (frame.kind, frame.stream) == (kind::RST_STREAM, behind) {
                break;
            }
        }
    }
}

#[test]
fn malformed_responses_are_not_forwarded() {
    let ok = (":status", "200");
    let heads: [&[(&str, &str)]; 9] = [
        &[ok, ("transfer-encoding", "chunked")],
        &[ok, ("connection", "close")],
        &[ok, ("x", "a\r\nx-smuggled: 1")],
        &[ok, ("x y", "a")],
        &[ok, ("Upper", "a")],
        &[ok, ("content-length", "1"), ("content-length", "2")],
        &[ok, ok],
        &[(":status", "20")],
        &[("x", "no status")],
    ];
    let mut between = Between::start();
    let mut connection = between.first();
    for head in heads {
        let stream = between.client.start_ended("GET", "/");
        let behind = connection.request().stream;
        connection.head(behind, head, flag::END_STREAM);
        assert_eq!(between.client.response(stream).status(), "502", "{head:?}");
    }
    for content in ["1234", "123456"] {
        let stream = between.client.start_ended("GET", "/");
        let behind = connection.request().stream;
        connection.head(behind, &[ok, ("content-length", "5")], 0);
        connection.data(behind, content.as_bytes(), flag::END_STREAM);
        assert!(between.client.is_refused(stream), "{content}");
    }
}
