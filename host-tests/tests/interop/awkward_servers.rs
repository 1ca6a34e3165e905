//! `wasi-http2 get` with servers whose behavior is allowed but unusual.

use std::fs;
use std::iter;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use host_tests::support::raw::RawClient;
use host_tests::support::{Finished, block_on, get, octets};
use http::{HeaderValue, Response};
use http2_test_support::{Frame, flag, frame, kind};
use tempfile::TempDir;

/// Runs `get` for the root of a server that handles one connection with `serve`.
fn get_from<T: Send + 'static>(
    options: &[&str],
    serve: impl FnOnce(RawClient) -> T + Send + 'static,
) -> (Finished, T) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || serve(RawClient::from_tcp(listener.accept().unwrap().0)));
    let finished = get(&[options, &[&url]].concat());
    let served = JoinHandle::join(server).unwrap();
    (finished, served)
}

/// Sends SETTINGS, and receives frames up to the head of the request.
fn begin(client: &mut RawClient) {
    client.receive_preface();
    client.send(kind::SETTINGS, 0, 0, &[]);
    while client.receive().expect("a request").kind != kind::HEADERS {}
}

/// A field block with `:status: 200` and one more field (RFC 7541, 6.1 and 6.2.2).
const RESPONSE: &[u8] = b"\x88\x00\x06x-part\x05value";

/// Encodes a PING frame.
fn ping() -> Vec<u8> {
    frame(kind::PING, 0, 0, b"answer!!")
}

fn answers_ping(frame: &Frame) -> bool {
    (frame.kind, frame.flags, &*frame.payload) == (kind::PING, flag::ACK, b"answer!!")
}

#[test]
fn head_and_content_of_a_request_are_sent_together() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("content");
    fs::write(&file, "hello").unwrap();
    let (finished, first) = get_from(&["-d", &format!("@{}", file.display())], |mut client| {
        let first = client.receive_what_is_there();
        client.send(kind::SETTINGS, 0, 0, &[]);
        client.send(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, 1, RESPONSE);
        client.receive_all();
        first
    });
    finished.content();
    let head = first.windows(5).position(|header| header[..2] == [kind::HEADERS, flag::END_HEADERS]);
    assert!(head.is_some() && first.ends_with(b"hello"), "{}", first.escape_ascii());
}

#[test]
fn one_request_is_sent_before_the_servers_settings_arrive() {
    let (finished, ()) = get_from(&["-n", "5", "-m", "5"], |mut client| {
        client.receive_preface();
        let first = client.receive_write();
        let is_head = |frame: &Frame| frame.kind == kind::HEADERS;
        let heads = first.iter().filter(|frame| is_head(frame)).count();
        assert_eq!(heads, 1);
        // SETTINGS_MAX_CONCURRENT_STREAMS is 2 (RFC 9113, 6.5.2).
        client.send(kind::SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 2]);
        assert_eq!(iter::from_fn(|| client.receive()).find(is_head).map(|head| head.stream), Some(3));
        client.send_octets(&ping());
        let third = iter::from_fn(|| client.receive()).take_while(|frame| !answers_ping(frame)).find(is_head);
        assert_eq!(third, None);
        for stream in [1, 3, 5, 7, 9] {
            client.send(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, stream, RESPONSE);
            while stream < 7 && !is_head(&client.receive().expect("another request")) {}
        }
        client.receive_all();
    });
    let summary = finished.text();
    assert!(summary.starts_with("5 requests: 5 succeeded, 0 failed"), "{summary}");
}

#[test]
fn a_ping_after_the_response_is_answered() {
    let (finished, answered) = get_from(&[], |mut client| {
        begin(&mut client);
        let response = frame(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, 1, RESPONSE);
        client.send_octets(&[response, ping()].concat());
        client.receive_all().iter().any(answers_ping)
    });
    finished.content();
    assert!(answered);
}

#[test]
fn a_ping_after_a_response_in_many_frames_is_answered() {
    let (finished, answered) = get_from(&[], |mut client| {
        begin(&mut client);
        let (first, rest) = RESPONSE.split_at(1);
        let (second, third) = rest.split_at(5);
        client.send(kind::HEADERS, flag::END_STREAM, 1, first);
        client.send(kind::CONTINUATION, 0, 1, second);
        client.send(kind::CONTINUATION, flag::END_HEADERS, 1, third);
        client.send_octets(&ping());
        client.receive_all().iter().any(answers_ping)
    });
    finished.content();
    assert!(answered);
}

#[test]
fn an_upload_continues_after_an_early_response() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("content");
    let content = octets(200_000);
    fs::write(&file, &content).unwrap();
    let (finished, frames) = get_from(&["-d", &format!("@{}", file.display())], |mut client| {
        begin(&mut client);
        client.send(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, 1, RESPONSE);
        let window = 200_000_u32.to_be_bytes();
        client.send(kind::WINDOW_UPDATE, 0, 0, &window);
        client.send(kind::WINDOW_UPDATE, 0, 1, &window);
        client.receive_all()
    });
    finished.content();
    let sent: usize =
        frames.iter().filter(|frame| frame.kind == kind::DATA).map(|frame| frame.payload.len()).sum();
    assert_eq!(sent, content.len());
    assert!(frames.iter().all(|frame| frame.kind != kind::RST_STREAM), "the upload was cut off");
}

#[test]
fn a_response_is_kept_when_the_server_resets_the_upload() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("content");
    fs::write(&file, octets(200_000)).unwrap();
    // The server opens no window, so the rest of the upload can never be sent.
    let (finished, _) = get_from(&["-i", "-d", &format!("@{}", file.display())], |mut client| {
        begin(&mut client);
        client.send(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, 1, RESPONSE);
        client.send(kind::RST_STREAM, 0, 1, &[0; 4]);
        client.receive_all()
    });
    assert_eq!(finished.text(), "HTTP/2 200\r\nx-part: value\r\n\r\n");
}

/// Starts an h2 server that accepts `streams` concurrent streams, and `requests` requests per connection.
async fn h2_server(streams: u32, requests: usize, response: Response<()>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let response = response.clone();
            tokio::spawn(async move {
                let mut server = h2::server::Builder::new();
                let mut connection =
                    server.max_concurrent_streams(streams).handshake::<_, bytes::Bytes>(tcp).await.unwrap();
                let mut taken = 0;
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    // The client may have disconnected.
                    _ = respond.send_response(response.clone(), true);
                    taken += 1;
                    if taken == requests {
                        connection.graceful_shutdown();
                    }
                }
            });
        }
    });
    url
}

/// Runs `get` for a server in this process.
async fn get_beside(options: &[&str], url: String) -> Finished {
    let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).chain([url]).collect();
    let run = move || get(&options.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[test]
fn a_server_with_a_limit_of_one_stream_answers_all_requests() {
    let finished = block_on(async {
        let url = h2_server(1, usize::MAX, Response::new(())).await;
        get_beside(&["-n", "500", "-m", "100"], url).await
    });
    let summary = finished.text();
    assert!(summary.starts_with("500 requests: 500 succeeded, 0 failed"), "{summary}");
}

#[test]
fn requests_continue_on_another_connection() {
    let finished = block_on(async {
        let url = h2_server(100, 20, Response::new(())).await;
        get_beside(&["-n", "200", "-m", "10", "--stats"], url).await
    });
    let connections = finished.stderr.lines().filter(|line| line.contains(" ended: ok; requests ")).count();
    let summary = finished.text();
    assert!(summary.starts_with("200 requests: 200 succeeded, 0 failed"), "{summary}");
    assert!(connections > 2, "{connections} connections");
}

/// Runs `get` for a server that processes `processed` requests per connection, answers the first `answered` of them,
/// and ends the connection with ENHANCE_YOUR_CALM.
///
/// Also returns the number of connections.
fn get_despite_goaways(options: &[&str], processed: usize, answered: usize) -> (Finished, usize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    thread::spawn(move || {
        for tcp in listener.incoming() {
            count.fetch_add(1, Ordering::Relaxed);
            let mut client = RawClient::from_tcp(tcp.unwrap());
            client.receive_preface();
            client.send(kind::SETTINGS, 0, 0, &[]);
            let heads = iter::from_fn(|| client.receive()).filter(|frame| frame.kind == kind::HEADERS);
            let taken: Vec<u32> =
                heads.take(processed.max(1)).map(|head| head.stream).take(processed).collect();
            for &stream in taken.iter().take(answered) {
                client.send(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, stream, RESPONSE);
            }
            let last = taken.last().copied().unwrap_or(0);
            client.send(kind::GOAWAY, 0, 0, &[last.to_be_bytes(), 11_u32.to_be_bytes()].concat());
            if answered < processed {
                // The client waits for the remaining responses until it learns that the connection has ended.
                client.synchronise();
            } else {
                client.receive_all();
            }
        }
    });
    (get(&[options, &[&url]].concat()), connections.load(Ordering::Relaxed))
}

#[test]
fn unprocessed_requests_are_retried_on_another_connection() {
    let (finished, connections) = get_despite_goaways(&["-n", "30", "-m", "10", "--stats"], 2, 2);
    let reason = " ended: the peer ended the connection with ENHANCE_YOUR_CALM; requests ";
    assert_eq!(finished.stderr.matches(reason).count(), 15, "{}", finished.stderr);
    let summary = finished.text();
    assert!(summary.starts_with("30 requests: 30 succeeded, 0 failed"), "{summary}");
    assert_eq!(connections, 15);
}

#[test]
fn unprocessed_requests_are_retried_on_another_connection_of_the_pool() {
    let (finished, _) = get_despite_goaways(&["--wasi-http", "-n", "30", "-m", "10"], 2, 2);
    let summary = finished.text();
    assert!(summary.starts_with("30 requests: 30 succeeded, 0 failed"), "{summary}");
}

#[test]
fn failed_requests_do_not_block_others() {
    for client in [&[][..], &["--wasi-http"]] {
        let (finished, _) = get_despite_goaways(&[client, &["-n", "30", "-m", "3"]].concat(), 3, 1);
        assert_ne!(finished.code, Some(0));
        let summary = String::from_utf8(finished.stdout).unwrap();
        assert!(summary.starts_with("30 requests: 10 succeeded, 20 failed"), "{summary}{}", finished.stderr);
    }
}

#[test]
fn get_gives_up_a_server_that_processes_no_requests() {
    for options in [&[][..], &["-n", "30", "-m", "10"]] {
        let (finished, connections) = get_despite_goaways(options, 0, 0);
        assert_eq!(connections, 3);
        assert_ne!(finished.code, Some(0));
        let reason = "the peer ended the connection with ENHANCE_YOUR_CALM";
        assert!(finished.stderr.contains(reason), "{}", finished.stderr);
    }
}

#[test]
fn a_protocol_violation_is_reported_as_the_reason() {
    let (finished, ()) = get_from(&["--stats"], |mut client| {
        begin(&mut client);
        client.send(kind::WINDOW_UPDATE, 0, 0, &[0; 4]);
        client.receive_all();
    });
    let told =
        finished.stderr.lines().find(|line| line.starts_with("connection to ")).expect("no reason reported");
    assert!(told.contains(" ended: the peer broke the protocol: "), "{told}");
}

#[test]
fn limits_on_the_response_head_are_configurable() {
    let mut response = Response::new(());
    let value = HeaderValue::from_str(&"v".repeat(60)).unwrap();
    for _ in 0..1_200 {
        response.headers_mut().append("x-field", value.clone());
    }
    let (refused, taken) = block_on(async {
        let url = h2_server(100, usize::MAX, response).await;
        let refused = get_beside(&[], url.clone()).await;
        (refused, get_beside(&["-i", "--max-header-list", "200000", "--max-headers", "1300"], url).await)
    });
    refused.error_line();
    assert_eq!(taken.text().matches("x-field: v").count(), 1_200);
}
