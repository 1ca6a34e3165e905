//! The application on `http2-tokio`, natively or as a guest.

use http::{Request, Response};
use http2_servers::{Clock, TcpStream, bytes_of, greeting, piece, run};
use http2_tokio::server::{self, Respond};
use http2_tokio::{Config, Error, RecvStream};

fn main() {
    run(serve);
}

async fn serve(socket: TcpStream) {
    let mut config = Config::default();
    config.max_concurrent_streams = 1_000;
    let connection = server::handshake_with_clock(socket, config, Clock::new());
    let mut connection = connection.expect("a valid configuration");
    while let Some(Ok((request, respond))) = connection.accept().await {
        if request.uri().path() == "/" {
            // The client may have left.
            let _ = respond.respond(greeting());
        } else {
            tokio::task::spawn_local(answer(request, respond));
        }
    }
}

async fn answer(request: Request<RecvStream>, mut respond: Respond) -> Result<(), Error> {
    let mut left = bytes_of(request.uri().path());
    let mut received = 0;
    let mut body = request.into_body();
    while let Some(data) = body.data().await {
        received += data?.len();
    }
    let mut content = respond.send_response(Response::new(()), false)?;
    match &mut left {
        Some(left) => {
            while *left > 0 {
                let data = piece(*left);
                *left -= data.len();
                content.send(data).await?;
            }
            content.finish()
        }
        None => content.send_data(received.to_string().into(), true),
    }
}
