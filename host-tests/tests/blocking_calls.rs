//! What a caller without an event loop of its own relies on: calls that wait, and streams that are dropped late.

use std::time::Duration;

use tokio::io::{DuplexStream, duplex};
use wasi_http2::bindings::Engine;
use wasi_http2::bindings::exports::http2::engine::connection::{Event, Guest as Exports, Role};
use wasi_http2::bindings::http2::engine::transport::HostByteStream;
use wasi_http2::bindings::http2::engine::types::{
    Error, ErrorKind, Method, RequestHead, ResponseHead, Scheme,
};
use wasi_http2::run::Guest;
use wasi_http2::{ByteStream, Runtime, components};
use wasmtime::Store;
use wasmtime::component::{Component, Resource, ResourceAny};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::{WasiCtx, WasiView};

/// How long either end waits for the other, in nanoseconds.
const PATIENCE: Option<u64> = Some(Duration::from_secs(20).as_nanos() as u64);

/// The default of SETTINGS_MAX_CONCURRENT_STREAMS.
const LIMIT: usize = 100;

/// An instance of the engine, with any number of connections.
struct Instance {
    store: Store<Guest>,
    engine: Engine,
}

impl Instance {
    async fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let component = Component::new(runtime.engine(), components::ENGINE).unwrap();
        let mut store = Store::new(runtime.engine(), Guest::new(WasiCtx::builder().build(), 1 << 28));
        let engine = Engine::instantiate_async(&mut store, &component, runtime.linker()).await.unwrap();
        Self { store, engine }
    }

    async fn connect(&mut self, io: DuplexStream, role: Role) -> ResourceAny {
        let io = self.store.data_mut().ctx().table.push(ByteStream::from_io(io)).unwrap();
        let connections = self.engine.http2_engine_connection().connection();
        connections.call_handshake(&mut self.store, io, role, None).await.unwrap().unwrap()
    }

    /// Returns the exports, and the store to call them in.
    fn exports(&mut self) -> (&Exports, &mut Store<Guest>) {
        (self.engine.http2_engine_connection(), &mut self.store)
    }

    async fn open(&mut self, connection: ResourceAny, method: Method, end: bool) -> ResourceAny {
        let head = RequestHead {
            method,
            scheme: Some(Scheme::Http),
            authority: Some("memory".to_owned()),
            path_with_query: Some("/".to_owned()),
            headers: Vec::new(),
        };
        let (exports, store) = self.exports();
        exports.connection().call_open_stream(store, connection, &head, end).await.unwrap().unwrap()
    }

    async fn accept(&mut self, connection: ResourceAny) -> Result<ResourceAny, Error> {
        let (exports, store) = self.exports();
        let accepted = exports.connection().call_blocking_accept(store, connection, PATIENCE).await.unwrap();
        accepted.map(|stream| stream.expect("the connection goes on"))
    }

    async fn respond(&mut self, stream: ResourceAny, end: bool) {
        let head = ResponseHead { status: 200, headers: Vec::new() };
        let (exports, store) = self.exports();
        exports.http2_stream().call_respond(store, stream, &head, end).await.unwrap().unwrap();
    }

    /// Waits for the whole response, and returns its status.
    async fn response(&mut self, stream: ResourceAny) -> u16 {
        let (exports, store) = self.exports();
        let streams = exports.http2_stream();
        let head = streams.call_blocking_response(&mut *store, stream, PATIENCE).await.unwrap().unwrap();
        while self.read(stream).await.is_some() {}
        head.status
    }

    /// Waits for content.
    async fn read(&mut self, stream: ResourceAny) -> Option<Vec<u8>> {
        let (exports, store) = self.exports();
        let read = exports.http2_stream().call_blocking_read_data(store, stream, 65_536, PATIENCE).await;
        read.unwrap().unwrap()
    }

    /// Sends content, and waits with `timeout`; returns how many bytes were accepted.
    async fn send(&mut self, stream: ResourceAny, bytes: &[u8], end: bool, timeout: Option<u64>) -> usize {
        let (exports, store) = self.exports();
        let sent = exports.http2_stream().call_blocking_send_data(store, stream, bytes, end, timeout).await;
        sent.unwrap().unwrap() as usize
    }

    async fn wait_any(
        &mut self,
        connections: &[ResourceAny],
        other: Option<Resource<DynPollable>>,
        timeout: Option<u64>,
    ) -> Vec<u32> {
        let (exports, store) = self.exports();
        exports.call_wait_any(store, connections, other, timeout).await.unwrap()
    }

    async fn flush(&mut self, connection: ResourceAny) {
        let (exports, store) = self.exports();
        exports.connection().call_blocking_flush(store, connection, PATIENCE).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn finished_streams_that_are_not_dropped_hold_no_slot() {
    let (near, far) = duplex(1 << 16);
    let serving = tokio::spawn(async move {
        let mut server = Instance::new().await;
        let connection = server.connect(far, Role::Server).await;
        let mut held = Vec::new();
        while held.len() < 3 * LIMIT {
            let stream = server.accept(connection).await.unwrap();
            while server.read(stream).await.is_some() {}
            server.respond(stream, true).await;
            held.push(stream);
        }
        server.flush(connection).await;
        let (exports, store) = server.exports();
        let streams = exports.http2_stream();
        let stream = held[0];
        assert!(streams.call_finished(&mut *store, stream).await.unwrap());
        assert!(streams.call_request(&mut *store, stream).await.unwrap().is_some());
        assert_eq!(streams.call_read_data(&mut *store, stream, 1).await.unwrap().unwrap(), None);
        let late = streams.call_send_data(store, stream, b"late", true).await.unwrap().unwrap_err();
        assert_eq!((late.kind, late.message.as_str()), (ErrorKind::InvalidState, "the message has ended"));
    });
    let mut client = Instance::new().await;
    let connection = client.connect(near, Role::Client).await;
    for number in 0..3 * LIMIT {
        let method = if number % 2 == 0 { Method::Get } else { Method::Post };
        let stream = client.open(connection, method, number % 2 == 0).await;
        if number % 2 == 1 {
            assert_eq!(client.send(stream, b"content", true, PATIENCE).await, 7);
        }
        assert_eq!(client.response(stream).await, 200);
    }
    serving.await.unwrap();
}

#[tokio::test]
async fn a_server_that_reads_nothing_and_drops_nothing_is_told() {
    let (near, far) = duplex(1 << 16);
    let serving = tokio::spawn(async move {
        let mut server = Instance::new().await;
        let connection = server.connect(far, Role::Server).await;
        for _ in 0..LIMIT {
            let stream = server.accept(connection).await.unwrap();
            // The content has arrived before the response goes out.
            let (exports, store) = server.exports();
            exports
                .connection()
                .call_blocking_drive(store, connection, Some(1_000_000))
                .await
                .unwrap()
                .unwrap();
            server.respond(stream, true).await;
        }
        let error = server.accept(connection).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::WouldBlock);
        assert!(error.message.contains("or drop them"), "{}", error.message);
        let (exports, store) = server.exports();
        let mut told = 0;
        while let Some(event) = exports.connection().call_next_event(&mut *store, connection).await.unwrap() {
            told += usize::from(matches!(event, Event::StreamsExhausted));
        }
        assert_eq!(told, 1);
    });
    let mut client = Instance::new().await;
    let connection = client.connect(near, Role::Client).await;
    for _ in 0..LIMIT {
        let stream = client.open(connection, Method::Post, false).await;
        assert_eq!(client.send(stream, b"content", true, PATIENCE).await, 7);
        assert_eq!(client.response(stream).await, 200);
    }
    client.open(connection, Method::Get, true).await;
    client.flush(connection).await;
    serving.await.unwrap();
}

#[tokio::test]
async fn sending_returns_when_something_arrives() {
    const LENGTH: usize = 4 << 20;
    let (near, far) = duplex(1 << 16);
    // An echo that reads nothing while it cannot send.
    let serving = tokio::spawn(async move {
        let mut server = Instance::new().await;
        let connection = server.connect(far, Role::Server).await;
        let stream = server.accept(connection).await.unwrap();
        server.respond(stream, false).await;
        while let Some(bytes) = server.read(stream).await {
            let mut sent = 0;
            while sent < bytes.len() {
                sent += server.send(stream, &bytes[sent..], false, PATIENCE).await;
            }
        }
        server.send(stream, &[], true, PATIENCE).await;
        server.flush(connection).await;
    });
    let mut client = Instance::new().await;
    let connection = client.connect(near, Role::Client).await;
    let stream = client.open(connection, Method::Post, false).await;
    let content: Vec<u8> = (0..LENGTH).map(|at| (at % 251) as u8).collect();
    let (mut sent, mut received) = (0, Vec::new());
    while sent < LENGTH {
        sent += client.send(stream, &content[sent..], true, PATIENCE).await;
        let (exports, store) = client.exports();
        let streams = exports.http2_stream();
        while let Some(bytes) = streams.call_read_data(&mut *store, stream, 65_536).await.unwrap().unwrap()
            && !bytes.is_empty()
        {
            received.extend(bytes);
        }
    }
    while let Some(bytes) = client.read(stream).await {
        received.extend(bytes);
    }
    assert!(received == content);
    serving.await.unwrap();
}

#[tokio::test]
async fn sending_without_room_times_out_with_a_count() {
    let (near, _far) = duplex(1 << 10);
    let mut client = Instance::new().await;
    let connection = client.connect(near, Role::Client).await;
    let stream = client.open(connection, Method::Post, false).await;
    let content = vec![0; 1 << 20];
    let sent = client.send(stream, &content, true, Some(1_000_000)).await;
    assert!(sent > 0 && sent < content.len(), "{sent}");
    assert_eq!(client.send(stream, &content[sent..], true, Some(1_000_000)).await, 0);
}

#[tokio::test]
async fn one_call_waits_for_many_connections() {
    let mut server = Instance::new().await;
    let mut connections = Vec::new();
    let mut peers = Vec::new();
    for _ in 0..3 {
        let (near, far) = duplex(1 << 16);
        connections.push(server.connect(far, Role::Server).await);
        peers.push(near);
    }
    assert!(server.wait_any(&connections, None, Some(1_000_000)).await.is_empty());
    let mut client = Instance::new().await;
    let at_client = client.connect(peers.remove(1), Role::Client).await;
    client.open(at_client, Method::Get, true).await;
    client.flush(at_client).await;
    loop {
        let ready = server.wait_any(&connections, None, PATIENCE).await;
        assert_eq!(ready, [1]);
        let (exports, store) = server.exports();
        if let Some(stream) = exports.connection().call_accept(store, connections[1]).await.unwrap().unwrap()
        {
            server.respond(stream, true).await;
            break;
        }
    }
    // The request was taken, and the peer's settings were news only once.
    let table = server.store.data_mut().ctx().table;
    let stream = table.push(ByteStream::from_io(duplex(1).0)).unwrap();
    let ended = table.subscribe_read(stream).unwrap();
    assert_eq!(server.wait_any(&connections, Some(Resource::new_borrow(ended.rep())), PATIENCE).await, [3]);
    // The end of a connection is news until it is dropped.
    drop(peers.remove(1));
    for _ in 0..2 {
        assert_eq!(server.wait_any(&connections, None, PATIENCE).await, [2]);
    }
}

#[tokio::test]
async fn one_call_takes_requests_and_one_sends_a_response() {
    const LENGTH: usize = 1 << 20;
    let (near, far) = duplex(1 << 16);
    let serving = tokio::spawn(async move {
        let mut server = Instance::new().await;
        let connection = server.connect(far, Role::Server).await;
        let mut served = 0;
        while served < 2 {
            server.wait_any(&[connection], None, PATIENCE).await;
            let (exports, store) = server.exports();
            let (connections, streams) = (exports.connection(), exports.http2_stream());
            let turn = connections.call_turn(&mut *store, connection).await.unwrap().unwrap();
            let [request] = &turn.requests[..] else { continue };
            assert_eq!(streams.call_id(&mut *store, request.stream).await.unwrap(), request.id);
            assert_eq!(request.head.path_with_query.as_deref(), Some("/"));
            let head = ResponseHead { status: 200, headers: Vec::new() };
            let content = vec![7; if served == 0 { 5 } else { LENGTH }];
            let trailers = vec![("checksum".to_owned(), b"35".to_vec())];
            let answer = streams.call_answer(&mut *store, request.stream, &head, &content, Some(&trailers));
            let taken = answer.await.unwrap().unwrap() as usize;
            assert_eq!(taken == content.len(), served == 0, "the send buffer has room for the first alone");
            if served == 1 {
                let rest = server.send(request.stream, &content[taken..], true, PATIENCE).await;
                assert_eq!(rest, LENGTH - taken);
            }
            served += 1;
        }
        server.flush(connection).await;
    });
    let mut client = Instance::new().await;
    let connection = client.connect(near, Role::Client).await;
    for (length, trailer) in [(5, true), (LENGTH, false)] {
        let stream = client.open(connection, Method::Get, true).await;
        let mut received = 0;
        while let Some(bytes) = client.read(stream).await {
            received += bytes.len();
        }
        assert_eq!(received, length);
        let (exports, store) = client.exports();
        let trailers = exports.http2_stream().call_trailers(store, stream).await.unwrap();
        assert_eq!(trailers.is_some(), trailer);
    }
    serving.await.unwrap();
}
