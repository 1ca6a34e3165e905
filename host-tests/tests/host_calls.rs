//! How many functions of the host the demonstration server calls.
//!
//! Each call takes a part of a microsecond, and one that makes a system call takes several. A count is exact, unlike a
//! measured time, so it shows that a request has become more expensive.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use host_tests::support::raw::RawClient;
use http2_test_support::{flag, kind};
use tokio::io::{AsyncBufReadExt, BufReader, DuplexStream, duplex};
use wasi_http2::{Composition, components};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::cli::AsyncStdoutStream;
use wasmtime_wasi::p2::{self, bindings::Command};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// A guest whose calls of host functions are counted.
struct Counted {
    wasi: WasiCtx,
    table: ResourceTable,
    calls: Arc<AtomicU64>,
}

impl WasiView for Counted {
    // Each function of the host begins with this.
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// A running demonstration server.
struct Server {
    url: String,
    calls: Arc<AtomicU64>,
}

impl Server {
    /// Starts a server, which runs until the test ends.
    fn start() -> Self {
        let calls = Arc::new(AtomicU64::new(0));
        let (started, waiting) = mpsc::channel();
        let counted = calls.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let (stdout, output) = duplex(4_096);
            runtime.block_on(async {
                let announcing = async {
                    started.send(first_line(output).await).unwrap();
                    std::future::pending::<()>().await;
                };
                tokio::select! {
                    () = serve(stdout, counted) => panic!("the server has ended"),
                    () = announcing => {}
                }
            });
        });
        let line = waiting.recv().unwrap();
        Self { url: line.strip_prefix("listening on http://").unwrap().to_owned(), calls }
    }

    fn connect(&self) -> RawClient {
        let mut client = RawClient::connect(self.url.parse().unwrap());
        client.synchronise();
        client
    }

    fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

async fn first_line(output: DuplexStream) -> String {
    BufReader::new(output).lines().next_line().await.unwrap().expect("a line")
}

async fn serve(stdout: DuplexStream, calls: Arc<AtomicU64>) {
    let engine = Engine::new(Config::new().concurrency_support(false)).unwrap();
    let component = Composition::default().compose(components::ECHO_SERVER).unwrap();
    let component = Component::new(&engine, component).unwrap();
    let mut linker = Linker::new(&engine);
    p2::add_to_linker_async::<Counted>(&mut linker).unwrap();
    let wasi = WasiCtx::builder()
        .args(&["echo-server", "--addr=127.0.0.1:0"])
        .inherit_network()
        .allow_tcp(true)
        .stdout(AsyncStdoutStream::new(4_096, stdout))
        .inherit_stderr()
        .build();
    let mut store = Store::new(&engine, Counted { wasi, table: ResourceTable::new(), calls });
    let command = Command::instantiate_async(&mut store, &component, &linker).await.unwrap();
    command.wasi_cli_run().call_run(&mut store).await.unwrap().unwrap();
}

/// Sends requests one at a time, and waits for each response.
fn exchange(client: &mut RawClient, streams: impl Iterator<Item = u32>) {
    for stream in streams {
        client.request(stream, "GET", "/", flag::END_STREAM);
        while !is_last(&mut *client, stream) {}
    }
}

/// Receives a frame, and returns whether it is the last one of a response.
fn is_last(client: &mut RawClient, stream: u32) -> bool {
    let frame = client.receive().expect("the rest of the response");
    frame.kind == kind::DATA && frame.stream == stream && frame.flags & flag::END_STREAM != 0
}

#[test]
fn a_request_costs_seven_host_calls() {
    const REQUESTS: u64 = 100;
    let server = Server::start();
    let mut client = server.connect();
    exchange(&mut client, [1].into_iter());
    let before = server.calls();
    exchange(&mut client, (3..).step_by(2).take(REQUESTS as usize));
    let calls = server.calls() - before;
    // poll; the time, and a read; the time, check-write, write, and a read that finds nothing. The last request's read and
    // poll may come late, and those of the request before the first count as well.
    assert!(calls <= 7 * (REQUESTS + 1), "{calls} calls for {REQUESTS} requests");
    assert!(calls >= 4 * REQUESTS, "{calls} calls for {REQUESTS} requests: some were not counted");
}
