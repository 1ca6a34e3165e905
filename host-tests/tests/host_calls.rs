//! How many functions of the host the demonstration server calls, and how many pollables it waits for.
//!
//! Each call takes a part of a microsecond, one that makes a system call takes several, and `poll` takes a part of one for
//! each pollable. A count is exact, unlike a measured time, so it shows that a request has become more expensive. It
//! depends on the moments at which requests arrive, though: the lowest tenth of several counts stays the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use host_tests::support::raw::RawClient;
use tokio::io::{AsyncBufReadExt, BufReader, DuplexStream, duplex};
use wasi_http2::{Composition, components};
use wasmtime::component::{Component, Linker, Resource, ResourceTable};
use wasmtime::{Config, Engine, Store, StoreContextMut};
use wasmtime_wasi::cli::AsyncStdoutStream;
use wasmtime_wasi::p2::bindings::{Command, io::poll::Host as _};
use wasmtime_wasi::p2::{self, DynPollable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// A guest whose calls of host functions are counted.
struct Counted {
    wasi: WasiCtx,
    table: ResourceTable,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    calls: AtomicU64,
    /// The lengths of all lists that were given to `poll`.
    polled: AtomicU64,
}

impl WasiView for Counted {
    // Each function of the host begins with this.
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.counts.calls.fetch_add(1, Ordering::Relaxed);
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// A running demonstration server.
struct Server {
    url: String,
    counts: Arc<Counts>,
}

impl Server {
    /// Starts a server, which runs until the test ends.
    fn start() -> Self {
        let counts = Arc::new(Counts::default());
        let (started, waiting) = mpsc::channel();
        let counted = counts.clone();
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
        Self { url: line.strip_prefix("listening on http://").unwrap().to_owned(), counts }
    }

    fn connect(&self) -> RawClient {
        let mut client = RawClient::connect(self.url.parse().unwrap());
        // For all content of the test.
        client.widen_windows(0, 1 << 24);
        client.synchronise();
        client
    }

    /// Sends batches of requests, one at a time, and returns the count for a request in one of the lowest batches.
    fn count(&self, client: &mut RawClient, of: fn(&Counts) -> &AtomicU64) -> u64 {
        const REQUESTS: u64 = 50;
        let mut streams = (1..).step_by(2);
        let mut batch = || {
            let before = of(&self.counts).load(Ordering::Relaxed);
            streams.by_ref().take(REQUESTS as usize).for_each(|stream| client.exchange(stream));
            of(&self.counts).load(Ordering::Relaxed) - before
        };
        let mut batches: [u64; 41] = std::array::from_fn(|_| batch());
        batches.sort_unstable();
        (batches[batches.len() / 10] + REQUESTS / 2) / REQUESTS
    }
}

async fn first_line(output: DuplexStream) -> String {
    BufReader::new(output).lines().next_line().await.unwrap().expect("a line")
}

async fn serve(stdout: DuplexStream, counts: Arc<Counts>) {
    let engine = Engine::new(Config::new().concurrency_support(false)).unwrap();
    let component = Composition::default().compose(components::ECHO_SERVER).unwrap();
    let component = Component::new(&engine, component).unwrap();
    let mut linker = Linker::new(&engine);
    p2::add_to_linker_async::<Counted>(&mut linker).unwrap();
    linker.allow_shadowing(true);
    linker.instance("wasi:io/poll@0.2.12").unwrap().func_wrap_async("poll", counted_poll).unwrap();
    let wasi = WasiCtx::builder()
        .args(&["echo-server", "--addr=127.0.0.1:0"])
        .inherit_network()
        .allow_tcp(true)
        .stdout(AsyncStdoutStream::new(4_096, stdout))
        .inherit_stderr()
        .build();
    let mut store = Store::new(&engine, Counted { wasi, table: ResourceTable::new(), counts });
    let command = Command::instantiate_async(&mut store, &component, &linker).await.unwrap();
    command.wasi_cli_run().call_run(&mut store).await.unwrap().unwrap();
}

/// `wasi:io/poll.poll`.
fn counted_poll<'a>(
    mut store: StoreContextMut<'a, Counted>,
    (pollables,): (Vec<Resource<DynPollable>>,),
) -> Box<dyn Future<Output = wasmtime::Result<(Vec<u32>,)>> + Send + 'a> {
    let view = store.data_mut();
    view.counts.calls.fetch_add(1, Ordering::Relaxed);
    view.counts.polled.fetch_add(pollables.len() as u64, Ordering::Relaxed);
    Box::new(async move { Ok((store.data_mut().table.poll(pollables).await?,)) })
}

#[test]
fn a_request_costs_seven_host_calls() {
    let server = Server::start();
    let mut client = server.connect();
    // poll; the time, and a read; the time, check-write, write, and a read that finds nothing.
    let calls = server.count(&mut client, |counts| &counts.calls);
    assert!((4..=7).contains(&calls), "{calls} calls for each request");
}

#[test]
fn beside_idle_connections_a_request_waits_for_few_pollables() {
    const IDLE: usize = 500;
    let server = Server::start();
    let mut idle = Vec::from_iter((0..IDLE).map(|_| server.connect()));
    let mut client = server.connect();
    let polled = server.count(&mut client, |counts| &counts.polled);
    assert!(polled < IDLE as u64 / 5, "{polled} pollables for each request");
    // Nevertheless, the others are heard.
    thread::scope(|scope| {
        scope.spawn(|| (10_001..).step_by(2).take(2_000).for_each(|stream| client.exchange(stream)));
        idle.iter_mut().for_each(|client| client.exchange(1));
    });
}
