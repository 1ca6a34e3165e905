//! `examples/container`.

use std::fs;
use std::path::Path;
use std::process::Command;

use host_tests::guests;
use host_tests::support::Process;
use host_tests::support::peers::Python;
use host_tests::support::raw::RawClient;
use http2_test_support::{flag, kind};
use tempfile::TempDir;
use wasi_http2::compose::with_server;

#[test]
fn sigterm_lets_requests_finish() {
    let Some(python) = Python::with_packages() else { return };
    let folder = TempDir::new().unwrap();
    let server = folder.path().join("server.wasm");
    fs::write(&server, with_server(guests::HTTP_SERVICE).unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/container/drain.sh");
    let mut sh = Command::new("sh");
    sh.arg(script).arg(server).args(["--addr", "127.0.0.1:0"]);
    sh.env("WASMTIME", python.wasmtime().get_program());

    let (process, address) = Process::start_and_read_line(&mut sh, "http2-server: listening on ");
    let mut client = RawClient::connect(address.parse().unwrap());
    client.request(1, "GET", "/delay/2000", flag::END_STREAM);
    client.synchronise();
    process.terminate();
    let frames = client.receive_all();
    let content = frames.iter().find(|frame| frame.kind == kind::DATA).expect("the response");
    assert_eq!(content.payload, b"that took a while\n");
    assert_eq!(process.finish().code, Some(0));
}
