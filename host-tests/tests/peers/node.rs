//! The driver in JavaScript: Node's own HTTP/2, undici, grpc-js.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::driver::Driver;
use crate::peer::Peer;
use crate::process;
use crate::sources::{build_folder, sibling_path};
use crate::tools::program;

/// The time limit for downloading the packages.
const INSTALL: Duration = Duration::from_secs(600);

/// The lock file, which identifies the installed packages.
const LOCK: &str = "package-lock.json";

pub(crate) fn peers() -> Result<Vec<Peer>> {
    driver()?.peers()
}

/// Returns the driver, copied next to its packages, since Node looks for them there.
pub(crate) fn driver() -> Result<Driver> {
    let node = program("node", "nodejs")?;
    let folder = build_folder("node")?;
    let installed = folder.join("node_modules/.package-lock.json");
    let is_right = installed.exists()
        && fs::read(folder.join(LOCK)).ok() == fs::read(sibling_path("node").join(LOCK)).ok();
    let protos = sibling_path("../../guests/grpc-service/proto");
    for file in fs::read_dir(sibling_path("node"))?.chain(fs::read_dir(protos)?) {
        let file = file?;
        fs::copy(file.path(), folder.join(file.file_name()))?;
    }
    if !is_right {
        let mut npm = Command::new(program("npm", "npm")?);
        npm.current_dir(&folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        process::run(&mut npm, INSTALL)
            .and_then(process::Output::success)
            .context("npm cannot install the packages of host-tests/tests/peers/node")?;
    }
    let driver = folder.join("driver.mjs");
    Ok(Driver::new(node, &[driver.to_str().context("the path is not UTF-8")?]))
}
