//! TLS below HTTP/2, chosen by ALPN: a transport that takes one slice at a time, and can be truncated.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::join_all;
use http::Response;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::Client;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, server};

use crate::describe::{Content, Digest, describe, pattern};
use crate::net::{
    client_builder, connect, echo, endless, full, get, listen, pieces, relayed, request, serve,
    server_builder, soon, tcp, trailers,
};
use crate::scenario::{Log, say, scenarios};

scenarios! {
    parallel reqwest_and_hyper,
    parallel large_bodies_both_ways,
    single truncated_response,
    single truncated_while_idle,
}

/// The name in the certificate.
const NAME: &str = "test.example";

/// Two ends that trust each other, and offer only HTTP/2.
struct Tls {
    client: ClientConfig,
    server: TlsAcceptor,
}

impl Tls {
    fn new() -> Self {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed([NAME.to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        let mut client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        client.alpn_protocols = vec![b"h2".to_vec()];
        let key = signing_key.serialize_der().try_into().unwrap();
        let server = ServerConfig::builder().with_no_client_auth();
        let mut server = server.with_single_cert(vec![cert.der().clone()], key).unwrap();
        server.alpn_protocols = vec![b"h2".to_vec()];
        Self { client, server: Arc::new(server).into() }
    }

    /// Performs both handshakes.
    async fn wrap(
        &self,
        near: TcpStream,
        far: TcpStream,
    ) -> (TlsStream<TcpStream>, server::TlsStream<TcpStream>) {
        let connector = TlsConnector::from(Arc::new(self.client.clone()));
        let near = connector.connect(ServerName::try_from(NAME).unwrap(), near);
        let (near, far) = tokio::join!(near, self.server.accept(far));
        (near.unwrap(), far.unwrap())
    }

    /// Two ends, and the task that carries what passes between them: without it, TLS ends without its `close_notify`.
    async fn relayed(&self) -> (TlsStream<TcpStream>, server::TlsStream<TcpStream>, JoinHandle<()>) {
        let (near, far, relay) = relayed().await;
        let (near, far) = self.wrap(near, far).await;
        (near, far, relay)
    }
}

/// A server that echoes, and its address.
async fn echo_server(acceptor: TlsAcceptor) -> SocketAddr {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        while let Ok((io, _)) = listener.accept().await {
            serve(acceptor.accept(io).await.unwrap(), &server_builder(), echo);
        }
    });
    address
}

async fn reqwest_and_hyper(log: Log) {
    let tls = Tls::new();
    let address = echo_server(tls.server.clone()).await;
    let client = Client::builder().no_proxy().tls_backend_preconfigured(tls.client).resolve(NAME, address);
    let client = client.build().unwrap();
    let answers = (0..50).map(|number| {
        let url = format!("https://{NAME}:{}/", address.port());
        let request = client.post(url).body(pattern(number * 5_000));
        tokio::spawn(async move {
            let answer = request.send().await?;
            let head = format!("{} {:?}", answer.status(), answer.version());
            Ok::<_, reqwest::Error>(format!("{head} {}", Digest::of(&answer.bytes().await?)))
        })
    });
    for answer in join_all(answers.collect::<Vec<_>>()).await {
        say!(log, "{}", answer.unwrap().unwrap_or_else(|error| describe(&error)));
    }
}

async fn large_bodies_both_ways(log: Log) {
    let tls = Tls::new();
    let (near, far) = tcp().await;
    let (near, far) = tls.wrap(near, far).await;
    let served = serve(far, &server_builder(), echo);
    let (mut sender, ended) = connect(near, &client_builder()).await;
    let mut sizes = log.random();
    let exchanges: Vec<_> = (0..10)
        .map(|_| {
            let content = pattern(sizes.usize(..3_000_000));
            let body = pieces(&content, sizes.usize(1..100_000), Some(trailers(&[("x-sum", "1")])));
            let answer = sender.send_request(request("POST", "/", body));
            async move { Content::of(answer.await.unwrap().into_body()).await.to_string() }
        })
        .collect();
    for content in join_all(exchanges).await {
        say!(log, "{content}");
    }
    // Its response follows all that the server sends for the content: afterwards, the server writes nothing to a socket that
    // the client has closed.
    let last = sender.send_request(get("/")).await.unwrap();
    say!(log, "{}", Content::of(last.into_body()).await);
    drop(sender);
    say!(log, "client: {:?}", ended.await.unwrap().is_ok());
    say!(log, "server: {:?}", served.await.unwrap().is_ok());
}

/// Describes the end of a connection.
fn end(result: Result<(), hyper::Error>) -> String {
    result.map_or_else(|error| describe(&error), |()| "done".to_owned())
}

async fn truncated_response(log: Log) {
    let (near, far, relay) = Tls::new().relayed().await;
    serve(far, &server_builder(), |_| async { Response::new(endless()) });
    let (mut sender, ended) = connect(near, &client_builder()).await;
    let response = sender.send_request(get("/")).await.unwrap();
    relay.abort();
    let content = soon("the end", Content::of(response.into_body())).await;
    say!(log, "{}", content.error.unwrap_or_default());
    say!(log, "client: {}", end(soon("the client's end", ended).await.unwrap()));
}

async fn truncated_while_idle(log: Log) {
    for orderly in [true, false] {
        let (near, mut far, relay) = Tls::new().relayed().await;
        let (sender, ended) = connect(near, &client_builder()).await;
        if orderly {
            far.shutdown().await.unwrap();
        }
        drop((far, relay.abort()));
        say!(log, "client: {}", end(soon("the client's end", ended).await.unwrap()));
        say!(log, "closed: {}", sender.is_closed());
    }
    let (near, far, relay) = Tls::new().relayed().await;
    let served = serve(far, &server_builder(), |_| async { Response::new(full("answer")) });
    let (mut sender, _ended) = connect(near, &client_builder()).await;
    let response = sender.send_request(get("/")).await.unwrap();
    say!(log, "{}", Content::of(response.into_body()).await);
    relay.abort();
    say!(log, "server: {}", end(soon("the server's end", served).await.unwrap()));
}
