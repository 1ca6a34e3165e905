//! The target of a request, parsed from its URL.

use http::Uri;

use crate::failure::Failure;

#[cfg(test)]
mod tests;

/// A parsed URL.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The URL as given.
    pub(crate) url: String,
    /// The name or address to connect to, with brackets if it is an IPv6 address.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The host, and the port if given.
    pub(crate) authority: String,
    /// The path and query.
    pub(crate) path: String,
}

impl Target {
    /// Parses a URL.
    pub(crate) fn parse(url: &str) -> Result<Self, Failure> {
        let refuse = |cause: &str| Failure::new(url, "reading the URL", cause);
        let uri: Uri = url.parse().map_err(|error: http::uri::InvalidUri| refuse(&error.to_string()))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err(refuse(
                    "https needs TLS, which is not supported; use http, which starts with HTTP/2 at once",
                ));
            }
            Some(_) => return Err(refuse("only http is supported")),
            None => return Err(refuse("a URL must start with http://")),
        }
        let authority = uri.authority().ok_or_else(|| refuse("the host is missing"))?;
        if authority.as_str().contains('@') {
            return Err(refuse("a user name or password is not permitted"));
        }
        if authority.host().is_empty() {
            return Err(refuse("the host is missing"));
        }
        if authority.port().is_none() && authority.as_str() != authority.host() {
            return Err(refuse("the port must be 0 to 65535"));
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            url: url.to_owned(),
            host: authority.host().to_owned(),
            port: authority.port_u16().unwrap_or(80),
            authority: authority.as_str().to_owned(),
            path: if path.starts_with('/') { path.to_owned() } else { format!("/{path}") },
        })
    }

    /// Returns whether one connection can serve both targets.
    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        self.host.eq_ignore_ascii_case(&other.host) && self.port == other.port
    }
}
