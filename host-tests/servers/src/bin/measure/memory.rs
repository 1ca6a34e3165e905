//! The memory of connections and streams.

use std::time::Duration;

use anyhow::Result;

use crate::process::Running;

pub(crate) const IDLE: &str = "idle connection, KiB";
pub(crate) const OPEN: &str = "open stream, KiB";

const CONNECTIONS: u32 = 500;
/// Connections with open streams.
const BUSY: u32 = 100;
/// Open streams on each of them.
const STREAMS: u32 = 100;

/// The memory of a server, in KiB.
pub(crate) struct Memory {
    /// For an idle connection that has served a request.
    pub(crate) idle_connection: f64,
    /// For a stream whose request is incomplete.
    pub(crate) open_stream: f64,
}

/// Measures a server that has served nothing yet.
pub(crate) fn measure(server: &Running) -> Result<Memory> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let before = server.memory()?;
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            let socket = tokio::net::TcpStream::connect(server.address).await?;
            let (mut client, connection) = h2::client::handshake(socket).await?;
            tokio::spawn(connection);
            let request = http::Request::get(format!("http://{}/", server.address)).body(())?;
            let mut body = client.send_request(request, true)?.0.await?.into_body();
            while let Some(data) = body.data().await {
                data?;
            }
            clients.push(client);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        let idle = server.memory()?;
        let mut streams = Vec::new();
        for client in clients.iter_mut().take(BUSY as usize) {
            for _ in 0..STREAMS {
                let request = http::Request::post(format!("http://{}/upload", server.address)).body(())?;
                streams.push(client.send_request(request, false)?);
            }
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        let open = server.memory()?;
        Ok(Memory {
            idle_connection: (idle - before) / f64::from(CONNECTIONS),
            open_stream: (open - idle) / f64::from(BUSY * STREAMS),
        })
    })
}
