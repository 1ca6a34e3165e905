//! Errors are reported in one line that names the cause.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use host_tests::support::raw::{self, RawClient};
use host_tests::support::{Finished, Serve, get, peers, run, wasi_http2};
use http2_test_support::{PREFACE, data, flag, headers_block, setting, settings};
use tempfile::TempDir;

/// Runs `get`, and returns its error message.
fn error_line(args: &[&str]) -> String {
    get(args).error_line().to_owned()
}

#[test]
fn invalid_urls_are_refused() {
    let cases = [
        ("127.0.0.1:8080", "http://"),
        ("http://", "URL"),
        ("http:///path", "URL"),
        ("http://127.0.0.1:99999/", "port"),
        ("http://[::1/", "URL"),
        ("http://a b/", "URL"),
        ("https://127.0.0.1/", "TLS"),
        ("ftp://127.0.0.1/", "http"),
        ("http://user:secret@127.0.0.1/", "password"),
    ];
    for (url, cause) in cases {
        let error_line = error_line(&[url]);
        assert!(error_line.contains(url) && error_line.contains(cause), "{url}: {error_line}");
    }
}

#[test]
fn malformed_requests_are_refused() {
    let serve = Serve::start();
    let url = serve.url("/");
    let cases: [(&[&str], &str); 8] = [
        (&["-H", "no colon"], "no colon"),
        (&["-H", "bad name: x"], "bad name"),
        (&["-H", ": x"], "name"),
        (&["-H", "name: line\nbreak"], "value"),
        (&["-H", "connection: close"], "connection"),
        (&["-H", "transfer-encoding: chunked"], "transfer-encoding"),
        (&["-X", "NO TOKEN"], "method"),
        (&["-d", "four", "-H", "content-length: 5"], "Content-Length"),
    ];
    for (options, cause) in cases {
        let error_line = error_line(&[options, &[url.as_str()]].concat());
        assert!(error_line.contains(cause), "{options:?}: {error_line}");
    }
    assert_eq!(get(&[&url]).content().len(), 49, "the server still answers");
}

#[test]
fn missing_files_are_reported() {
    let serve = Serve::start();
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("missing");
    let missing = missing.to_str().unwrap();
    assert!(error_line(&["-d", &format!("@{missing}"), &serve.url("/echo")]).contains(missing));
    assert!(error_line(&["-o", &format!("{missing}/file"), &serve.url("/")]).contains(missing));
}

#[test]
fn missing_peers_are_reported() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(error_line(&[&format!("http://{free}/")]).contains("connection refused"));
    let unresolvable = error_line(&["http://no.such.name.invalid/"]);
    assert!(unresolvable.contains("no.such.name.invalid has no address"), "{unresolvable}");
}

/// Starts a server that accepts one connection, sends `words`, and closes it after the client does.
fn server_that_sends(words: &'static [u8]) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        client.write_all(words).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        // The client may disconnect first.
        _ = client.read_to_end(&mut Vec::new());
    });
    (url, server)
}

#[test]
fn servers_that_do_not_speak_http2_are_reported() {
    let cases: [(&[u8], &str); 5] = [
        (b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n", "HTTP/1"),
        (b"HTTP/1.0 505 HTTP Version Not Supported\r\n\r\n", "HTTP/1"),
        (b"<!DOCTYPE HTML>\n<html><body>what?</body></html>", "the first frame is not SETTINGS"),
        (b"220 smtp.example ESMTP\r\n", "the first frame is not SETTINGS"),
        (b"", "ended"),
    ];
    for (words, cause) in cases {
        let (url, server) = server_that_sends(words);
        let error_line = error_line(&[&url]);
        assert!(
            error_line.contains(&url) && error_line.contains(cause),
            "{:?}: {error_line}",
            words.escape_ascii()
        );
        server.join().unwrap();
    }
}

#[test]
fn a_connection_closed_inside_a_frame_is_reported() {
    // SETTINGS, then three bytes of a HEADERS frame whose length is eight.
    let (url, server) =
        server_that_sends(&[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 1, 4, 0, 0, 0, 1, 0x88, 0x88, 0x88]);
    let error_line = error_line(&[&url]);
    assert!(error_line.contains("ended"), "{error_line}");
    server.join().unwrap();
}

#[test]
fn a_server_that_never_answers_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let error_line = error_line(&["--timeout", "0.5", &url]);
    assert!(error_line.contains(&url) && error_line.contains("time"), "{error_line}");
}

#[test]
fn http1_clients_receive_505_and_are_logged() {
    let serve = Serve::start();
    if let Some(mut curl) = peers::installed("curl", "curl") {
        let answer = run(curl.args(["-sSi", "--http1.1", &serve.url("/")])).text();
        assert!(answer.starts_with("HTTP/1.1 505 ") && answer.contains("HTTP/2"), "{answer}");
    }
    let mut client = TcpStream::connect(serve.address()).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 505 HTTP Version Not Supported\r\n"), "{answer}");

    assert_eq!(get(&[&serve.url("/")]).content().len(), 49);
    let log = serve.stop().stderr;
    assert!(log.lines().any(|line| line.contains("the peer speaks HTTP/1")), "{log}");
    assert_no_crash(&log);
}

#[test]
fn clients_may_disconnect_at_any_byte() {
    let serve = Serve::start();
    let post = headers_block(1, 0, &[0x83, 0x84, 0x86]);
    let whole = [PREFACE, &settings(&[]), &post, &data(1, flag::END_STREAM, b"12345")].concat();
    for length in 0..=whole.len() {
        RawClient::connect_silently(serve.address()).send_octets(&whole[..length]);
    }
    assert_eq!(get(&[&serve.url("/")]).content().len(), 49);
    let ended = serve.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_no_crash(&ended.stderr);
}

fn assert_no_crash(log: &str) {
    for crash in ["panicked", "backtrace", "trapped", "unreachable"] {
        assert!(!log.contains(crash), "{log}");
    }
}

#[test]
fn memory_limits_too_small_to_start_are_reported() {
    let limit = |finished: &Finished| finished.error_line().to_owned();
    let serve = run(&mut wasi_http2(&["serve", "--addr", "127.0.0.1:0", "--max-memory", "1"]));
    assert_eq!(limit(&serve), "wasi-http2: the guest exceeded its memory limit of 1 MiB");
    let serve = Serve::start();
    let get = get(&["--max-memory", "1", &serve.url("/")]);
    assert_eq!(limit(&get), "wasi-http2: the guest exceeded its memory limit of 1 MiB");
}

#[test]
fn a_memory_limit_reached_while_serving_is_reported() {
    let serve = Serve::start_with(&["--max-memory", "8"]);
    // The server cannot send the echoes, because the client opens no window.
    let mut octets = [PREFACE, &settings(&[(setting::INITIAL_WINDOW_SIZE, 0)])].concat();
    octets.extend(raw::request(1, "POST", "/echo", 0));
    for _ in 0..3 {
        octets.extend(data(1, 0, &[0; 16_000]));
    }
    let mut clients = Vec::new();
    for _ in 0..500 {
        let Ok(mut client) = TcpStream::connect(serve.address()) else { break };
        if client.write_all(&octets).is_err() {
            break;
        }
        clients.push(client);
    }
    assert_eq!(serve.finish().error_line(), "wasi-http2: the guest exceeded its memory limit of 8 MiB");
}

#[test]
fn unusable_listen_addresses_are_reported() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let in_use = run(&mut wasi_http2(&["serve", "--addr", &address]));
    assert!(in_use.error_line().contains(&format!("{address}: already in use")), "{}", in_use.stderr);
    let nonsense = run(&mut wasi_http2(&["serve", "--addr", "nonsense"]));
    assert_ne!(nonsense.code, Some(0));
    assert!(
        nonsense.stderr.contains("invalid value 'nonsense' for '--addr <ADDRESS>'"),
        "{}",
        nonsense.stderr
    );
}

#[test]
fn files_that_are_not_components_are_reported() {
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("out.wasm");
    let compose = |name: &str, content: &[u8]| {
        let app = folder.path().join(name);
        fs::write(&app, content).unwrap();
        run(wasi_http2(&["compose", "--app"]).arg(app).arg("-o").arg(&output)).error_line().to_owned()
    };
    let text = compose("text.wasm", b"no WebAssembly at all");
    assert!(text.contains("text.wasm cannot be composed"), "{text}");
    let module = compose("module.wasm", b"\0asm\x01\0\0\0");
    assert!(module.contains("module"), "{module}");
    let empty = compose("empty.wasm", b"\0asm\x0d\0\x01\0");
    assert!(empty.contains("http2:engine"), "{empty}");
    assert!(!output.exists());
}
