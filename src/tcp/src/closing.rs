//! Returns sockets to the host.
//!
//! In WASI 0.2, dropping a socket can go wrong in two ways:
//!
//! - The host traps if a pollable of the socket still exists. The component has passed its pollables to the
//!   application, and is not notified when the application drops them.
//! - The host blocks, and with it every component of the store, until all output has been sent. If the peer reads
//!   nothing, it blocks indefinitely.
//!
//! So a connection is shut down as soon as its byte-stream is dropped, and the peer sees nothing else. But this module
//! keeps the socket until all its output has been sent, and until enough other connections have been closed after it
//! that its pollables should be gone.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use wasi::io::streams::{InputStream, OutputStream};
use wasi::sockets::tcp::{ShutdownType, TcpSocket};

/// Number of connections kept after their shutdown because their pollables may still exist.
const KEPT_CONNECTIONS: usize = 64;

/// A connected socket and its streams, which are its children, and so are declared and dropped before it.
pub(crate) struct Connection {
    pub(crate) input: InputStream,
    pub(crate) output: OutputStream,
    pub(crate) socket: TcpSocket,
}

impl Connection {
    /// Returns whether all output has been sent; valid only after the shutdown, when no more can be written.
    fn is_flushed(&self) -> bool {
        !matches!(self.output.check_write(), Ok(0))
    }
}

thread_local! {
    static CONNECTIONS: RefCell<VecDeque<Rc<Connection>>> = const { RefCell::new(VecDeque::new()) };
    static LISTENERS: RefCell<Vec<Rc<TcpSocket>>> = const { RefCell::new(Vec::new()) };
}

/// Shuts a connection down in both directions; `subscribed` says whether the application got pollables of it.
pub(crate) fn close(connection: &Rc<Connection>, subscribed: bool) {
    // This fails only if the connection is broken, and then it needs no shutdown.
    _ = connection.socket.shutdown(ShutdownType::Both);
    if !subscribed && connection.is_flushed() {
        return;
    }
    CONNECTIONS.with_borrow_mut(|connections| {
        connections.push_back(Rc::clone(connection));
        // Examine two for each one added, so that connections waiting for their peers don't pile up in front.
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

/// Closes a listening socket at once, or at the next call of this component if pollables of it may still exist.
///
/// It can't be kept for longer: an open socket would keep accepting connections, which the application never serves.
pub(crate) fn close_listener(socket: &Rc<TcpSocket>, subscribed: bool) {
    if subscribed {
        LISTENERS.with_borrow_mut(|listeners| listeners.push(Rc::clone(socket)));
    }
}

/// Closes the listening sockets kept by [`close_listener`].
pub(crate) fn drop_closed_listeners() {
    LISTENERS.with_borrow_mut(Vec::clear);
}
