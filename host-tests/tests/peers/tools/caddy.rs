//! Caddy.

use std::process::Command;

use anyhow::Result;

use super::program;
use super::proxy::{BEFORE_OURS, Behind, Place, Proxy, SERVES};
use crate::peer::Peer;

pub(crate) fn peers() -> Result<Vec<Peer>> {
    Proxy {
        name: "caddy",
        program: program("caddy", "caddy")?,
        before_ours: BEFORE_OURS,
        serves: SERVES,
        omitted: &[],
        command,
    }
    .peers()
}

fn command(place: &Place) -> Result<Command> {
    let url = match place.behind {
        Behind::Http1(address) => format!("http://{address}"),
        Behind::Http2(address) => format!("h2c://{address}"),
    };
    // It passes on content immediately, without waiting for more.
    let awkward = match place.behind {
        _ if !place.is_awkward => "",
        Behind::Http1(_) => "flush_interval -1",
        Behind::Http2(_) => "flush_interval -1\n transport http {\n keepalive off\n versions h2c 2\n }",
    };
    let text = format!(
        "{{\n admin off\n auto_https off\n servers {{\n protocols h1 h2 h2c\n }}\n}}
        http://:{port} {{\n bind 127.0.0.1\n reverse_proxy {url} {{\n {awkward}\n }}\n}}\n",
        port = place.port,
    );
    let mut caddy = place.command();
    caddy.args(["run", "--adapter", "caddyfile", "--config"]).arg(place.write("Caddyfile", &text)?);
    Ok(caddy)
}
