//! H2O, which uses HTTP/2 only towards clients.

use std::process::Command;

use anyhow::{Result, bail};

use super::program;
use super::proxy::{Behind, Place, Proxy, SERVES};
use crate::peer::Peer;

pub(crate) fn peers() -> Result<Vec<Peer>> {
    Proxy {
        name: "h2o",
        program: program("h2o", "h2o")?,
        before_ours: &[],
        serves: SERVES,
        omitted: &[],
        command,
    }
    .peers()
}

fn command(place: &Place) -> Result<Command> {
    let Behind::Http1(address) = place.behind else { bail!("H2O uses HTTP/1.1 towards servers") };
    let awkward = if place.is_awkward {
        "http2-max-concurrent-requests-per-connection: 5\nhttp2-latency-optimization-min-rtt: 1\n"
    } else {
        ""
    };
    let text = format!(
        "num-threads: 1\n{awkward}listen: {{host: 127.0.0.1, port: {port}}}\nlimit-request-body: 1000000000
hosts:\n  default:\n    paths:\n      /: {{proxy.reverse.url: 'http://{address}/'}}\n",
        port = place.port,
    );
    let mut h2o = place.command();
    h2o.arg("-c").arg(place.write("h2o.conf", &text)?);
    Ok(h2o)
}
