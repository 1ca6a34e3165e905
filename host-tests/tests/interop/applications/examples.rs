//! The examples of the crate wasip3.

use host_tests::support::apps::{compose, wasip3_example};
use host_tests::support::peers::{self, Python, curl};
use host_tests::support::{self, get};

use super::run;

#[test]
fn an_example_of_wasip3_answers_over_http2() {
    answers("http-proxy");
}

#[test]
fn an_example_of_wasip3_with_the_types_of_http_answers_over_http2() {
    answers("http-proxy-compat");
}

/// Runs an example behind the server, and asserts that every client receives its greeting.
fn answers(example: &str) {
    let (Some(python), Some(application)) = (Python::with_packages(), wasip3_example(example)) else {
        return;
    };
    let (_wasmtime, url) = run(&python, &compose(&application, &["--server"]), &[]);
    assert_eq!(get(&["-n", "1000", "-m", "100", &url]).code, Some(0));
    assert_eq!(get(&[&url]).text(), "Hello, WASI!");
    if let Some(mut curl) = curl() {
        let response = support::run(curl.args(["-i", &url])).text();
        assert!(response.starts_with("HTTP/2 200"), "{response}");
        assert!(response.ends_with("\r\n\r\nHello, WASI!"), "{response}");
    }
    if let Some(mut nghttp) = peers::installed("nghttp", "nghttp2-client") {
        assert_eq!(support::run(nghttp.arg(&url)).text(), "Hello, WASI!");
    }
}
