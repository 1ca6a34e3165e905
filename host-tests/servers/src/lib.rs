//! The application that each server runs, on a runtime of one thread.
//!
//! `/` answers `hello`, `/bytes/N` sends N zero bytes, and `/echo` counts the bytes of the request and answers with
//! their number.

use std::future::Future;
use std::net::SocketAddr;

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};

/// Content of a piece of `/bytes/N`.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// Returns the next piece of `left` bytes.
pub fn piece(left: usize) -> Bytes {
    Bytes::from_static(&ZEROS[..left.min(ZEROS.len())])
}

/// Returns N of `/bytes/N`.
pub fn bytes_of(path: &str) -> Option<usize> {
    path.strip_prefix("/bytes/")?.parse().ok()
}

/// Serves each connection by `serve`, and prints the address to the standard output.
pub fn run<F: Future<Output = ()> + 'static>(serve: fn(TcpStream) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = TcpListener::bind(address).await.expect("a socket");
        println!("{}", listener.local_addr().expect("an address"));
        loop {
            let (socket, _) = listener.accept().await.expect("a connection");
            socket.set_nodelay(true).expect("no delay");
            tokio::task::spawn_local(serve(socket));
        }
    });
}
