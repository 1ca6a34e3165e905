//! Runs components composed by `wasi-http2 compose` in stock Wasmtime.

use std::fs;

use host_tests::support::peers::Python;
use host_tests::support::{Process, get, run, wasi_http2};
use tempfile::TempDir;
use wasi_http2::components;

#[test]
fn a_composed_client_talks_to_a_composed_server() {
    let Some(python) = Python::with_packages() else { return };
    let folder = TempDir::new().unwrap();
    let compose = |name: &str, application: &[u8]| {
        let app = folder.path().join(format!("{name}-alone.wasm"));
        let composed = folder.path().join(format!("{name}.wasm"));
        fs::write(&app, application).unwrap();
        let compose = run(wasi_http2(&["compose", "--app"]).arg(app).arg("-o").arg(&composed));
        assert_eq!(compose.code, Some(0), "{}", compose.stderr);
        composed
    };
    let server = compose("server", components::ECHO_SERVER);
    let client = compose("client", components::FETCH);

    let wasmtime = || {
        let mut wasmtime = python.wasmtime();
        wasmtime.args(["run", "-Sinherit-network"]);
        wasmtime
    };
    let (_serve, url) = Process::start_listening(wasmtime().arg(server).args(["--addr", "127.0.0.1:0"]));
    assert_eq!(get(&["-d", "through both", &format!("{url}/echo")]).text(), "through both");
    let fetched = run(wasmtime().arg(client).args(["-i", &format!("{url}/status/404")])).text();
    assert!(fetched.starts_with("HTTP/2 404"), "{fetched}");
}
