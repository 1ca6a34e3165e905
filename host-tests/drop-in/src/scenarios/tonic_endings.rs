//! tonic's client and server: deadlines, cancellation, shutdown, lost connections, and options of the transport.

use std::time::Duration;

use futures_util::stream;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::Request;
use tonic::transport::{Channel, Endpoint, Server};

use crate::describe::pattern;
use crate::echo::Message;
use crate::echo::echo_client::EchoClient;
use crate::echo::echo_server::EchoServer;
use crate::net::{listen, soon};
use crate::scenario::{Log, say, scenarios};
use crate::tonic_echo::{Echoes, connect, content, outcome, serve, status, stream_outcome};

scenarios! {
    single deadline_of_a_request,
    single deadline_of_the_channel,
    single deadline_of_the_server,
    single cancelled_unary_call,
    single cancelled_download,
    single cancelled_upload,
    single cancelled_both,
    single client_ends_the_stream_of_messages_late,
    single graceful_shutdown,
    single server_vanishes,
    single channel_reconnects,
    single server_options,
    single channel_options,
    single limits_of_concurrency,
    single connection_refused,
}

/// A server whose calls are counted.
async fn counted(server: Server) -> (Echoes, String) {
    let echoes = Echoes::default();
    (echoes.clone(), serve(server, EchoServer::new(echoes)).await)
}

fn waiting(message: Message) -> Request<Message> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-wait", "yes".parse().unwrap());
    request
}

async fn deadline_of_a_request(log: Log) {
    let (echoes, address) = counted(Server::builder()).await;
    let mut client = connect(address).await;
    let mut request = waiting(content("a"));
    request.set_timeout(Duration::from_millis(300));
    let error = client.unary(request).await.unwrap_err();
    // Client and server keep the same deadline, and either may be first.
    say!(log, "failed: {:?}", matches!(error.code(), tonic::Code::Cancelled | tonic::Code::DeadlineExceeded));
    soon("the handler's end", echoes.dropped.reaches(1)).await;
    let mut request = Request::new(content("in time"));
    request.set_timeout(Duration::from_secs(60));
    say!(log, "{}", outcome(client.unary(request).await));
}

async fn deadline_of_the_channel(log: Log) {
    let (echoes, address) = counted(Server::builder()).await;
    let endpoint = Endpoint::from_shared(address).unwrap().timeout(Duration::from_millis(300));
    let mut client = EchoClient::new(endpoint.connect().await.unwrap());
    say!(log, "{}", status(&client.unary(waiting(content("a"))).await.unwrap_err()));
    soon("the handler's end", echoes.dropped.reaches(1)).await;
    say!(log, "{}", outcome(client.unary(content("in time")).await));
}

async fn deadline_of_the_server(log: Log) {
    let (echoes, address) = counted(Server::builder().timeout(Duration::from_millis(300))).await;
    let mut client = connect(address).await;
    say!(log, "{}", status(&client.unary(waiting(content("a"))).await.unwrap_err()));
    soon("the handler's end", echoes.dropped.reaches(1)).await;
    say!(log, "{}", outcome(client.unary(content("in time")).await));
}

async fn cancelled_unary_call(log: Log) {
    let (echoes, address) = counted(Server::builder()).await;
    let mut client = connect(address).await;
    let mut clone = client.clone();
    let call = tokio::spawn(async move { clone.unary(waiting(content("a"))).await });
    soon("the call", echoes.begun.reaches(1)).await;
    say!(log, "dropped: {}", echoes.dropped.count());
    call.abort();
    soon("the handler's end", echoes.dropped.reaches(1)).await;
    say!(log, "{}", outcome(client.unary(content("afterwards")).await));
}

async fn cancelled_download(log: Log) {
    let (echoes, address) = counted(Server::builder()).await;
    let mut client = connect(address).await;
    for endless in [true, false] {
        // Far more than the windows hold.
        let mut request =
            Request::new(Message { number: if endless { 2 } else { 1000 }, ..content(pattern(50_000)) });
        if endless {
            request.metadata_mut().insert("x-endless", "yes".parse().unwrap());
        }
        let mut messages = client.download(request).await.unwrap().into_inner();
        say!(log, "first: {}", messages.message().await.unwrap().unwrap().number);
        drop(messages);
        soon("the stream's end", echoes.dropped.reaches(echoes.begun.count())).await;
    }
    say!(log, "{}", outcome(client.unary(content("afterwards")).await));
}

async fn cancelled_upload(log: Log) {
    let (echoes, address) = counted(Server::builder()).await;
    let mut client = connect(address).await;
    let (sender, receiver) = mpsc::channel(1);
    let mut clone = client.clone();
    let call = tokio::spawn(async move { clone.upload(ReceiverStream::new(receiver)).await });
    sender.send(content(pattern(1000))).await.unwrap();
    soon("the call", echoes.begun.reaches(1)).await;
    call.abort();
    soon("the handler's end", echoes.dropped.reaches(1)).await;
    soon("the end of the messages", sender.closed()).await;
    say!(log, "{}", outcome(client.unary(content("afterwards")).await));
}

async fn cancelled_both(log: Log) {
    let (echoes, address) = counted(Server::builder()).await;
    let mut client = connect(address).await;
    let (sender, receiver) = mpsc::channel(1);
    let mut messages = client.both(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    sender.send(content("one")).await.unwrap();
    say!(log, "{:?}", messages.message().await.unwrap().unwrap().content);
    drop(messages);
    // hyper goes on sending while there are messages.
    drop(sender);
    soon("the stream's end", echoes.dropped.reaches(1)).await;
    say!(log, "{}", outcome(client.unary(content("afterwards")).await));
}

/// The server ends the call while the client could still send.
async fn client_ends_the_stream_of_messages_late(log: Log) {
    let (_, address) = counted(Server::builder()).await;
    let mut client = connect(address).await;
    for number in [0, 100] {
        let (sender, receiver) = mpsc::channel(1);
        let mut messages = client.both(ReceiverStream::new(receiver)).await.unwrap().into_inner();
        for _ in 0..number {
            sender.send(content(pattern(2000))).await.unwrap();
            _ = messages.message().await.unwrap();
        }
        sender.send(Message { status: 9, text: "enough".to_owned(), ..Message::default() }).await.unwrap();
        say!(log, "{}", status(&messages.message().await.unwrap_err()));
        soon("the end of the messages", sender.closed()).await;
    }
    say!(log, "{}", outcome(client.unary(content("afterwards")).await));
}

async fn graceful_shutdown(log: Log) {
    let echoes = Echoes::default();
    let (listener, address) = listen().await;
    let (shutdown, asked) = oneshot::channel::<()>();
    let served = Server::builder()
        .add_service(EchoServer::new(echoes.clone()))
        .serve_with_incoming_shutdown(TcpListenerStream::new(listener), async move { _ = asked.await });
    let served = tokio::spawn(served);
    let address = format!("http://{address}");
    let mut client = connect(address.clone()).await;
    let (sender, receiver) = mpsc::channel(1);
    let mut messages = client.both(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    sender.send(content("before")).await.unwrap();
    say!(log, "{:?}", messages.message().await.unwrap().unwrap().content);
    _ = shutdown.send(());
    // The call goes on until it ends by itself.
    for number in 0..3 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        sender.send(content(format!("after {number}"))).await.unwrap();
        say!(log, "{:?}", messages.message().await.unwrap().unwrap().content);
    }
    drop(sender);
    say!(log, "{:?}", messages.message().await.unwrap());
    say!(
        log,
        "server: {:?}",
        soon("the server's end", served).await.unwrap().map_err(|error| error.to_string())
    );
    let late = Channel::from_shared(address).unwrap().connect().await;
    say!(log, "connect: {}", late.is_ok());
}

async fn server_vanishes(log: Log) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let echoes = Echoes::default();
    let begun = echoes.begun.clone();
    let address =
        runtime.spawn(async move { serve(Server::builder(), EchoServer::new(echoes)).await }).await.unwrap();
    let mut client = connect(address).await;
    let (sender, receiver) = mpsc::channel(1);
    let mut messages = client.both(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    sender.send(content("before")).await.unwrap();
    say!(log, "{:?}", messages.message().await.unwrap().unwrap().content);
    let mut clone = client.clone();
    let waiting = tokio::spawn(async move { clone.unary(waiting(content("a"))).await });
    soon("the call", begun.reaches(2)).await;
    // Everything of the server is dropped, its sockets included.
    runtime.shutdown_background();
    let error = soon("the stream's error", messages.message()).await.unwrap_err();
    say!(log, "stream: {:?}", error.code());
    say!(log, "unary: {:?}", waiting.await.unwrap().unwrap_err().code());
    say!(log, "afterwards: {}", client.unary(content("a")).await.is_ok());
}

/// A channel finds a server that was started again at the same address.
async fn channel_reconnects(log: Log) {
    let (listener, address) = listen().await;
    drop(listener);
    let mut client =
        EchoClient::new(Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy());
    say!(log, "before: {:?}", client.unary(content("a")).await.unwrap_err().code());
    for round in 0..3 {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let (shutdown, asked) = oneshot::channel::<()>();
        let service = EchoServer::new(Echoes::default());
        let served =
            tokio::spawn(Server::builder().add_service(service).serve_with_incoming_shutdown(
                TcpListenerStream::new(listener),
                async move { _ = asked.await },
            ));
        say!(log, "{round}: {}", outcome(client.unary(content("a")).await));
        _ = shutdown.send(());
        soon("the server's end", served).await.unwrap().unwrap();
    }
}

async fn exercise(log: &Log, name: &str, client: &mut EchoClient<Channel>) {
    for size in [10, 300_000] {
        say!(log, "{name}: {}", outcome(client.unary(content(pattern(size))).await));
        let messages = stream::iter(vec![content(pattern(size)); 3]);
        say!(log, "{name}: {}", stream_outcome(client.both(messages).await).await);
    }
}

async fn server_options(log: Log) {
    let short = Duration::from_millis(20);
    let servers = [
        ("windows", Server::builder().initial_stream_window_size(999).initial_connection_window_size(70_001)),
        ("adaptive", Server::builder().http2_adaptive_window(Some(true))),
        ("frames", Server::builder().max_frame_size(Some(1 << 20))),
        (
            "pings",
            Server::builder()
                .http2_keepalive_interval(Some(short))
                .http2_keepalive_timeout(Some(short * 1000)),
        ),
        ("fields", Server::builder().http2_max_header_list_size(Some(100_000))),
        ("resets", Server::builder().http2_max_pending_accept_reset_streams(Some(5))),
    ];
    for (name, server) in servers {
        let mut client = connect(counted(server).await.1).await;
        exercise(&log, name, &mut client).await;
        tokio::time::sleep(short * 5).await;
        say!(log, "{name}: {}", outcome(client.unary(content("still there")).await));
    }
}

async fn channel_options(log: Log) {
    let address = counted(Server::builder()).await.1;
    let endpoint = || Endpoint::from_shared(address.clone()).unwrap();
    let short = Duration::from_millis(20);
    let endpoints = [
        ("windows", endpoint().initial_stream_window_size(1001).initial_connection_window_size(70_003)),
        ("adaptive", endpoint().http2_adaptive_window(true)),
        ("pings", endpoint().http2_keep_alive_interval(short).keep_alive_while_idle(true)),
        ("fields", endpoint().http2_max_header_list_size(100_000)),
        ("concurrency", endpoint().concurrency_limit(1)),
        ("buffer", endpoint().buffer_size(1)),
        ("rate", endpoint().rate_limit(1000, short)),
        ("agent", endpoint().user_agent("proof").unwrap()),
        ("origin", endpoint().origin("http://other.example".parse().unwrap())),
    ];
    for (name, endpoint) in endpoints {
        let mut client = EchoClient::new(endpoint.connect().await.unwrap());
        exercise(&log, name, &mut client).await;
        tokio::time::sleep(short * 5).await;
        say!(log, "{name}: {}", outcome(client.unary(content("still there")).await));
    }
}

async fn limits_of_concurrency(log: Log) {
    let servers = [
        ("streams", Server::builder().max_concurrent_streams(2)),
        ("calls", Server::builder().concurrency_limit_per_connection(2)),
        ("load", Server::builder().concurrency_limit_per_connection(100).load_shed(true)),
    ];
    for (name, server) in servers {
        let client = connect(counted(server).await.1).await;
        say!(log, "{name}: {}", outcome(client.clone().unary(content("first")).await));
        let calls = (0..40).map(|number| {
            let mut client = client.clone();
            async move { outcome(client.unary(content(pattern(number * 10))).await) }
        });
        for call in futures_util::future::join_all(calls).await {
            say!(log, "{name}: {call}");
        }
    }
}

async fn connection_refused(log: Log) {
    let (listener, address) = listen().await;
    drop(listener);
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    say!(log, "connect: {}", endpoint.connect().await.is_ok());
    let mut client = EchoClient::new(endpoint.connect_lazy());
    say!(log, "call: {:?}", client.unary(content("a")).await.unwrap_err().code());
}
