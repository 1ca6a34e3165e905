//! An echo server built on the crate `h2`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use h2::RecvStream;
use h2::server::{Builder, SendResponse};
use http::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// A server that echoes the content and trailers of each request as they arrive, until it is dropped.
pub(crate) struct H2Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    _runtime: Runtime,
}

impl H2Server {
    pub(crate) fn start() -> Self {
        Self::start_with(Builder::new())
    }

    pub(crate) fn start_with(builder: Builder) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        runtime.spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(builder.clone(), tcp));
            }
        });
        Self { address, connections, _runtime: runtime }
    }

    /// The URL of a path on this server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Number of connections accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn serve(builder: Builder, tcp: TcpStream) {
    tcp.set_nodelay(true).unwrap();
    let Ok(mut connection) = builder.handshake::<_, Bytes>(tcp).await else { return };
    while let Some(Ok((request, response))) = connection.accept().await {
        // Clients may abort.
        tokio::spawn(async move { _ = echo(request, response).await });
    }
}

async fn echo(request: Request<RecvStream>, mut respond: SendResponse<Bytes>) -> Result<(), h2::Error> {
    let mut content = request.into_body();
    let mut response = respond.send_response(Response::new(()), false)?;
    while let Some(octets) = content.data().await {
        let mut octets = octets?;
        let count = octets.len();
        while !octets.is_empty() {
            response.reserve_capacity(octets.len());
            match std::future::poll_fn(|context| response.poll_capacity(context)).await {
                Some(capacity) => response.send_data(octets.split_to(capacity?.min(octets.len())), false)?,
                None => return Ok(()),
            }
        }
        content.flow_control().release_capacity(count)?;
    }
    match content.trailers().await? {
        Some(trailers) => response.send_trailers(trailers),
        None => response.send_data(Bytes::new(), true),
    }
}
