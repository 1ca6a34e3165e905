//! What the demonstration serves beyond what any server can, asked by other clients.

use crate::support::peers::{self, Python};
use crate::support::{Serve, get, run};

#[test]
fn a_post_is_answered_once_it_is_complete() {
    let serve = Serve::start();
    assert_eq!(get(&["-d", "some content", &serve.url("/")]).text(), "12 octets\n");
    assert_eq!(get(&["-X", "POST", &serve.url("/")]).text(), "0 octets\n");
}

#[test]
fn curl_gets_early_hints_before_the_response() {
    let serve = Serve::start();
    let Some(mut curl) = peers::installed("curl", "curl") else { return };
    curl.args(["-sS", "--http2-prior-knowledge", "-i"]).arg(serve.url("/early-hints"));
    let response = run(&mut curl).text();
    let heads: Vec<&str> =
        response.lines().filter(|line| line.starts_with("HTTP/2 ")).map(str::trim_end).collect();
    assert_eq!(heads, ["HTTP/2 103", "HTTP/2 200"]);
}

#[test]
fn node_is_served() {
    let serve = Serve::start();
    let Some(mut node) = peers::node("client.mjs") else { return };
    assert_eq!(run(node.arg(serve.url(""))).text(), "ok\n");
}

#[test]
fn httpx_is_served() {
    let serve = Serve::start();
    let Some(python) = Python::with_packages() else { return };
    assert_eq!(run(python.script(&peers::peer_file("client.py")).arg(serve.url(""))).text(), "ok\n");
}
