//! The workload on h2, with the fastest configuration and order of calls found.

use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::SendRequest;
use http::Request;
use tokio::io::DuplexStream;
use tokio::runtime;

use crate::messages::{self, CONTENT};

/// Capacity of the transport in bytes.
const TRANSPORT: usize = 64 << 10;
/// Receive windows large enough never to block.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;

/// Runs a number of rounds after the warm-up, making all requests of a round at once.
pub(crate) fn run(warm_up: u32, rounds: u32, at_once: u32) -> Duration {
    let runtime = runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let (near, far) = tokio::io::duplex(TRANSPORT);
        let server = tokio::spawn(serve(far, at_once));
        let (client, connection) = h2::client::Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .initial_max_send_streams(at_once as usize)
            .handshake(near)
            .await
            .expect("a connection");
        let connection = tokio::spawn(connection);
        let requests = messages::requests();

        let client = ask(client, &requests, warm_up, at_once).await;
        let start = Instant::now();
        let client = ask(client, &requests, rounds, at_once).await;
        let elapsed = start.elapsed();

        drop(client);
        connection.await.expect("the client's end").expect("a connection");
        server.await.expect("the server");
        elapsed
    })
}

/// The client, without a task per request, which would be slower.
async fn ask(
    mut client: SendRequest<Bytes>,
    requests: &[Request<()>],
    rounds: u32,
    at_once: u32,
) -> SendRequest<Bytes> {
    let mut responses = Vec::new();
    for _ in 0..rounds {
        for request in requests.iter().cycle().take(at_once as usize) {
            client = client.ready().await.expect("a stream");
            let (response, _) = client.send_request(request.clone(), true).expect("a stream");
            responses.push(response);
        }
        for response in responses.drain(..) {
            let (head, mut body) = response.await.expect("a response").into_parts();
            let mut length = 0;
            while let Some(content) = body.data().await {
                let content = content.expect("content");
                length += content.len();
                body.flow_control().release_capacity(content.len()).expect("content that was received");
            }
            messages::check_response(head.status.as_u16(), length);
        }
    }
    client
}

/// The server, which answers requests as they arrive, without a task per request.
async fn serve(transport: DuplexStream, streams: u32) {
    let mut connection = h2::server::Builder::new()
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(streams)
        .handshake(transport)
        .await
        .expect("a connection");
    let response = messages::response();
    while let Some(accepted) = connection.accept().await {
        let (request, mut respond) = accepted.expect("a request");
        messages::check_request(request.method().as_str().as_bytes(), request.uri().path().as_bytes());
        let mut content = respond.send_response(response.clone(), false).expect("a response");
        content.send_data(CONTENT.clone(), true).expect("content");
    }
}
