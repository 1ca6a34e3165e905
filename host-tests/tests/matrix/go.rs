//! `peers/peer.go`, built with the Go packages of Debian.

use std::process::Command;

use host_tests::support::apps::lock;
use host_tests::support::{peers, run};

use crate::script;

/// Builds the program; returns `None` if that fails.
pub(crate) fn peer() -> Option<Command> {
    let _lock = lock();
    let folder = peers::peers_folder();
    let program = folder.join("go-peer");
    let built = run(peers::find("go")?
        // Take packages only from golang-golang-x-net-dev.
        .envs([("GO111MODULE", "off"), ("GOPATH", "/usr/share/gocode"), ("GOFLAGS", "")])
        .env("GOCACHE", folder.join("go-cache"))
        .args(["build", "-p", "2", "-o"])
        .arg(&program)
        .arg(script("peer.go")));
    if built.code != Some(0) {
        peers::skip(&format!("Go (apt-get install golang-golang-x-net-dev): {}", built.stderr));
        return None;
    }
    Some(Command::new(program))
}
