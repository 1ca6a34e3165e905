//! The driver in Python: h2, httpx, niquests, libcurl, hypercorn, grpcio.

use std::fs;
use std::path::PathBuf;
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

pub(crate) fn peers() -> Result<Vec<Peer>> {
    let driver = sibling_path("python").join("driver.py");
    let python = environment()?.join("bin/python");
    // Don't write compiled modules next to the driver.
    Driver::new(python, &["-B", driver.to_str().context("the path is not UTF-8")?]).peers()
}

/// Returns a virtual environment with the packages, created unless an earlier run has done so.
pub(crate) fn environment() -> Result<PathBuf> {
    let folder = build_folder("python")?;
    let requirements = sibling_path("python").join("requirements.txt");
    let wanted = fs::read(&requirements)?;
    let complete = folder.join("complete");
    if fs::read(&complete).ok().as_ref() == Some(&wanted) {
        return Ok(folder);
    }
    let mut python = Command::new(program("python3", "python3")?);
    python.args(["-m", "venv", "--clear"]).arg(&folder);
    process::run(&mut python, INSTALL)
        .and_then(process::Output::success)
        .context("no virtual environment (apt-get install python3-venv)")?;
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args(["install", "-q", "-r"]).arg(&requirements);
    process::run(&mut pip, INSTALL)
        .and_then(process::Output::success)
        .context("the packages of host-tests/tests/peers/python cannot be installed")?;
    fs::write(&complete, &wanted)?;
    Ok(folder)
}
