//! Failures, as reported to the user.

use std::fmt;

use wasip3::http::types::ErrorCode;

/// A failure: the operation that failed, and the cause.
#[derive(Debug)]
pub(crate) struct Failure {
    doing: String,
    cause: String,
}

impl Failure {
    pub(crate) fn new(doing: impl Into<String>, cause: impl fmt::Display) -> Self {
        Self { doing: doing.into(), cause: cause.to_string() }
    }

    /// Creates a failure of HTTP.
    pub(crate) fn http(url: &str, error: &ErrorCode) -> Self {
        Self::new(url, describe(error))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.cause)
    }
}

/// Describes the errors that a user is likely to see; returns the names of the others.
fn describe(error: &ErrorCode) -> String {
    match error {
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) => "the name cannot be resolved".to_owned(),
        ErrorCode::DestinationNotFound => "no such host".to_owned(),
        ErrorCode::ConnectionRefused => "connection refused".to_owned(),
        ErrorCode::ConnectionTerminated => "the connection was closed".to_owned(),
        ErrorCode::ConnectionTimeout => "the connection timed out".to_owned(),
        ErrorCode::HttpRequestDenied => "the host sends no requests: compose with a client".to_owned(),
        ErrorCode::TlsProtocolError => "https needs TLS, which is not supported".to_owned(),
        ErrorCode::InternalError(Some(describe)) => describe.clone(),
        other => format!("{other:?}"),
    }
}
