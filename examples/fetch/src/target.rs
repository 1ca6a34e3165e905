//! What a URL says about whom to ask for what.

use http::Uri;

use crate::failure::Failure;

#[cfg(test)]
mod tests;

/// A URL, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// As it was given.
    pub(crate) url: String,
    /// The name or address to connect to; an IPv6 address has its brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Host, and port if it was given.
    pub(crate) authority: String,
    /// Path and query.
    pub(crate) path: String,
}

impl Target {
    /// Takes a URL apart.
    pub(crate) fn parse(url: &str) -> Result<Self, Failure> {
        let refuse = |cause: &str| Failure::new(url, "reading the URL", cause);
        let uri: Uri = url.parse().map_err(|error: http::uri::InvalidUri| refuse(&error.to_string()))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err(refuse(
                    "https needs TLS, which is not there; http works, with HTTP/2 from the first octet",
                ));
            }
            Some(_) => return Err(refuse("only http is supported")),
            None => return Err(refuse("it has to start with http://")),
        }
        let authority = uri.authority().ok_or_else(|| refuse("there is no host"))?;
        if authority.as_str().contains('@') {
            return Err(refuse("a user name or password has no place in it"));
        }
        if authority.host().is_empty() {
            return Err(refuse("there is no host"));
        }
        if authority.port().is_none() && authority.as_str() != authority.host() {
            return Err(refuse("the port is 0 to 65535"));
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

    /// Whether one connection serves both.
    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        self.host.eq_ignore_ascii_case(&other.host) && self.port == other.port
    }
}
