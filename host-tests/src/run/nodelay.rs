//! TCP_NODELAY for the sockets of guests.
//!
//! `wasi:sockets` has no such option, and Wasmtime hands its sockets out to nobody. But right before it connects or
//! listens it asks whether the address is permitted. At that moment the socket has no peer, as few others of the process
//! have none. One that listens passes the option on to the connections that it accepts.

/// Switches Nagle's algorithm off on the sockets of this process that have no peer yet. A socket that is not a guest's
/// may be among them: it then sends small segments a little earlier.
#[cfg(unix)]
pub(super) fn set_on_new_sockets() {
    use std::os::fd::{BorrowedFd, RawFd};

    use rustix::io::Errno;
    use rustix::net::{getpeername, sockopt};

    // Without that folder everything works, with small messages up to 40 ms later.
    let Ok(descriptors) = std::fs::read_dir("/dev/fd") else { return };
    for descriptor in descriptors.flatten() {
        let Some(number) = descriptor.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok()) else {
            continue;
        };
        // SAFETY: a number out of that folder is not -1. Another thread may close it meanwhile, or open something else
        // by that number: the calls below then fail, or set the option on another socket without a peer.
        let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
        if matches!(getpeername(descriptor), Err(Errno::NOTCONN)) {
            // Not every socket is one of TCP.
            _ = sockopt::set_tcp_nodelay(descriptor, true);
        }
    }
}

/// There is no way to find the sockets: small messages may go out later.
#[cfg(not(unix))]
pub(super) fn set_on_new_sockets() {}

#[cfg(all(test, unix))]
mod tests {
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn connections_have_it_from_the_socket_that_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let before = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        listener.accept().unwrap();
        super::set_on_new_sockets();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(listener.accept().unwrap().0.nodelay().unwrap());
        assert!(!before.nodelay().unwrap(), "a connection is left as it is");
    }
}
