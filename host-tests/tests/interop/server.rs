//! `wasi-http2 serve` with other clients: features that every server must have.
//!
//! The server for `wasi:http` has the same tests.

use std::fs;

use host_tests::support::peers::{self, curl};
use host_tests::support::raw::RawClient;
use host_tests::support::{assert_same, octets, run, run_with_input};
use http2_test_support::{Frame, flag, kind};
use tempfile::TempDir;

use crate::Serve;

const MIB: usize = 1 << 20;

/// Returns curl's output for a path of a server.
fn curls(serve: &Serve, options: &[&str], path: &str) -> Option<String> {
    Some(run(curl()?.args(options).arg(serve.url(path))).text())
}

#[test]
fn curl_receives_a_response() {
    let serve = Serve::start();
    let Some(response) = curls(&serve, &["-i"], "/") else { return };
    assert!(response.starts_with("HTTP/2 200"), "{response}");
    assert!(response.ends_with("\r\n\r\nHello from a WebAssembly component, over HTTP/2.\n"), "{response}");
}

#[test]
fn curl_receives_fields_without_content_for_head() {
    let serve = Serve::start();
    for path in ["/", "/bytes/100000", "/status/404"] {
        let Some(head) = curls(&serve, &["--head"], path) else { return };
        let Some(response) = curls(&serve, &["--include"], path) else { return };
        assert_eq!(response.split_once("\r\n\r\n").unwrap().0, head.trim_end(), "{path}");
    }
}

#[test]
fn curl_receives_an_echo_of_100_mib() {
    let serve = Serve::start();
    let sent = octets(100 * MIB);
    let Some(mut curl) = curl() else { return };
    let echo = run_with_input(curl.args(["-X", "POST", "-T", "-", &serve.url("/echo")]), sent.clone());
    assert_same(&echo.content(), &sent);
}

#[test]
fn curl_receives_each_status() {
    let serve = Serve::start();
    for status in ["200", "204", "304", "404", "500", "599"] {
        let options = ["-o", "/dev/null", "-w", "%{http_version} %{http_code}"];
        let Some(seen) = curls(&serve, &options, &format!("/status/{status}")) else { return };
        assert_eq!(seen, format!("2 {status}"));
    }
}

#[test]
fn curl_receives_the_allowed_methods() {
    let serve = Serve::start();
    let Some(refused) = curls(&serve, &["-X", "DELETE", "-i"], "/bytes/1") else { return };
    assert!(refused.starts_with("HTTP/2 405") && refused.contains("allow: GET, HEAD"), "{refused}");
}

#[test]
fn curl_receives_a_delayed_response() {
    let serve = Serve::start();
    let Some(response) = curls(&serve, &[], "/delay/300") else { return };
    assert_eq!(response, "that took a while\n");
}

#[test]
fn fields_of_curl_arrive_unchanged() {
    let serve = Serve::start();
    let long = "v".repeat(9_000);
    let field = format!("x-long: {long}");
    let Some(seen) = curls(&serve, &["-H", &field, "-H", "X-Upper: Kept", "-H", "x-empty;"], "/headers")
    else {
        return;
    };
    for line in [field.as_str(), "x-upper: Kept", "x-empty: ", ":path: /headers"] {
        assert!(seen.lines().any(|seen| seen == line), "{line} is missing in {seen}");
    }
}

#[test]
fn nghttp_receives_the_expected_frames() {
    let serve = Serve::start();
    let Some(mut nghttp) = peers::installed("nghttp", "nghttp2-client") else { return };
    let frames = run(nghttp.args(["-nv", &serve.url("/")])).text();
    for due in ["recv SETTINGS frame", "; ACK", "recv (stream_id=13) :status: 200", "; END_STREAM"] {
        assert!(frames.contains(due), "{due} is missing in {frames}");
    }
}

#[test]
fn nghttp_receives_its_trailers_back() {
    let serve = Serve::start();
    let Some(mut nghttp) = peers::installed("nghttp", "nghttp2-client") else { return };
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("content");
    fs::write(&file, octets(300_000)).unwrap();
    nghttp.args(["-nv", "--trailer", "checksum: 1234", "-d"]).arg(file).arg(serve.url("/echo"));
    let frames = run(&mut nghttp).text();
    assert!(frames.contains("recv (stream_id=13) checksum: 1234"), "{frames}");
}

#[test]
fn h2load_receives_200_000_responses() {
    let serve = Serve::start();
    let Some(mut h2load) = peers::installed("h2load", "nghttp2-client") else { return };
    let summary = run(h2load.args(["-n", "200000", "-c", "10", "-m", "100", &serve.url("/")])).text();
    assert!(summary.contains("200000 succeeded, 0 failed, 0 errored, 0 timeout"), "{summary}");
    assert!(summary.contains("200000 2xx"), "{summary}");
}

#[test]
fn an_interrupt_sends_goaway_and_lets_a_request_finish() {
    let serve = Serve::start();
    let mut client = RawClient::connect(serve.address());
    client.request(1, "POST", "/echo", 0);
    client.synchronise();
    serve.interrupt();
    let mut go_away = || loop {
        let frame = client.receive().expect("a GOAWAY frame");
        if frame.kind == kind::GOAWAY {
            return frame.payload;
        }
    };
    // In two steps: the first GOAWAY still allows any stream, the last one names stream 1. The code is NO_ERROR.
    assert_eq!(*go_away(), [0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
    assert_eq!(*go_away(), [0, 0, 0, 1, 0, 0, 0, 0]);
    client.send(kind::DATA, flag::END_STREAM, 1, b"late");
    let frames = client.receive_all();
    let content: Vec<_> = frames.iter().filter(|frame| frame.kind == kind::DATA).collect();
    assert!(content.iter().all(|frame| frame.stream == 1), "{content:?}");
    assert_eq!(content.iter().map(|frame| &*frame.payload).collect::<Vec<_>>().concat(), b"late");
    assert_eq!(content.last().expect("the response").flags, flag::END_STREAM);
    assert_eq!(serve.finish().code, Some(0));
}

#[test]
fn an_interrupt_lets_the_requests_of_a_hundred_connections_finish() {
    let serve = Serve::start();
    let mut clients: [RawClient; 100] = std::array::from_fn(|_| RawClient::connect(serve.address()));
    for client in &mut clients {
        client.synchronise();
    }
    // Many of them are ready in the round in which the server begins to drain.
    for client in &mut clients {
        client.request(1, "GET", "/", flag::END_STREAM);
    }
    serve.interrupt();
    for client in &mut clients {
        let frames = client.receive_all();
        let ends = |frame: &Frame| frame.stream == 1 && frame.flags & flag::END_STREAM != 0;
        assert!(frames.iter().any(ends), "{frames:?}");
        assert!(frames.iter().any(|frame| frame.kind == kind::GOAWAY), "{frames:?}");
    }
    assert_eq!(serve.finish().code, Some(0));
}

#[test]
fn httpwg_reports_no_failures() {
    if !has_io_uring() {
        return peers::skip("the kernel has no io_uring, which httpwg-cli needs");
    }
    let serve = Serve::start();
    let Some(mut httpwg) = peers::httpwg() else { return };
    httpwg.env("SEQUENTIAL", "1").args(["--frame-timeout", "2000", "-a", &serve.address().to_string()]);
    let finished = run(&mut httpwg);
    let told = String::from_utf8_lossy(&finished.stdout) + &*finished.stderr;
    assert!(finished.code == Some(0) && told.contains("107/107"), "{told}");
}

/// Returns whether processes may use io_uring.
fn has_io_uring() -> bool {
    // "1" permits only some processes, "2" none. Without the file, the kernel predates the setting or lacks io_uring.
    fs::read_to_string("/proc/sys/kernel/io_uring_disabled").is_ok_and(|disabled| disabled.trim() == "0")
}
