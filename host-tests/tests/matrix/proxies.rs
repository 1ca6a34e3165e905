//! Proxies in front of our server, which they ask over HTTP/2. curl and nghttp send requests to them, also over HTTP/2.

use host_tests::support::peers::on_free_port;
use host_tests::support::{Process, Serve, run};
use rustix::process::Signal;

use crate::cells::{CURL, Column, NGHTTP, Peer, Row};
use crate::clients::{
    Asked, ENDLESS, curl, curl_asks, curl_gets_trailers, h2load_asks, is_long, nghttp_sends_trailers,
    serve_trailers,
};
use crate::servers::{Server, Site, apache_command, caddy_command, haproxy_command, served};

pub(crate) const HAPROXY: Peer = Peer {
    name: "HAProxy in front of our server",
    needs: &[("haproxy", "haproxy"), CURL, NGHTTP],
    unsupported: &[],
    run: |peer| Some(passes(peer, Proxy::Haproxy)),
};

pub(crate) const CADDY: Peer = Peer {
    name: "Caddy in front of our server",
    needs: &[("caddy", "caddy"), CURL, NGHTTP],
    unsupported: &[],
    run: |peer| Some(passes(peer, Proxy::Caddy)),
};

pub(crate) const APACHE: Peer = Peer {
    name: "Apache httpd in front of our server",
    needs: &[("apache2", "apache2-bin"), CURL, NGHTTP],
    unsupported: &[],
    run: |peer| Some(passes(peer, Proxy::Apache)),
};

#[derive(Clone, Copy)]
enum Proxy {
    Haproxy,
    Caddy,
    Apache,
}

impl Proxy {
    /// Starts the proxy in front of one of our servers.
    fn start(self, serve: &Serve) -> Server {
        let site = Site::new();
        let address = serve.address();
        let (process, port) = on_free_port(|port| match self {
            Self::Haproxy => haproxy_command(&site, port, &format!("{address} proto h2")),
            Self::Caddy => caddy_command(&site, port, &format!("reverse_proxy h2c://{address}")),
            Self::Apache => {
                let lines = format!(
                    "H2EarlyHints on\nSetEnv proxy-interim-response RFC\nProxyPass / h2c://{address}/"
                );
                apache_command(&site, port, &["env", "proxy", "proxy_http2"], &lines)
            }
        });
        served(process, port, Signal::TERM, None, site)
    }
}

/// Runs all tests through a proxy.
fn passes(peer: &Peer, proxy: Proxy) -> Row {
    let asked = Asked::new();
    let server = asked.with(|serve| proxy.start(serve));
    let download = |_: &Serve, path: &str| {
        let mut curl = curl();
        curl.arg(format!("{}{path}", server.url));
        curl
    };
    asked.try_all(peer, |column, _| check(proxy, column, &server.url), download, is_long)
}

fn check(proxy: Proxy, column: Column, url: &str) {
    match column {
        // Caddy 2.6 forwards trailers of responses but not of requests, so the echo has none.
        Column::Trailers if matches!(proxy, Proxy::Caddy) => {
            let serve = serve_trailers();
            curl_gets_trailers(&proxy.start(&serve).url);
        }
        Column::Trailers => nghttp_sends_trailers(url),
        Column::AtOnce => h2load_asks(column, url),
        Column::Cancel => {
            // If our server did not notice that the client is gone, it could not stop in the last column.
            drop(Process::start_writing(curl().arg(format!("{url}{ENDLESS}"))));
            assert!(run(curl().arg(format!("{url}/"))).text().starts_with("Hello"));
        }
        column => curl_asks(column, url),
    }
}
