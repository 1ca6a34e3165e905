// A client and a server in memory, included by the examples in doc comments.

/// Creates the two ends of a connection.
fn pair() -> (http2_engine::Connection, http2_engine::Connection) {
    let config = http2_engine::Config::default;
    (
        http2_engine::Connection::client(config()).unwrap(),
        http2_engine::Connection::server(config()).unwrap(),
    )
}

/// Carries bytes in both directions until neither end has more: stands in for a transport.
fn carry(one: &mut http2_engine::Connection, other: &mut http2_engine::Connection) {
    let now = http2_engine::Time::default();
    let one_way = |from: &mut http2_engine::Connection, to: &mut http2_engine::Connection| {
        let mut bytes = Vec::new();
        while from.poll_transmit(now, &mut bytes, 65_536) > 0 {}
        let sent = bytes.len();
        assert_eq!(to.recv(now, &mut bytes.into()), sent);
        sent
    };
    while one_way(one, other) + one_way(other, one) > 0 {}
}

/// Returns the head of a request for `https://example.com/`.
fn request(method: &str) -> http2_engine::FieldSection {
    [(":method", method), (":scheme", "https"), (":authority", "example.com"), (":path", "/")]
        .into_iter()
        .collect()
}

/// Returns the head of a response.
fn response(status: &str) -> http2_engine::FieldSection {
    [(":status", status)].into_iter().collect()
}
