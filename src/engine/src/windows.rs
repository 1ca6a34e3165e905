//! The flow-control windows that a caller can see.

/// The flow-control windows of a stream or of the connection, in bytes (RFC 9113, 5.2).
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bytes::Bytes;
///
/// # let (mut client, mut server) = pair();
/// # carry(&mut client, &mut server);
/// let id = client.open(&request("POST"), false)?;
/// let before = client.stream_windows(id).unwrap();
/// assert_eq!(client.send_data(id, &mut Bytes::from_static(b"content"), false), Ok(7));
/// carry(&mut client, &mut server);
///
/// assert_eq!(client.stream_windows(id).unwrap().send, before.send - 7);
/// assert_eq!(server.stream_windows(id).unwrap().receive, before.send - 7);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Windows {
    /// Bytes the peer may send.
    pub receive: i64,
    /// Bytes this endpoint may send.
    ///
    /// The window of a stream is negative if the peer has lowered it below the bytes already sent
    /// (RFC 9113, 6.9.2).
    pub send: i64,
}
