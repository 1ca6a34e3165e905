//! The server: accepts connections, serves them, and drains.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use http2_engine::ConnectionError;
use http2_wasi_http::bindings::wasi::sockets::types::TcpSocket;
use http2_wasi_http::{Connection, Tasks, tcp};
use wit_bindgen::StreamResult;

use crate::bindings::wasi::cli::{exit, stdin};
use crate::console;
use crate::exchange;
use crate::listener::{self, Listener};
use crate::options::Options;
use crate::scheduler::{CallScheduler, ConnectionCalls, Semaphore};

/// A server and its connections.
#[derive(Clone)]
pub(crate) struct Server(Rc<Inner>);

struct Inner {
    options: Options,
    tasks: Tasks,
    connections: RefCell<BTreeMap<u64, Connection>>,
    /// Number of pending calls of the application.
    calls: Cell<usize>,
    scheduler: CallScheduler,
    permits: Rc<Semaphore>,
    /// Number of the next connection.
    next_connection: Cell<u64>,
    /// Woken when a connection ends.
    connection_ended: Cell<Option<Waker>>,
}

impl Server {
    pub(crate) fn new(options: Options, tasks: &Tasks) -> Self {
        let permits = Semaphore::new(options.max_requests);
        Self(Rc::new(Inner {
            options,
            tasks: tasks.clone(),
            connections: RefCell::default(),
            calls: Cell::default(),
            scheduler: CallScheduler::new(tasks),
            permits,
            next_connection: Cell::default(),
            connection_ended: Cell::default(),
        }))
    }

    /// Listens and serves until the listener closes or the server is asked to drain, and every connection has
    /// ended.
    pub(crate) async fn serve(self) -> Result<(), String> {
        let address = self.0.options.address;
        let failed = |error| format!("{address}: {error}");
        let listener = Listener::new(address).map_err(failed)?;
        let address = listener.address().map_err(failed)?;
        self.log(|| format!("listening on {address}")).await;
        let server = self.clone();
        self.0.tasks.spawn(async move { server.0.scheduler.run().await });
        self.accept_all(listener).await;
        self.drain().await;
        Ok(())
    }

    /// Accepts connections until the listener closes or standard input ends.
    async fn accept_all(&self, mut listener: Listener) {
        let mut accepting = pin!(async {
            loop {
                self.wait_for_capacity().await;
                let (result, sockets) = listener.connections.read(Vec::with_capacity(1)).await;
                if !matches!(result, StreamResult::Complete(_)) {
                    return self.log(|| "the listener has closed: draining".to_owned()).await;
                }
                for socket in sockets {
                    self.accept(socket).await;
                }
            }
        });
        let drain_on_eof = self.0.options.drain_on_stdin_eof;
        let mut draining = pin!(async {
            if !drain_on_eof {
                return std::future::pending().await;
            }
            stdin_end().await;
            self.log(|| "standard input has ended: draining".to_owned()).await;
        });
        poll_fn(|context| match draining.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => accepting.as_mut().poll(context),
        })
        .await;
    }

    /// Waits while the number of connections is at its limit; the host queues further ones.
    async fn wait_for_capacity(&self) {
        let max = self.0.options.max_connections;
        if self.0.connections.borrow().len() < max {
            return;
        }
        self.log(|| format!("{max} connections open: accepting no more until one ends")).await;
        self.wait_until(|connections| connections < max).await;
    }

    async fn accept(&self, socket: TcpSocket) {
        let connection = match Connection::server(self.0.options.config.clone(), &self.0.tasks) {
            Ok(connection) => connection,
            Err(error) => return self.log(|| error.to_string()).await,
        };
        let number = self.0.next_connection.get();
        self.0.next_connection.set(number.wrapping_add(1));
        self.0.connections.borrow_mut().insert(number, connection.clone());
        self.0.tasks.spawn(self.clone().run_connection(number, connection.clone(), socket));
        self.0.tasks.spawn(self.clone().serve_requests(number, connection));
    }

    async fn serve_requests(self, number: u64, connection: Connection) {
        let own = Rc::new(ConnectionCalls::new(number));
        while let Some(request) = connection.request().await {
            let permit = self.0.permits.acquire().await;
            self.0.scheduler.admit(&own).await;
            if request.stream.is_reset() {
                continue;
            }
            let (server, own) = (self.clone(), own.clone());
            self.0.tasks.spawn(async move {
                let Inner { tasks, options, calls, .. } = &*server.0;
                let _outstanding = tasks.outstanding();
                calls.set(calls.get().saturating_add(1));
                exchange::serve(request, tasks.clone(), options.cancel).await;
                calls.set(calls.get().saturating_sub(1));
                own.record_return();
                drop(permit);
            });
        }
    }

    async fn run_connection(self, number: u64, connection: Connection, socket: TcpSocket) {
        let peer = listener::peer(&socket);
        let ended = tcp::run(&connection, socket).await;
        if self.0.options.log_connections {
            let reason = ended.as_ref().map_or_else(ToString::to_string, |()| "ok".to_owned());
            let (stats, limit) = (connection.stats(), self.0.options.config.limits.abuse);
            let (requests, score) = (stats.streams_accepted, stats.abuse_score_peak);
            console::print_error(format!(
                "connection from {peer} ended: {reason}; requests {requests}, highest abuse score {score} of \
                 {limit}\n"
            ))
            .await;
        }
        match ended {
            // Clients may close at any time.
            Ok(()) | Err(ConnectionError::TransportEnded { .. }) => {}
            Err(error) => self.log(|| format!("{peer}: {error}")).await,
        }
        self.0.connections.borrow_mut().remove(&number);
        if let Some(waker) = self.0.connection_ended.take() {
            waker.wake();
        }
    }

    /// Shuts every connection down gracefully, and waits for the last one to end.
    async fn drain(&self) {
        self.0.connections.borrow().values().for_each(Connection::shutdown);
        self.wait_until(|connections| connections == 0).await;
        let calls = self.0.calls.get();
        if calls > 0 {
            // Returning would drop the calls, and so cancel them: see `exchange::serve`.
            self.log(|| format!("exiting although {calls} calls of the handler have not returned")).await;
            exit::exit(Ok(()));
        }
    }

    /// Waits until the number of connections satisfies `wanted`.
    async fn wait_until(&self, wanted: impl Fn(usize) -> bool) {
        poll_fn(|context| {
            if wanted(self.0.connections.borrow().len()) {
                return Poll::Ready(());
            }
            self.0.connection_ended.set(Some(context.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    /// Prints a line, unless `--quiet` is set.
    ///
    /// A connection counts against the limit until its line is written, so that a slow reader of the log cannot make
    /// lines pile up.
    async fn log(&self, line: impl FnOnce() -> String) {
        if !self.0.options.quiet {
            console::print_error(format!("http2-server: {}\n", line())).await;
        }
    }
}

/// Waits for the end of standard input.
async fn stdin_end() {
    let (mut input, _) = stdin::read_via_stream();
    let mut buffer = Vec::with_capacity(1024);
    loop {
        let (result, mut octets) = input.read(buffer).await;
        if !matches!(result, StreamResult::Complete(_)) {
            return;
        }
        octets.clear();
        buffer = octets;
    }
}
