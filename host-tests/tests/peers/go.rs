//! The driver in Go: net/http, x/net, grpc-go, connect-go.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::driver::Driver;
use crate::peer::Peer;
use crate::process;
use crate::sources::{build_folder, sibling_path};

/// The time limit for downloading the modules and compiling.
const BUILD: Duration = Duration::from_secs(600);

pub(crate) fn peers() -> Result<Vec<Peer>> {
    let program = build_folder("go")?.join("driver");
    let mut build = Command::new("go");
    build.current_dir(sibling_path("go")).args(["build", "-o"]).arg(&program).arg(".");
    process::run(&mut build, BUILD)
        .and_then(process::Output::success)
        .context("Go 1.26 or newer is required, with access to its modules")?;
    Driver::new(program, &[]).peers()
}
