//! lighttpd, which uses HTTP/2 only towards clients.

use std::process::Command;

use anyhow::{Result, bail};

use super::program;
use super::proxy::{Behind, Place, Proxy, SERVES};
use crate::peer::Peer;

pub(crate) fn peers() -> Result<Vec<Peer>> {
    Proxy {
        name: "lighttpd",
        program: program("lighttpd", "lighttpd")?,
        before_ours: &[],
        serves: SERVES,
        omitted: &[],
        command,
    }
    .peers()
}

fn command(place: &Place) -> Result<Command> {
    let Behind::Http1(address) = place.behind else { bail!("lighttpd uses HTTP/1.1 towards servers") };
    let (host, port) = address.split_once(':').unwrap_or((address, "80"));
    // Pass content on immediately, instead of collecting whole messages.
    let streams = if place.is_awkward { 2 } else { 1 };
    let text = format!(
        "server.modules = (\"mod_proxy\")\nserver.document-root = \"{folder}\"\nserver.bind = \"127.0.0.1\"
        server.port = {here}\nserver.upload-dirs = (\"{folder}\")
        server.feature-flags = (\"server.h2proto\" => \"enable\", \"server.h2c\" => \"enable\")
        server.stream-request-body = {streams}\nserver.stream-response-body = {streams}
        proxy.server = (\"\" => ((\"host\" => \"{host}\", \"port\" => {port})))\n",
        folder = place.folder.display(),
        here = place.port,
    );
    let mut lighttpd = place.command();
    lighttpd.args(["-D", "-f"]).arg(place.write("lighttpd.conf", &text)?);
    Ok(lighttpd)
}
