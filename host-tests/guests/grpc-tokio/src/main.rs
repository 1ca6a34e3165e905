//! Serves the services of the gRPC tests on a free port, with a limit of streams as the argument.

use std::convert::Infallible;

use grpc_services::Sleep;
use http2_tokio::wasi::{TcpListener, block_on_with_timers};
use http2_tokio::{Config, server};
use hyper::service::service_fn;

const SLEEP: Sleep = |duration| Box::pin(tokio::time::sleep(duration));

fn main() {
    let limit = std::env::args().nth(1).expect("a limit of streams").parse().expect("a number");
    block_on_with_timers(serve(limit)).expect("a runtime");
}

async fn serve(limit: u32) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("listening on http://{}", listener.local_addr().unwrap());
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let mut config = Config::default();
        config.max_concurrent_streams = limit;
        let connection = server::handshake(socket, config).unwrap();
        let service =
            service_fn(async |request| Ok::<_, Infallible>(grpc_services::answer(request, SLEEP).await));
        tokio::spawn(http2_hyper::serve(connection, service));
    }
}
