//! TCP_NODELAY for the sockets of guests.
//!
//! `wasi:sockets` has no such option, and Wasmtime does not expose its sockets. But right before it connects or
//! listens, it asks whether the address is permitted. At that moment the socket has no peer, like few other sockets
//! of the process. A listening socket passes the option on to the connections that it accepts.

/// Disables Nagle's algorithm on all sockets of this process that have no peer yet.
///
/// Sockets that do not belong to a guest may be among them; they then send small segments a little earlier.
#[cfg(unix)]
pub(super) fn set_on_new_sockets() {
    use std::os::fd::{BorrowedFd, RawFd};

    use rustix::io::Errno;
    use rustix::net::{getpeername, sockopt};

    // Without that directory everything works, but small messages may be delayed by up to 40 ms.
    let Ok(descriptors) = std::fs::read_dir("/dev/fd") else { return };
    for descriptor in descriptors.flatten() {
        let Some(number) = descriptor.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok()) else {
            continue;
        };
        // SAFETY: an entry of that directory is not -1. Another thread may close the descriptor meanwhile, or reuse its
        // number: the calls below then fail, or set the option on another socket without a peer.
        let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
        if matches!(getpeername(descriptor), Err(Errno::NOTCONN)) {
            // Not every socket is a TCP socket.
            _ = sockopt::set_tcp_nodelay(descriptor, true);
        }
    }
}

/// Does nothing, because the sockets cannot be found: small messages may be delayed.
#[cfg(not(unix))]
pub(super) fn set_on_new_sockets() {}

#[cfg(all(test, unix))]
mod tests {
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn accepted_connections_inherit_the_option() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let before = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        listener.accept().unwrap();
        super::set_on_new_sockets();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(listener.accept().unwrap().0.nodelay().unwrap());
        assert!(!before.nodelay().unwrap(), "an existing connection is left unchanged");
    }
}
