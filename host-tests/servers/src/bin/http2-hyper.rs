//! The application on `http2-hyper`.

use http2_servers::{Content, answer, run};
use http2_tokio::{Config, server};

use hyper::service::service_fn;
use tokio::net::TcpStream;

fn main() {
    run(serve);
}

async fn serve(socket: TcpStream) {
    let mut config = Config::default();
    config.max_concurrent_streams = 1_000;
    let connection = server::handshake(socket, config).expect("a valid configuration");
    // The client may have left.
    let _ = http2_hyper::serve::<_, _, _, Content>(connection, service_fn(answer)).await;
}
