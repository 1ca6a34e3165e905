//! Clients of hyper and tonic in a WebAssembly component, on the sockets of `http2-tokio`.
//!
//! `guest hyper ADDRESS` calls a server that echoes, and `guest tonic ADDRESS` the service `proof.Echo`. What they see goes
//! to the output.

#[allow(unused_imports, reason = "the generated server is not used")]
#[path = "../../src/echo.rs"]
mod echo;

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tonic::{Code, Request, Status, Streaming};

use echo::Message;
use echo::echo_client::EchoClient;
use http2_tokio::wasi::{self, TcpStream};

type AnyError = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), AnyError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["hyper", address] => wasi::block_on(call_hyper(address))?,
        ["tonic", address] => wasi::block_on(call_tonic(address))?,
        _ => Err("usage: guest hyper|tonic ADDRESS".into()),
    }
}

/// Connects hyper's client.
async fn connect<B>(address: &str) -> Result<SendRequest<B>, AnyError>
where
    B: Body<Data: Send, Error: Into<AnyError>> + Send + Unpin + 'static,
{
    let socket = TokioIo::new(TcpStream::connect(address).await?);
    let (client, connection) = http2::handshake(TokioExecutor::new(), socket).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            println!("connection: {error}");
        }
    });
    Ok(client)
}

async fn call_hyper(address: &str) -> Result<(), AnyError> {
    let client = connect::<Full<Bytes>>(address).await?;
    for size in [0, 1, 16_384, 70_000, 5_000_000] {
        println!("{size}: {}", echoed(client.clone(), size).await?);
    }
    let calls = (0..500).map(|number| echoed(client.clone(), number * 10));
    let same = join_all(calls).await.into_iter().filter(|call| call.as_ref().is_ok_and(|same| *same)).count();
    println!("{same} of 500 at once");
    Ok(())
}

/// Returns whether content of this size comes back unchanged.
async fn echoed(mut client: SendRequest<Full<Bytes>>, size: usize) -> Result<bool, AnyError> {
    let content: Bytes = (0..size).map(|number| (number % 251) as u8).collect();
    let request = http::Request::post("http://test.example/echo").body(Full::new(content.clone()))?;
    client.ready().await?;
    let response = client.send_request(request).await?;
    Ok(response.status() == 200 && response.into_body().collect().await?.to_bytes() == content)
}

/// hyper's client as the service that clients of tonic need.
#[derive(Clone)]
struct Channel(SendRequest<tonic::body::Body>);

impl tower_service::Service<http::Request<tonic::body::Body>> for Channel {
    type Response = http::Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}

async fn call_tonic(address: &str) -> Result<(), AnyError> {
    let channel = Channel(connect(address).await?);
    let mut client = EchoClient::with_origin(channel, format!("http://{address}").parse()?);
    for size in [0, 1, 16_384, 70_000, 1_000_000] {
        let message = Message { content: vec![7; size].into(), number: 3, ..Message::default() };
        let unary = client.unary(message.clone()).await?.into_inner();
        println!("unary: {} bytes", unary.content.len());
        let upload = client.upload(stream::iter(vec![message.clone(); 4])).await?.into_inner();
        println!("upload: {} bytes of {} messages", upload.content.len(), upload.number);
        println!("download: {}", all(client.download(message.clone()).await?.into_inner()).await?);
        println!("both: {}", all(client.both(stream::iter(vec![message; 4])).await?.into_inner()).await?);
    }
    let status = |code: Code| Message {
        status: code as i32,
        text: format!("a text for {code:?} ☺"),
        ..Message::default()
    };
    for code in [Code::InvalidArgument, Code::NotFound, Code::Unauthenticated] {
        println!("{:?}", client.unary(status(code)).await.map_err(shown).err());
        let error = match client.both(stream::iter([status(code)])).await {
            Ok(messages) => all(messages.into_inner()).await.err(),
            Err(error) => Some(error),
        };
        println!("{:?}", error.map(shown));
    }
    let mut request = Request::new(Message::default());
    request.metadata_mut().insert("x-echo-ascii", "value".parse()?);
    println!("metadata: {:?}", client.unary(request).await?.metadata().get("x-echo-ascii"));
    let calls = (0..200).map(|number| {
        let mut client = client.clone();
        async move {
            client
                .unary(Message { number, ..Message::default() })
                .await
                .map(|message| message.into_inner().number)
        }
    });
    let answers = join_all(calls).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    println!(
        "{} of 200 at once",
        answers.into_iter().zip(0..200).filter(|(answer, number)| answer == number).count()
    );
    Ok(())
}

fn shown(status: Status) -> (Code, String) {
    (status.code(), status.message().to_owned())
}

/// Reads all messages.
async fn all(mut messages: Streaming<Message>) -> Result<String, Status> {
    let mut sizes = Vec::new();
    while let Some(message) = messages.next().await {
        sizes.push(message?.content.len());
    }
    Ok(format!("{sizes:?}"))
}
