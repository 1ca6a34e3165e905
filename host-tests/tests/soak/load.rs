//! Sends requests with the crate `h2`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use h2::client::SendRequest;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Request, Version};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::kinds::{How, Kind};

/// Requests of one kind to one server.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) server: SocketAddr,
    /// The authority of the requests, to which a proxy forwards them.
    pub(crate) authority: SocketAddr,
    pub(crate) kind: &'static Kind,
}

impl Load {
    /// Sends the requests: a tenth of them one at a time, a third 10 at a time, and half 100 at a time.
    pub(crate) fn run(self, requests: usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for (share, at_a_time) in [(10, 1), (3, 10), (2, 100)] {
            let result = runtime.block_on(self.send(requests / share, at_a_time));
            result.unwrap_or_else(|error| panic!("{}, {at_a_time} at a time: {error:#}", self.kind.name));
        }
    }

    async fn send(self, requests: usize, at_a_time: usize) -> Result<()> {
        let client = self.connect().await?;
        let sent = Arc::new(AtomicUsize::new(0));
        let mut lanes: JoinSet<Result<()>> = JoinSet::new();
        for _ in 0..at_a_time {
            let (client, sent) = (client.clone(), Arc::clone(&sent));
            lanes.spawn(async move {
                while sent.fetch_add(1, Ordering::Relaxed) < requests {
                    match self.kind.how {
                        How::OwnConnection => self.exchange(self.connect().await?).await?,
                        _ => self.exchange(client.clone()).await?,
                    }
                }
                Ok(())
            });
        }
        while let Some(lane) = lanes.join_next().await {
            lane??;
        }
        Ok(())
    }

    async fn connect(self) -> Result<SendRequest<Bytes>> {
        let tcp = TcpStream::connect(self.server).await?;
        tcp.set_nodelay(true)?;
        let (client, connection) = h2::client::handshake(tcp).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    async fn exchange(self, client: SendRequest<Bytes>) -> Result<()> {
        let Kind { content, how, .. } = *self.kind;
        let (response, mut upload) =
            client.ready().await?.send_request(self.request()?, content.is_empty())?;
        let mut pieces = content.iter();
        if how != How::InTurns {
            while let Some(piece) = pieces.next() {
                let ends = pieces.len() == 0 && matches!(how, How::Whole | How::OwnConnection);
                send(&mut upload, piece, ends).await?;
            }
        }
        if how == How::WithTrailers {
            let mut trailers = HeaderMap::new();
            trailers.insert("checksum", "1234".parse()?);
            upload.send_trailers(trailers)?;
        }
        if how == How::CancelledEarly {
            upload.send_reset(Reason::CANCEL);
            return Ok(());
        }
        let mut response = response.await?.into_body();
        for piece in pieces {
            send(&mut upload, piece, false).await?;
            receive(&mut response).await?.context("a piece of the response")?;
        }
        match how {
            How::InTurns => upload.send_data(Bytes::new(), true)?,
            How::Cancelled => {
                receive(&mut response).await?.context("a piece of the response")?;
                upload.send_reset(Reason::CANCEL);
                return Ok(());
            }
            _ => {}
        }
        while receive(&mut response).await?.is_some() {}
        response.trailers().await?;
        Ok(())
    }

    fn request(self) -> Result<Request<()>> {
        let Self { authority, kind, .. } = self;
        let request = Request::builder()
            .version(Version::HTTP_2)
            .method(kind.method)
            .uri(format!("http://{authority}{}", kind.path))
            .header("te", "trailers")
            .header("content-type", "application/grpc");
        Ok(request.body(())?)
    }
}

/// Sends a piece of content, unless the server stops reading.
async fn send(upload: &mut SendStream<Bytes>, piece: &'static [u8], end_stream: bool) -> Result<()> {
    let mut rest = Bytes::from_static(piece);
    while !rest.is_empty() {
        upload.reserve_capacity(rest.len());
        match std::future::poll_fn(|context| upload.poll_capacity(context)).await {
            Some(Ok(0)) => {}
            Some(Ok(capacity)) => {
                let part = rest.split_to(capacity.min(rest.len()));
                let ends = end_stream && rest.is_empty();
                if upload.send_data(part, ends).is_err() {
                    return Ok(());
                }
            }
            // A server that has answered may decline the rest (RFC 9113, 8.1).
            Some(Err(_)) | None => return Ok(()),
        }
    }
    Ok(())
}

async fn receive(response: &mut RecvStream) -> Result<Option<usize>> {
    match response.data().await {
        None => Ok(None),
        Some(Ok(piece)) => {
            response.flow_control().release_capacity(piece.len())?;
            Ok(Some(piece.len()))
        }
        Some(Err(error)) if error.reason() == Some(Reason::NO_ERROR) => Ok(None),
        Some(Err(error)) => bail!(error),
    }
}
