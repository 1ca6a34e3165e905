//! HAProxy.

use std::process::Command;

use anyhow::Result;

use super::program;
use super::proxy::{BEFORE_OURS, Behind, Place, Proxy, SERVES};
use crate::peer::Peer;

pub(crate) fn peers() -> Result<Vec<Peer>> {
    Proxy {
        name: "haproxy",
        program: program("haproxy", "haproxy")?,
        before_ours: BEFORE_OURS,
        serves: SERVES,
        omitted: &[],
        command,
    }
    .peers()
}

fn command(place: &Place) -> Result<Command> {
    let behind = match place.behind {
        Behind::Http1(address) => (*address).to_owned(),
        Behind::Http2(address) => format!("{address} proto h2"),
    };
    let awkward = if place.is_awkward { "tune.h2.initial-window-size 1000" } else { "" };
    let few_streams = if place.allows_few_streams() { "tune.h2.max-concurrent-streams 5" } else { "" };
    let text = format!(
        "global\n {awkward}\n {few_streams}
        defaults\n mode http\n timeout connect 10s\n timeout client 60s\n timeout server 60s
        frontend here\n bind 127.0.0.1:{port} proto h2\n default_backend there
        backend there\n server there {behind}\n",
        port = place.port,
    );
    let mut haproxy = place.command();
    haproxy.args(["-db", "-f"]).arg(place.write("haproxy.cfg", &text)?);
    Ok(haproxy)
}
