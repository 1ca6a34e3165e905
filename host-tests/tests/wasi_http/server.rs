//! The server for `wasi:http`, around a guest with a route for each behaviour, seen by clients over TCP.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use host_tests::guests;
use host_tests::support::raw::{self, RawClient};
use host_tests::support::{get, peers, run, wasi_http2};
use http2_test_support::{PREFACE, flag, frame, kind};
use tempfile::TempDir;

use crate::in_process::{HANDLER, InProcess};
use crate::raw_client::{Client, Response};
use crate::serve::Serve;

/// NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, REFUSED_STREAM, CANCEL (RFC 9113, 7).
const NO_ERROR: u32 = 0x0;
const PROTOCOL_ERROR: u32 = 0x1;
const INTERNAL_ERROR: u32 = 0x2;
const REFUSED_STREAM: u32 = 0x7;
const CANCEL: u32 = 0x8;

/// Returns a fresh server's response to a GET request.
fn answer(path: &str) -> Response {
    let serve = Serve::start();
    Client::connect(&serve).get(path)
}

#[test]
fn request_arrives_unchanged() {
    let serve = Serve::start();
    let mut client = Client::connect(&serve);
    let fields = [
        (":method", "OPTIONS"),
        (":scheme", "https"),
        (":authority", "example.com:8443"),
        (":path", "/headers?a=1&b=%20"),
        ("x-one", "1"),
        ("te", "trailers"),
        ("x-two", "a b"),
        ("x-empty", ""),
    ];
    let response = client.request(&fields);
    assert_eq!(
        response.text(),
        ":method: Method::Options\n:scheme: Some(Scheme::Https)\n:authority: example.com:8443\n\
         :path: /headers?a=1&b=%20\nx-one: 1\nte: trailers\nx-two: a b\nx-empty: \n"
    );
}

#[test]
fn host_replaces_a_missing_authority_and_is_never_a_field() {
    let serve = Serve::start();
    let mut client = Client::connect(&serve);
    let target = [(":method", "GET"), (":scheme", "http"), (":path", "/headers")];
    let seen = client.request(&[&target[..], &[("host", "a.example")]].concat()).text();
    assert!(seen.contains(":authority: a.example\n") && !seen.contains("host"), "{seen}");
    let both = [(":authority", "a.example"), ("host", "a.example")];
    let seen = client.request(&[&target[..], &both].concat()).text();
    assert!(seen.contains(":authority: a.example\n") && !seen.contains("host"), "{seen}");
}

#[test]
fn response_may_be_trailers_only() {
    let response = answer("/trailers-only");
    assert_eq!(response.get("grpc-status"), Some("12"));
    assert!(response.is_head_alone, "the head ends the stream: {response:?}");
}

#[test]
fn trailers_follow_the_content() {
    let response = answer("/trailers");
    assert_eq!(response.text(), "followed by trailers\n");
    assert_eq!(response.trailers, Some(vec!["checksum: 1234".to_owned(), "grpc-status: 0".to_owned()]));
}

#[test]
fn empty_trailer_section_of_a_response_becomes_end_stream() {
    let response = answer("/empty-trailers");
    assert_eq!(response.text(), "followed by nothing\n");
    assert_eq!(response.trailers, None);
}

#[test]
fn empty_trailer_section_of_a_request_is_its_end() {
    let serve = Serve::start();
    for path in ["/echo", "/upload"] {
        let mut client = Client::connect(&serve);
        let stream = client.start("POST", path);
        client.wire.send(kind::DATA, 0, stream, b"12345");
        client.wire.send(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, stream, &[]);
        let response = client.response(stream);
        assert_eq!(response.text(), if path == "/echo" { "12345" } else { "5\n" });
    }
}

#[test]
fn response_may_begin_before_the_request_ends() {
    let serve = Serve::start();
    let mut client = Client::connect(&serve);
    let stream = client.start("POST", "/echo");
    assert_eq!(client.head(stream).get(":status"), Some("200"));
    for word in ["one", "two"] {
        client.wire.send(kind::DATA, 0, stream, word.as_bytes());
        assert_eq!(client.next(kind::DATA, stream).payload, word.as_bytes());
    }
    client.wire.send(kind::DATA, flag::END_STREAM, stream, b"");
    assert_eq!(client.next(kind::DATA, stream).flags, flag::END_STREAM);
}

#[test]
fn response_may_end_before_the_request() {
    let serve = Serve::start();
    let mut client = Client::connect(&serve);
    let stream = client.start("POST", "/status/413");
    client.wire.send(kind::DATA, 0, stream, b"the first of many");
    let response = client.response(stream);
    assert_eq!((response.status(), response.text().as_str()), ("413", "as you wish\n"));
    // RST_STREAM with NO_ERROR tells the client that it may stop (RFC 9113, 8.1).
    assert_eq!(client.reset_of(stream), NO_ERROR);
    assert_eq!(client.get("/").status(), "200", "the connection remains usable");
}

#[test]
fn unread_request_is_answered_at_once() {
    let serve = Serve::start();
    let mut client = Client::connect(&serve);
    for (path, status, octets, challenge) in
        [("/refuse", "401", 8, Some("Bearer")), ("/early", "200", 10_000, None)]
    {
        let stream = client.start("POST", path);
        client.wire.send(kind::DATA, 0, stream, b"the first of many");
        let response = client.response(stream);
        assert_eq!((response.status(), response.content.len()), (status, octets));
        assert_eq!(response.get("www-authenticate"), challenge, "{path}");
    }
    let stream = client.start_ended("GET", "/endless");
    client.next(kind::DATA, stream);
    client.reset(stream, CANCEL);
    // This connection's window is used up, so another client asks.
    Client::connect(&serve).until("/unwanted", "1\n");
}

#[test]
fn continue_is_sent_when_the_application_reads() {
    let serve = Serve::start();
    let mut client = Client::connect(&serve);
    let expecting = |path: &'static str| {
        [
            (":method", "POST"),
            (":scheme", "http"),
            (":authority", "localhost"),
            (":path", path),
            ("expect", "100-Continue"),
        ]
    };
    for path in ["/upload", "/echo"] {
        let stream = client.send_head(&expecting(path), 0);
        let informed = client.head(stream);
        assert_eq!((informed.status(), informed.is_head_alone), ("100", false), "{path}");
        client.wire.send(kind::DATA, flag::END_STREAM, stream, b"12345");
        let response = client.response(stream);
        assert_eq!(
            (response.status(), response.text().trim()),
            ("200", if path == "/echo" { "12345" } else { "5" })
        );
    }
    for (path, status) in [("/refuse", "401"), ("/delay/100", "200")] {
        let stream = client.send_head(&expecting(path), 0);
        assert_eq!(client.response(stream).status(), status, "no 100 (Continue) precedes it");
    }
    // A request without content needs no 100 (Continue).
    let stream = client.send_head(&expecting("/upload"), flag::END_STREAM);
    assert_eq!(client.response(stream).status(), "200");
}

#[test]
fn log_connections_prints_the_end_of_each_connection() {
    let serve = Serve::start_with(&["--", "--log-connections"]);
    let mut client = Client::connect(&serve);
    client.get("/");
    client.get("/");
    let good = client.wire.local_address();
    client.wire.send(kind::GOAWAY, 0, 0, &[0; 8]);
    drop(client);
    let mut client = Client::connect(&serve);
    let bad = client.wire.local_address();
    client.wire.send(kind::DATA, 0, 0, b"not on a stream");
    client.wire.receive_all();
    let log = serve.stop().stderr;
    let line = |address| {
        let start = format!("connection from {address} ended: ");
        log.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_else(|| panic!("{log}"))
    };
    assert!(line(good).starts_with("ok; requests 2, highest abuse score "), "{log}");
    assert!(
        !line(bad).starts_with("ok; ") && line(bad).contains("; requests 0, highest abuse score "),
        "{log}"
    );
}

#[test]
fn each_error_code_maps_to_a_status() {
    let table = [
        ("HttpRequestDenied", "403"),
        ("DestinationIpProhibited", "403"),
        ("HttpRequestMethodInvalid", "400"),
        ("HttpRequestUriInvalid", "400"),
        ("HttpRequestLengthRequired", "411"),
        ("HttpRequestBodySize", "413"),
        ("HttpRequestUriTooLong", "414"),
        ("HttpRequestHeaderSectionSize", "431"),
        ("HttpRequestHeaderSize", "431"),
        ("HttpRequestTrailerSectionSize", "431"),
        ("HttpRequestTrailerSize", "431"),
        ("InternalError", "500"),
        ("ConfigurationError", "500"),
        ("DestinationNotFound", "500"),
        ("DestinationUnavailable", "503"),
        ("ConnectionLimitReached", "503"),
        ("DnsTimeout", "504"),
        ("ConnectionTimeout", "504"),
        ("ConnectionReadTimeout", "504"),
        ("ConnectionWriteTimeout", "504"),
        ("HttpResponseTimeout", "504"),
        ("DnsError", "502"),
        ("DestinationIpUnroutable", "502"),
        ("ConnectionRefused", "502"),
        ("ConnectionTerminated", "502"),
        ("TlsProtocolError", "502"),
        ("TlsCertificateError", "502"),
        ("TlsAlertReceived", "502"),
        ("HttpResponseIncomplete", "502"),
        ("HttpResponseHeaderSectionSize", "502"),
        ("HttpResponseHeaderSize", "502"),
        ("HttpResponseBodySize", "502"),
        ("HttpResponseTrailerSectionSize", "502"),
        ("HttpResponseTrailerSize", "502"),
        ("HttpResponseTransferCoding", "502"),
        ("HttpResponseContentCoding", "502"),
        ("HttpUpgradeFailed", "502"),
        ("HttpProtocolError", "502"),
        ("LoopDetected", "502"),
    ];
    let serve = Serve::start();
    let mut client = Client::connect(&serve);
    for (name, status) in table {
        let response = client.get(&format!("/error/{name}"));
        assert_eq!((response.status(), response.content.len()), (status, 0), "{name}");
    }
}

#[test]
fn error_after_the_head_resets_the_stream() {
    let serve = Serve::start();
    let mut client = Client::connect(&serve);
    for path in ["/broken", "/too-short"] {
        let stream = client.start_ended("GET", path);
        assert_eq!(client.head(stream).get(":status"), Some("200"));
        assert_eq!(client.reset_of(stream), INTERNAL_ERROR, "{path}");
    }
    assert_eq!(client.get("/").status(), "200", "the connection remains usable");
}

#[test]
fn bodiless_responses_end_with_the_head() {
    let serve = Serve::start();
    let mut client = Client::connect(&serve);
    for path in ["/status/204", "/status/304"] {
        assert!(client.get(path).is_head_alone, "{path}");
    }
    let stream = client.start_ended("HEAD", "/bytes/1000");
    let response = client.response(stream);
    assert!(response.is_head_alone && response.get("content-length") == Some("1000"), "{response:?}");
}

#[test]
fn invalid_status_becomes_bad_gateway() {
    let serve = Serve::start();
    let mut client = Client::connect(&serve);
    for path in ["/status/101", "/status/199", "/status/600"] {
        assert_eq!(client.get(path).status(), "502", "{path}");
    }
}

#[test]
fn http1_clients_get_status_505_and_are_logged() {
    let serve = Serve::start();
    if let Some(mut curl) = peers::installed("curl", "curl") {
        let answer = run(curl.args(["-sS", "-i", "--http1.1", &serve.url("/")])).text();
        assert!(answer.starts_with("HTTP/1.1 505 HTTP Version Not Supported\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nThis server speaks HTTP/2 with prior knowledge only."), "{answer}");
    }
    let mut client = TcpStream::connect(serve.address()).unwrap();
    client.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 505 "), "{answer}");
    let peer = client.local_addr().unwrap();
    let log = serve.stop().stderr;
    let line = format!("http2-server: {peer}: the peer speaks HTTP/1, not HTTP/2");
    assert_eq!(log.lines().filter(|seen| *seen == line).count(), 1, "{log}");
}

#[test]
fn clients_may_disconnect_at_any_byte() {
    let serve = Serve::start();
    let mut whole = PREFACE.to_vec();
    whole.extend(frame(kind::SETTINGS, 0, 0, &[]));
    whole.extend(raw::request(1, "POST", "/echo", 0));
    whole.extend(frame(kind::DATA, flag::END_STREAM, 1, b"12345"));
    for length in 0..=whole.len() {
        RawClient::connect_silently(serve.address()).send_octets(&whole[..length]);
    }
    assert_eq!(get(&[&serve.url("/")]).content().len(), 49);
    let ended = serve.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for crash in ["panicked", "backtrace", "trapped", "unreachable"] {
        assert!(!ended.stderr.contains(crash), "{}", ended.stderr);
    }
}

#[test]
fn cancelled_download_stops_the_application() {
    let serve = Serve::start();
    let mut client = Client::connect(&serve);
    let stream = client.start_ended("GET", "/bytes/1000000000000");
    client.next(kind::DATA, stream);
    client.reset(stream, CANCEL);
    // This connection's window is used up, so another client asks.
    Client::connect(&serve).until("/unwanted", "1\n");
}

#[test]
fn cancelled_upload_stops_the_application() {
    let serve = Serve::start();
    let mut client = Client::connect(&serve);
    let stream = client.start("POST", "/upload");
    client.wire.send(kind::DATA, 0, stream, b"the first of many");
    client.wire.synchronise();
    client.reset(stream, CANCEL);
    client.until("/cut", "1\n");
    // The end of the connection has the same effect.
    let mut other = Client::connect(&serve);
    let stream = other.start("POST", "/upload");
    other.wire.send(kind::DATA, 0, stream, b"the first of many");
    other.wire.synchronise();
    drop(other);
    client.until("/cut", "2\n");
}

#[test]
fn reset_cancels_the_call_with_cancel_option() {
    let serve = Serve::start_with(&["--", "--cancel"]);
    let mut client = Client::connect(&serve);
    for cancelled in 1..=3 {
        let stream = client.start_ended("GET", "/delay/3600000");
        client.wire.synchronise();
        client.reset(stream, CANCEL);
        client.until("/cancelled", &format!("{cancelled}\n"));
    }
}

#[test]
fn reset_lets_the_call_continue_by_default() {
    let serve = Serve::start();
    let mut client = Client::connect(&serve);
    let stream = client.start_ended("GET", "/delay/100");
    client.wire.synchronise();
    client.reset(stream, CANCEL);
    assert_eq!(client.get("/delay/200").status(), "200");
    assert_eq!(client.get("/cancelled").text(), "0\n");
}

#[test]
fn requests_beyond_the_limit_of_all_connections_wait() {
    let serve = Serve::start_with(&["--", "--max-requests=2"]);
    let begin = || {
        let mut client = RawClient::connect(serve.address());
        client.request(1, "POST", "/echo", 0);
        client.send(kind::DATA, 0, 1, b"begun");
        while client.receive().expect("an echo").kind != kind::DATA {}
        client
    };
    let (mut first, _second) = (begin(), begin());
    let mut third = RawClient::connect(serve.address());
    third.request(1, "GET", "/", flag::END_STREAM);
    third.send(kind::PING, 0, 0, b"any news");
    let mut frames = std::iter::from_fn(|| third.receive());
    let before: Vec<_> = frames.by_ref().take_while(|frame| frame.payload != b"any news").collect();
    assert!(before.iter().all(|frame| frame.kind != kind::HEADERS), "{before:?}");
    first.send(kind::DATA, flag::END_STREAM, 1, b"");
    assert!(frames.any(|frame| frame.kind == kind::HEADERS));
}

#[test]
fn request_reset_at_once_never_reaches_the_application() {
    let serve = Serve::start();
    let mut client = Client::connect(&serve);
    let cancelled = |stream| {
        let reset = frame(kind::RST_STREAM, 0, stream, &CANCEL.to_be_bytes());
        [raw::request(stream, "GET", "/trap", flag::END_STREAM), reset].concat()
    };
    client.wire.send_octets(&[cancelled(101), cancelled(103)].concat());
    client.wire.request(105, "GET", "/", flag::END_STREAM);
    assert_eq!(client.response(105).status(), "200");
}

#[test]
fn slow_client_stops_the_application_from_writing() {
    let serve = Serve::start();
    let mut slow = Client::connect(&serve);
    let stream = slow.start_ended("GET", "/bytes/1000000000000");
    let mut received = 0;
    while received < 65_535 {
        received += slow.next(kind::DATA, stream).payload.len();
    }
    assert_eq!(received, 65_535, "the whole window is used");
    let mut other = Client::connect(&serve);
    let first = written(&mut other);
    assert!(first < 1 << 20, "{first} bytes are buffered");
    assert_eq!(other.get("/delay/300").status(), "200");
    assert!(written(&mut other) <= first + (1 << 18), "the buffers do not grow");
}

#[test]
fn client_that_requests_much_and_reads_nothing_stops_the_application_from_writing() {
    let serve = Serve::start();
    let mut greedy = Client::connect(&serve);
    let streams: Vec<u32> = (0..100).map(|_| greedy.start_ended("GET", "/bytes/1000000000000")).collect();
    for stream in streams {
        assert_eq!(greedy.head(stream).status(), "200");
    }
    let mut other = Client::connect(&serve);
    assert_eq!(other.get("/delay/300").status(), "200");
    let written = written(&mut other);
    assert!(written < 4 << 20, "{written} bytes are buffered");
}

/// Bytes of `/bytes` responses accepted from the application so far, in total.
fn written(client: &mut Client) -> usize {
    client.get("/written").text().trim().parse().unwrap()
}

#[test]
fn slow_application_closes_the_clients_window() {
    let serve = Serve::start();
    let mut client = Client::connect(&serve);
    let window = client.initial_window;
    // This route does not read the content.
    let stream = client.start("POST", "/delay/1000");
    let mut sent = 0;
    while sent < window {
        let piece = (window - sent).min(16_384);
        client.wire.send(kind::DATA, 0, stream, &vec![0; piece as usize]);
        sent += piece;
    }
    let mut raised = 0;
    loop {
        let frame = client.wire.receive().expect("the response");
        match frame.kind {
            kind::WINDOW_UPDATE if frame.stream == stream => {
                raised += u32::from_be_bytes(frame.payload.try_into().unwrap());
            }
            kind::HEADERS => break,
            _ => {}
        }
    }
    // The server may open the window by the size of its buffer, but no further.
    assert!(raised <= 2 * 65_536, "{raised}");
}

#[test]
fn only_requests_beyond_the_limit_are_refused() {
    let serve = Serve::start_with(&["--", "--max-concurrent-streams", "5"]);
    let mut client = Client::connect(&serve);
    let slow: Vec<u32> = (0..5).map(|_| client.start_ended("GET", "/delay/1000")).collect();
    let refused: Vec<u32> = (0..3).map(|_| client.start_ended("GET", "/")).collect();
    for stream in refused {
        assert_eq!(client.reset_of(stream), REFUSED_STREAM);
    }
    for stream in slow {
        assert_eq!(client.response(stream).status(), "200");
    }
    assert_eq!(client.get("/").status(), "200", "a slot is free again");
}

#[test]
fn idle_connection_is_closed() {
    let serve = Serve::start_with(&["--", "--idle-timeout", "0.5"]);
    let mut client = Client::connect(&serve);
    assert_eq!(client.get("/delay/1000").status(), "200", "a pending request is not idle time");
    let frames = client.wire.receive_all();
    let go_away = frames.iter().rfind(|frame| frame.kind == kind::GOAWAY).expect("a graceful shutdown");
    assert_eq!(go_away.payload[4..8], NO_ERROR.to_be_bytes());
}

#[test]
fn connections_beyond_the_limit_wait() {
    let serve = Serve::start_with(&["--max-connections", "1"]);
    let mut first = Client::connect(&serve);
    assert_eq!(first.get("/").status(), "200");
    let mut second = RawClient::connect(serve.address());
    second.request(1, "GET", "/", flag::END_STREAM);
    assert_eq!(first.get("/delay/300").status(), "200");
    drop(first);
    let ended =
        std::iter::from_fn(|| second.receive()).find(|frame| frame.kind == kind::DATA).expect("a response");
    assert_eq!(ended.payload.len(), 49);
    drop(second);
    let log = serve.stop().stderr;
    assert!(log.contains("1 connections open: accepting no more until one ends"), "{log}");
}

#[test]
fn malformed_request_resets_only_its_stream() {
    let target = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")];
    let with = |more: &[(&'static str, &'static str)]| [&target[..], more].concat();
    let heads = [
        vec![],
        target[1..].to_vec(),
        target[..3].to_vec(),
        with(&[(":method", "GET")]),
        with(&[("x", "y"), (":path", "/")]),
        with(&[(":status", "200")]),
        with(&[("Upper", "case")]),
        with(&[("bad name", "x")]),
        with(&[("x", "line\nbreak")]),
        with(&[("x", "carriage\rreturn")]),
        with(&[("x", "nul\0")]),
        with(&[("connection", "close")]),
        with(&[("transfer-encoding", "chunked")]),
        with(&[("te", "gzip")]),
        with(&[("content-length", "1")]),
        with(&[("content-length", "0"), ("content-length", "1")]),
        with(&[("host", "b")]),
    ];
    let serve = Serve::start();
    let mut client = Client::connect(&serve);
    for head in &heads {
        let stream = client.send_head(head, flag::END_STREAM);
        assert_eq!(client.reset_of(stream), PROTOCOL_ERROR, "{head:?}");
    }
    assert_eq!(client.get("/").status(), "200", "the connection remains usable");
}

#[test]
fn end_of_standard_input_drains() {
    let mut server = InProcess::start(&HANDLER, &["--drain-on-stdin-eof"], &[]);
    let mut client = Client::connect_to(server.address);
    let stream = client.start_ended("GET", "/delay/500");
    client.wire.synchronise();
    server.end_input();
    assert_eq!(client.response(stream).text(), "that took a while\n");
    client.next(kind::GOAWAY, 0);
    client.wire.receive_all();
    assert!(server.finish().contains("standard input has ended: draining"));
}

#[test]
fn end_of_standard_input_is_ignored_by_default() {
    let mut server = InProcess::start(&HANDLER, &[], &[]);
    server.end_input();
    let mut client = Client::connect_to(server.address);
    assert_eq!(client.get("/delay/100").status(), "200");
}

#[test]
fn invalid_arguments_are_explained() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("handler.wasm");
    fs::write(&file, guests::HTTP_SERVICE).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let error_line = |address: &str, options: &[&str]| {
        let mut command = wasi_http2(&["serve", "--addr", address, "--component"]);
        let finished = run(command.arg(&file).arg("--").args(options));
        assert_eq!(finished.code, Some(1), "{}", finished.stderr);
        finished.stderr
    };
    let cases: [(&[&str], &str); 6] = [
        (&["--nonsense"], "http2-server: invalid option '--nonsense'\nSee --help.\n"),
        (&["nonsense"], "http2-server: unexpected argument \"nonsense\"\nSee --help.\n"),
        (&["--idle-timeout", "soon"], "http2-server: --idle-timeout: "),
        (&["--idle-timeout", "-1"], "http2-server: --idle-timeout: "),
        (&["--max-concurrent-streams", "-1"], "http2-server: --max-concurrent-streams: "),
        (
            &["--max-connections", "0"],
            "http2-server: --max-connections: at least one is needed\nSee --help.\n",
        ),
    ];
    for (options, words) in cases {
        let error_line = error_line("127.0.0.1:0", options);
        assert!(error_line.starts_with(words), "{options:?}: {error_line}");
    }
    let in_use = error_line(&address, &[]);
    assert!(in_use.starts_with(&format!("http2-server: {address}: ")), "{in_use}");
    let mut help = wasi_http2(&["serve", "--component"]);
    let help = run(help.arg(&file).args(["--", "--help"])).text();
    assert!(help.contains("Usage: http2-server [OPTIONS]"), "{help}");
}

#[test]
fn reaching_the_memory_limit_is_reported() {
    let serve = Serve::start_with(&["--max-memory", "8"]);
    let mut clients = Vec::new();
    // No client reads its responses.
    for _ in 0..200 {
        let Ok(tcp) = TcpStream::connect(serve.address()) else { break };
        let mut client = RawClient::from_tcp(tcp);
        let mut octets = PREFACE.to_vec();
        octets.extend(frame(kind::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]));
        for stream in 0..10 {
            octets.extend(raw::request(2 * stream + 1, "GET", "/bytes/1000000000", flag::END_STREAM));
        }
        if client.try_send_octets(&octets).is_err() {
            break;
        }
        clients.push(client);
    }
    let error_line = serve.finish();
    assert_eq!(error_line.code, Some(1));
    assert!(error_line.stderr.ends_with("the guest exceeded its memory limit of 8 MiB\n"), "{error_line:?}");
}
