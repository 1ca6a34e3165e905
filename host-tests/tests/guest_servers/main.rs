//! The examples `axum-server` and `grpc-server`, and the guest `tokio-client`, in stock Wasmtime.
//!
//! All are components on the module `wasi` of `http2-tokio`. Wasmtime's command and grpcio come from PyPI; without them, the
//! tests are skipped with a message, unless `CI=true` is set.

#![cfg(unix)]

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use host_tests::guests;
use host_tests::support::peers::{Python, curl, installed};
use host_tests::support::raw::RawClient;
use host_tests::support::{DEADLINE, Process, assert_same, octets, run, run_with_input};
use tempfile::TempDir;

/// Components in files, and Wasmtime's command.
struct Wasmtime {
    folder: TempDir,
    python: Python,
}

impl Wasmtime {
    fn new() -> Option<Self> {
        Some(Self { folder: TempDir::new().unwrap(), python: Python::with_packages()? })
    }

    fn file(&self, name: &str, component: &[u8]) -> PathBuf {
        let file = self.folder.path().join(name);
        fs::write(&file, component).unwrap();
        file
    }

    fn command(&self, file: &Path) -> Command {
        let mut wasmtime = self.python.wasmtime();
        wasmtime.args(["run", "-Sinherit-network"]).arg(file);
        wasmtime
    }

    /// Starts a server, and returns its address.
    fn serve(&self, component: &[u8]) -> (Process, String) {
        let file = self.file("server.wasm", component);
        let (process, url) = Process::start_listening(self.command(&file).arg("127.0.0.1:0"));
        (process, url.strip_prefix("http://").unwrap().to_owned())
    }

    /// Runs `tokio-client`.
    fn client(&self, args: &[&str]) {
        let file = self.file("client.wasm", guests::TOKIO_CLIENT);
        let client = run(self.command(&file).args(args));
        assert_eq!(client.code, Some(0), "{args:?}: {}", client.stderr);
    }
}

fn h2load(address: &str, options: &[&str]) {
    let Some(mut h2load) = installed("h2load", "nghttp2-client") else { return };
    let output = run(h2load.arg("-T60s").args(options).arg(format!("http://{address}/"))).text();
    assert!(output.contains(" 0 failed, 0 errored, 0 timeout"), "{output}");
}

#[test]
fn curl_calls_axum() {
    let Some(wasmtime) = Wasmtime::new() else { return };
    let (_server, address) = wasmtime.serve(guests::AXUM_SERVER);
    let call = |path: &str, options: &[&str], input: Vec<u8>| {
        let mut curl = curl()?;
        curl.args(options).arg(format!("http://{address}{path}"));
        Some(run_with_input(&mut curl, input).content())
    };
    let Some(greeting) = call("/", &["-i"], Vec::new()) else { return };
    let greeting = String::from_utf8(greeting).unwrap();
    assert!(greeting.starts_with("HTTP/2 200"), "{greeting}");
    assert!(greeting.ends_with("Hello from axum in a WebAssembly component, over HTTP/2.\n"), "{greeting}");
    let json = ["-H", "content-type: application/json", "--data-binary", "@-"];
    assert_eq!(call("/sum", &json, b"{\"terms\": [1, 2.5]}".to_vec()).unwrap(), b"{\"sum\":3.5}");
    assert_eq!(call("/count/3", &[], Vec::new()).unwrap(), b"1\n2\n3\n");
    let content = octets(10_000_000);
    let echoed = call("/echo", &["--data-binary", "@-"], content.clone()).unwrap();
    assert_same(&echoed, &content);
}

#[test]
fn h2load_calls_axum() {
    let Some(wasmtime) = Wasmtime::new() else { return };
    let (_server, address) = wasmtime.serve(guests::AXUM_SERVER);
    h2load(&address, &["-n1000", "-c1", "-m100"]);
    h2load(&address, &["-n1000", "-c100", "-m1"]);
    // Several times as many sockets as Wasmtime handles without a pause.
    for _ in 0..3 {
        h2load(&address, &["-n8000", "-c400", "-m5"]);
    }
}

#[test]
fn idle_connections_are_heard_beside_a_busy_one() {
    let Some(wasmtime) = Wasmtime::new() else { return };
    let (_server, address) = wasmtime.serve(guests::AXUM_SERVER);
    let connect = || RawClient::connect(address.parse().unwrap());
    let mut idle: [RawClient; 200] = std::array::from_fn(|_| connect());
    let mut busy = connect();
    for stream in (1..).step_by(2).take(300) {
        busy.exchange(stream);
    }
    thread::scope(|scope| {
        scope.spawn(|| (1_001..).step_by(2).take(500).for_each(|stream| busy.exchange(stream)));
        idle.iter_mut().for_each(|client| client.exchange(1));
    });
}

#[test]
fn grpcio_calls_tonic() {
    let Some(wasmtime) = Wasmtime::new() else { return };
    let (_server, address) = wasmtime.serve(guests::GRPC_SERVER);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guest_servers/greeter.py");
    run(wasmtime.python.script(&script).arg(&address)).content();
}

#[test]
fn a_client_calls_axum() {
    let Some(wasmtime) = Wasmtime::new() else { return };
    let (_server, address) = wasmtime.serve(guests::AXUM_SERVER);
    wasmtime.client(&["requests", &address]);
    wasmtime.client(&["echo", &address]);
}

#[test]
fn sockets_and_timers_behave_as_natively() {
    let Some(wasmtime) = Wasmtime::new() else { return };
    wasmtime.client(&["sockets"]);
}

#[test]
fn timers_of_tokio_expire_beside_busy_tasks() {
    let Some(wasmtime) = Wasmtime::new() else { return };
    wasmtime.client(&["timers"]);
}

#[test]
fn a_reset_is_distinguished_from_an_end() {
    let Some(wasmtime) = Wasmtime::new() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let peer = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.read_exact(&mut [0]).unwrap();
        rustix::net::sockopt::set_socket_linger(&socket, Some(Duration::ZERO)).unwrap();
    });
    wasmtime.client(&["reset", &address]);
    peer.join().unwrap();
}
