//! Targets of requests.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use http2_wasi_http::bindings::wasi::http::types::{ErrorCode, Scheme};
use http2_wasi_http::head::scheme_name;

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    /// A name in lower case, or an IP address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// The scheme and address common to all requests of a connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin {
    pub(crate) scheme: String,
    pub(crate) address: Address,
}

impl Origin {
    /// The origin of a request with this scheme and authority.
    ///
    /// # Errors
    ///
    /// `HTTP-request-URI-invalid`, or `internal-error` for https, which needs TLS.
    pub(crate) fn new(
        scheme: &Scheme,
        authority: &str,
        upstream: Option<&Address>,
    ) -> Result<Self, ErrorCode> {
        let address = match (upstream, scheme) {
            (Some(upstream), _) => upstream.clone(),
            (None, Scheme::Http) => {
                Address::parse(authority, Some(80)).ok_or(ErrorCode::HttpRequestUriInvalid)?
            }
            (None, Scheme::Https) => {
                let reason =
                    "https is not supported: the HTTP/2 client has no TLS yet; use http (prior knowledge)";
                return Err(ErrorCode::InternalError(Some(reason.to_owned())));
            }
            (None, Scheme::Other(_)) => return Err(ErrorCode::HttpRequestUriInvalid),
        };
        Ok(Self { scheme: scheme_name(scheme).to_ascii_lowercase(), address })
    }
}

impl Address {
    /// Parses "host:port"; the port is optional if `default_port` is set.
    fn parse(authority: &str, default_port: Option<u16>) -> Option<Self> {
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']')?;
                address.parse::<Ipv6Addr>().ok()?;
                (address, port)
            }
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let port = match port.strip_prefix(':') {
            None if !port.is_empty() => return None,
            None | Some("") => default_port?,
            Some(port) if port.bytes().all(|digit| digit.is_ascii_digit()) => port.parse().ok()?,
            Some(_) => return None,
        };
        (!host.is_empty()).then(|| Self { host: host.to_ascii_lowercase(), port })
    }

    /// The host, if it is an IP address.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

impl FromStr for Address {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::parse(text, None).ok_or(())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(authority: &str) -> Option<String> {
        Address::parse(authority, Some(80)).map(|address| address.to_string())
    }

    #[test]
    fn authority_is_a_host_and_an_optional_port() {
        assert_eq!(address("Example.COM").unwrap(), "example.com:80");
        assert_eq!(address("example.com:").unwrap(), "example.com:80");
        assert_eq!(address("127.0.0.1:8080").unwrap(), "127.0.0.1:8080");
        assert_eq!(address("[::1]:8080").unwrap(), "[::1]:8080");
        assert_eq!(address("[::1]").unwrap(), "[::1]:80");
    }

    #[test]
    fn invalid_authorities_are_refused() {
        for wrong in ["", ":80", "a:b", "a:65536", "a:80:80", "[::1", "[::1]80", "[a]:80", "::1", "a:+1"] {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn origins_differ_by_scheme() {
        let upstream = Address { host: "h".to_owned(), port: 1 };
        let http = Origin::new(&Scheme::Http, "a", Some(&upstream)).unwrap();
        let https = Origin::new(&Scheme::Https, "a", Some(&upstream)).unwrap();
        assert_ne!(http, https);
        assert_eq!(http, Origin::new(&Scheme::Http, "b", Some(&upstream)).unwrap());
    }

    #[test]
    fn https_says_that_there_is_no_tls() {
        let Err(ErrorCode::InternalError(Some(reason))) = Origin::new(&Scheme::Https, "a", None) else {
            panic!("expected an internal error");
        };
        assert!(reason.contains("no TLS"), "{reason}");
    }
}
