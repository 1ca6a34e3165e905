//! Random frames, valid and invalid, from a peer that ignores the protocol, while the engine must keep its
//! invariants.

use super::invariants;
use super::pair::{request, response};
use super::random::Random;
use super::raw::{Raw, id, raw_frame};
use crate::frame::{FrameType, SettingId, flags};
use crate::{Config, ErrorCode, Event, FieldSection, Priority, Read, Role};

/// Picks one of the last few streams of either endpoint.
fn some_stream(raw: &Raw, random: &mut Random) -> u32 {
    let ours = raw.engine.streams.next_id().saturating_sub(2);
    let theirs = raw.engine.streams.highest_peer_id().as_u32();
    let last = if random.one_in(4) { ours } else { theirs.max(ours) };
    last.saturating_sub(2 * u32::try_from(random.below(6)).unwrap())
}

/// Encodes a well-formed frame that may be sent in the wrong place.
fn any_frame(raw: &mut Raw, random: &mut Random) -> Vec<u8> {
    let mut out = Vec::new();
    let stream = some_stream(raw, random);
    let end_stream = u8::from(random.one_in(2));
    let increment = [0, 1, 1, 100, 100_000, 0x7fff_ffff][random.below(6)];
    let (kind, flags, stream, payload) = match random.below(40) {
        0..8 => {
            let next = raw.engine.streams.highest_peer_id().as_u32() + if stream & 1 == 1 { 2 } else { 1 };
            let head = request(["GET", "POST", "HEAD"][random.below(3)], "/");
            (FrameType::HEADERS, 4 | end_stream, next | 1, raw.block(&head))
        }
        8..12 => {
            let status = [200, 200, 204, 103][random.below(4)];
            (FrameType::HEADERS, 4 | end_stream, stream, raw.block(&response(status)))
        }
        12 => (FrameType::HEADERS, 5, stream, raw.block(&FieldSection::new())),
        13..20 => (FrameType::DATA, end_stream, stream, vec![3; random.below(2_000)]),
        20 | 21 => (FrameType::DATA, flags::PADDED | end_stream, stream, vec![3; 4 + random.below(500)]),
        22..25 => (FrameType::RST_STREAM, 0, stream, vec![0, 0, 0, 8]),
        25..28 => (FrameType::WINDOW_UPDATE, 0, stream, u32::to_be_bytes(increment).to_vec()),
        28 => (FrameType::WINDOW_UPDATE, 0, 0, 1_000_u32.to_be_bytes().to_vec()),
        29 | 30 => {
            let window = u8::try_from(random.below(256)).unwrap();
            (FrameType::SETTINGS, 0, 0, vec![0, 4, 0, 0, window, 0])
        }
        31 => (FrameType::SETTINGS, 0, 0, vec![0, 3, 0, 0, 0, u8::try_from(random.below(4)).unwrap()]),
        32 => (FrameType::PING, end_stream, 0, b"12345678".to_vec()),
        33 => (FrameType::PRIORITY, 0, stream, vec![0, 0, 0, 3, 0]),
        34 => (FrameType::PRIORITY_UPDATE, 0, 0, vec![0, 0, 0, 3, b'i']),
        35 | 36 => {
            let next = (raw.engine.streams.highest_peer_id().as_u32() + 2) & !1;
            let promise = [&next.to_be_bytes()[..], &raw.block(&request("GET", "/pushed"))].concat();
            (FrameType::PUSH_PROMISE, 4, stream, promise)
        }
        37 if random.one_in(10) => {
            (FrameType::GOAWAY, 0, 0, [&stream.to_be_bytes()[..], b"\0\0\0\0"].concat())
        }
        38 if random.one_in(20) => {
            (FrameType(random.below(18) as u8), random.below(256) as u8, stream, vec![0; 8])
        }
        _ => (FrameType(0xbb), 0, 0, b"unknown".to_vec()),
    };
    // Frames that end the connection immediately are sent only occasionally.
    let client = raw.engine.role() == Role::Client;
    let of_the_connection = matches!(
        kind,
        FrameType::SETTINGS
            | FrameType::PING
            | FrameType::GOAWAY
            | FrameType::PRIORITY_UPDATE
            | FrameType(0xbb)
    );
    let zero = stream == 0 && (!of_the_connection && payload != 1_000_u32.to_be_bytes());
    let idle = raw.engine.streams.is_idle(id(stream)) && (client || kind != FrameType::HEADERS);
    let wrong_role = if client { FrameType::PRIORITY_UPDATE } else { FrameType::PUSH_PROMISE };
    if (zero || idle || kind == wrong_role) && !random.one_in(200) {
        return out;
    }
    raw_frame(&mut out, kind, flags, stream, &payload);
    out
}

/// Makes a random call with a random stream.
fn act(raw: &mut Raw, random: &mut Random) {
    let stream = id(some_stream(raw, random));
    let end_stream = random.one_in(2);
    let engine = &mut raw.engine;
    // Most calls fail most of the time, which must do no harm.
    match random.below(14) {
        0 => drop(engine.open(&request("GET", "/"), end_stream)),
        1 | 2 => drop(engine.send_response(stream, &response(200), end_stream)),
        3 => drop(engine.send_informational(stream, &response(103))),
        4 | 5 => drop(engine.send_data(stream, &mut vec![0; random.below(70_000)].into(), end_stream)),
        6 => drop(engine.send_trailers(stream, &FieldSection::new())),
        7 => drop(engine.push_request(stream, &request("GET", "/pushed"))),
        8 => engine.reset(stream, ErrorCode::CANCEL),
        9 => engine.release(stream),
        10 => while matches!(engine.read(stream, 1_000), Ok(Read::Data(_))) {},
        11 => drop(engine.set_priority(stream, Priority::new(1, end_stream))),
        12 => drop(engine.change_settings(&[(SettingId::INITIAL_WINDOW_SIZE, 30_000)])),
        _ if random.one_in(100) => engine.shutdown(raw.now),
        _ => {}
    }
}

fn receive_random_frames(seed: u64) {
    let random = &mut Random::new(seed);
    let mut config = Config { max_concurrent_streams: 3, enable_push: true, ..Config::default() };
    config.limits.abuse = 1 << 30;
    let mut raw = if random.one_in(2) { Raw::server(config) } else { Raw::client(config, &[]) };
    for _ in 0..200 {
        if random.one_in(3) {
            act(&mut raw, random);
        } else {
            let octets = any_frame(&mut raw, random);
            let cut = random.below(octets.len() + 1);
            raw.recv(&octets[..cut]);
            invariants::check(&raw.engine);
            raw.recv(&octets[cut..]);
        }
        invariants::check(&raw.engine);
        if random.one_in(5) {
            raw.sent();
            raw.events();
            invariants::check(&raw.engine);
        }
    }
    raw.sent();
    raw.engine.abort(ErrorCode::NO_ERROR, b"");
    for stream in raw.engine.streams.ids() {
        raw.engine.release(stream);
    }
    invariants::check(&raw.engine);
    assert_eq!(raw.engine.stream_count(), 0);
    let ended = raw.events().iter().filter(|event| matches!(event, Event::Closed)).count();
    assert!(ended <= 1, "Event::Closed was reported {ended} times");
}

#[test]
fn random_frames_keep_the_invariants() {
    super::random::with_seeds(0..1_000, receive_random_frames);
}
