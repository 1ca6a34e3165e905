//! Other implementations: those that are installed, and those that Python's packages bring.

use std::env;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::{Process, run};

/// A program, if it is installed; with a word if it is not.
pub(crate) fn installed(program: &str, package: &str) -> Option<Command> {
    let found = find(program);
    if found.is_none() {
        skip(&format!("{program} is missing (apt-get install {package})"));
    }
    found
}

/// A program, if it is installed.
pub(crate) fn find(program: &str) -> Option<Command> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Debian keeps servers where only the administrator's PATH leads.
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file()).map(Command::new)
}

/// curl, which starts with HTTP/2.
pub(crate) fn curl() -> Option<Command> {
    let mut curl = installed("curl", "curl")?;
    curl.args(["--silent", "--show-error", "--http2-prior-knowledge"]);
    Some(curl)
}

/// A script of this folder, for Node.
pub(crate) fn node(script: &str) -> Option<Command> {
    let mut node = installed("node", "nodejs")?;
    node.arg(peer_file(script));
    Some(node)
}

/// A file of the folder of scripts.
pub(crate) fn peer_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/peers").join(name)
}

/// Says on the terminal that a test is left out. On a machine that has to have everything, that is an error.
pub(crate) fn skip(why: &str) {
    assert!(env::var("CI").as_deref() != Ok("true"), "{why}");
    // Not `eprintln!`, which the test harness keeps to itself.
    _ = writeln!(io::stderr(), "skipped: {why}");
}

/// Where everything is kept that the tests get or make once.
pub(crate) fn peers_folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("peers");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Python with the packages of `peers/requirements.txt`, in a folder of its own; those of
/// `peers/pure-requirements.txt` are for components.
pub(crate) struct Python {
    folder: PathBuf,
}

impl Python {
    /// Makes the folder, unless an earlier test has; none if there is no Python or no package index.
    pub(crate) fn with_packages() -> Option<Self> {
        let mut python = installed("python3", "python3-venv")?;
        let folder = peers_folder().join("venv");
        // Other test processes may be about to do the same.
        let lock = File::create(peers_folder().join("lock")).unwrap();
        lock.lock().unwrap();

        let files = ["requirements.txt", "pure-requirements.txt"];
        let wanted = files.map(|file| fs::read(peer_file(file)).unwrap()).concat();
        let complete = folder.join("complete");
        if fs::read(&complete).ok().as_ref() != Some(&wanted) {
            let made = run(python.args(["-m", "venv", "--clear"]).arg(&folder));
            if made.code != Some(0) {
                skip(&format!("no virtual environment (apt-get install python3-venv): {}", made.stderr));
                return None;
            }
            let pip = folder.join("bin/pip");
            let install =
                run(Command::new(&pip).args(["install", "-q", "-r"]).arg(peer_file("requirements.txt")));
            // Components cannot have native code in them.
            let pure =
                ["--no-deps", "--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none"];
            let install_pure = || {
                let mut pip = Command::new(&pip);
                pip.args(["install", "-q"]).args(pure).arg("--target").arg(folder.join("pure"));
                run(pip.arg("-r").arg(peer_file("pure-requirements.txt")))
            };
            let install = if install.code == Some(0) { install_pure() } else { install };
            if install.code != Some(0) {
                skip(&format!("Python's packages cannot be installed: {}", install.stderr));
                return None;
            }
            fs::write(&complete, &wanted).unwrap();
        }
        Some(Self { folder })
    }

    /// A script, to be run with the packages.
    pub(crate) fn script(&self, file: &Path) -> Command {
        let mut python = Command::new(self.folder.join("bin/python"));
        python.arg(file);
        python
    }

    /// A program that a package brings.
    pub(crate) fn program(&self, name: &str) -> Command {
        Command::new(self.folder.join("bin").join(name))
    }

    /// The packages that components can have in them.
    pub(crate) fn pure_packages(&self) -> PathBuf {
        self.folder.join("pure")
    }

    /// A module, to be run as a program.
    pub(crate) fn module(&self, name: &str) -> Command {
        let mut python = self.program("python");
        python.args(["-m", name]);
        python
    }

    /// Wasmtime's own command.
    pub(crate) fn wasmtime(&self) -> Command {
        let package = "import wasmtime_cli, os; print(os.path.dirname(wasmtime_cli.__file__))";
        let folder = run(Command::new(self.folder.join("bin/python")).args(["-c", package])).text();
        let wasmtime = Path::new(folder.trim_end()).join("wasmtime");
        // The package has it without leave to run.
        fs::set_permissions(&wasmtime, Permissions::from_mode(0o755)).unwrap();
        Command::new(wasmtime)
    }
}

/// `httpwg` of the crate httpwg-cli, which is built unless an earlier test has; none if it cannot be.
pub(crate) fn httpwg() -> Option<Command> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let root = target.join("peers/httpwg");
    fs::create_dir_all(&root).unwrap();
    // Other test processes may be about to do the same.
    let lock = File::create(target.join("peers/httpwg.lock")).unwrap();
    lock.lock().unwrap();
    let httpwg = root.join("bin/httpwg");
    if !httpwg.exists() {
        let mut install = Command::new(env!("CARGO"));
        // It is built in a directory of its own, and not for what the environment wants of this project.
        install.env_remove("CARGO_TARGET_DIR").env_remove("RUSTFLAGS").current_dir(&root);
        let install = install.args(["install", "--locked", "--version", "0.2.5", "httpwg-cli", "--root"]);
        let install = run(install.arg(&root));
        if install.code != Some(0) {
            skip(&format!("httpwg-cli cannot be installed: {}", install.stderr));
            return None;
        }
    }
    Some(Command::new(httpwg))
}

/// `nghttpd` on a free port, serving a folder.
pub(crate) fn nghttpd(folder: &Path, options: &[&str]) -> Option<(Process, String)> {
    installed("nghttpd", "nghttp2-server")?;
    let (process, port) = on_free_port(|port| {
        let mut command = find("nghttpd").unwrap();
        command
            .args(["--no-tls", "-a", "127.0.0.1"])
            .args(options)
            .arg("-d")
            .arg(folder)
            .arg(port.to_string());
        command
    });
    Some((process, format!("http://127.0.0.1:{port}")))
}

/// Starts a server that has to be told a port of 127.0.0.1, and waits until it can be connected to.
#[track_caller]
pub(crate) fn on_free_port(command: impl Fn(u16) -> Command) -> (Process, u16) {
    // Another may have taken the one that was free.
    let mut last = None;
    for _ in 0..10 {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut process = Process::start(&mut command(port));
        while !process.has_ended() {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return (process, port);
            }
            thread::sleep(Duration::from_millis(10));
        }
        last = Some(process.finish());
    }
    panic!("the server does not start: {last:?}");
}
