//! HTTP/2 connections that have served a request, and are idle since.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use h2::SendStream;
use h2::client::{ResponseFuture, SendRequest};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

/// Idle connections, which end with this value.
pub(crate) struct Idle {
    address: SocketAddr,
    clients: Vec<SendRequest<Bytes>>,
    streams: Vec<(ResponseFuture, SendStream<Bytes>)>,
    runtime: Runtime,
}

impl Idle {
    /// Opens connections, and completes a request on each.
    pub(crate) fn connect(address: SocketAddr, connections: u32) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut idle = Self { address, clients: Vec::new(), streams: Vec::new(), runtime };
        for _ in 0..connections {
            idle.clients.push(idle.runtime.block_on(connect(address))?);
        }
        idle.settle();
        Ok(idle)
    }

    /// Opens streams on some of the connections, with requests that never end, and waits until the server has received them.
    pub(crate) fn open_streams(&mut self, connections: u32, streams: u32) -> Result<()> {
        for client in self.clients.iter_mut().take(connections as usize) {
            for _ in 0..streams {
                let request = http::Request::post(format!("http://{}/upload", self.address)).body(())?;
                self.streams.push(client.send_request(request, false)?);
            }
        }
        self.settle();
        Ok(())
    }

    /// Drives the connections until both sides have sent everything.
    fn settle(&self) {
        self.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(500)).await });
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Bytes>> {
    let (mut client, connection) = h2::client::handshake(TcpStream::connect(address).await?).await?;
    tokio::spawn(connection);
    let request = http::Request::get(format!("http://{address}/")).body(())?;
    let mut body = client.send_request(request, true)?.0.await?.into_body();
    while let Some(data) = body.data().await {
        data?;
    }
    Ok(client)
}
