//! Tests of a connection, either between two engines or between an engine and hand-written frames.

mod abuse;
mod concurrency;
mod crossings;
mod deadlines;
mod endings;
mod flow_control;
mod hostile;
mod invariants;
mod linger;
mod malformed;
mod messages;
mod observer;
mod pair;
mod pings;
mod priorities;
mod push;
mod random;
mod raw;
mod release;
mod settings;
mod splits;
mod violations;

use bytes::Bytes;

use crate::event::{Event, Read};
use pair::{Pair, request, response};

#[test]
fn request_and_response() {
    let mut pair = Pair::new();
    let id = pair.client.open(&request("GET", "/"), true).unwrap();
    pair.run();
    let Some(Event::Request { id: at_server, head, end_stream: true }) = pair.server_event() else {
        panic!()
    };
    assert_eq!((at_server, head.path()), (id, Some(&b"/"[..])));
    pair.server.send_response(id, &response(200), false).unwrap();
    pair.server.send_data(id, &mut Bytes::from_static(b"hello"), true).unwrap();
    pair.server.release(id);
    pair.run();
    let Some(Event::Response { head, end_stream: false, .. }) = pair.client_event() else { panic!() };
    assert_eq!(head.status(), Some(200));
    assert!(matches!(pair.client_event(), Some(Event::Readable { id: readable }) if readable == id));
    assert!(matches!(pair.client.read(id, 3), Ok(Read::Data(data)) if data == "hel"));
    assert!(matches!(pair.client.read(id, 30), Ok(Read::Data(data)) if data == "lo"));
    assert!(matches!(pair.client.read(id, 30), Ok(Read::End)));
    pair.client.release(id);
    assert_eq!((pair.client.stream_count(), pair.server.stream_count()), (0, 0));
}

#[test]
fn writable_event_follows_after_filling_the_send_buffer_exactly() {
    let mut pair = Pair::new();
    let id = pair.client.open(&request("POST", "/"), false).unwrap();
    let room = pair.client.send_capacity(id);
    pair.client.send_data(id, &mut Bytes::from(vec![0; room]), false).unwrap();
    assert_eq!(pair.client.send_capacity(id), 0);
    pair.run();
    let writable = |event: &Event| matches!(event, Event::Writable { id: writable } if *writable == id);
    assert!(std::iter::from_fn(|| pair.client_event()).any(|event| writable(&event)));
}
