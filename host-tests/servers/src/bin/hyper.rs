//! The application on `hyper`.

use http2_servers::{answer, run};
use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

fn main() {
    run(serve);
}

/// Runs futures on the one thread.
#[derive(Clone)]
struct Local;

impl<F: Future + 'static> Executor<F> for Local {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(async move { drop(future.await) });
    }
}

async fn serve(socket: TcpStream) {
    let mut builder = http2::Builder::new(Local);
    builder.timer(TokioTimer::new()).max_concurrent_streams(1_000);
    // The client may have left.
    let _ = builder.serve_connection(TokioIo::new(socket), service_fn(answer)).await;
}
