//! The implementation of `proof.Echo`, and ways to start and describe it.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;

use axum::response::IntoResponse;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::Request as HttpRequest;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::metadata::{KeyAndValueRef, MetadataMap};
use tonic::server::NamedService;
use tonic::transport::{Channel, Server};
use tonic::{Code, Request, Response, Status, Streaming};
use tower::Service;

use crate::describe::{Digest, describe, h2_error};
use crate::echo::Message;
use crate::echo::echo_client::EchoClient;
use crate::echo::echo_server::{Echo, EchoServer};
use crate::net::{Counter, OnDrop, listen};

/// The service. It sends metadata back whose names begin with "x-echo".
#[derive(Clone)]
pub(crate) struct Echoes {
    /// Counts calls that have begun.
    pub(crate) begun: Counter,
    /// Counts calls whose handler or stream has been dropped, whatever the reason.
    pub(crate) dropped: Counter,
}

impl Default for Echoes {
    fn default() -> Self {
        Self { begun: Counter::new(), dropped: Counter::new() }
    }
}

type Messages = Pin<Box<dyn Stream<Item = Result<Message, Status>> + Send>>;

impl Echoes {
    fn begin<T>(&self, request: &Request<T>) -> (OnDrop, MetadataMap) {
        let guard = self.dropped.on_drop();
        self.begun.add();
        (guard, returned(request.metadata()))
    }
}

#[tonic::async_trait]
impl Echo for Echoes {
    async fn unary(&self, request: Request<Message>) -> Result<Response<Message>, Status> {
        let (guard, metadata) = self.begin(&request);
        if request.metadata().contains_key("x-wait") {
            std::future::pending::<()>().await;
        }
        drop(guard);
        answer(request.into_inner(), &metadata).map(|message| with(message, metadata))
    }

    async fn upload(&self, request: Request<Streaming<Message>>) -> Result<Response<Message>, Status> {
        let (_guard, metadata) = self.begin(&request);
        let mut messages = request.into_inner();
        let (mut number, mut digest) = (0, Digest::EMPTY);
        while let Some(message) = messages.message().await? {
            digest.add(&answer(message, &metadata)?.content);
            number += 1;
        }
        Ok(with(Message { content: digest.to_string().into(), number, ..Message::default() }, metadata))
    }

    type DownloadStream = Messages;

    async fn download(&self, request: Request<Message>) -> Result<Response<Messages>, Status> {
        let (guard, metadata) = self.begin(&request);
        let endless = request.metadata().contains_key("x-endless");
        let wanted = request.into_inner();
        let message = |number| Message { content: wanted.content.clone(), number, ..Message::default() };
        let mut messages: Vec<_> = (0..wanted.number).map(|number| Ok(message(number))).collect();
        if wanted.status != 0 {
            messages.push(answer(wanted, &metadata));
        }
        let messages = stream::iter(messages);
        let messages = if endless { messages.chain(stream::pending()).boxed() } else { messages.boxed() };
        Ok(with(keep(messages, guard), metadata))
    }

    type BothStream = Messages;

    async fn both(&self, request: Request<Streaming<Message>>) -> Result<Response<Messages>, Status> {
        let (guard, metadata) = self.begin(&request);
        let answers = request.into_inner();
        let returned = metadata.clone();
        let answers = answers.map(move |message| answer(message?, &metadata));
        // An error ends a call.
        let answers = answers.scan(false, |failed, answer| {
            let over = *failed;
            *failed = answer.is_err();
            std::future::ready((!over).then_some(answer))
        });
        Ok(with(keep(answers.boxed(), guard), returned))
    }
}

/// Keeps a guard until a stream is dropped.
fn keep(messages: Messages, guard: OnDrop) -> Messages {
    messages
        .map(move |message| {
            _ = &guard;
            message
        })
        .boxed()
}

fn with<T>(message: T, metadata: MetadataMap) -> Response<T> {
    Response::from_parts(metadata, message, tonic::Extensions::default())
}

/// The answer to a message: itself, or the status that it asks for.
fn answer(message: Message, metadata: &MetadataMap) -> Result<Message, Status> {
    if message.status == 0 {
        return Ok(message);
    }
    let code = Code::from_i32(message.status);
    if metadata.is_empty() {
        return Err(Status::new(code, message.text));
    }
    Err(Status::with_details_and_metadata(code, message.text, message.content, metadata.clone()))
}

/// The metadata that is sent back.
fn returned(metadata: &MetadataMap) -> MetadataMap {
    let mut returned = MetadataMap::new();
    for pair in metadata.iter() {
        match pair {
            KeyAndValueRef::Ascii(name, value) if name.as_str().starts_with("x-echo") => {
                returned.append(name, value.clone());
            }
            KeyAndValueRef::Binary(name, value) if name.as_str().starts_with("x-echo") => {
                returned.append_bin(name, value.clone());
            }
            _ => {}
        }
    }
    returned
}

/// A message with content only.
pub(crate) fn content(content: impl Into<Bytes>) -> Message {
    Message { content: content.into(), ..Message::default() }
}

/// Serves a service, and returns its address.
pub(crate) async fn serve<S>(mut server: Server, service: S) -> String
where
    S: Service<HttpRequest<Body>, Response: IntoResponse, Error = Infallible>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    let (listener, address) = listen().await;
    tokio::spawn(server.add_service(service).serve_with_incoming(TcpListenerStream::new(listener)));
    format!("http://{address}")
}

/// Connects a client.
pub(crate) async fn connect(address: String) -> EchoClient<Channel> {
    EchoClient::new(Channel::from_shared(address).unwrap().connect().await.unwrap())
}

/// Serves the service with default options, and connects a client.
pub(crate) async fn start() -> EchoClient<Channel> {
    connect(serve(Server::builder(), EchoServer::new(Echoes::default())).await).await
}

/// Metadata in a stable order.
pub(crate) fn metadata(map: &MetadataMap) -> String {
    crate::describe::fields(&map.clone().into_headers())
}

/// A status with everything that came with it.
pub(crate) fn status(status: &Status) -> String {
    let mut text = format!("{:?} {:?} {}", status.code(), status.message(), metadata(status.metadata()));
    if !status.details().is_empty() {
        text += &format!(" details {}", Digest::of(status.details()));
    }
    // The sources are errors of hyper and h2, whose texts may name the port.
    let mut source = status.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            text += &format!(" <- {}", h2_error(error));
        } else if let Some(error) = error.downcast_ref::<hyper::Error>() {
            text += &format!(" <- {}", crate::describe::hyper_error(error));
        }
        source = error.source();
    }
    text
}

/// A message.
fn message(message: &Message) -> String {
    format!("#{} {}", message.number, Digest::of(&message.content))
}

/// The outcome of a call with one response.
pub(crate) fn outcome(result: Result<Response<Message>, Status>) -> String {
    match result {
        Ok(answer) => format!("{} {}", message(answer.get_ref()), metadata(answer.metadata())),
        Err(error) => status(&error),
    }
}

/// The outcome of a call with many responses.
pub(crate) async fn stream_outcome(result: Result<Response<Streaming<Message>>, Status>) -> String {
    let answer = match result {
        Ok(answer) => answer,
        Err(error) => return format!("at once: {}", status(&error)),
    };
    let mut text = metadata(answer.metadata());
    let mut messages = answer.into_inner();
    loop {
        match messages.message().await {
            Ok(Some(next)) => text += &format!(", {}", message(&next)),
            Ok(None) => break,
            Err(error) => return format!("{text}, then {}", status(&error)),
        }
    }
    match messages.trailers().await {
        Ok(trailers) => format!("{text}, trailers {:?}", trailers.as_ref().map(metadata)),
        Err(error) => format!("{text}, trailers {}", describe(&error)),
    }
}
