//! Echoes and half-closed connections.

use crate::bindings::http2::engine::transport::{ByteStream, TransportError};
use crate::{listen, pair, read, write};
use wasi::io::poll::{Pollable, poll};

const LENGTH: usize = 10 << 20;

/// Echoes 10 MiB from the client through the server, without either end reading further ahead than it can send.
pub(crate) fn round_trip(address: &str, host: &str) {
    let (listener, port) = listen(address);
    let (client, server) = pair(&listener, host, port);
    let mut sent = 0;
    let mut received = 0;
    let mut echoing = Vec::new();
    while received < LENGTH {
        let mut moved = 0;
        moved += take(&client, &pattern(sent, LENGTH - sent), &mut sent);
        if echoing.is_empty() {
            echoing = server.read(65_536).unwrap();
            moved += echoing.len();
        }
        let mut echoed = 0;
        moved += take(&server, &echoing, &mut echoed);
        echoing.drain(..echoed);
        let back = client.read(65_536).unwrap();
        assert_eq!(back, pattern(received, back.len()));
        received += back.len();
        moved += back.len();
        if moved == 0 {
            wait(&client, sent < LENGTH, &server, !echoing.is_empty());
        }
    }
    assert_eq!((sent, received), (LENGTH, LENGTH));
}

/// Writes as much as the stream takes at once, and adds it to `count`.
fn take(stream: &ByteStream, bytes: &[u8], count: &mut usize) -> usize {
    let taken = stream.write(bytes).unwrap() as usize;
    *count += taken;
    taken
}

/// Returns at most 100,000 bytes of an endless pattern, starting at `position`.
fn pattern(position: usize, length: usize) -> Vec<u8> {
    (position..position + length.min(100_000)).map(|at| (at % 251) as u8).collect()
}

fn wait(client: &ByteStream, client_writes: bool, server: &ByteStream, server_writes: bool) {
    let mut pollables = vec![client.subscribe_read()];
    if client_writes {
        pollables.push(client.subscribe_write());
    }
    pollables.push(if server_writes { server.subscribe_write() } else { server.subscribe_read() });
    poll(&pollables.iter().collect::<Vec<&Pollable>>());
}

/// Ends one direction while the other continues; no byte written before the end is lost.
pub(crate) fn half_close() {
    let (listener, port) = listen("127.0.0.1:0");
    let (client, server) = pair(&listener, "127.0.0.1", port);
    let mut written = 0;
    loop {
        // Fill the buffers: the end must wait for output that the host still holds.
        match client.write(&pattern(written, LENGTH)).unwrap() as usize {
            0 => break,
            taken => written += taken,
        }
    }
    client.finish().unwrap();
    client.finish().expect("a second call has no effect");
    assert!(matches!(client.write(b"late"), Err(TransportError::Closed)));

    let mut received = 0;
    loop {
        match read(&server) {
            Ok(bytes) => received += bytes.len(),
            Err(error) => {
                assert!(matches!(error, TransportError::Closed), "{error:?}");
                break;
            }
        }
    }
    assert_eq!(received, written);
    write(&server, b"heard you").unwrap();
    server.finish().unwrap();
    assert_eq!(read(&client).unwrap(), b"heard you");
    for _ in 0..2 {
        assert!(matches!(read(&client), Err(TransportError::Closed)));
    }
}
