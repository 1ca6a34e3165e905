//! Byte-streams supplied by the host, by themselves and under the engine.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use wasi_http2::bindings::Engine;
use wasi_http2::bindings::exports::http2::engine::connection::{RequestHead, ResponseHead, Role};
use wasi_http2::bindings::http2::engine::transport::{HostByteStream, TransportError};
use wasi_http2::bindings::http2::engine::types::{Method, Scheme};
use wasi_http2::run::Guest;
use wasi_http2::{ByteStream, Runtime, components};
use wasmtime::Store;
use wasmtime::component::{Component, Resource, ResourceTable};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::io::poll;
use wasmtime_wasi::{WasiCtx, WasiView};

/// A byte-stream as a guest sees it, and the peer's end of the pipe, which holds `room` bytes in each direction.
struct Stream {
    table: ResourceTable,
    rep: u32,
    peer: DuplexStream,
}

impl Stream {
    fn new(room: usize) -> Self {
        let (io, peer) = duplex(room);
        let mut table = ResourceTable::new();
        let rep = table.push(ByteStream::from_io(io)).unwrap().rep();
        Self { table, rep, peer }
    }

    fn handle(&self) -> Resource<ByteStream> {
        Resource::new_borrow(self.rep)
    }

    fn read(&mut self, max: u32) -> Result<Vec<u8>, TransportError> {
        let handle = self.handle();
        self.table.read(handle, max).unwrap()
    }

    fn write(&mut self, bytes: &[u8]) -> Result<u32, TransportError> {
        let handle = self.handle();
        self.table.write(handle, bytes.to_vec()).unwrap()
    }

    fn finish(&mut self) {
        let handle = self.handle();
        self.table.finish(handle).unwrap().unwrap();
    }

    fn subscribe_read(&mut self) -> Resource<DynPollable> {
        let handle = self.handle();
        self.table.subscribe_read(handle).unwrap()
    }

    fn subscribe_write(&mut self) -> Resource<DynPollable> {
        let handle = self.handle();
        self.table.subscribe_write(handle).unwrap()
    }

    async fn is_ready(&mut self, pollable: &Resource<DynPollable>) -> bool {
        poll::HostPollable::ready(&mut self.table, Resource::new_borrow(pollable.rep())).await.unwrap()
    }

    async fn wait(&mut self, pollable: &Resource<DynPollable>) {
        poll::Host::poll(&mut self.table, vec![Resource::new_borrow(pollable.rep())]).await.unwrap();
    }
}

#[tokio::test]
async fn read_never_blocks_and_reports_the_end() {
    let mut stream = Stream::new(64);
    let readable = stream.subscribe_read();
    assert_eq!(stream.read(100).unwrap(), b"");
    assert!(!stream.is_ready(&readable).await);

    stream.peer.write_all(b"hello").await.unwrap();
    stream.wait(&readable).await;
    assert_eq!(stream.read(2).unwrap(), b"he");
    assert!(stream.is_ready(&readable).await, "the pollable can be reused");
    assert_eq!(stream.read(100).unwrap(), b"llo");
    assert!(!stream.is_ready(&readable).await);

    stream.peer.shutdown().await.unwrap();
    stream.wait(&readable).await;
    for _ in 0..2 {
        assert!(matches!(stream.read(100), Err(TransportError::Closed)));
    }
    assert_eq!(stream.write(b"the other direction goes on").unwrap(), 27);
}

#[tokio::test]
async fn write_never_blocks_and_buffers_a_bounded_amount() {
    let mut stream = Stream::new(1000);
    let writable = stream.subscribe_write();
    let mut written = 0;
    while stream.is_ready(&writable).await {
        written += stream.write(&[7; 10_000]).unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(stream.write(b"?").unwrap(), 0);
    assert!(written <= 65_536 + 1000, "{written}");

    let mut received = vec![0; 1000];
    stream.peer.read_exact(&mut received).await.unwrap();
    stream.wait(&writable).await;
    written += stream.write(&[7; 10]).unwrap();
    stream.finish();
    assert!(matches!(stream.write(b"late"), Err(TransportError::Closed)));

    stream.peer.read_to_end(&mut received).await.unwrap();
    assert_eq!(received.len(), usize::try_from(written).unwrap());
    assert!(received.iter().all(|octet| *octet == 7));
}

#[tokio::test]
async fn write_fails_once_the_peer_is_gone() {
    let mut stream = Stream::new(64);
    drop(std::mem::replace(&mut stream.peer, duplex(1).0));
    let writable = stream.subscribe_write();
    let error = loop {
        match stream.write(&[0; 100_000]) {
            Ok(_) => stream.wait(&writable).await,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, TransportError::ConnectionReset), "{error:?}");
}

#[tokio::test]
async fn a_stream_may_be_dropped_before_its_pollables() {
    let mut stream = Stream::new(64);
    let (readable, writable) = (stream.subscribe_read(), stream.subscribe_write());
    stream.write(b"farewell").unwrap();
    HostByteStream::drop(&mut stream.table, Resource::new_own(stream.rep)).unwrap();
    let mut received = Vec::new();
    stream.peer.read_to_end(&mut received).await.unwrap();
    assert_eq!(received, b"farewell");
    for pollable in [readable, writable] {
        poll::HostPollable::drop(&mut stream.table, pollable).unwrap();
    }
    assert!(stream.table.is_empty());
}

/// An engine over `io`, driven by the host.
struct Endpoint {
    store: Store<Guest>,
    engine: Engine,
    connection: wasmtime::component::ResourceAny,
}

impl Endpoint {
    async fn new(runtime: &Runtime, io: DuplexStream, role: Role) -> Self {
        let component = Component::new(runtime.engine(), components::ENGINE).unwrap();
        let mut store = Store::new(runtime.engine(), Guest::new(WasiCtx::builder().build(), 1 << 28));
        let engine = Engine::instantiate_async(&mut store, &component, runtime.linker()).await.unwrap();
        let io = store.data_mut().ctx().table.push(ByteStream::from_io(io)).unwrap();
        let connections = engine.http2_engine_connection().connection();
        let connection = connections.call_handshake(&mut store, io, role, None).await.unwrap().unwrap();
        Self { store, engine, connection }
    }
}

/// How long either end waits for the other, in nanoseconds.
const PATIENCE: Option<u64> = Some(Duration::from_secs(10).as_nanos() as u64);

#[tokio::test]
async fn two_engines_exchange_a_message_over_host_byte_streams() {
    let runtime = Runtime::new().unwrap();
    let (client_io, server_io) = duplex(1000);
    let server = tokio::spawn(serve_once(Endpoint::new(&runtime, server_io, Role::Server).await));
    let client = ask_once(Endpoint::new(&runtime, client_io, Role::Client).await);
    let (status, content) = client.await;
    assert_eq!(status, 200);
    assert_eq!(content, vec![42; 100_000]);
    server.await.unwrap();
}

async fn serve_once(endpoint: Endpoint) {
    let Endpoint { mut store, engine, connection } = endpoint;
    let interface = engine.http2_engine_connection();
    let (connections, streams) = (interface.connection(), interface.http2_stream());
    let accepted = connections.call_blocking_accept(&mut store, connection, PATIENCE).await.unwrap();
    let stream = accepted.unwrap().expect("a request");
    let head = ResponseHead { status: 200, headers: Vec::new() };
    streams.call_respond(&mut store, stream, &head, false).await.unwrap().unwrap();
    let content = vec![42; 100_000];
    let sent = streams.call_blocking_send_data(&mut store, stream, &content, true, PATIENCE).await.unwrap();
    assert_eq!(sent.unwrap(), 100_000);
    connections.call_blocking_flush(&mut store, connection, PATIENCE).await.unwrap().unwrap();
}

async fn ask_once(endpoint: Endpoint) -> (u16, Vec<u8>) {
    let Endpoint { mut store, engine, connection } = endpoint;
    let interface = engine.http2_engine_connection();
    let (connections, streams) = (interface.connection(), interface.http2_stream());
    let head = RequestHead {
        method: Method::Get,
        scheme: Some(Scheme::Http),
        authority: Some("memory".to_owned()),
        path_with_query: Some("/".to_owned()),
        headers: Vec::new(),
    };
    let opened = connections.call_open_stream(&mut store, connection, &head, true).await.unwrap();
    let stream = opened.unwrap();
    let response = streams.call_blocking_response(&mut store, stream, PATIENCE).await.unwrap().unwrap();
    let mut content = Vec::new();
    while let Some(bytes) =
        streams.call_blocking_read_data(&mut store, stream, 65_536, PATIENCE).await.unwrap().unwrap()
    {
        content.extend(bytes);
    }
    (response.status, content)
}
