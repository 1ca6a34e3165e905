//! The flow-control windows that a caller can see.

/// The flow-control windows of a stream or of the connection, in bytes (RFC 9113, 5.2).
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
