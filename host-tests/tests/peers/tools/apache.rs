//! Apache httpd, with mod_http2 and mod_proxy_http2.

use std::process::Command;

use anyhow::Result;

use super::program;
use super::proxy::{BEFORE_OURS, Behind, Place, Proxy, SERVES};
use crate::peer::Peer;

/// The folder of modules on Debian.
const MODULES: &str = "/usr/lib/apache2/modules";

pub(crate) fn peers() -> Result<Vec<Peer>> {
    Proxy {
        name: "apache",
        program: program("apache2", "apache2-bin")?,
        before_ours: BEFORE_OURS,
        serves: SERVES,
        omitted: &[],
        command,
    }
    .peers()
}

fn command(place: &Place) -> Result<Command> {
    let modules: String = ["mpm_event", "authz_core", "env", "http2", "proxy", "proxy_http", "proxy_http2"]
        .map(|module| format!("LoadModule {module}_module {MODULES}/mod_{module}.so\n"))
        .concat();
    let url = match place.behind {
        Behind::Http1(address) => format!("http://{address}"),
        Behind::Http2(address) => format!("h2c://{address}"),
    };
    let awkward =
        if place.is_awkward { "H2WindowSize 65535\nH2StreamMaxMemSize 32768\nH2Padding 8" } else { "" };
    let few_streams = if place.allows_few_streams() { "H2MaxSessionStreams 5" } else { "" };
    let text = format!(
        "ServerRoot {folder}\n{modules}
        PidFile pid\nErrorLog errors\nServerName localhost\nListen 127.0.0.1:{port}\nUser www-data\nGroup www-data
        Protocols h2c http/1.1\nStartServers 1\nProxyPass / {url}/\n{awkward}\n{few_streams}\n",
        folder = place.folder.display(),
        port = place.port,
    );
    let mut apache = place.command();
    apache.args(["-DFOREGROUND", "-f"]).arg(place.write("apache.conf", &text)?);
    Ok(apache)
}
