//! nghttpd, of nghttp2, which serves files.

use std::fs::{self, File};
use std::process::Command;
use std::sync::Arc;

use anyhow::Result;
use tempfile::TempDir;

use super::{on_free_port, program, server};
use crate::peer::Peer;

pub(crate) fn peers() -> Result<Vec<Peer>> {
    let found = program("nghttpd", "nghttp2-server")?;
    let files = Arc::new(files()?);
    let peer = |config, options: &'static [&'static str], cases| {
        let (found, files) = (found.clone(), files.clone());
        let start = move || {
            on_free_port(|port| {
                let mut nghttpd = Command::new(&found);
                nghttpd.args(["--no-tls", "-a", "127.0.0.1", "--echo-upload"]).args(options);
                nghttpd.arg("-d").arg(files.path()).arg(port.to_string());
                Ok(nghttpd)
            })
        };
        server("nghttpd", config, cases, Box::new(start))
    };
    Ok(vec![
        peer("default", &[], &["get", "post", "download"]),
        // Windows of 2^10 − 1 bytes, the most padding that a frame can have, and no dynamic table.
        peer("awkward", &["-w", "10", "-W", "16", "-b", "255", "-c", "0"], &["get", "post", "download"]),
        peer("huge", &["-w", "30", "-W", "30", "-c", "1m"], &["get", "post", "download"]),
        peer("one-stream", &["-m", "1"], &["one-stream", "post"]),
    ])
}

/// Creates the files that replace routes.
fn files() -> Result<TempDir> {
    let folder = TempDir::new()?;
    fs::write(folder.path().join("index.html"), "Hello from nghttpd.\n")?;
    fs::create_dir(folder.path().join("bytes"))?;
    for (name, bytes) in [("bytes/16000000", 16_000_000), ("bytes/200000000", 200_000_000)] {
        File::create(folder.path().join(name))?.set_len(bytes)?;
    }
    Ok(folder)
}
