//! nginx, which uses HTTP/2 only towards clients.

use std::process::Command;

use anyhow::{Result, bail};

use super::program;
use super::proxy::{Behind, Place, Proxy, SERVES};
use crate::peer::Peer;

const EARLY: &str = "answers 502 now and then when its HTTP/1.1 server answers early and closes";

pub(crate) fn peers() -> Result<Vec<Peer>> {
    Proxy {
        name: "nginx",
        program: program("nginx", "nginx-light")?,
        before_ours: &[],
        serves: SERVES,
        omitted: &[("refuse", EARLY), ("early", EARLY)],
        command,
    }
    .peers()
}

fn command(place: &Place) -> Result<Command> {
    let Behind::Http1(address) = place.behind else { bail!("nginx uses HTTP/1.1 towards servers") };
    let folder = place.folder.display();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|what| format!("{what}_temp_path {folder}/{what};"))
        .concat();
    // GOAWAY after 50 requests, few streams, little read-ahead, and no buffering of messages.
    let awkward = if place.is_awkward {
        // A smaller http2_body_preread_size would refuse every upload sent before its SETTINGS are acknowledged.
        "keepalive_requests 50; http2_max_concurrent_streams 5; http2_chunk_size 100; proxy_request_buffering off;
         proxy_buffering off;"
    } else {
        ""
    };
    let text = format!(
        "daemon off; worker_processes 1; pid {folder}/pid; events {{}}
        http {{
            access_log off; client_max_body_size 0; {temporary} {awkward}
            server {{
                listen 127.0.0.1:{port} http2;
                location / {{ proxy_pass http://{address}; proxy_http_version 1.1; }}
            }}
        }}",
        port = place.port,
    );
    let mut nginx = place.command();
    nginx.args(["-e", "stderr", "-c"]).arg(place.write("nginx.conf", &text)?);
    Ok(nginx)
}
