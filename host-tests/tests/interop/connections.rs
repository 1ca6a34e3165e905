//! Many connections, and clients that stall or disconnect. The server for `wasi:http` has the same tests.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use host_tests::support::raw::RawClient;
use host_tests::support::{block_on, get};
use http::Request;
use http2_test_support::{flag, frame, kind};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpStream;

use crate::Serve;

/// More than any buffer holds.
const ENDLESS: &str = "/bytes/1000000000000";

/// Connects an h2 client, which a background task drives.
async fn connect(server: SocketAddr) -> SendRequest<Bytes> {
    let tcp = TcpStream::connect(server).await.unwrap();
    tcp.set_nodelay(true).unwrap();
    let (client, connection) = h2::client::handshake(tcp).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Sends a request, receives the whole response, and returns the length of its content in bytes.
async fn fetch(client: &SendRequest<Bytes>, path: &str) -> usize {
    let mut client = client.clone().ready().await.unwrap();
    let request = Request::get(format!("http://localhost{path}")).body(()).unwrap();
    let (response, _) = client.send_request(request, true).unwrap();
    let mut content = response.await.unwrap().into_body();
    let mut count = 0;
    while let Some(octets) = content.data().await {
        let octets = octets.unwrap();
        count += octets.len();
        content.flow_control().release_capacity(octets.len()).unwrap();
    }
    count
}

/// Raises the limit of open files of this process and its children.
fn raise_limit_of_files(wanted: u64) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < wanted) {
        let current = Some(maximum.map_or(wanted, |maximum| maximum.min(wanted)));
        setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
    }
}

#[test]
fn a_thousand_connections_at_once() {
    raise_limit_of_files(4_000);
    let serve = Serve::start_with(&["--max-connections", "1001"]);
    let empty = serve.resident();
    block_on(async {
        let mut clients = Vec::new();
        for _ in 0..1_000 {
            clients.push(connect(serve.address()).await);
        }
        for round in 0..3 {
            // One half is idle; the other half sends requests as fast as it can.
            let mut busy = tokio::task::JoinSet::new();
            for client in clients.iter().step_by(2) {
                let client = client.clone();
                busy.spawn(async move {
                    let mut received = 0;
                    for path in ["/", "/bytes/1000", "/bytes/20000"] {
                        received += fetch(&client, path).await;
                    }
                    received
                });
            }
            let received: Vec<usize> = busy.join_all().await;
            assert_eq!(received, [49 + 1_000 + 20_000; 500], "round {round}");
        }
        if let (Some(empty), Some(full)) = (empty, serve.resident()) {
            println!("1,000 connections: {} KiB each", (full - empty) / 1_000);
        }
        for client in &clients {
            assert_eq!(fetch(client, "/").await, 49, "idle connections are still served");
        }
    });
    assert_eq!(get(&[&serve.url("/")]).content().len(), 49);
}

/// Opens connections, and closes them while content flows in both directions.
fn cut_connections(serve: &Serve, count: usize) {
    let start = || {
        let mut client = RawClient::connect(serve.address());
        client.request(1, "GET", ENDLESS, flag::END_STREAM);
        client.request(3, "POST", "/echo", 0);
        client.send(kind::DATA, 0, 3, &[0; 10_000]);
        client.synchronise();
        client
    };
    let clients: Vec<RawClient> = (0..count).map(|_| start()).collect();
    // Because unread bytes remain, the system resets the connections.
    drop(clients);
}

#[test]
fn disconnected_clients_are_released() {
    // If the server kept connections, it would have no room for those of the second round.
    let serve = Serve::start_with(&["--max-connections", "110"]);
    let mut resident = Vec::new();
    for _ in 0..6 {
        cut_connections(&serve, 100);
        assert_eq!(get(&[&serve.url("/")]).content().len(), 49);
        resident.extend(serve.resident());
    }
    println!("memory after each round, in KiB: {resident:?}");
    if let [_, second, .., last] = resident[..] {
        assert!(last < second + second / 10 + 4_096, "{resident:?}");
    }
}

#[test]
fn cancelled_streams_are_released() {
    let serve = Serve::start();
    let mut resident = Vec::new();
    for _ in 0..6 {
        block_on(async {
            let client = connect(serve.address()).await;
            for _ in 0..100 {
                let mut client = client.clone().ready().await.unwrap();
                let request = Request::get(format!("http://localhost{ENDLESS}")).body(()).unwrap();
                let (response, _) = client.send_request(request, true).unwrap();
                let mut content = response.await.unwrap().into_body();
                // When the content is dropped before its end, h2 resets the stream.
                content.data().await.unwrap().unwrap();
            }
            assert_eq!(fetch(&client, "/").await, 49);
        });
        resident.extend(serve.resident());
    }
    println!("memory after each round, in KiB: {resident:?}");
    if let [_, second, .., last] = resident[..] {
        assert!(last < second + second / 10 + 4_096, "{resident:?}");
    }
}

#[test]
fn stalled_clients_do_not_affect_others() {
    let serve = Serve::start();

    // Opens all windows, and reads nothing: only TCP stops the server.
    let mut deaf = RawClient::connect(serve.address());
    let increment = 0x7fff_0000_u32.to_be_bytes();
    deaf.send(kind::SETTINGS, 0, 0, &[&[0, 4], &increment[..]].concat());
    deaf.send(kind::WINDOW_UPDATE, 0, 0, &increment);
    deaf.request(1, "GET", ENDLESS, flag::END_STREAM);

    // Requests content and does not read it: the windows stop the server. The client can still send requests.
    let mut slow = RawClient::connect(serve.address());
    slow.request(1, "GET", ENDLESS, flag::END_STREAM);
    slow.synchronise();

    // These clients do not finish their content, their field block, their preface, or their frame.
    let mut halting = RawClient::connect(serve.address());
    halting.request(1, "POST", "/echo", 0);
    halting.send(kind::DATA, 0, 1, b"to be continued");
    let mut vague = RawClient::connect(serve.address());
    vague.send(kind::HEADERS, 0, 1, &[0x82, 0x86]);
    let mut silent = RawClient::connect_silently(serve.address());
    silent.send_octets(b"PRI * HTTP/2.0\r\n");
    let mut partial = RawClient::connect(serve.address());
    partial.send_octets(&[0, 0, 8, kind::PING]);

    let summary = get(&["-n", "1000", "-m", "100", &serve.url("/bytes/10000")]).text();
    assert!(summary.starts_with("1000 requests: 1000 succeeded, 0 failed"), "{summary}");

    slow.request(3, "HEAD", "/", flag::END_STREAM);
    slow.synchronise();
    halting.send(kind::DATA, flag::END_STREAM, 1, b" and ended");
    let received = |client: &mut RawClient, flag| {
        let mut content = Vec::new();
        while let Some(frame) = client.receive() {
            if frame.kind == kind::DATA {
                content.extend(frame.payload);
                if frame.flags & flag != 0 {
                    break;
                }
            }
        }
        content
    };
    assert_eq!(received(&mut halting, flag::END_STREAM), b"to be continued and ended");
}

/// PINGs without a pause.
fn pings(count: usize) -> Vec<u8> {
    frame(kind::PING, 0, 0, b"12345678").repeat(count)
}

#[test]
fn pings_sent_at_once_are_all_answered() {
    let serve = Serve::start();
    let mut client = RawClient::connect(serve.address());
    client.send_octets(&pings(20_000));
    let answers = std::iter::from_fn(|| client.receive())
        .filter(|frame| (frame.kind, frame.flags) == (kind::PING, flag::ACK));
    assert_eq!(answers.take(20_000).count(), 20_000);
}

#[test]
fn client_that_leaves_answers_unread_is_released() {
    let serve = Serve::start_with(&["--max-connections", "1"]);
    let mut client = RawClient::connect(serve.address());
    // The server stops reading once its answers fill the sockets.
    while client.try_send_for(Duration::from_secs(1), &pings(1_000)).is_ok() {}
    drop(client);
    assert_eq!(get(&[&serve.url("/")]).content().len(), 49);
}

#[test]
fn streams_cancelled_with_a_closed_window_are_released() {
    let serve = Serve::start();
    let mut client = RawClient::connect(serve.address());
    for stream in (1..401).step_by(2) {
        client.request(stream, "GET", ENDLESS, flag::END_STREAM);
        let mut window = 65_535;
        while window > 0 {
            let frame = client.receive().expect("content");
            window -= if frame.kind == kind::DATA { frame.payload.len() } else { 0 };
        }
        client.send(kind::RST_STREAM, 0, stream, &8_u32.to_be_bytes());
        client.send(kind::WINDOW_UPDATE, 0, 0, &65_535_u32.to_be_bytes());
    }
    client.synchronise();
    client.request(401, "HEAD", "/", flag::END_STREAM);
    assert!(std::iter::from_fn(|| client.receive()).any(|frame| frame.stream == 401));
}
