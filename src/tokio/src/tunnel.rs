//! CONNECT tunnels as byte streams.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::recv::RecvStream;
use crate::send::SendStream;

/// The byte stream that a successful CONNECT opens (RFC 9113, 8.5; RFC 8441), made of the two halves of the stream.
///
/// Bytes are written as far as the windows and the send buffer have room. Shutting the stream down ends the local
/// message; dropping it without that resets the stream.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
/// # use http::{Method, Request};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use http2_tokio::Tunnel;
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # let (mut client, server) = pair()?;
/// # tokio::spawn(echo(server));
///
/// let request = Request::connect("example.com:443").body(())?;
/// let (response, send) = client.send_request(request, false)?;
/// let mut tunnel = Tunnel::new(send, response.await?.into_body());
/// tunnel.write_all(b"there and back").await?;
/// tunnel.shutdown().await?;
/// let mut received = String::new();
/// tunnel.read_to_string(&mut received).await?;
/// assert_eq!(received, "there and back");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Tunnel {
    send: SendStream,
    recv: RecvStream,
    /// Received bytes that the reader has not taken.
    unread: Bytes,
}

impl Tunnel {
    /// Joins the two halves of a stream.
    pub fn new(send: SendStream, recv: RecvStream) -> Self {
        Self { send, recv, unread: Bytes::new() }
    }

    /// Returns the two halves, and the received bytes that were not read.
    pub fn into_parts(self) -> (SendStream, RecvStream, Bytes) {
        (self.send, self.recv, self.unread)
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.unread.is_empty() {
            match ready!(self.recv.poll_data(cx)) {
                Some(data) => self.unread = data?,
                None => return Poll::Ready(Ok(())),
            }
        }
        let bytes = self.unread.len().min(buffer.remaining());
        buffer.put_slice(&self.unread[..bytes]);
        self.unread.advance(bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        if data.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let capacity = ready!(self.send.poll_capacity(cx))?;
        let bytes = capacity.min(data.len());
        self.send.send_data(Bytes::copy_from_slice(&data[..bytes]), false)?;
        Poll::Ready(Ok(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The connection writes everything that the windows allow without being asked.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(self.send.finish()?))
    }
}
