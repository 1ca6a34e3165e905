//! An axum application over HTTP/2, in a WebAssembly component.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::routing::{get, post};
use axum::{Json, Router};
use http2_hyper::serve;
use http2_tokio::wasi::{self, Clock, TcpListener};
use http2_tokio::{Config, server};
use hyper_util::service::TowerToHyperService;
use serde::{Deserialize, Serialize};

fn main() -> Result<(), Box<dyn Error>> {
    wasi::block_on(run())?
}

async fn run() -> Result<(), Box<dyn Error>> {
    let address: SocketAddr = match std::env::args().nth(1) {
        Some(address) => address.parse().map_err(|_| "usage: axum-server [ADDRESS:PORT]")?,
        None => SocketAddr::from(([127, 0, 0, 1], 8080)),
    };
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let app = app();
    loop {
        let (socket, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // The host may have too many sockets open for the moment.
                eprintln!("cannot accept a connection: {error}");
                wasi::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let connection = server::handshake_with_clock(socket, Config::default(), Clock::new())?;
        let served = serve(connection, TowerToHyperService::new(app.clone()));
        tokio::spawn(async move {
            if let Err(error) = served.await {
                eprintln!("{peer}: {error}");
            }
        });
    }
}

fn app() -> Router {
    Router::new()
        .route("/", get(async || "Hello from axum in a WebAssembly component, over HTTP/2.\n"))
        .route("/sum", post(sum))
        .route("/count/{to}", get(count))
        .route("/echo", post(async |content: Body| content))
}

#[derive(Deserialize)]
struct Terms {
    terms: Vec<f64>,
}

#[derive(Serialize)]
struct Sum {
    sum: f64,
}

/// Adds numbers.
async fn sum(Json(Terms { terms }): Json<Terms>) -> Json<Sum> {
    Json(Sum { sum: terms.iter().sum() })
}

/// Counts, with a line every 10 ms.
async fn count(Path(to): Path<u32>) -> Body {
    let lines = futures::stream::unfold(1, move |number| async move {
        if number > to {
            return None;
        }
        wasi::sleep(Duration::from_millis(10)).await;
        Some((Ok::<_, Infallible>(Bytes::from(format!("{number}\n"))), number + 1))
    });
    Body::from_stream(lines)
}
