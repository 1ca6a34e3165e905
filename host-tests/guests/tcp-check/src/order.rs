//! Drops streams, listeners and pollables in every order: none may trap, hang or leak.

use crate::bindings::http2::engine::tcp;
use crate::bindings::http2::engine::transport::TransportError;
use crate::{listen, pair, read, write};

/// A pollable that outlives its stream is ready, and the peer still sees the end of the stream.
pub(crate) fn streams_before_pollables() {
    let (listener, port) = listen("127.0.0.1:0");
    let mut orphans = Vec::new();
    for _ in 0..30 {
        let (client, server) = pair(&listener, "127.0.0.1", port);
        orphans.extend([client.subscribe_read(), client.subscribe_read(), client.subscribe_write()]);
        drop(client);
        assert!(matches!(read(&server), Err(TransportError::Closed)));
        orphans.push(server.subscribe_read());
        drop(server);
    }
    for orphan in &orphans {
        orphan.block();
    }
}

/// A listener dropped before its pollable is closed when the pollable is dropped.
pub(crate) fn listener_before_pollable() {
    let (listener, port) = listen("127.0.0.1:0");
    let pollable = listener.subscribe();
    drop(listener);
    drop(pollable);
    let error = tcp::connect("127.0.0.1", port, None).unwrap_err();
    assert!(matches!(error, TransportError::ConnectionRefused), "{error:?}");
}

/// Dropping a stream does not wait for output that its peer has not read, and that output still arrives.
pub(crate) fn peers_that_do_not_read() {
    let (listener, port) = listen("127.0.0.1:0");
    let mut peers = Vec::new();
    for subscribe in [false, true, false] {
        let (client, server) = pair(&listener, "127.0.0.1", port);
        let mut written = 0;
        loop {
            match client.write(&[0; 100_000]).unwrap() as usize {
                0 => break,
                taken => written += taken,
            }
        }
        let pollable = subscribe.then(|| client.subscribe_write());
        assert!(!pollable.as_ref().is_some_and(wasi::io::poll::Pollable::ready));
        drop(pollable);
        drop(client);
        peers.push((server, written));
    }
    for (server, written) in peers {
        let mut received = 0;
        let error = loop {
            match read(&server) {
                Ok(bytes) => received += bytes.len(),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, TransportError::Closed), "{error:?}");
        assert_eq!(received, written);
    }
}

/// Opens more connections, one after another, than a process may have open sockets.
pub(crate) fn many_connections() {
    let (listener, port) = listen("127.0.0.1:0");
    for _ in 0..5_000 {
        let (client, server) = pair(&listener, "127.0.0.1", port);
        write(&client, b"ping").unwrap();
        assert_eq!(read(&server).unwrap(), b"ping");
    }
}
