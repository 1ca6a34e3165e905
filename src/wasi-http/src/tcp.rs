//! Runs a connection over a TCP socket.

use http2_engine::ConnectionError;

use crate::Connection;
use crate::bindings::wasi::sockets::types::TcpSocket;
use crate::bindings::wit_stream;

/// Drives a connection over the byte streams of a connected socket, and closes the socket when it has ended.
///
/// [`TcpSocket`] also returns futures with the reasons for the ends of its streams; the engine needs only the ends. WASI
/// has no option to turn Nagle's algorithm off, so the driver writes once per turn.
///
/// # Errors
///
/// [`Connection::run`].
pub async fn run(connection: &Connection, socket: TcpSocket) -> Result<(), ConnectionError> {
    let (incoming, _) = socket.receive();
    let (outgoing, outgoing_reader) = wit_stream::new();
    _ = socket.send(outgoing_reader);
    let ended = connection.run(incoming, outgoing).await;
    // Some hosts, contrary to WASI, end the streams when the socket is dropped.
    drop(socket);
    ended
}
