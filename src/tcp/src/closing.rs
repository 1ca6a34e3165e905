//! How sockets are given back to the host.
//!
//! Two things in WASI 0.2 can go wrong when a socket is dropped:
//!
//! - The host traps while a pollable of the socket is left. The component has given its pollables away, and nothing
//!   tells it when their new owner drops them.
//! - The host waits, and with it every component of the store, until all that was written has gone out. That may
//!   be never, if the peer reads nothing.
//!
//! So a connection is shut down as soon as its byte-stream is dropped, which is all that the peer gets to see, but
//! kept here until enough others have followed it for its pollables to be gone, and until its output has gone.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use wasi::io::streams::{InputStream, OutputStream};
use wasi::sockets::tcp::{ShutdownType, TcpSocket};

/// How many connections that were shut down are kept for the sake of their pollables.
const KEPT_CONNECTIONS: usize = 64;

/// A connected socket and its streams; these are dropped before it, since they are its children.
pub(crate) struct Connection {
    pub(crate) input: InputStream,
    pub(crate) output: OutputStream,
    pub(crate) socket: TcpSocket,
}

impl Connection {
    /// Whether nothing is left of what was written; to be asked after the shutdown, when no more can be written.
    fn is_flushed(&self) -> bool {
        !matches!(self.output.check_write(), Ok(0))
    }
}

thread_local! {
    static CONNECTIONS: RefCell<VecDeque<Rc<Connection>>> = const { RefCell::new(VecDeque::new()) };
    static LISTENERS: RefCell<Vec<Rc<TcpSocket>>> = const { RefCell::new(Vec::new()) };
}

/// Ends a connection in both directions; `subscribed` says whether pollables of it have been given away.
pub(crate) fn close(connection: &Rc<Connection>, subscribed: bool) {
    // It can only fail if the connection is broken, and then there is nothing to shut down.
    _ = connection.socket.shutdown(ShutdownType::Both);
    if !subscribed && connection.is_flushed() {
        return;
    }
    CONNECTIONS.with_borrow_mut(|connections| {
        connections.push_back(Rc::clone(connection));
        // Two are looked at for each one that comes: those that wait for their peer do not pile up in front.
        for _ in 0..2 {
            if connections.len() <= KEPT_CONNECTIONS {
                break;
            }
            if connections.pop_front_if(|oldest| oldest.is_flushed()).is_none() {
                connections.rotate_left(1);
            }
        }
    });
}

/// Ends a listening socket: now, or at the next call of this component if it may have pollables left, since a
/// socket that stays open would go on taking connections that nobody serves.
pub(crate) fn close_listener(socket: &Rc<TcpSocket>, subscribed: bool) {
    if subscribed {
        LISTENERS.with_borrow_mut(|listeners| listeners.push(Rc::clone(socket)));
    }
}

/// Drops listening sockets that [`close_listener`] has kept.
pub(crate) fn sweep_listeners() {
    LISTENERS.with_borrow_mut(Vec::clear);
}
