//! Which connection a request uses.

use std::net::{TcpListener, ToSocketAddrs};

use host_tests::support::requests::{Client, Exchange, Request};
use http2_test_support::{kind, setting};

use crate::h2_server::H2Server;
use crate::raw_server::{Connection, RawServer};

/// Waits for the next `count` requests of a connection, then answers all of them.
fn answer(connection: &mut Connection, count: usize) -> Vec<u32> {
    let streams: Vec<u32> = (0..count).map(|_| connection.request().stream).collect();
    for stream in &streams {
        connection.respond(*stream, "200");
    }
    streams
}

fn all_succeed(exchanges: Vec<Exchange>) {
    for exchange in exchanges {
        assert_eq!(exchange.response().unwrap().status, 200);
    }
}

#[test]
fn many_requests_share_one_connection() {
    let server = RawServer::listen();
    let client = Client::start();
    let at_once = (0..50).map(|_| client.get(&server.url("/"))).collect();
    let mut connection = server.accept();
    assert_eq!(answer(&mut connection, 50), (0..50).map(|number| 2 * number + 1).collect::<Vec<u32>>());
    all_succeed(at_once);
    for number in 50..70 {
        let one = client.get(&server.url("/"));
        assert_eq!(answer(&mut connection, 1), [2 * number + 1]);
        all_succeed(vec![one]);
    }
    assert!(server.try_accept().is_none(), "no other connection is opened");
}

#[test]
fn requests_beyond_the_servers_limit_use_another_connection() {
    let server = RawServer::listen();
    let client = Client::start();
    let first = client.get(&server.url("/"));
    let mut one = server.accept_with(&[(setting::MAX_CONCURRENT_STREAMS, 10)]);
    let stream = one.request().stream;
    one.wire.synchronise();
    let rest: Vec<_> = (0..19).map(|_| client.get(&server.url("/"))).collect();
    let mut two = server.accept_with(&[(setting::MAX_CONCURRENT_STREAMS, 10)]);
    for _ in 0..9 {
        one.request();
    }
    for _ in 0..10 {
        two.request();
    }
    assert!(server.try_accept().is_none(), "no third connection is opened");
    one.respond(stream, "200");
    all_succeed(vec![first]);
    for (connection, streams) in [(&mut one, 1..10), (&mut two, 0..10)] {
        for number in streams {
            connection.respond(2 * number + 1, "200");
        }
    }
    all_succeed(rest);
}

#[test]
fn server_gets_one_request_before_it_announces_its_limit() {
    let server = RawServer::listen();
    let client = Client::start();
    let at_once: Vec<_> = (0..50).map(|_| client.get(&server.url("/"))).collect();
    let mut connection = server.accept_silently();
    let first = connection.wire.receive_write();
    assert_eq!(first.iter().filter(|frame| frame.kind == kind::HEADERS).count(), 1, "{first:?}");
    let head = first.iter().find(|frame| frame.kind == kind::HEADERS).unwrap();
    connection.wire.send(kind::SETTINGS, 0, 0, &[]);
    assert_eq!(answer(&mut connection, 49), (1..50).map(|number| 2 * number + 1).collect::<Vec<u32>>());
    connection.respond(head.stream, "200");
    all_succeed(at_once);
    assert!(server.try_accept().is_none(), "no other connection is opened");
}

#[test]
fn number_of_connections_is_limited() {
    let server = RawServer::listen();
    let client = Client::start_with(&[("HTTP2_CLIENT_MAX_CONNECTIONS", "1")]);
    let exchanges = (0..12).map(|_| client.get(&server.url("/"))).collect();
    let mut connection = server.accept_with(&[(setting::MAX_CONCURRENT_STREAMS, 3)]);
    let mut served = 0;
    while served < 12 {
        let stream = connection.request().stream;
        connection.respond(stream, "200");
        served += 1;
    }
    all_succeed(exchanges);
    assert!(server.try_accept().is_none(), "no other connection is opened");
}

#[test]
fn each_authority_has_its_own_connection() {
    let (one, two) = (RawServer::listen(), RawServer::listen());
    let client = Client::start();
    let exchanges = vec![client.get(&one.url("/")), client.get(&two.url("/"))];
    for server in [&one, &two] {
        let mut connection = server.accept();
        let head = connection.request();
        assert_eq!(head.get(":authority"), Some(server.authority().as_str()));
        connection.respond(head.stream, "200");
    }
    all_succeed(exchanges);
}

#[test]
fn upstream_receives_all_requests() {
    let server = RawServer::listen();
    let client = Client::start_with(&[("HTTP2_CLIENT_UPSTREAM", &server.authority())]);
    let exchanges = vec![client.get("http://one.example/"), client.get("http://two.example:81/")];
    let mut connection = server.accept();
    let mut authorities = Vec::new();
    for _ in 0..2 {
        let head = connection.request();
        authorities.push(head.get(":authority").unwrap().to_owned());
        connection.respond(head.stream, "200");
    }
    authorities.sort();
    assert_eq!(authorities, ["one.example", "two.example:81"]);
    all_succeed(exchanges);
}

#[test]
fn one_scheme_never_uses_the_connection_of_another() {
    let server = RawServer::listen();
    let client = Client::start_with(&[("HTTP2_CLIENT_UPSTREAM", &server.authority())]);
    let http = client.get("http://example.com/");
    let mut first = server.accept();
    answer(&mut first, 1);
    all_succeed(vec![http]);
    let https = client.get("https://example.com/");
    let mut second = server.accept();
    let head = second.request();
    assert_eq!(head.get(":scheme"), Some("https"));
    second.respond(head.stream, "200");
    all_succeed(vec![https]);
}

#[test]
fn idle_connection_is_closed() {
    let server = RawServer::listen();
    let client = Client::start_with(&[("HTTP2_CLIENT_IDLE_TIMEOUT", "1")]);
    let one = client.get(&server.url("/"));
    let mut connection = server.accept();
    answer(&mut connection, 1);
    all_succeed(vec![one]);
    let frames = connection.wire.receive_all();
    let go_away = frames.iter().find(|frame| frame.kind == kind::GOAWAY).expect("a graceful shutdown");
    assert_eq!(go_away.payload[4..8], [0; 4], "NO_ERROR");
    let other = client.get(&server.url("/"));
    answer(&mut server.accept(), 1);
    all_succeed(vec![other]);
}

#[test]
fn connection_with_a_request_is_not_idle() {
    let server = RawServer::listen();
    let client = Client::start_with(&[("HTTP2_CLIENT_IDLE_TIMEOUT", "1")]);
    let slow = client.get(&server.url("/"));
    let mut connection = server.accept();
    let stream = connection.request().stream;
    std::thread::sleep(std::time::Duration::from_secs(3));
    connection.respond(stream, "200");
    all_succeed(vec![slow]);
}

#[test]
fn address_that_answers_is_used() {
    // "localhost" resolves to ::1 and 127.0.0.1; only one of them has a listener.
    let server = RawServer::listen();
    let client = Client::start();
    let url = server.url("/").replace("127.0.0.1", "localhost");
    let exchange = client.get(&url);
    answer(&mut server.accept(), 1);
    all_succeed(vec![exchange]);

    let six = TcpListener::bind("[::1]:0");
    let mut addresses = ("localhost", 0).to_socket_addrs().unwrap();
    let (Ok(six), true) = (six, addresses.any(|address| address.is_ipv6())) else { return };
    let url = format!("http://localhost:{}/", six.local_addr().unwrap().port());
    let exchange = client.get(&url);
    let mut connection = Connection::from_tcp(six.accept().unwrap().0);
    connection.wire.send(kind::SETTINGS, 0, 0, &[]);
    answer(&mut connection, 1);
    all_succeed(vec![exchange]);
}

#[test]
fn ipv6_address_stands_in_brackets() {
    let Ok(six) = TcpListener::bind("[::1]:0") else { return };
    let authority = six.local_addr().unwrap().to_string();
    let client = Client::start();
    let exchange = client.get(&format!("http://{authority}/"));
    let mut connection = Connection::from_tcp(six.accept().unwrap().0);
    connection.wire.send(kind::SETTINGS, 0, 0, &[]);
    let head = connection.request();
    assert_eq!(head.get(":authority"), Some(authority.as_str()));
    connection.respond(head.stream, "200");
    all_succeed(vec![exchange]);
}

#[test]
fn thousand_concurrent_requests_are_answered() {
    let mut builder = h2::server::Builder::new();
    builder.max_concurrent_streams(100);
    let server = H2Server::start_with(builder);
    let client = Client::start();
    let request = Request::new("POST", &server.url("/")).content(1_000);
    let exchanges: Vec<Exchange> = (0..1_000).map(|_| client.send(&request)).collect();
    for exchange in exchanges {
        assert_eq!(exchange.response().unwrap().content.octets, 1_000);
    }
    assert!(server.connections() <= 16, "{}", server.connections());
}
