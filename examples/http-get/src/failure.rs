//! What is said when something does not work.

use std::fmt;

use wasip3::http::types::ErrorCode;

/// What was being done, and why it failed.
#[derive(Debug)]
pub(crate) struct Failure {
    doing: String,
    cause: String,
}

impl Failure {
    pub(crate) fn new(doing: impl Into<String>, cause: impl fmt::Display) -> Self {
        Self { doing: doing.into(), cause: cause.to_string() }
    }

    /// A failure of HTTP.
    pub(crate) fn http(url: &str, error: &ErrorCode) -> Self {
        Self::new(url, words(error))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.cause)
    }
}

/// The errors that a person is likely to see, in words; the others by their names.
fn words(error: &ErrorCode) -> String {
    match error {
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) => "the name cannot be resolved".to_owned(),
        ErrorCode::DestinationNotFound => "there is no such host".to_owned(),
        ErrorCode::ConnectionRefused => "connection refused".to_owned(),
        ErrorCode::ConnectionTerminated => "the connection was closed".to_owned(),
        ErrorCode::ConnectionTimeout => "the connection took too long".to_owned(),
        ErrorCode::HttpRequestDenied => "the host sends no requests: compose with a client".to_owned(),
        ErrorCode::TlsProtocolError => "https needs TLS, which is not there".to_owned(),
        ErrorCode::InternalError(Some(words)) => words.clone(),
        other => format!("{other:?}"),
    }
}
