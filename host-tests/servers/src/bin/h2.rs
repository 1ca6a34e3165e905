//! The application on `h2`.

use bytes::Bytes;
use h2::server::{self, SendResponse};
use h2::{Error, RecvStream};
use http::{Request, Response};
use http2_servers::{TcpStream, bytes_of, greeting, piece, run};
use std::future::poll_fn;

fn main() {
    run(serve);
}

async fn serve(socket: TcpStream) {
    let mut builder = server::Builder::new();
    builder
        .max_concurrent_streams(1_000)
        .initial_window_size(256 << 10)
        .initial_connection_window_size(1 << 20);
    let Ok(mut connection) = builder.handshake::<_, Bytes>(socket).await else { return };
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        if request.uri().path() == "/" {
            let (head, text) = greeting().into_parts();
            if let Ok(mut content) = respond.send_response(Response::from_parts(head, ()), false) {
                // The client may have left.
                let _ = content.send_data(text, true);
            }
        } else {
            tokio::task::spawn_local(answer(request, respond));
        }
    }
}

async fn answer(request: Request<RecvStream>, mut respond: SendResponse<Bytes>) -> Result<(), Error> {
    let left = bytes_of(request.uri().path());
    let mut received = 0;
    let mut body = request.into_body();
    while let Some(data) = body.data().await {
        let data = data?;
        received += data.len();
        body.flow_control().release_capacity(data.len())?;
    }
    let mut content = respond.send_response(Response::new(()), false)?;
    let Some(mut left) = left else {
        return content.send_data(received.to_string().into(), true);
    };
    while left > 0 {
        let mut data = piece(left);
        left -= data.len();
        while !data.is_empty() {
            content.reserve_capacity(data.len());
            let Some(capacity) = poll_fn(|cx| content.poll_capacity(cx)).await else { return Ok(()) };
            content.send_data(data.split_to(capacity?.min(data.len())), false)?;
        }
    }
    content.send_data(Bytes::new(), true)
}
