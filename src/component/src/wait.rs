//! Waiting for several connections at once.

use std::cell::RefCell;

use wasi::clocks::monotonic_clock::{self, Duration, Instant};
use wasi::io::poll::{Pollable, poll};

use crate::bindings::exports::http2::engine::connection::ConnectionBorrow;
use crate::connection::Connection;
use crate::endpoint::{Endpoint, deadline, has_passed};

/// The number of ready connections up to which they are driven without waiting for each again.
///
/// A host that shares its thread fairly limits how often a guest finds input and output ready before it waits
/// (Wasmtime's Tokio: 128 times). From then on, the host reports everything as not ready until the guest waits. If
/// `poll` alone used up that budget, reads would return nothing, for ever. Waiting for a ready connection costs next to
/// nothing, and renews the budget.
const READY_WITHOUT_WAITING: usize = 16;

/// Drives connections until one has news or `other` is ready, and returns the indices of all of these; that of `other`
/// follows those of connections.
///
/// A connection may occur twice.
pub(crate) fn wait_any(
    connections: &[ConnectionBorrow<'_>],
    other: Option<&Pollable>,
    timeout: Option<Duration>,
) -> Vec<u32> {
    let connections: Vec<_> =
        connections.iter().map(|connection| connection.get::<Connection>().endpoint()).collect();
    let deadline = deadline(timeout);
    let mut due = connections.clone();
    loop {
        due.retain(|connection| connection.borrow_mut().drive());
        let with_news = connections.iter().map(|connection| connection.borrow_mut().take_news());
        let ready = with_news.chain(other.map(Pollable::ready));
        let ready: Vec<u32> = (0..).zip(ready).filter_map(|(index, ready)| ready.then_some(index)).collect();
        if !ready.is_empty() || has_passed(deadline) {
            return ready;
        }
        if due.is_empty() {
            due = wait(&connections, other, deadline);
        }
    }
}

/// Waits until a connection has work, `other` is ready, or `deadline` has come; returns the connections with work.
fn wait<'a>(
    connections: &[&'a RefCell<Endpoint>],
    other: Option<&Pollable>,
    deadline: Option<Instant>,
) -> Vec<&'a RefCell<Endpoint>> {
    for connection in connections {
        connection.borrow_mut().subscribe();
    }
    let waiting: Vec<_> = connections.iter().map(|connection| (*connection, connection.borrow())).collect();
    let next = waiting.iter().filter_map(|(_, endpoint)| endpoint.next_timeout());
    let timer = next.chain(deadline).min().map(monotonic_clock::subscribe_instant);
    let of_connections = waiting
        .iter()
        .flat_map(|(connection, endpoint)| endpoint.pollables().map(|one| (one, Some(*connection))));
    let others = other.into_iter().chain(&timer).map(|one| (one, None));
    let (all, sources): (Vec<&Pollable>, Vec<_>) = of_connections.chain(others).unzip();
    if all.is_empty() {
        return Vec::new();
    }
    let ready = poll(&all);
    let now = monotonic_clock::now();
    let is_due = |endpoint: &Endpoint| endpoint.next_timeout().is_some_and(|due| due <= now);
    let mut due: Vec<_> =
        waiting.iter().filter_map(|(connection, endpoint)| is_due(endpoint).then_some(*connection)).collect();
    let wait_again = ready.len() > READY_WITHOUT_WAITING;
    for index in ready {
        let index = index as usize;
        if let (Some(pollable), Some(Some(connection))) = (all.get(index), sources.get(index)) {
            if wait_again {
                pollable.block();
            }
            due.push(connection);
        }
    }
    due
}
