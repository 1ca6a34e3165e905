//! Settings of the client, read from the environment because a called component has no arguments.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `HTTP2_CLIENT_UPSTREAM` | `HOST:PORT` of the server for all requests, for a reverse proxy | the authority of each request |
//! | `HTTP2_CLIENT_MAX_CONNECTIONS` | maximum number of open connections per origin | 16 |
//! | `HTTP2_CLIENT_IDLE_TIMEOUT` | seconds after which a connection without requests is closed; 0 for never | 30 |

use std::str::FromStr;
use std::time::Duration;

use http2_engine::Config;

use crate::target::Address;

/// The settings of a client.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) upstream: Option<Address>,
    /// Maximum number of open connections per origin.
    pub(crate) max_connections: usize,
    pub(crate) config: Config,
}

impl Default for Options {
    fn default() -> Self {
        let mut config = Config::default();
        config.idle_timeout = Some(Duration::from_secs(30));
        // The pool uses another connection instead.
        config.waiting_streams = 0;
        // Until the server's SETTINGS arrive, with the first response at the latest, send one request: a server
        // would refuse requests beyond its limit, and some servers close the connection for them.
        config.initial_max_send_streams = 1;
        Self { upstream: None, max_connections: 16, config }
    }
}

impl Options {
    /// Reads the variables through a lookup function.
    ///
    /// # Errors
    ///
    /// The name and value of an invalid variable.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut options = Self::default();
        if let Some(upstream) = value(&variable, "HTTP2_CLIENT_UPSTREAM")? {
            options.upstream = Some(upstream);
        }
        if let Some(connections) = value::<usize>(&variable, "HTTP2_CLIENT_MAX_CONNECTIONS")? {
            options.max_connections = connections.max(1);
        }
        if let Some(seconds) = value::<u32>(&variable, "HTTP2_CLIENT_IDLE_TIMEOUT")? {
            let timeout = Duration::from_secs(seconds.into());
            options.config.idle_timeout = Some(timeout).filter(|timeout| !timeout.is_zero());
        }
        Ok(options)
    }
}

fn value<T: FromStr>(variable: impl Fn(&str) -> Option<String>, name: &str) -> Result<Option<T>, String> {
    let Some(text) = variable(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    match text.parse() {
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(format!("{name} cannot be {text:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &'static str, value: &'static str) -> Result<Options, String> {
        Options::read(|asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn default_is_no_upstream() {
        let options = Options::read(|_| None).unwrap();
        assert!(options.upstream.is_none());
        assert_eq!(options.config.idle_timeout, Some(Duration::from_secs(30)));
        options.config.check().unwrap();
    }

    #[test]
    fn variables_are_read() {
        let options = read("HTTP2_CLIENT_UPSTREAM", "[::1]:9000").unwrap();
        assert_eq!(options.upstream.unwrap().to_string(), "[::1]:9000");
        assert_eq!(read("HTTP2_CLIENT_MAX_CONNECTIONS", "2").unwrap().max_connections, 2);
        assert_eq!(read("HTTP2_CLIENT_IDLE_TIMEOUT", "0").unwrap().config.idle_timeout, None);
    }

    #[test]
    fn invalid_value_is_named() {
        assert_eq!(
            read("HTTP2_CLIENT_UPSTREAM", "nowhere").unwrap_err(),
            "HTTP2_CLIENT_UPSTREAM cannot be \"nowhere\""
        );
        read("HTTP2_CLIENT_IDLE_TIMEOUT", "soon").unwrap_err();
    }
}
