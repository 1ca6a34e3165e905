//! Joins a client and a server of `http2-wasi-http` by byte streams in memory, without sockets.
//!
//! One exchange connects them directly. Another has a layer between them that changes every byte, as TLS would.

#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "only components export it: other linkers reject the names")
)]

mod bindings {
    #![allow(missing_docs, reason = "the WIT files hold the documentation")]

    wit_bindgen::generate!({
        path: "../../../src/wasi-http/wit",
        world: "http2:wasi-http/server",
        with: {
            "wasi:clocks/types@0.3.0": http2_wasi_http::bindings::wasi::clocks::types,
            "wasi:http/types@0.3.0": http2_wasi_http::bindings::wasi::http::types,
        },
        generate_all,
    });
}

use std::cell::Cell;
use std::rc::Rc;

use bytes::Bytes;
use futures::future;
use http2_engine::{Config, ConnectionError, FieldSection};
use http2_wasi_http::bindings::wit_stream;
use http2_wasi_http::trailers::TrailersWriter;
use http2_wasi_http::{Connection, Tasks, body, head};
use wit_bindgen::{StreamReader, StreamResult, StreamWriter};

use crate::bindings::exports::wasi::cli::run::Guest;

/// Size of the response, in bytes: several flow-control windows.
const CONTENT: usize = 1 << 20;
/// Size of the layer's buffer, in bytes.
const BUFFER: usize = 16 << 10;
/// The layer combines every byte with this one by exclusive or, so that applying it twice changes nothing.
const KEY: u8 = 0x5a;

struct Command;

#[cfg(target_arch = "wasm32")]
bindings::export!(Command with_types_in bindings);

impl Guest for Command {
    async fn run() -> Result<(), ()> {
        let tasks = Tasks::new();
        tasks.run(exchange(&tasks, |bytes| bytes)).await;

        let tasks = Tasks::new();
        let on_wire = Rc::new(Cell::new(0));
        let layer = |plaintext| {
            let ciphertext = apply_layer(&tasks, plaintext, &on_wire);
            apply_layer(&tasks, ciphertext, &Rc::default())
        };
        tasks.run(exchange(&tasks, layer)).await;
        assert!(on_wire.get() > CONTENT, "only {} bytes passed the layer", on_wire.get());

        let tasks = Tasks::new();
        tasks.run(lose_transport(&tasks)).await;
        Ok(())
    }
}

/// Sends a request over `transport`, which carries the bytes of one direction, and closes the connection.
async fn exchange(tasks: &Tasks, transport: impl Fn(StreamReader<u8>) -> StreamReader<u8>) {
    let client = Connection::client(Config::default(), tasks).expect("the configuration is valid");
    let server = Connection::server(Config::default(), tasks).expect("the configuration is valid");
    let (client_outgoing, to_server) = wit_stream::new();
    let (server_outgoing, to_client) = wit_stream::new();
    let (client_ended, server_ended, (), ()) = future::join4(
        client.run(transport(to_client), client_outgoing),
        server.run(transport(to_server), server_outgoing),
        serve(&server),
        request(&client),
    )
    .await;
    assert!(client_ended.is_ok() && server_ended.is_ok(), "{client_ended:?}, {server_ended:?}");
}

/// Answers one request.
async fn serve(server: &Connection) {
    let request = server.request().await.expect("a request arrives");
    assert_eq!(request.head.path(), Some(&b"/"[..]));
    request.stream.respond([(":status", "200")].into_iter().collect());
    request.stream.send(Bytes::from(vec![b'x'; CONTENT])).await.expect("the client reads the response");
    request.stream.finish(None).expect("the client reads the response");
}

/// Sends a request, reads the whole response, and shuts the connection down.
async fn request(client: &Connection) {
    let section: FieldSection =
        [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")].into_iter().collect();
    let stream = client.open(&section, true).expect("the connection is new");
    let (response, end_stream) = stream.response().await.expect("the server responds");
    assert_eq!((response.status(), head::content_length(&response), end_stream), (Some(200), None, false));
    let (contents, mut reader) = wit_stream::new();
    let (trailers, _) = TrailersWriter::new();
    let count = async {
        let mut length = 0;
        loop {
            let (result, bytes) = reader.read(Vec::with_capacity(BUFFER)).await;
            if !matches!(result, StreamResult::Complete(_)) {
                return length;
            }
            assert!(bytes.iter().all(|byte| *byte == b'x'));
            length += bytes.len();
        }
    };
    let ((), length) = future::join(body::receive(stream, contents, trailers, None), count).await;
    assert_eq!(length, CONTENT);
    client.shutdown();
}

/// Starts a task that passes bytes through the layer, and counts them; returns the layer's output.
fn apply_layer(tasks: &Tasks, input: StreamReader<u8>, count: &Rc<Cell<usize>>) -> StreamReader<u8> {
    let (writer, output) = wit_stream::new();
    tasks.spawn(pass(input, writer, Rc::clone(count)));
    output
}

async fn pass(mut input: StreamReader<u8>, mut output: StreamWriter<u8>, count: Rc<Cell<usize>>) {
    loop {
        let (result, mut bytes) = input.read(Vec::with_capacity(BUFFER)).await;
        if !matches!(result, StreamResult::Complete(_)) {
            return;
        }
        count.set(count.get() + bytes.len());
        bytes.iter_mut().for_each(|byte| *byte ^= KEY);
        if !output.write_all(bytes).await.is_empty() {
            return;
        }
    }
}

/// Asserts that a connection whose byte streams are dropped at their other ends reports the end of its transport.
async fn lose_transport(tasks: &Tasks) {
    let client = Connection::client(Config::default(), tasks).expect("the configuration is valid");
    let (outgoing, to_server) = wit_stream::new();
    let (from_server, incoming) = wit_stream::new();
    drop((to_server, from_server));
    let ended = client.run(incoming, outgoing).await;
    assert!(matches!(ended, Err(ConnectionError::TransportEnded { .. })), "{ended:?}");
}
