//! The driver in Java: OkHttp, Jetty, Apache's client, the JDK's, Netty, Vert.x, Tomcat, Undertow, grpc-java.

use std::ffi::OsString;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::driver::Driver;
use crate::peer::Peer;
use crate::process;
use crate::sources::{build_folder, sibling_path};

/// The time limit for downloading the packages and compiling.
const BUILD: Duration = Duration::from_secs(600);

/// Spare a short-lived process the optimizing compiler and the threads of the default collector.
const OPTIONS: &[&str] = &["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar"];

pub(crate) fn peers() -> Result<Vec<Peer>> {
    let folder = build_folder("java")?;
    let mut property = OsString::from("-Dpeers.folder=");
    property.push(&folder);
    let mut build = Command::new("mvn");
    build.current_dir(sibling_path("java")).args(["--quiet", "--batch-mode", "package"]).arg(property);
    process::run(&mut build, BUILD)
        .and_then(process::Output::success)
        .context("a JDK of version 17 or newer and Maven are required, with access to Maven Central")?;
    let program =
        folder.join("peers.jar").into_os_string().into_string().ok().context("the path is not UTF-8")?;
    Driver::new("java", &[OPTIONS, &[&program]].concat()).peers()
}
