//! A handler in Python.

use std::fs;

use host_tests::support::apps::{compose, python_handler};
use host_tests::support::peers::{self, Python, curl};
use host_tests::support::{self, Process, assert_same, get, octets, run_with_input};
use tempfile::TempDir;

use super::{run, serve};

const MIB: usize = 1 << 20;

/// Starts the example behind the server.
fn start() -> Option<(Process, String)> {
    let python = Python::with_packages()?;
    Some(run(&python, &compose(&python_handler(&python), &["--server"]), &[]))
}

#[test]
fn a_handler_in_python_answers_over_http2() {
    let Some((_wasmtime, url)) = start() else { return };
    let Some(mut curl) = curl() else { return };
    let response = support::run(curl.args(["-i", &url])).text();
    assert!(response.starts_with("HTTP/2 200"), "{response}");
    assert!(response.ends_with("\r\n\r\nHello from Python, which knows nothing of HTTP/2.\n"), "{response}");
    assert!(get(&["-i", &format!("{url}/nothing")]).text().starts_with("HTTP/2 404"));
    assert_eq!(get(&["-n", "300", "-m", "100", &url]).code, Some(0));
}

#[test]
fn python_echoes_content_while_it_arrives_and_adds_trailers() {
    let Some((_wasmtime, url)) = start() else { return };
    let echo = format!("{url}/echo");
    let shown = get(&["--trailers", "-d", "some content", &echo]).text();
    assert!(shown.starts_with("some content"), "{shown}");
    let digest = "content-sha256: 290f493c44f5d63d06b374d0a5abd292fae38b92cab2fae5efefe1b0e9347f56";
    assert!(shown.contains(digest), "{shown}");

    let Some(mut curl) = curl() else { return };
    let sent = octets(8 * MIB);
    let received = run_with_input(curl.args(["-X", "POST", "-T", "-", &echo]), sent.clone());
    assert_same(&received.content(), &sent);
}

#[test]
fn python_streams_lines() {
    let Some((_wasmtime, url)) = start() else { return };
    let shown = get(&["-v", &format!("{url}/lines/20")]);
    // Each line is sent when it is written; a slow machine may merge some of them.
    let frames = shown.stderr.lines().filter(|line| line.contains("recv DATA frame")).count();
    assert!(frames > 1, "{}", shown.stderr);
    assert!(shown.text().ends_with("line 19\nline 20\n"));
}

#[test]
fn a_client_that_disconnects_does_not_affect_others() {
    let Some((_wasmtime, url)) = start() else { return };
    let Some(mut curl) = curl() else { return };
    let endless = support::run(curl.args(["--max-time", "0.5", &format!("{url}/lines/999999")]));
    assert_eq!(endless.code, Some(28), "{}", endless.stderr);
    assert_eq!(get(&[&format!("{url}/lines/1")]).text(), "line 1\n");
}

#[test]
fn python_sends_requests_over_http2() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), "from another service\n").unwrap();
    let Some((_nghttpd, other)) = peers::nghttpd(folder.path(), &["--trailer", "checked: yes"]) else {
        return;
    };
    let Some(python) = Python::with_packages() else { return };
    let application = python_handler(&python);
    let ask = format!("/fetch?{other}/file");

    let (_wasmtime, url) = run(&python, &compose(&application, &["--server", "--client"]), &[]);
    let shown = get(&["--trailers", &format!("{url}{ask}")]).text();
    assert!(shown.starts_with("from another service\n"), "{shown}");
    assert!(shown.contains("checked: yes"), "{shown}");
    assert!(get(&["-i", &format!("{url}/fetch?{other}/nothing")]).text().starts_with("HTTP/2 404"));
    let refused = get(&["-i", &format!("{url}/fetch?http://127.0.0.1:1/")]).text();
    assert!(refused.starts_with("HTTP/2 502"), "{refused}");

    // nghttpd does not speak HTTP/1.1, so this request cannot have used Wasmtime's own client.
    let (_wasmtime, url) = serve(&python, &compose(&application, &["--client"]));
    let Some(mut curl) = peers::installed("curl", "curl") else { return };
    assert_eq!(support::run(curl.args(["-sS", &format!("{url}{ask}")])).text(), "from another service\n");
}
