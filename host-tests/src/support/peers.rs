//! Other implementations: installed programs, and Python packages.

use std::env;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::{PROFILE, Process, package_file, run};

/// Returns a program if it is installed; otherwise prints how to install it.
pub fn installed(program: &str, package: &str) -> Option<Command> {
    let found = find(program);
    if found.is_none() {
        skip(&format!("{program} is missing (apt-get install {package})"));
    }
    found
}

/// Returns a program if it is installed.
pub fn find(program: &str) -> Option<Command> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Debian puts servers in /usr/sbin, which is not in a user's PATH.
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file()).map(Command::new)
}

/// Returns curl with options to start with HTTP/2.
pub fn curl() -> Option<Command> {
    let mut curl = installed("curl", "curl")?;
    curl.args(["--silent", "--show-error", "--http2-prior-knowledge"]);
    Some(curl)
}

/// Returns a command that runs a script of `tests/interop/peers` in Node.
pub fn node(script: &str) -> Option<Command> {
    let mut node = installed("node", "nodejs")?;
    node.arg(peer_file(script));
    Some(node)
}

/// Returns the path of a file in `tests/interop/peers`.
pub fn peer_file(name: &str) -> PathBuf {
    package_file("tests/interop/peers").join(name)
}

/// Prints that a test is skipped, or panics if `CI=true`.
pub fn skip(why: &str) {
    assert!(env::var("CI").as_deref() != Ok("true"), "{why}");
    // The test harness captures the output of `eprintln!`.
    _ = writeln!(io::stderr(), "skipped: {why}");
}

/// Returns the folder for everything that the tests download or build once.
pub fn peers_folder() -> PathBuf {
    let folder = PROFILE.with_file_name("peers");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A Python virtual environment with the packages of `peers/requirements.txt`.
///
/// The packages of `peers/pure-requirements.txt` are for components.
pub struct Python {
    folder: PathBuf,
}

impl Python {
    /// Creates the environment, unless an earlier test has.
    ///
    /// Returns `None` without Python or a package index.
    pub fn with_packages() -> Option<Self> {
        let mut python = installed("python3", "python3-venv")?;
        let folder = peers_folder().join("venv");
        // Other test processes may do the same at the same time.
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
            // Components cannot contain native code.
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

    /// Returns a command that runs a script with the packages.
    pub fn script(&self, file: &Path) -> Command {
        let mut python = Command::new(self.folder.join("bin/python"));
        python.arg(file);
        python
    }

    /// Returns a command that runs a program of a package.
    pub fn program(&self, name: &str) -> Command {
        Command::new(self.folder.join("bin").join(name))
    }

    /// Returns the folder of the packages for components.
    pub fn pure_packages(&self) -> PathBuf {
        self.folder.join("pure")
    }

    /// Returns a command that runs a module as a program.
    pub fn module(&self, name: &str) -> Command {
        let mut python = self.program("python");
        python.args(["-m", name]);
        python
    }

    /// Returns Wasmtime's own command.
    pub fn wasmtime(&self) -> Command {
        let package = "import wasmtime_cli, os; print(os.path.dirname(wasmtime_cli.__file__))";
        let folder = run(Command::new(self.folder.join("bin/python")).args(["-c", package])).text();
        let wasmtime = Path::new(folder.trim_end()).join("wasmtime");
        // The file in the package is not executable.
        fs::set_permissions(&wasmtime, Permissions::from_mode(0o755)).unwrap();
        Command::new(wasmtime)
    }
}

/// Returns `httpwg` of the crate httpwg-cli.
///
/// Builds it unless an earlier test has; returns `None` if that fails.
pub fn httpwg() -> Option<Command> {
    let root = peers_folder().join("httpwg");
    fs::create_dir_all(&root).unwrap();
    // Other test processes may do the same at the same time.
    let lock = File::create(root.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let httpwg = root.join("bin/httpwg");
    if !httpwg.exists() {
        let mut install = Command::new(env!("CARGO"));
        // Build it in its own directory, without the settings that the environment has for this project.
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

/// Starts `nghttpd` on a free port, serving a folder.
pub fn nghttpd(folder: &Path, options: &[&str]) -> Option<(Process, String)> {
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

/// Starts a server that takes a port of 127.0.0.1 as an argument, and waits until it accepts connections.
#[track_caller]
pub fn on_free_port(command: impl Fn(u16) -> Command) -> (Process, u16) {
    // Try again if another process has taken the port meanwhile.
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
