//! The driver in Python: h2, httpx, niquests, libcurl, hypercorn, grpcio.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::driver::Driver;
use crate::peer::Peer;
use crate::process;
use crate::sources::{beside, build_folder};
use crate::tools::program;

/// Time for fetching the packages.
const INSTALL: Duration = Duration::from_secs(600);

pub(crate) fn peers() -> Result<Vec<Peer>> {
    let driver = beside("python").join("driver.py");
    let python = environment()?.join("bin/python");
    // Without files of compiled modules beside the driver.
    Driver::new(python, &["-B", driver.to_str().context("a path that is no text")?]).peers()
}

/// A virtual environment with the packages, which is made unless an earlier run has made it.
pub(crate) fn environment() -> Result<PathBuf> {
    let folder = build_folder("python")?;
    let requirements = beside("python").join("requirements.txt");
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
