//! The server around any handler, in this process: with environment variables, standard input, and permission to
//! connect.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

use host_tests::guests;
use host_tests::support::DEADLINE;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::oneshot;
use wasi_http2::compose::with_server;
use wasi_http2::{Invocation, Network, Outcome, Program, Runtime, components};
use wasmtime_wasi::cli::{AsyncStdinStream, AsyncStdoutStream};

/// The server around the guest `http-service`.
pub(crate) static HANDLER: LazyLock<Program> = LazyLock::new(|| load(guests::HTTP_SERVICE));

/// The server around the client: a reverse proxy.
pub(crate) static PROXY: LazyLock<Program> = LazyLock::new(|| load(components::http_client()));

fn load(handler: &[u8]) -> Program {
    Runtime::new().unwrap().load(&with_server(handler).unwrap()).unwrap()
}

/// A server that runs until it ends by itself or the test process ends.
pub(crate) struct InProcess {
    pub(crate) address: SocketAddr,
    input: Option<oneshot::Sender<()>>,
    log: Receiver<String>,
    thread: JoinHandle<Outcome>,
}

impl InProcess {
    /// Serves on a free port, with options and environment variables.
    #[track_caller]
    pub(crate) fn start(program: &'static Program, options: &[&str], variables: &[(&str, &str)]) -> Self {
        let network = Network::ListenAndConnect("127.0.0.1:0".parse().unwrap());
        let mut invocation =
            Invocation::new("http2-server").args(["--addr", "127.0.0.1:0"]).args(options).network(network);
        for (name, value) in variables {
            invocation = invocation.env(name, value);
        }
        let (input, ended) = oneshot::channel::<()>();
        let (lines, log) = channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (stdin, open) = tokio::io::duplex(1);
                tokio::spawn(async move {
                    _ = ended.await;
                    drop(open);
                });
                let (stderr, written) = tokio::io::duplex(64 << 10);
                let logging = tokio::spawn(async move {
                    let mut written = BufReader::new(written).lines();
                    while let Ok(Some(line)) = written.next_line().await {
                        // The test may have dropped the receiver.
                        _ = lines.send(line);
                    }
                });
                let invocation = invocation
                    .stdin(AsyncStdinStream::new(stdin))
                    .stderr(AsyncStdoutStream::new(64 << 10, stderr));
                let outcome = program.run(invocation).await.unwrap();
                logging.await.unwrap();
                outcome
            })
        });
        let first = log.recv_timeout(DEADLINE).expect("the server logs its address");
        let address = first.strip_prefix("http2-server: listening on ").expect(&first).parse().unwrap();
        Self { address, input: Some(input), log, thread }
    }

    /// The URL of a path on this server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Ends the server's standard input.
    pub(crate) fn end_input(&mut self) {
        drop(self.input.take());
    }

    /// Waits until the server has exited successfully, and returns its log.
    #[track_caller]
    pub(crate) fn finish(self) -> String {
        let outcome = self.thread.join().unwrap();
        let log = self.log.try_iter().collect::<Vec<_>>().join("\n");
        assert!(outcome.is_success(), "{outcome}: {log}");
        log
    }
}
