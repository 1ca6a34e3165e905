//! Features that only the demonstration server has, tested with other clients.

use host_tests::support::peers::{self, Python};
use host_tests::support::raw::{self, RawClient};
use host_tests::support::{Serve, get, run};
use http2_test_support::{flag, kind};

#[test]
fn a_post_is_answered_once_it_is_complete() {
    let serve = Serve::start();
    assert_eq!(get(&["-d", "some content", &serve.url("/")]).text(), "12 bytes\n");
    assert_eq!(get(&["-X", "POST", &serve.url("/")]).text(), "0 bytes\n");
}

#[test]
fn content_is_not_read_after_an_early_response() {
    let serve = Serve::start();
    let mut client = RawClient::connect(serve.address());
    for (stream, path, length) in [(1, "/refuse", 8), (3, "/early", 10_000)] {
        client.request(stream, "POST", path, 0);
        client.send(kind::DATA, 0, stream, &[0; 1_000]);
        let mut received = 0;
        let reset = loop {
            let frame = client.receive().expect("the rest of the response");
            match frame.kind {
                kind::DATA => received += frame.payload.len(),
                kind::RST_STREAM => break frame,
                _ => {}
            }
        };
        assert_eq!(received, length, "{path}");
        assert_eq!(
            (reset.stream, reset.payload),
            (stream, vec![0; 4]),
            "NO_ERROR after the complete response"
        );
    }
}

#[test]
fn a_401_response_names_the_authentication_scheme() {
    let serve = Serve::start();
    for path in ["/refuse", "/status/401"] {
        let refused = get(&["-i", &serve.url(path)]).text();
        assert!(refused.contains("\r\nwww-authenticate: Bearer\r\n"), "{refused}");
    }
    assert!(!get(&["-i", &serve.url("/status/403")]).text().contains("www-authenticate"));
}

#[test]
fn curl_receives_responses_to_its_uploads() {
    let serve = Serve::start();
    for (path, response) in [("/refuse", "401 8"), ("/early", "200 10000"), ("/upload", "200 8")] {
        let Some(mut curl) = peers::curl() else { return };
        curl.args(["-o", "/dev/null", "-w", "%{http_code} %{size_download}", "-d", "hello"])
            .arg(serve.url(path));
        assert_eq!(run(&mut curl).text(), response, "{path}");
    }
}

#[test]
fn curl_cancels_an_endless_response() {
    let serve = Serve::start();
    let Some(mut curl) = peers::curl() else { return };
    curl.args(["--max-filesize", "100000", "-o", "/dev/null"]).arg(serve.url("/endless"));
    // CURLE_FILESIZE_EXCEEDED, or a timeout where curl does not check the size while it receives.
    assert_eq!(run(curl.args(["--max-time", "2"])).code.map(|code| [28, 63].contains(&code)), Some(true));
    assert_eq!(get(&[&serve.url("/bytes/1")]).content().len(), 1, "the server still answers");
}

#[test]
fn both_sides_report_how_a_connection_ended() {
    let serve = Serve::start_with(&["--log-connections"]);
    let client = get(&["--stats", "-n", "30", "-m", "3", &serve.url("/")]);
    let told = format!("connection to {} ended: ok; requests 30, highest abuse score ", serve.address());
    assert!(client.stderr.starts_with(&told) && client.stderr.ends_with(" of 2000\n"), "{}", client.stderr);
    let log = serve.stop().stderr;
    let line = log.lines().find(|line| line.starts_with("connection from 127.0.0.1:")).expect(&log);
    assert!(
        line.contains(" ended: ok; requests 30, highest abuse score ") && line.ends_with(" of 2000"),
        "{line}"
    );
}

#[test]
fn curl_receives_100_continue_when_its_content_is_wanted() {
    let serve = Serve::start();
    for path in ["/", "/echo"] {
        let Some(mut curl) = peers::curl() else { return };
        curl.args(["-i", "-H", "Expect: 100-continue", "--expect100-timeout", "60", "-d", "hello"]);
        let response = run(curl.arg(serve.url(path))).text();
        let heads: Vec<&str> =
            response.lines().filter(|line| line.starts_with("HTTP/2 ")).map(str::trim_end).collect();
        assert_eq!(heads, ["HTTP/2 100", "HTTP/2 200"], "{path}");
    }
}

#[test]
fn a_refusal_is_sent_without_100_continue() {
    let serve = Serve::start();
    let mut client = RawClient::connect(serve.address());
    let expect = b"\x00\x06expect\x0c100-continue";
    let mut request = raw::request(1, "POST", "/refuse", 0);
    request[2] += u8::try_from(expect.len()).unwrap();
    client.send_octets(&[&request[..], expect].concat());
    let mut heads = 0;
    loop {
        let frame = client.receive().expect("the rest of the response");
        heads += usize::from(frame.kind == kind::HEADERS);
        if frame.kind == kind::DATA && frame.flags & flag::END_STREAM != 0 {
            break;
        }
    }
    assert_eq!(heads, 1, "only the final response");
}

#[test]
fn curl_receives_early_hints_before_the_response() {
    let serve = Serve::start();
    let Some(mut curl) = peers::installed("curl", "curl") else { return };
    curl.args(["-sS", "--http2-prior-knowledge", "-i"]).arg(serve.url("/early-hints"));
    let response = run(&mut curl).text();
    let heads: Vec<&str> =
        response.lines().filter(|line| line.starts_with("HTTP/2 ")).map(str::trim_end).collect();
    assert_eq!(heads, ["HTTP/2 103", "HTTP/2 200"]);
}

#[test]
fn node_is_served() {
    let serve = Serve::start();
    let Some(mut node) = peers::node("client.mjs") else { return };
    assert_eq!(run(node.arg(serve.url(""))).text(), "ok\n");
}

#[test]
fn httpx_is_served() {
    let serve = Serve::start();
    let Some(python) = Python::with_packages() else { return };
    assert_eq!(run(python.script(&peers::peer_file("client.py")).arg(serve.url(""))).text(), "ok\n");
}

#[test]
fn closed_windows_cost_little_memory() {
    let serve = Serve::start();
    assert_eq!(get(&[&serve.url("/bytes/20000")]).content().len(), 20_000);
    let before = serve.resident();
    let mut clients = Vec::from_iter((0..20).map(|_| RawClient::connect(serve.address())));
    for client in &mut clients {
        let no_window = [0, 4, 0, 0, 0, 0];
        client.send(kind::SETTINGS, 0, 0, &no_window);
        for request in 0..100 {
            client.request(2 * request + 1, "GET", "/bytes/20000", flag::END_STREAM);
        }
        let heads = std::iter::from_fn(|| client.receive()).filter(|frame| frame.kind == kind::HEADERS);
        assert_eq!(heads.take(100).count(), 100);
        client.synchronise();
    }
    if let (Some(before), Some(now)) = (before, serve.resident()) {
        // In KiB. The requested content amounts to 39 MiB.
        assert!(now < before + 12_000, "memory grows from {before} to {now} KiB");
    }

    // When a client opens a window, it receives the content that the window allows.
    let client = &mut clients[7];
    let mut received = 0;
    for increment in [1_u32, 4_999, 15_000] {
        client.send(kind::WINDOW_UPDATE, 0, 41, &increment.to_be_bytes());
        let expected = received + increment as usize;
        while received < expected {
            let frame = client.receive().expect("content");
            assert_eq!((frame.kind, frame.stream), (kind::DATA, 41));
            received += frame.payload.len();
        }
    }
    assert_eq!(received, 20_000);
}

#[test]
fn cancelled_requests_free_their_slots() {
    let serve = Serve::start();
    let mut client = RawClient::connect(serve.address());
    let slow = (0..100).map(|n| 2 * n + 1);
    for stream in slow.clone() {
        client.request(stream, "GET", "/delay/600000", flag::END_STREAM);
    }
    client.synchronise();
    for stream in slow {
        client.send(kind::RST_STREAM, 0, stream, &8_u32.to_be_bytes());
    }
    client.request(201, "GET", "/", flag::END_STREAM);
    let response = std::iter::from_fn(|| client.receive()).find(|frame| frame.kind == kind::HEADERS);
    assert_eq!(response.expect("a response").stream, 201);
}
