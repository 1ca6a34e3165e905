//! A server of `h2` with a client that writes its frames by hand, and breaks the rules.
//!
//! The transcript has the frames by which the server answers, and the errors that its callers see.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::server;
use http2_test_support::{self as frames, GET, Header, POST, code, flag, kind, setting};

use crate::describe::{fields, pattern};
use crate::h2_pair::{Ended, duplex, end, ok, read, serve, settle};
use crate::raw::Raw;
use crate::scenario::{Log, say, scenarios};

scenarios! {
    single frames_on_the_wrong_stream,
    single frames_of_the_wrong_size,
    single settings_out_of_range,
    single windows,
    single data_after_the_end,
    single malformed_requests,
    single padded_and_prioritized_frames,
    single unknown_frames_and_settings,
    single broken_field_blocks,
    single continuations,
    single streams_beyond_the_limit,
    single stream_ids_out_of_order,
    single resets_by_the_client,
    single rapid_resets,
    single rapid_resets_beyond_the_limit,
    single resets_that_the_server_is_forced_to,
    single ping_flood,
    single settings_flood,
    single empty_frames,
    single go_away_by_the_client,
    single end_in_the_middle_of_a_frame,
    single settings_that_change_windows,
    single content_larger_than_the_window,
    single trailers_that_are_wrong,
}

/// What a server's callers see.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn take(&self) -> String {
        let mut lines = std::mem::take(&mut *self.0.lock().unwrap());
        if lines.is_empty() {
            lines.push("nothing".to_owned());
        }
        lines.join(", ")
    }
}

/// A server whose requests read their content, and are answered; and a client.
async fn start(builder: &server::Builder) -> (Raw, Ended, Seen) {
    let (near, far) = duplex();
    let seen = Seen::default();
    let lines = seen.clone();
    let served = serve(far, builder, move |request, mut respond| {
        let (head, mut body) = request.into_parts();
        let id = body.stream_id().as_u32();
        lines.add(format!("{id} {} {} {}", head.method, head.uri, fields(&head.headers)));
        let lines = lines.clone();
        async move {
            let content = read(&mut body).await;
            lines.add(format!("{id} {content}"));
            if let Ok(mut stream) = respond.send_response(ok(), false) {
                _ = stream.send_data(Bytes::from_static(b"answer"), true);
            }
        }
    });
    (Raw::greeted_client(near).await, served, seen)
}

/// Writes bytes to a new server, and notes the outcome.
async fn outcome(log: &Log, name: &str, octets: &[u8]) {
    outcome_with(log, &server::Builder::new(), name, octets).await;
}

async fn outcome_with(log: &Log, builder: &server::Builder, name: &str, octets: &[u8]) {
    let (mut client, served, seen) = start(builder).await;
    for frame in in_steps(octets) {
        client.write(frame).await;
        settle().await;
    }
    let answers = client.answers().await;
    settle().await;
    client.shutdown().await;
    say!(log, "{name}: {answers:?}; server: {}; seen: {}", end(served).await, seen.take());
}

/// The frames of a short input, so that the server has seen each before the next; a flood in one piece.
fn in_steps(mut octets: &[u8]) -> Vec<&[u8]> {
    if octets.len() > 100_000 {
        return vec![octets];
    }
    let mut frames = Vec::new();
    while let Some(header) = octets.first_chunk() {
        let length = frames::HEADER_LEN + Header::parse(header).length as usize;
        let (frame, rest) = octets.split_at(length.min(octets.len()));
        frames.push(frame);
        octets = rest;
    }
    frames
}

async fn frames_on_the_wrong_stream(log: Log) {
    for (name, octets) in [
        ("DATA on stream 0", frames::data(0, 0, b"x")),
        ("HEADERS on stream 0", frames::headers(0, flag::END_STREAM, GET)),
        ("HEADERS on stream 2", frames::headers(2, flag::END_STREAM, GET)),
        ("SETTINGS on stream 1", frames::frame(kind::SETTINGS, 0, 1, &[])),
        ("PING on stream 1", frames::frame(kind::PING, 0, 1, &[0; 8])),
        ("GOAWAY on stream 1", frames::frame(kind::GOAWAY, 0, 1, &[0; 8])),
        ("RST_STREAM on stream 0", frames::rst_stream(0, code::CANCEL)),
        ("PRIORITY on stream 0", frames::priority(0, 1)),
        ("CONTINUATION on stream 1", frames::frame(kind::CONTINUATION, flag::END_HEADERS, 1, &[])),
        ("PUSH_PROMISE", frames::push_promise(1, 2, GET)),
        ("DATA on idle stream", frames::data(1, 0, b"x")),
        ("RST_STREAM on idle stream", frames::rst_stream(1, code::CANCEL)),
        ("WINDOW_UPDATE on idle stream", frames::window_update(1, 1)),
        ("PRIORITY on idle stream", frames::priority(1, 0)),
    ] {
        outcome(&log, name, &octets).await;
    }
}

async fn frames_of_the_wrong_size(log: Log) {
    for (name, octets) in [
        ("DATA of 16,385", frames::data(1, 0, &[0; 16_385])),
        ("HEADERS of 16,385", frames::headers_block(1, 0, &[0x82; 16_385])),
        ("PING of 7", frames::frame(kind::PING, 0, 0, &[0; 7])),
        ("PING of 9", frames::frame(kind::PING, 0, 0, &[0; 9])),
        (
            "RST_STREAM of 3",
            [frames::headers(1, 0, POST), frames::frame(kind::RST_STREAM, 0, 1, &[0; 3])].concat(),
        ),
        ("WINDOW_UPDATE of 5", frames::frame(kind::WINDOW_UPDATE, 0, 0, &[0; 5])),
        ("SETTINGS of 5", frames::frame(kind::SETTINGS, 0, 0, &[0; 5])),
        ("SETTINGS ACK of 6", frames::frame(kind::SETTINGS, flag::ACK, 0, &[0; 6])),
        ("GOAWAY of 7", frames::frame(kind::GOAWAY, 0, 0, &[0; 7])),
        ("PRIORITY of 4", frames::frame(kind::PRIORITY, 0, 1, &[0; 4])),
    ] {
        outcome(&log, name, &octets).await;
    }
}

async fn settings_out_of_range(log: Log) {
    for (id, value) in [
        (setting::ENABLE_PUSH, 2),
        (setting::INITIAL_WINDOW_SIZE, 1 << 31),
        (setting::MAX_FRAME_SIZE, 16_383),
        (setting::MAX_FRAME_SIZE, 1 << 24),
        (setting::ENABLE_CONNECT_PROTOCOL, 2),
        (setting::HEADER_TABLE_SIZE, u32::MAX),
        (setting::MAX_HEADER_LIST_SIZE, 0),
        (setting::MAX_CONCURRENT_STREAMS, 0),
    ] {
        outcome(&log, &format!("{} = {value}", setting::name(id)), &frames::settings(&[(id, value)])).await;
    }
    // An acknowledgement that nobody waits for.
    outcome(&log, "a second acknowledgement", &frames::settings_ack()).await;
}

async fn windows(log: Log) {
    let open = frames::headers(1, 0, POST);
    let most = (1 << 31) - 1;
    for (name, octets) in [
        ("connection by 0", frames::window_update(0, 0)),
        ("stream by 0", [open.clone(), frames::window_update(1, 0)].concat()),
        ("connection to overflow", frames::window_update(0, most)),
        ("stream to overflow", [open.clone(), frames::window_update(1, most)].concat()),
        (
            "stream to overflow by SETTINGS",
            [
                open,
                frames::window_update(1, most - 65_535),
                frames::settings(&[(setting::INITIAL_WINDOW_SIZE, 70_000)]),
            ]
            .concat(),
        ),
    ] {
        outcome(&log, name, &octets).await;
    }
}

async fn data_after_the_end(log: Log) {
    let get = frames::headers(1, flag::END_STREAM, GET);
    for (name, octets) in [
        ("DATA", [get.clone(), frames::data(1, 0, b"late")].concat()),
        ("HEADERS", [get.clone(), frames::headers(1, flag::END_STREAM, &[("x", "late")])].concat()),
        ("RST_STREAM", [get.clone(), frames::rst_stream(1, code::CANCEL)].concat()),
        ("WINDOW_UPDATE", [get.clone(), frames::window_update(1, 10)].concat()),
        ("PRIORITY", [get, frames::priority(1, 0)].concat()),
    ] {
        outcome(&log, name, &octets).await;
    }
}

/// Requests that RFC 9113, 8 calls malformed.
fn malformed() -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
    let with = |field: (&'static str, &'static str)| [GET, &[field]].concat();
    let without = |name: &str| GET.iter().filter(|field| field.0 != name).copied().collect::<Vec<_>>();
    vec![
        ("without :method", without(":method")),
        ("without :scheme", without(":scheme")),
        ("without :path", without(":path")),
        ("without :authority", without(":authority")),
        ("two :method", [&[(":method", "GET")], GET].concat()),
        ("two :path", [&[(":path", "/b")], GET].concat()),
        ("unknown pseudo-header field", [&[(":unknown", "x")], GET].concat()),
        (":status", [&[(":status", "200")], GET].concat()),
        ("pseudo-header field last", [&[("x", "y")], GET].concat()),
        ("empty :path", [without(":path"), vec![(":path", "")]].concat()),
        ("upper case", with(("X-Upper", "x"))),
        ("connection", with(("connection", "close"))),
        ("transfer-encoding", with(("transfer-encoding", "chunked"))),
        ("te", with(("te", "gzip"))),
        ("te: trailers", with(("te", "trailers"))),
        ("upgrade", with(("upgrade", "x"))),
        ("keep-alive", with(("keep-alive", "5"))),
        ("empty name", with(("", "x"))),
        ("space in a name", with(("a b", "x"))),
        ("line feed in a value", with(("x", "a\nb"))),
        ("NUL in a value", with(("x", "a\0b"))),
        ("space around a value", with(("x", " a "))),
        ("content-length of letters", with(("content-length", "ten"))),
        ("content-length without content", with(("content-length", "5"))),
        ("content-length of 0", with(("content-length", "0"))),
        ("method with a space", [without(":method"), vec![(":method", "GE T")]].concat()),
        ("path with a space", [without(":path"), vec![(":path", "/a b")]].concat()),
        ("path without a slash", [without(":path"), vec![(":path", "a")]].concat()),
        ("authority with a path", [without(":authority"), vec![(":authority", "a/b")]].concat()),
        ("CONNECT with :path", [without(":method"), vec![(":method", "CONNECT")]].concat()),
        ("CONNECT", vec![(":method", "CONNECT"), (":authority", "a:1")]),
        (":protocol", with((":protocol", "websocket"))),
        ("host", [without(":authority"), vec![("host", "other.example")]].concat()),
        ("host that differs", with(("host", "other.example"))),
        ("two host", [without(":authority"), vec![("host", "a"), ("host", "b")]].concat()),
    ]
}

/// A further request shows whether the connection survives.
async fn malformed_requests(log: Log) {
    let next = frames::headers(3, flag::END_STREAM, GET);
    for (name, fields) in malformed() {
        let malformed = frames::headers(1, flag::END_STREAM, &fields);
        outcome(&log, name, &[malformed, next.clone()].concat()).await;
    }
}

async fn padded_and_prioritized_frames(log: Log) {
    let block = frames::block(POST);
    let padded = |pad: u8, content: &[u8]| [&[pad], content, &vec![0; pad.into()]].concat();
    let headers =
        |flags: u8, payload: &[u8]| frames::frame(kind::HEADERS, flags | flag::END_HEADERS, 1, payload);
    let open = frames::headers(1, 0, POST);
    let priority = [&[0, 0, 0, 0, 15][..], &block].concat();
    let itself = [&[0, 0, 0, 1, 15][..], &block].concat();
    for (name, octets) in [
        ("padded HEADERS", headers(flag::PADDED | flag::END_STREAM, &padded(50, &block))),
        ("HEADERS with priority", headers(flag::PRIORITY | flag::END_STREAM, &priority)),
        ("HEADERS that depend on themselves", headers(flag::PRIORITY | flag::END_STREAM, &itself)),
        ("too much padding in HEADERS", headers(flag::PADDED, &[255, 0, 0])),
        (
            "padded DATA",
            [
                open.clone(),
                frames::frame(kind::DATA, flag::PADDED, 1, &padded(255, b"content")),
                frames::frame(kind::DATA, flag::PADDED | flag::END_STREAM, 1, &padded(10, b"")),
            ]
            .concat(),
        ),
        (
            "too much padding in DATA",
            [open.clone(), frames::frame(kind::DATA, flag::PADDED, 1, &[5, 0, 0])].concat(),
        ),
        ("padded DATA without a length", [open, frames::frame(kind::DATA, flag::PADDED, 1, &[])].concat()),
    ] {
        outcome(&log, name, &octets).await;
    }
}

async fn unknown_frames_and_settings(log: Log) {
    let get = frames::headers(1, flag::END_STREAM, GET);
    for (name, octets) in [
        ("unknown frame", [frames::frame(0x77, 0xff, 0, b"unknown"), get.clone()].concat()),
        ("unknown frame on a stream", [frames::frame(0x78, 0, 1, b"unknown"), get.clone()].concat()),
        ("unknown setting", [frames::settings(&[(0x99, 7), (0xffff, 8)]), get.clone()].concat()),
        ("unknown flags", [frames::frame(kind::PING, 0xfe, 0, &[1; 8]), get.clone()].concat()),
        ("reserved bit of a stream", [frames::frame(kind::PING, 0, 1 << 31, &[1; 8]), get.clone()].concat()),
        (
            "ALTSVC and ORIGIN",
            [frames::frame(kind::ALTSVC, 0, 0, &[0; 4]), frames::frame(kind::ORIGIN, 0, 0, &[]), get]
                .concat(),
        ),
        (
            "unknown frame in a field block",
            [
                frames::frame(kind::HEADERS, flag::END_STREAM, 1, &frames::block(GET)),
                frames::frame(0x77, 0, 0, &[]),
            ]
            .concat(),
        ),
    ] {
        outcome(&log, name, &octets).await;
    }
}

async fn broken_field_blocks(log: Log) {
    for (name, block) in [
        ("index 0", vec![0x80]),
        ("index beyond the tables", vec![0xff, 0x7f]),
        ("an integer without an end", vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
        ("a string without an end", vec![0x00, 0x05, b'a']),
        ("a table larger than allowed", vec![0x3f, 0xff, 0xff, 0x03]),
        ("a broken Huffman code", vec![0x00, 0x81, 0x00, 0x01, b'a']),
        ("a table size after a field", vec![0x82, 0x20]),
        ("nothing", vec![]),
    ] {
        outcome(&log, name, &frames::headers_block(1, flag::END_STREAM, &block)).await;
    }
}

async fn continuations(log: Log) {
    let block = frames::block(GET);
    let (first, second) = block.split_at(20);
    let start = frames::frame(kind::HEADERS, flag::END_STREAM, 1, first);
    let rest = |stream, flags, octets: &[u8]| frames::frame(kind::CONTINUATION, flags, stream, octets);
    for (name, octets) in [
        ("in two", [start.clone(), rest(1, flag::END_HEADERS, second)].concat()),
        ("in many", {
            let mut octets = start.clone();
            second.iter().for_each(|octet| octets.extend(rest(1, 0, &[*octet])));
            [octets, rest(1, flag::END_HEADERS, &[])].concat()
        }),
        ("on another stream", [start.clone(), rest(3, flag::END_HEADERS, second)].concat()),
        ("with a PING between", [start.clone(), frames::ping([0; 8])].concat()),
        ("without an end", [start, vec![]].concat()),
    ] {
        if name == "without an end" {
            // The PING that marks the end would be an error.
            let (mut client, served, _) = self::start(&server::Builder::new()).await;
            client.write(&octets).await;
            client.shutdown().await;
            say!(log, "{name}: {:?} {}", client.rest().await, end(served).await);
        } else {
            outcome(&log, name, &octets).await;
        }
    }
    // More than any sender needs.
    let mut flood = frames::frame(kind::HEADERS, flag::END_STREAM, 1, &frames::block(GET));
    for _ in 0..20_000 {
        flood.extend(rest(1, 0, &[]));
    }
    let mut builder = server::Builder::new();
    builder.max_header_list_size(16_384);
    outcome_with(&log, &builder, "20,000 empty ones", &flood).await;
}

async fn streams_beyond_the_limit(log: Log) {
    let mut builder = server::Builder::new();
    builder.max_concurrent_streams(2);
    let open: Vec<_> = (0..4).flat_map(|number| frames::headers(2 * number + 1, 0, POST)).collect();
    let close: Vec<_> =
        (0..4).flat_map(|number| frames::data(2 * number + 1, flag::END_STREAM, b"x")).collect();
    outcome_with(&log, &builder, "four of two", &open).await;
    outcome_with(&log, &builder, "four of two, ended", &[open, close].concat()).await;
}

async fn stream_ids_out_of_order(log: Log) {
    let get = |stream| frames::headers(stream, flag::END_STREAM, GET);
    outcome(&log, "skipped", &[get(1), get(7), get(9)].concat()).await;
    outcome(&log, "backwards", &[get(7), get(5)].concat()).await;
    outcome(&log, "the same again", &[get(1), get(1)].concat()).await;
    outcome(&log, "the last one", &get((1 << 31) - 1)).await;
    outcome(&log, "DATA on a skipped one", &[get(7), frames::data(3, 0, b"x")].concat()).await;
}

async fn resets_by_the_client(log: Log) {
    for code in (0..14).chain([0xffff_ffff]) {
        let octets = [frames::headers(1, 0, POST), frames::data(1, 0, b"some")].concat();
        let (mut client, served, seen) = start(&server::Builder::new()).await;
        client.write(&octets).await;
        settle().await;
        client.write(&frames::rst_stream(1, code)).await;
        let answers = client.answers().await;
        client.shutdown().await;
        say!(log, "{}: {answers:?}; server: {}; seen: {}", code::name(code), end(served).await, seen.take());
    }
}

/// Requests that are reset at once, each after the server has seen it.
async fn rapid_resets(log: Log) {
    let (near, far) = duplex();
    let served = serve(far, &server::Builder::new(), |_, mut respond| async move {
        _ = respond.send_response(ok(), true);
    });
    let mut client = Raw::greeted_client(near).await;
    let mut ended = false;
    for number in 0..100 {
        let stream = 2 * number + 1;
        client.write(&frames::headers(stream, flag::END_STREAM, GET)).await;
        settle().await;
        client.write(&frames::rst_stream(stream, code::CANCEL)).await;
        settle().await;
        ended |= served.is_finished();
    }
    say!(log, "ended {ended}");
    client.shutdown().await;
    say!(log, "server: {}", end(served).await);
}

/// So many resets before the server can see the requests that none would bear it.
async fn rapid_resets_beyond_the_limit(log: Log) {
    let (near, far) = duplex();
    let served = serve(far, &server::Builder::new(), |_, mut respond| async move {
        _ = respond.send_response(ok(), true);
    });
    let mut client = Raw::greeted_client(near).await;
    let pair = |number: u32| {
        [
            frames::headers(2 * number + 1, flag::END_STREAM, GET),
            frames::rst_stream(2 * number + 1, code::CANCEL),
        ]
        .concat()
    };
    for block in 0..20 {
        let octets: Vec<_> = (block * 1000..(block + 1) * 1000).flat_map(pair).collect();
        client.write(&octets).await;
    }
    client.shutdown().await;
    let rest = client.rest().await;
    let calm = rest.iter().any(|frame| frame.starts_with("GOAWAY") && frame.ends_with("ENHANCE_YOUR_CALM"));
    say!(log, "ENHANCE_YOUR_CALM: {calm}; server: {}", end(served).await);
}

/// Each request violates the protocol in the same way, so the server must reset each.
async fn resets_that_the_server_is_forced_to(log: Log) {
    let mut builder = server::Builder::new();
    builder.max_local_error_reset_streams(Some(10));
    let (near, far) = duplex();
    let served = serve(far, &builder, |_, mut respond| async move {
        _ = respond.send_response(ok(), true);
    });
    let mut client = Raw::greeted_client(near).await;
    let malformed = [GET, &[("content-length", "ten")]].concat();
    for number in 0..30 {
        client.write(&frames::headers(2 * number + 1, flag::END_STREAM, &malformed)).await;
        settle().await;
    }
    client.shutdown().await;
    let rest = client.rest().await;
    say!(log, "{:?}; server: {}", rest.last(), end(served).await);
}

/// The client reads its answers.
async fn ping_flood(log: Log) {
    let (mut client, served, seen) = start(&server::Builder::new()).await;
    let mut answered = 0;
    for _ in 0..100 {
        let pings: Vec<_> = (0..100_u64).flat_map(|number| frames::ping(number.to_be_bytes())).collect();
        client.write(&pings).await;
        answered += client.answers().await.iter().filter(|answer| *answer == "PING ACK").count();
    }
    say!(log, "answered {answered}");
    client.write(&frames::headers(1, flag::END_STREAM, GET)).await;
    say!(log, "{:?}", client.answers().await);
    client.shutdown().await;
    say!(log, "server: {}; seen: {}", end(served).await, seen.take());
}

async fn settings_flood(log: Log) {
    let (mut client, served, seen) = start(&server::Builder::new()).await;
    for _ in 0..50 {
        let settings: Vec<_> = (0..10)
            .flat_map(|number| frames::settings(&[(setting::INITIAL_WINDOW_SIZE, 65_535 + number)]))
            .collect();
        client.write(&settings).await;
        assert!(client.answers().await.is_empty());
    }
    client.write(&frames::headers(1, flag::END_STREAM, GET)).await;
    say!(log, "{:?}", client.answers().await);
    client.shutdown().await;
    say!(log, "server: {}; seen: {}", end(served).await, seen.take());
}

/// A few are harmless, thousands are not.
async fn empty_frames(log: Log) {
    for count in [50, 20_000] {
        let (near, far) = duplex();
        let served = serve(far, &server::Builder::new(), |request, mut respond| async move {
            _ = read(&mut request.into_body()).await;
            _ = respond.send_response(ok(), true);
        });
        let mut client = Raw::greeted_client(near).await;
        client.write(&frames::headers(1, 0, POST)).await;
        for _ in 0..count / 50 {
            let empty: Vec<_> = (0..50).flat_map(|_| frames::data(1, 0, &[])).collect();
            client.write(&empty).await;
        }
        client.write(&frames::data(1, flag::END_STREAM, &[])).await;
        client.shutdown().await;
        let rest = client.rest().await;
        say!(log, "{count}: {:?}", rest.last().map(|last| last.split(' ').take(1).collect::<String>()));
        let ended = end(served).await;
        say!(log, "{count}: server well {}", ended == "done");
    }
}

async fn go_away_by_the_client(log: Log) {
    for code in [code::NO_ERROR, code::PROTOCOL_ERROR, code::ENHANCE_YOUR_CALM, 0x1234] {
        let (mut client, served, seen) = start(&server::Builder::new()).await;
        client.write(&frames::headers(1, 0, POST)).await;
        settle().await;
        client.write(&frames::go_away(0, code)).await;
        client.write(&frames::data(1, flag::END_STREAM, b"the rest")).await;
        settle().await;
        client.shutdown().await;
        let rest = client.rest().await;
        say!(log, "{}: {rest:?}; server: {}; seen: {}", code::name(code), end(served).await, seen.take());
    }
}

async fn end_in_the_middle_of_a_frame(log: Log) {
    let get = frames::headers(1, flag::END_STREAM, GET);
    let post = [frames::headers(1, 0, POST), frames::data(1, 0, b"content")].concat();
    for (name, octets) in [
        ("in a frame header", &get[..5]),
        ("in HEADERS", &get[..20]),
        ("in DATA", &post[..post.len() - 3]),
        ("in a body", &post[..]),
        ("after a request", &get[..]),
    ] {
        let (mut client, served, seen) = start(&server::Builder::new()).await;
        client.write(octets).await;
        settle().await;
        client.shutdown().await;
        let rest = client.rest().await;
        settle().await;
        say!(log, "{name}: {rest:?}; server: {}; seen: {}", end(served).await, seen.take());
    }
}

/// The client widens and narrows the window while the server sends.
async fn settings_that_change_windows(log: Log) {
    let (near, far) = duplex();
    let served = serve(far, &server::Builder::new(), |_, mut respond| async move {
        let mut stream = respond.send_response(ok(), false).unwrap();
        stream.send_data(pattern(30_000), true).unwrap();
    });
    let mut client = Raw::greeted_client(near).await;
    client.write(&frames::settings(&[(setting::INITIAL_WINDOW_SIZE, 0)])).await;
    client.write(&frames::headers(1, flag::END_STREAM, GET)).await;
    let mut received = 0;
    for window in [0, 10, 5, 2000, 100_000] {
        client.write(&frames::settings(&[(setting::INITIAL_WINDOW_SIZE, window)])).await;
        client.write(&frames::ping([1; 8])).await;
        loop {
            let frame = client.next().await.unwrap();
            match frame.kind {
                kind::DATA => received += frame.payload.len(),
                kind::PING => break,
                _ => {}
            }
        }
        settle().await;
        if window < 100_000 {
            say!(log, "{window}: at most {}", received <= window as usize + 5);
        }
    }
    while received < 30_000 {
        received += client.until(|frame| frame.kind == kind::DATA).await.payload.len();
    }
    say!(log, "received {received}");
    client.shutdown().await;
    say!(log, "server: {}", end(served).await);
}

async fn content_larger_than_the_window(log: Log) {
    let (near, far) = duplex();
    let served = serve(far, &server::Builder::new(), |request, respond| async move {
        // Nobody reads.
        std::future::pending::<()>().await;
        drop((request, respond));
    });
    let mut client = Raw::greeted_client(near).await;
    client.write(&frames::headers(1, 0, POST)).await;
    for _ in 0..5 {
        client.write(&frames::data(1, 0, &[0; 16_000])).await;
        settle().await;
    }
    say!(log, "{:?}", client.answers().await);
    client.shutdown().await;
    say!(log, "server: {}", end(served).await);
}

async fn trailers_that_are_wrong(log: Log) {
    let open = [frames::headers(1, 0, POST), frames::data(1, 0, b"content")].concat();
    for (name, flags, fields) in [
        ("good", flag::END_STREAM, &[("x-end", "yes")][..]),
        ("without END_STREAM", 0, &[("x-end", "yes")][..]),
        ("with a pseudo-header field", flag::END_STREAM, &[(":path", "/")][..]),
        ("with upper case", flag::END_STREAM, &[("X-End", "yes")][..]),
        ("with connection", flag::END_STREAM, &[("connection", "close")][..]),
        ("empty", flag::END_STREAM, &[][..]),
    ] {
        outcome(&log, name, &[open.clone(), frames::headers(1, flags, fields)].concat()).await;
    }
}
