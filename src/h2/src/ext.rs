//! Extensions of requests.

use std::fmt;
use std::str;

use bytes::Bytes;
use http::Extensions;

/// The protocol of an extended CONNECT request (RFC 8441, 4), an extension of [`http::Request`].
///
/// ```
/// use h2::ext::Protocol;
///
/// let mut request = http::Request::connect("https://example.com/chat").body(()).unwrap();
/// request.extensions_mut().insert(Protocol::from_static("websocket"));
/// assert_eq!(request.extensions().get::<Protocol>().map(Protocol::as_str), Some("websocket"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Protocol {
    /// UTF-8, as all constructors make sure.
    value: Bytes,
}

impl Protocol {
    /// Creates a protocol from its name in the registry of HTTP upgrade tokens.
    pub const fn from_static(value: &'static str) -> Self {
        Self { value: Bytes::from_static(value.as_bytes()) }
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.value).unwrap_or_default()
    }
}

impl From<&str> for Protocol {
    fn from(value: &str) -> Self {
        Self { value: Bytes::copy_from_slice(value.as_bytes()) }
    }
}

impl AsRef<[u8]> for Protocol {
    fn as_ref(&self) -> &[u8] {
        &self.value
    }
}

impl fmt::Debug for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// Returns the extensions of a request to send: only the protocol counts.
pub(crate) fn to_engine(extensions: &Extensions) -> Extensions {
    let mut sent = Extensions::new();
    if let Some(protocol) = extensions.get::<Protocol>() {
        sent.insert(http2_tokio::Protocol::from(protocol.as_str()));
    }
    sent
}

/// Replaces the engine's type in a received request.
pub(crate) fn from_engine(extensions: &mut Extensions) {
    if let Some(protocol) = extensions.remove::<http2_tokio::Protocol>()
        && let Ok(value) = str::from_utf8(protocol.as_bytes())
    {
        extensions.insert(Protocol::from(value));
    }
}
