//! Octets there and back.

use crate::bindings::http2::engine::transport::{ByteStream, TransportError};
use crate::{listen, pair, read, write};
use wasi::io::poll::{Pollable, poll};

const LENGTH: usize = 10 << 20;

/// 10 MiB from the client to the server and back, all at once: neither end reads ahead of what it can send.
pub(crate) fn there_and_back(address: &str, host: &str) {
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

/// Writes what is taken at once, and counts it.
fn take(stream: &ByteStream, bytes: &[u8], count: &mut usize) -> usize {
    let taken = stream.write(bytes).unwrap() as usize;
    *count += taken;
    taken
}

/// At most 100,000 of the octets that stand at `position` of the endless pattern.
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

/// One direction ends, and the other goes on; nothing that was written before the end is lost.
pub(crate) fn half_close() {
    let (listener, port) = listen("127.0.0.1:0");
    let (client, server) = pair(&listener, "127.0.0.1", port);
    let mut written = 0;
    loop {
        // Until there is no more room: the end must wait for what the host still holds.
        match client.write(&pattern(written, LENGTH)).unwrap() as usize {
            0 => break,
            taken => written += taken,
        }
    }
    client.finish().unwrap();
    client.finish().expect("a second call does nothing");
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
