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

fn wait(shared: &Shared, requests: usize) {
    (0..requests).for_each(|_| shared.waiting.borrow_mut().push_back(Rc::default()));
}

#[test]
fn requests_fill_the_oldest_connection_first() {
    let pool = pool();
    let shared = Shared::default();
    assert!(shared.open(&request(), true).is_none(), "no connection is open yet");
    let (first, second) = (connection(&pool), connection(&pool));
    shared.connections.borrow_mut().extend([first.clone(), second.clone()]);
    let open = || shared.open(&request(), false).map(Result::unwrap);
    // Until the server announces its limit, each connection takes one.
    let streams: Vec<_> = iter::from_fn(open).collect();
    assert_eq!(streams.len(), 2);
    assert!(*streams[0].connection() == first && *streams[1].connection() == second);
}

#[test]
fn malformed_head_is_an_error() {
    let pool = pool();
    let shared = Shared::default();
    shared.connections.borrow_mut().push(connection(&pool));
    let mut head = request();
    head.push(b"content-length", b"many");
    let Some(Err(error)) = shared.open(&head, true) else { panic!("expected an error") };
    assert!(matches!(error, ErrorCode::HttpProtocolError), "{error:?}");
}

#[test]
fn retired_connection_takes_no_more_requests() {
    let pool = pool();
    let origin = Origin::new(&http2_wasi_http::bindings::wasi::http::types::Scheme::Http, "a", None).unwrap();
    let shared = Rc::new(Shared::default());
    pool.0.origins.borrow_mut().insert(origin, Rc::clone(&shared));
    let connection = connection(&pool);
    shared.connections.borrow_mut().push(connection.clone());
    pool.retire(&connection);
    assert!(shared.open(&request(), true).is_none());
}

#[test]
fn waiting_requests_determine_the_number_of_connections() {
    let shared = Shared::default();
    assert!(!shared.needs_connection(2), "no request waits");
    wait(&shared, 1);
    assert!(shared.needs_connection(2));
    shared.attempts.set(1);
    assert!(!shared.needs_connection(2), "one attempt is in progress");
    wait(&shared, EXPECTED_STREAMS);
    assert!(shared.needs_connection(2), "one connection is not enough");
    shared.attempts.set(2);
    assert!(!shared.needs_connection(2), "the limit is reached");
}

#[test]
fn new_connection_has_time_to_announce_its_limit() {
    let pool = pool();
    let shared = Shared::default();
    shared.connections.borrow_mut().push(connection(&pool));
    wait(&shared, EXPECTED_STREAMS);
    assert!(!shared.needs_connection(16));
    wait(&shared, 1);
    assert!(shared.needs_connection(16));
}

#[test]
fn failed_attempt_fails_requests_only_if_nothing_else_is_pending() {
    let pool = pool();
    let shared = Shared::default();
    wait(&shared, 2);
    let failed = |shared: &Shared| {
        shared.waiting.borrow().iter().filter(|waiting| waiting.failed.borrow().is_some()).count()
    };
    shared.attempts.set(1);
    shared.fail_if_hopeless(&ErrorCode::ConnectionRefused);
    assert_eq!(failed(&shared), 0, "another attempt is in progress");
    shared.attempts.set(0);
    shared.connections.borrow_mut().push(connection(&pool));
    shared.fail_if_hopeless(&ErrorCode::ConnectionRefused);
    assert_eq!(failed(&shared), 0, "a connection is open");
    shared.connections.borrow_mut().clear();
    shared.fail_if_hopeless(&ErrorCode::ConnectionRefused);
    assert_eq!(failed(&shared), 2);
}
