//! nghttpx, the proxy of nghttp2.

use std::process::Command;

use anyhow::Result;

use super::program;
use super::proxy::{BEFORE_OURS, Behind, Place, Proxy, SERVES};
use crate::peer::Peer;

pub(crate) fn peers() -> Result<Vec<Peer>> {
    Proxy {
        name: "nghttpx",
        program: program("nghttpx", "nghttp2-proxy")?,
        before_ours: BEFORE_OURS,
        serves: SERVES,
        omitted: &[],
        command,
    }
    .peers()
}

fn command(place: &Place) -> Result<Command> {
    let (Behind::Http1(address) | Behind::Http2(address)) = place.behind;
    let (host, port) = address.split_once(':').unwrap_or((address, "80"));
    let protocol = if matches!(place.behind, Behind::Http2(_)) { ";;proto=h2" } else { "" };
    let mut nghttpx = place.command();
    nghttpx.args(["--conf=/dev/null", "--workers=1", "--errorlog-file=/dev/stderr"]);
    nghttpx.arg(format!("--frontend=127.0.0.1,{};no-tls", place.port));
    nghttpx.arg(format!("--backend={host},{port}{protocol}"));
    if place.is_awkward {
        let options = [
            "--backend-http2-window-size=1000",
            "--backend-http2-connection-window-size=70000",
            "--frontend-http2-window-size=1000",
            "--backend-http2-max-concurrent-streams=5",
            "--padding=255",
        ];
        nghttpx.args(options);
    }
    if place.allows_few_streams() {
        nghttpx.arg("--frontend-http2-max-concurrent-streams=5");
    }
    Ok(nghttpx)
}
