//! tonic's client and server: the four kinds of call, metadata, statuses, compression, sizes, and many calls.

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream;
use tokio::sync::{Barrier, mpsc};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codec::CompressionEncoding;
use tonic::metadata::{BinaryMetadataValue, MetadataMap, MetadataValue};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Server};
use tonic::{Code, Request, Status};

use crate::describe::{Digest, pattern};
use crate::echo::Message;
use crate::echo::echo_client::EchoClient;
use crate::echo::echo_server::EchoServer;
use crate::scenario::{Log, say, scenarios};
use crate::tonic_echo::{Echoes, connect, content, metadata, outcome, serve, start, status, stream_outcome};

scenarios! {
    parallel four_kinds_of_call,
    parallel thousand_concurrent_calls,
    parallel thousand_concurrent_streams,
    parallel large_messages,
    parallel gzip,
    single ten_thousand_messages_back_and_forth,
    single metadata_of_requests_and_responses,
    single statuses,
    single errors_with_metadata,
    single errors_in_the_middle,
    single interceptors,
    single limits_of_message_sizes,
    single compression_that_the_server_does_not_accept,
    single unknown_services_and_methods,
    single large_metadata,
}

async fn four_kinds_of_call(log: Log) {
    let mut client = start().await;
    let mut random = log.random();
    for size in [0, 1, 16_384, 65_536, random.usize(0..1_000_000)] {
        let message = content(pattern(size));
        say!(log, "unary: {}", outcome(client.unary(message.clone()).await));
        let messages = vec![message.clone(); 5];
        say!(log, "upload: {}", outcome(client.upload(stream::iter(messages.clone())).await));
        let wanted = Message { number: 7, ..message };
        say!(log, "download: {}", stream_outcome(client.download(wanted).await).await);
        say!(log, "both: {}", stream_outcome(client.both(stream::iter(messages)).await).await);
    }
    let nothing = Message::default();
    say!(log, "empty download: {}", stream_outcome(client.download(nothing).await).await);
    say!(log, "empty upload: {}", outcome(client.upload(stream::empty()).await));
    say!(log, "empty both: {}", stream_outcome(client.both(stream::empty()).await).await);
}

async fn thousand_concurrent_calls(log: Log) {
    let client = start().await;
    let calls = (0..1000).map(|number| {
        let mut client = client.clone();
        tokio::spawn(async move { outcome(client.unary(content(pattern(number))).await) })
    });
    let mut transcript = Digest::EMPTY;
    for call in join_all(calls.collect::<Vec<_>>()).await {
        transcript.add(call.unwrap().as_bytes());
    }
    say!(log, "{transcript}");
}

/// No call ends before all have exchanged a message.
async fn thousand_concurrent_streams(log: Log) {
    const STREAMS: usize = 1000;
    let server = Server::builder().max_concurrent_streams(2000);
    let client = connect(serve(server, EchoServer::new(Echoes::default())).await).await;
    let barrier = std::sync::Arc::new(Barrier::new(STREAMS));
    let calls = (0..STREAMS).map(|number| {
        let (mut client, barrier) = (client.clone(), barrier.clone());
        tokio::spawn(async move {
            let (sender, receiver) = mpsc::channel(1);
            let mut answers = client.both(ReceiverStream::new(receiver)).await.unwrap().into_inner();
            let mut correct = 0;
            for round in 0..3 {
                let message = content(pattern(number + round));
                sender.send(message.clone()).await.unwrap();
                correct += usize::from(answers.message().await.unwrap() == Some(message));
                barrier.wait().await;
            }
            drop(sender);
            (correct, answers.message().await.unwrap().is_none())
        })
    });
    let (mut correct, mut ended) = (0, 0);
    for call in join_all(calls.collect::<Vec<_>>()).await {
        let (messages, end) = call.unwrap();
        correct += messages;
        ended += usize::from(end);
    }
    say!(log, "correct messages: {correct}, ended: {ended}");
}

async fn ten_thousand_messages_back_and_forth(log: Log) {
    let mut client = start().await;
    let (sender, receiver) = mpsc::channel(1);
    let mut answers = client.both(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    let mut transcript = Digest::EMPTY;
    for number in 0..10_000 {
        sender
            .send(Message { number, content: pattern(number as usize % 100), ..Message::default() })
            .await
            .unwrap();
        let answer = answers.message().await.unwrap().unwrap();
        transcript.add(&answer.number.to_be_bytes());
        transcript.add(&answer.content);
    }
    drop(sender);
    say!(log, "{transcript}, then {:?}", answers.message().await.unwrap());
    say!(log, "trailers: {:?}", answers.trailers().await.unwrap().as_ref().map(metadata));
}

async fn large_messages(log: Log) {
    let most = 64 << 20;
    let service =
        EchoServer::new(Echoes::default()).max_decoding_message_size(most).max_encoding_message_size(most);
    let mut client = connect(serve(Server::builder(), service).await).await;
    client = client.max_decoding_message_size(most).max_encoding_message_size(most);
    for size in [1 << 20, (4 << 20) - 1, 16 << 20, 30_000_001] {
        let message = content(pattern(size));
        say!(log, "{}", outcome(client.unary(message.clone()).await));
        say!(log, "{}", stream_outcome(client.both(stream::iter(vec![message; 2])).await).await);
    }
}

async fn gzip(log: Log) {
    let service = EchoServer::new(Echoes::default())
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    let address = serve(Server::builder(), service).await;
    let plain = connect(address.clone()).await;
    let accepting = connect(address.clone()).await.accept_compressed(CompressionEncoding::Gzip);
    let sending = connect(address).await.send_compressed(CompressionEncoding::Gzip);
    let both = accepting.clone().send_compressed(CompressionEncoding::Gzip);
    for (name, mut client) in
        [("plain", plain), ("accepting", accepting), ("sending", sending), ("both", both)]
    {
        for bytes in [Bytes::new(), pattern(70_000), Bytes::from(vec![b'z'; 1_000_000])] {
            let message = content(bytes);
            say!(log, "{name}: {}", outcome(client.unary(message.clone()).await));
            say!(log, "{name}: {}", stream_outcome(client.both(stream::iter(vec![message; 3])).await).await);
        }
    }
}

fn some_metadata() -> MetadataMap {
    let mut map = MetadataMap::new();
    map.append("x-echo-ascii", "value".parse().unwrap());
    map.append("x-echo-ascii", "second value".parse().unwrap());
    map.append("x-echo-empty", MetadataValue::from_static(""));
    map.append_bin("x-echo-bin", MetadataValue::from_bytes(&[0, 1, 2, 255]));
    map.append_bin("x-echo-bin", BinaryMetadataValue::from_bytes(b"second"));
    map.append_bin("x-echo-long-bin", MetadataValue::from_bytes(&pattern(3000)));
    map
}

async fn metadata_of_requests_and_responses(log: Log) {
    let mut client = start().await;
    for _ in 0..2 {
        let mut request = Request::new(content("with metadata"));
        *request.metadata_mut() = some_metadata();
        say!(log, "unary: {}", outcome(client.unary(request).await));
        let mut request = Request::new(stream::iter(vec![content("a"), content("b")]));
        *request.metadata_mut() = some_metadata();
        let answer = client.both(request).await.unwrap();
        say!(log, "both: {}", metadata(answer.metadata()));
        let mut answers = answer.into_inner();
        while let Some(message) = answers.next().await {
            say!(log, "message: {:?}", message.unwrap().content);
        }
        say!(log, "trailers: {:?}", answers.trailers().await.unwrap().as_ref().map(metadata));
    }
}

async fn statuses(log: Log) {
    let mut client = start().await;
    for code in 1..=17 {
        let message = Message { status: code, text: format!("status {code}"), ..content("x") };
        say!(log, "unary: {}", outcome(client.unary(message.clone()).await));
        say!(log, "upload: {}", outcome(client.upload(stream::iter([message.clone()])).await));
        say!(log, "both: {}", stream_outcome(client.both(stream::iter([message])).await).await);
    }
    for text in ["", "\t\nwhitespace\r\n", "Unicode ☺ and 😈", "100%", "%41", &"long ".repeat(500)] {
        let message = Message { status: Code::Aborted.into(), text: text.to_owned(), ..Message::default() };
        say!(log, "{}", outcome(client.unary(message).await));
    }
}

/// Errors without a message come as trailers only; details and metadata come with them.
async fn errors_with_metadata(log: Log) {
    let mut client = start().await;
    let message =
        Message { status: Code::FailedPrecondition.into(), text: "not today".to_owned(), ..content("d") };
    let mut request = Request::new(message.clone());
    *request.metadata_mut() = some_metadata();
    request.metadata_mut().insert("x-details", "yes".parse().unwrap());
    say!(log, "{}", status(&client.unary(request).await.unwrap_err()));
    let mut request = Request::new(stream::iter([content("first"), message]));
    *request.metadata_mut() = some_metadata();
    request.metadata_mut().insert("x-details", "yes".parse().unwrap());
    say!(log, "{}", stream_outcome(client.both(request).await).await);
}

async fn errors_in_the_middle(log: Log) {
    let mut client = start().await;
    for size in [0, 10, 100_000] {
        let last =
            Message { status: Code::DataLoss.into(), text: "in the middle".to_owned(), ..Message::default() };
        let messages = [content(pattern(size)), content(pattern(size)), last, content("never seen")];
        say!(log, "both: {}", stream_outcome(client.both(stream::iter(messages)).await).await);
        let wanted =
            Message { number: 3, status: 13, text: "at the end".to_owned(), ..content(pattern(size)) };
        say!(log, "download: {}", stream_outcome(client.download(wanted).await).await);
    }
}

async fn interceptors(log: Log) {
    let check = |request: Request<()>| match request.metadata().get("x-token") {
        Some(token) if token == "secret" => Ok(request),
        Some(_) => Err(Status::permission_denied("the wrong token")),
        None => Err(Status::unauthenticated("no token")),
    };
    let service = InterceptedService::new(EchoServer::new(Echoes::default()), check);
    let address = serve(Server::builder(), service).await;
    let channel = Channel::from_shared(address.clone()).unwrap().connect().await.unwrap();
    let with = |token: &'static str| {
        let add = move |mut request: Request<()>| {
            if token == "refuse" {
                return Err(Status::cancelled("by the client's interceptor"));
            }
            request.metadata_mut().insert("x-token", token.parse().unwrap());
            request.metadata_mut().insert("x-echo-added", "by the interceptor".parse().unwrap());
            Ok(request)
        };
        EchoClient::with_interceptor(channel.clone(), add)
    };
    say!(log, "{}", outcome(connect(address).await.unary(content("a")).await));
    for token in ["secret", "wrong", "refuse"] {
        say!(log, "{token}: {}", outcome(with(token).unary(content("a")).await));
        let messages = stream::iter([content("a"), content("b")]);
        say!(log, "{token}: {}", stream_outcome(with(token).both(messages).await).await);
    }
}

async fn limits_of_message_sizes(log: Log) {
    let service =
        EchoServer::new(Echoes::default()).max_decoding_message_size(1000).max_encoding_message_size(500);
    let mut client = connect(serve(Server::builder(), service).await).await;
    for size in [400, 700, 1100, 100_000] {
        say!(log, "{size}: {}", outcome(client.unary(content(pattern(size))).await));
        say!(
            log,
            "{size}: {}",
            stream_outcome(client.both(stream::iter([content(pattern(size))])).await).await
        );
    }
    let mut client = start().await.max_decoding_message_size(1000).max_encoding_message_size(2000);
    for size in [900, 1500, 2500] {
        say!(log, "{size}: {}", outcome(client.unary(content(pattern(size))).await));
        let wanted = Message { number: 2, ..content(pattern(size)) };
        say!(log, "{size}: {}", stream_outcome(client.download(wanted).await).await);
    }
    // tonic's default is 4 MiB.
    say!(log, "default: {}", outcome(start().await.unary(content(pattern(5 << 20))).await));
}

async fn compression_that_the_server_does_not_accept(log: Log) {
    let mut client = start().await.send_compressed(CompressionEncoding::Gzip);
    say!(log, "{}", outcome(client.unary(content("a")).await));
    say!(log, "{}", stream_outcome(client.both(stream::iter([content("a")])).await).await);
}

async fn unknown_services_and_methods(log: Log) {
    let address = serve(Server::builder(), EchoServer::new(Echoes::default())).await;
    let channel = Channel::from_shared(address).unwrap().connect().await.unwrap();
    for path in ["/proof.Echo/Nothing", "/proof.Nothing/Unary", "/nothing"] {
        let mut client = tonic::client::Grpc::new(channel.clone());
        client.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<Message, Message>::default();
        let answer = client.unary(Request::new(content("a")), path.parse().unwrap(), codec).await;
        say!(log, "{path}: {}", outcome(answer));
    }
}

/// hyper's limits of fields apply to metadata.
async fn large_metadata(log: Log) {
    let mut client = start().await;
    for size in [5000, 20_000, 100_000, 5000] {
        let mut request = Request::new(content("a"));
        request.metadata_mut().insert("x-large", "v".repeat(size).parse().unwrap());
        say!(log, "{size}: {}", outcome(client.unary(request).await));
        let mut request = Request::new(content("a"));
        request.metadata_mut().insert("x-echo-large", "v".repeat(size / 2).parse().unwrap());
        say!(log, "{size}: {}", outcome(client.unary(request).await));
    }
}
