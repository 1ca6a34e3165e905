use std::iter;

use super::*;

fn pool() -> Pool {
    Pool::new(Options::read(|_| None).unwrap(), &Tasks::new())
}

fn connection(pool: &Pool) -> Connection {
    Connection::client(pool.0.options.config.clone(), &pool.0.tasks).unwrap()
}

fn request() -> FieldSection {
    [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")].into_iter().collect()
}

fn wait(state: &OriginState, requests: usize) {
    (0..requests).for_each(|_| state.waiters.borrow_mut().push_back(Rc::default()));
}

#[test]
fn requests_fill_the_oldest_connection_first() {
    let pool = pool();
    let state = OriginState::default();
    assert!(state.open(&request(), true).is_none(), "no connection is open yet");
    let (first, second) = (connection(&pool), connection(&pool));
    state.connections.borrow_mut().extend([first.clone(), second.clone()]);
    let open = || state.open(&request(), false).map(Result::unwrap);
    // Until the server announces its limit, each connection takes one.
    let streams: Vec<_> = iter::from_fn(open).collect();
    assert_eq!(streams.len(), 2);
    assert!(*streams[0].connection() == first && *streams[1].connection() == second);
}

#[test]
fn malformed_head_is_an_error() {
    let pool = pool();
    let state = OriginState::default();
    state.connections.borrow_mut().push(connection(&pool));
    let mut head = request();
    head.push(b"content-length", b"many");
    let Some(Err(error)) = state.open(&head, true) else { panic!("expected an error") };
    assert!(matches!(error, ErrorCode::HttpProtocolError), "{error:?}");
}

#[test]
fn retired_connection_takes_no_more_requests() {
    let pool = pool();
    let origin = Origin::new(&http2_wasi_http::bindings::wasi::http::types::Scheme::Http, "a", None).unwrap();
    let state = Rc::new(OriginState::default());
    pool.0.origins.borrow_mut().insert(origin, Rc::clone(&state));
    let connection = connection(&pool);
    state.connections.borrow_mut().push(connection.clone());
    pool.retire(&connection);
    assert!(state.open(&request(), true).is_none());
}

#[test]
fn waiting_requests_determine_the_number_of_connections() {
    let state = OriginState::default();
    assert!(!state.needs_connection(2), "no request waits");
    wait(&state, 1);
    assert!(state.needs_connection(2));
    state.attempts.set(1);
    assert!(!state.needs_connection(2), "one attempt is in progress");
    wait(&state, ASSUMED_STREAM_LIMIT);
    assert!(state.needs_connection(2), "one connection is not enough");
    state.attempts.set(2);
    assert!(!state.needs_connection(2), "the limit is reached");
}

#[test]
fn new_connection_has_time_to_announce_its_limit() {
    let pool = pool();
    let state = OriginState::default();
    state.connections.borrow_mut().push(connection(&pool));
    wait(&state, ASSUMED_STREAM_LIMIT);
    assert!(!state.needs_connection(16));
    wait(&state, 1);
    assert!(state.needs_connection(16));
}

#[test]
fn failed_attempt_fails_requests_only_if_nothing_else_is_pending() {
    let pool = pool();
    let state = OriginState::default();
    wait(&state, 2);
    let failed = |state: &OriginState| {
        state.waiters.borrow().iter().filter(|waiter| waiter.failed.borrow().is_some()).count()
    };
    state.attempts.set(1);
    state.fail_if_unreachable(&ErrorCode::ConnectionRefused);
    assert_eq!(failed(&state), 0, "another attempt is in progress");
    state.attempts.set(0);
    state.connections.borrow_mut().push(connection(&pool));
    state.fail_if_unreachable(&ErrorCode::ConnectionRefused);
    assert_eq!(failed(&state), 0, "a connection is open");
    state.connections.borrow_mut().clear();
    state.fail_if_unreachable(&ErrorCode::ConnectionRefused);
    assert_eq!(failed(&state), 2);
}
