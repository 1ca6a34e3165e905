//! Services around tonic: health, reflection, several services, layers of tower, and axum as the server.

use std::time::Duration;

use futures_util::stream;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::Routes;
use tonic::transport::{Channel, Server};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::describe::{Digest, pattern, result};
use crate::echo::echo_client::EchoClient;
use crate::echo::echo_server::EchoServer;
use crate::net::{client_builder, get, listen, soon};
use crate::scenario::{Log, say, scenarios};
use crate::tonic_echo::{Echoes, content, outcome, status, stream_outcome};

scenarios! {
    single health,
    single reflection,
    single several_services,
    single on_axum,
    single layers,
    single plain_http_request,
}

/// Serves several services, and connects a channel.
async fn channel(routes: Routes) -> Channel {
    let (listener, address) = listen().await;
    tokio::spawn(Server::builder().add_routes(routes).serve_with_incoming(TcpListenerStream::new(listener)));
    Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

async fn health(log: Log) {
    let (mut reporter, service) = tonic_health::server::health_reporter();
    reporter.set_serving::<EchoServer<Echoes>>().await;
    let mut client = HealthClient::new(channel(Routes::new(service)).await);
    for name in ["", "proof.Echo", "nothing"] {
        match client.check(HealthCheckRequest { service: name.to_owned() }).await {
            Ok(answer) => say!(log, "{name:?}: {:?}", answer.get_ref().status()),
            Err(error) => say!(log, "{name:?}: {}", status(&error)),
        }
    }
    let watched = HealthCheckRequest { service: "proof.Echo".to_owned() };
    let mut changes = client.watch(watched).await.unwrap().into_inner();
    say!(log, "watched: {:?}", changes.message().await.unwrap().unwrap().status());
    for change in [ServingStatus::NotServing, ServingStatus::Serving, ServingStatus::Unknown] {
        reporter.set_service_status("proof.Echo", change).await;
        say!(log, "watched: {:?}", soon("a change", changes.message()).await.unwrap().unwrap().status());
    }
    reporter.clear_service_status("proof.Echo").await;
    match soon("the end", changes.message()).await {
        Ok(last) => say!(log, "cleared: {:?}", last.map(|last| last.status())),
        Err(error) => say!(log, "cleared: {}", status(&error)),
    }
}

async fn reflection(log: Log) {
    let service = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .unwrap();
    let mut client = ServerReflectionClient::new(channel(Routes::new(service)).await);
    let requests = [
        MessageRequest::ListServices(String::new()),
        MessageRequest::FileContainingSymbol("grpc.health.v1.Health".to_owned()),
        MessageRequest::FileByFilename("reflection_v1.proto".to_owned()),
        MessageRequest::FileContainingSymbol("no.such.Symbol".to_owned()),
    ];
    for request in requests {
        let request = ServerReflectionRequest { host: String::new(), message_request: Some(request) };
        let mut answers = client.server_reflection_info(stream::iter([request])).await.unwrap().into_inner();
        loop {
            match answers.message().await {
                Ok(Some(answer)) => say!(log, "{}", reflected(answer.message_response)),
                Ok(None) => break,
                Err(error) => {
                    say!(log, "{}", status(&error));
                    break;
                }
            }
        }
    }
}

fn reflected(answer: Option<MessageResponse>) -> String {
    match answer {
        Some(MessageResponse::ListServicesResponse(list)) => {
            let mut names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
            names.sort_unstable();
            names.join(", ")
        }
        Some(MessageResponse::FileDescriptorResponse(files)) => {
            let files = files.file_descriptor_proto.iter().map(|file| Digest::of(file).to_string());
            files.collect::<Vec<_>>().join(", ")
        }
        other => format!("{other:?}"),
    }
}

async fn several_services(log: Log) {
    let (_reporter, health) = tonic_health::server::health_reporter();
    let routes = Routes::new(health).add_service(EchoServer::new(Echoes::default()));
    let channel = channel(routes).await;
    let calls = (0..100).map(|number| {
        let (mut echo, mut health) = (EchoClient::new(channel.clone()), HealthClient::new(channel.clone()));
        async move {
            if number % 2 == 0 {
                return outcome(echo.unary(content(pattern(number))).await);
            }
            let answer = health.check(HealthCheckRequest::default()).await;
            format!("{:?}", answer.map(|answer| answer.get_ref().status()).map_err(|error| error.code()))
        }
    });
    for call in futures_util::future::join_all(calls).await {
        say!(log, "{call}");
    }
}

/// One server for gRPC and other requests.
async fn on_axum(log: Log) {
    let echo = Routes::new(EchoServer::new(Echoes::default())).into_axum_router();
    let app = axum::Router::new().route("/plain", axum::routing::get(|| async { "plain" })).merge(echo);
    let (listener, address) = listen().await;
    tokio::spawn(async move { axum::serve(listener, app).await });
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let mut client = EchoClient::new(channel);
    say!(log, "{}", outcome(client.unary(content("a")).await));
    let messages = stream::iter([content("a"), content(pattern(100_000))]);
    say!(log, "{}", stream_outcome(client.both(messages).await).await);
    let io = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut sender, _) = crate::net::connect(io, &client_builder()).await;
    say!(log, "{}", result(sender.send_request(get("/plain")).await).await);
}

/// Layers of tower around a server and around a channel.
async fn layers(log: Log) {
    let (listener, address) = listen().await;
    let seen = log.clone();
    let server = Server::builder()
        .layer(tower::util::MapRequestLayer::new(move |request: http::Request<_>| {
            say!(seen, "server: {} {:?}", request.uri().path(), request.version());
            request
        }))
        .add_service(EchoServer::new(Echoes::default()));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let channel = tower::ServiceBuilder::new()
        .map_request(|mut request: http::Request<tonic::body::Body>| {
            request.headers_mut().insert("x-echo-layer", "yes".parse().unwrap());
            request
        })
        .service(channel);
    let mut client = EchoClient::new(channel);
    say!(log, "{}", outcome(client.unary(content("a")).await));
    say!(log, "{}", stream_outcome(client.both(stream::iter([content("b")])).await).await);
}

/// A gRPC server's answers to requests that are none of gRPC's.
async fn plain_http_request(log: Log) {
    let (listener, address) = listen().await;
    let service = EchoServer::new(Echoes::default());
    tokio::spawn(
        Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener)),
    );
    let io = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut sender, _) = crate::net::connect(io, &client_builder()).await;
    for path in ["/", "/proof.Echo/Unary"] {
        let answer = soon("an answer", sender.send_request(get(path))).await;
        say!(log, "{path}: {}", result(answer).await);
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    say!(log, "closed: {}", sender.is_closed());
}
