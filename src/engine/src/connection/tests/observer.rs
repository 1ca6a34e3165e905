//! An observer sees every change of state, and so every end of a stream.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::pair::{Pair, request, response};
use crate::{Config, ErrorCode, State, StreamId, Subscriber};

/// The states of all streams as an observer knows them.
#[derive(Clone, Default)]
struct Observed(Arc<Mutex<BTreeMap<StreamId, State>>>);

impl Subscriber for Observed {
    fn transition(&mut self, stream: StreamId, from: State, to: State) {
        let before = self.0.lock().unwrap().insert(stream, to);
        assert_eq!(before.unwrap_or(State::Idle), from, "stream {stream}");
    }
}

impl Observed {
    /// Returns the streams that are not closed.
    fn open(&self) -> Vec<u32> {
        let states = self.0.lock().unwrap();
        states.iter().filter(|&(_, &state)| state != State::Closed).map(|(id, _)| id.as_u32()).collect()
    }

    fn seen(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// Opens streams 1 to 9, of which the last two wait for the server's limit of three.
fn observed() -> (Pair, [Observed; 2]) {
    let server = Config { max_concurrent_streams: 3, ..Config::default() };
    let mut pair = Pair::with(Config::default(), server);
    let observers = [Observed::default(), Observed::default()];
    pair.client.set_subscriber(Box::new(observers[0].clone()));
    pair.server.set_subscriber(Box::new(observers[1].clone()));
    pair.run();
    for _ in 0..5 {
        pair.client.open(&request("POST", "/"), false).unwrap();
    }
    pair.run();
    assert_eq!(observers.each_ref().map(Observed::open), [[1, 3, 5], [1, 3, 5]]);
    (pair, observers)
}

#[test]
fn streams_close_with_the_connection() {
    let (mut pair, [client, server]) = observed();
    pair.server.abort(ErrorCode::INTERNAL_ERROR, b"");
    assert_eq!(server.open(), [0; 0]);
    pair.run();
    pair.client.recv_end(pair.now);
    assert_eq!(client.open(), [0; 0]);
    assert_eq!((client.seen(), server.seen()), (5, 3));
}

#[test]
fn requests_that_were_never_sent_close() {
    let (mut pair, [client, _]) = observed();
    pair.client.reset(super::raw::id(9), ErrorCode::CANCEL);
    pair.client.release(super::raw::id(7));
    assert_eq!((client.open(), client.seen()), (vec![1, 3, 5], 5));
}

#[test]
fn complete_and_reset_streams_close() {
    let (mut pair, [client, server]) = observed();
    pair.client.reset(super::raw::id(1), ErrorCode::CANCEL);
    pair.client.send_data(super::raw::id(3), &mut bytes::Bytes::new(), true).unwrap();
    pair.run();
    while pair.server_event().is_some() {}
    pair.server.send_response(super::raw::id(3), &response(204), true).unwrap();
    pair.run();
    // The slots go to the requests that waited.
    assert_eq!((client.open(), server.open()), (vec![5, 7, 9], vec![5, 7, 9]));
}
