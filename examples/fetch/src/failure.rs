//! Failures, as reported to the user.

use std::fmt;

use crate::bindings::http2::engine::transport::TransportError;
use crate::bindings::http2::engine::types::Error;

/// A failure: its location, the operation that failed, and the cause.
#[derive(Debug)]
pub(crate) struct Failure {
    location: String,
    operation: &'static str,
    cause: String,
    /// Whether the server has certainly not processed the request.
    retryable: bool,
}

impl Failure {
    /// Creates a failure at a URL or a file; an empty `location` is not printed.
    pub(crate) fn new(location: &str, operation: &'static str, cause: impl fmt::Display) -> Self {
        Self { location: location.to_owned(), operation, cause: cause.to_string(), retryable: false }
    }

    /// Creates a failure of HTTP/2.
    pub(crate) fn http2(url: &str, operation: &'static str, error: &Error) -> Self {
        Self { retryable: error.retryable, ..Self::new(url, operation, &error.message) }
    }

    /// Creates a failure of the transport.
    pub(crate) fn transport(url: &str, operation: &'static str, error: &TransportError) -> Self {
        let cause = match error {
            TransportError::Closed => "the connection was closed",
            TransportError::ConnectionReset => "connection reset",
            TransportError::ConnectionRefused => "connection refused",
            TransportError::Timeout => "timed out",
            TransportError::NameUnresolvable(words)
            | TransportError::AddressUnusable(words)
            | TransportError::Other(words) => words,
        };
        Self::new(url, operation, cause)
    }

    /// Returns whether the request may be sent again: the server has certainly not processed it (RFC 9113, 8.7).
    pub(crate) fn is_retryable(&self) -> bool {
        self.retryable
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.location.is_empty() {
            write!(f, "{}: ", self.location)?;
        }
        write!(f, "{}: {}", self.operation, self.cause)
    }
}
