//! The sources of peers: one entry for each driver, and for each command-line tool.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::peer::Peer;

/// A driver or a tool.
pub(crate) struct Source {
    /// The name shown while its peers are installed.
    pub(crate) name: &'static str,
    /// Installs or compiles everything required, and lists the peers.
    ///
    /// If it fails, the runner skips them and prints the error, which names the missing program and how to install it.
    pub(crate) peers: fn() -> Result<Vec<Peer>>,
}

/// All sources.
pub(crate) const SOURCES: &[Source] = &[
    Source { name: "Go", peers: crate::go::peers },
    Source { name: "Java", peers: crate::java::peers },
    Source { name: "Node", peers: crate::node::peers },
    Source { name: "Python", peers: crate::python::peers },
    Source { name: "curl", peers: crate::tools::curl::peers },
    Source { name: "nghttp", peers: crate::tools::nghttp::peers },
    Source { name: "h2load", peers: crate::tools::h2load::peers },
    Source { name: "nghttpd", peers: crate::tools::nghttpd::peers },
    Source { name: "Apache", peers: crate::tools::apache::peers },
    Source { name: "nginx", peers: crate::tools::nginx::peers },
    Source { name: "HAProxy", peers: crate::tools::haproxy::peers },
    Source { name: "Caddy", peers: crate::tools::caddy::peers },
    Source { name: "H2O", peers: crate::tools::h2o::peers },
    Source { name: "nghttpx", peers: crate::tools::nghttpx::peers },
    Source { name: "lighttpd", peers: crate::tools::lighttpd::peers },
    Source { name: "Envoy", peers: crate::tools::envoy::peers },
];

/// The path of a file or folder beside this one.
pub(crate) fn sibling_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

/// Returns a folder for everything that a source installs or compiles; it is kept for the next run.
pub(crate) fn build_folder(name: &str) -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("peers").join(name);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
