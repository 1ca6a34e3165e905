use http2_engine::{Config, Connection, FieldSection, Time};

use super::Trace;

/// Creates a client with a trace that has sent its preface, and a request if `open` is set.
fn client(open: bool) -> (Connection, Trace) {
    let mut client = Connection::client(Config::default()).unwrap();
    let trace = Trace::attach(&mut client);
    if open {
        let mut head = FieldSection::new();
        for (name, value) in [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")] {
            head.push(name.as_bytes(), value.as_bytes());
        }
        head.push_never_indexed(b"token", b"secret");
        client.open(&head, true).unwrap();
    }
    client.poll_transmit(Time::default(), &mut Vec::new(), usize::MAX);
    (client, trace)
}

#[test]
fn first_settings_are_traced_by_name() {
    let (_, trace) = client(false);
    let frames = trace.take();
    let settings = frames.first().unwrap();
    assert!(settings.sent);
    assert_eq!((settings.kind, settings.flags, settings.stream_id), (4, 0, 0));
    assert!(settings.detail.contains("SETTINGS_ENABLE_PUSH=0, "), "{}", settings.detail);
    assert!(trace.take().is_empty(), "each frame is returned once");
}

#[test]
fn sent_headers_are_traced_with_their_fields() {
    let (_, trace) = client(true);
    let headers = trace.take().pop().unwrap();
    assert_eq!((headers.sent, headers.kind, headers.stream_id), (true, 1, 1));
    let lines: Vec<&str> = headers.detail.lines().collect();
    assert_eq!(lines.first(), Some(&"END_STREAM | END_HEADERS"));
    assert_eq!(lines.last(), Some(&"token: secret (never indexed)"));
}

#[test]
fn received_frames_are_traced_with_their_contents() {
    let (mut client, trace) = client(true);
    trace.take();
    let mut input = Vec::new();
    input.extend_from_slice(b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x07"); // SETTINGS
    input.extend_from_slice(b"\0\0\x01\x01\x04\0\0\0\x01\x88"); // HEADERS, :status: 200
    input.extend_from_slice(b"\0\0\x02\x00\x01\0\0\0\x01hi"); // DATA
    input.extend_from_slice(b"\0\0\x08\x06\0\0\0\0\0\0\x01\x02\x03\x04\x05\x06\x07"); // PING
    input.extend_from_slice(b"\0\0\x0b\x07\0\0\0\0\0\0\0\0\x01\0\0\0\x00bye"); // GOAWAY
    let whole = input.len();
    assert_eq!(client.recv(Time::default(), &mut input.into()), whole);
    let received: Vec<(u8, String)> = trace
        .take()
        .into_iter()
        .filter(|frame| !frame.sent)
        .map(|frame| (frame.kind, frame.detail))
        .collect();
    let told = |kind: u8, detail: &str| (kind, detail.to_owned());
    assert_eq!(
        received,
        [
            told(4, "SETTINGS_MAX_CONCURRENT_STREAMS=7"),
            told(1, "END_HEADERS\n:status: 200"),
            told(0, "END_STREAM"),
            told(6, "0001020304050607"),
            told(7, "last stream 1, NO_ERROR, \"bye\""),
        ]
    );
}
