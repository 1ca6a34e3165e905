//! A gRPC service built with tonic, in a WebAssembly component.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use http2_hyper::serve;
use http2_tokio::wasi::{self, Clock, TcpListener};
use http2_tokio::{Config, server};
use hyper_util::service::TowerToHyperService;
use tonic::{Request, Response, Status, Streaming};

use crate::proto::greeter_server::{Greeter, GreeterServer};
use crate::proto::{Greeting, Person};

/// Messages and services, generated from `proto`.
#[allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all, clippy::pedantic)]
mod proto {
    tonic::include_proto!("greeter");
}

fn main() -> Result<(), Box<dyn Error>> {
    wasi::block_on(run())?
}

async fn run() -> Result<(), Box<dyn Error>> {
    let address: SocketAddr = match std::env::args().nth(1) {
        Some(address) => address.parse().map_err(|_| "usage: grpc-server [ADDRESS:PORT]")?,
        None => SocketAddr::from(([127, 0, 0, 1], 50051)),
    };
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let service = GreeterServer::new(Polite);
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
        let served = serve(connection, TowerToHyperService::new(service.clone()));
        tokio::spawn(async move {
            if let Err(error) = served.await {
                eprintln!("{peer}: {error}");
            }
        });
    }
}

/// Greets in English.
struct Polite;

#[tonic::async_trait]
impl Greeter for Polite {
    type GreetEachStream = BoxStream<'static, Result<Greeting, Status>>;

    async fn greet(&self, request: Request<Person>) -> Result<Response<Greeting>, Status> {
        Ok(Response::new(greeting(&request.into_inner())?))
    }

    async fn greet_each(
        &self,
        request: Request<Streaming<Person>>,
    ) -> Result<Response<Self::GreetEachStream>, Status> {
        let greetings = request.into_inner().map(|person| greeting(&person?));
        Ok(Response::new(greetings.boxed()))
    }
}

/// Returns a greeting, or the error INVALID_ARGUMENT for a person without a name.
fn greeting(person: &Person) -> Result<Greeting, Status> {
    if person.name.is_empty() {
        return Err(Status::invalid_argument("a person needs a name"));
    }
    Ok(Greeting { text: format!("Hello, {}!", person.name) })
}
