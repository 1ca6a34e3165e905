//! `wasi-http2 serve`, both with the demonstration server and with a handler of `wasi:http`, and `wasi-http2 get`, over
//! TCP.

use std::net::{TcpListener, TcpStream};

use host_tests::guests;
use host_tests::support::{Process, Serve, wasi_http2};
use http2_conformance::Role;

use crate::run_cases;
use crate::transport::Socket;

#[test]
fn serve_passes_all_cases() {
    let serve = Serve::start();
    run_cases(Role::Server, || Socket::tcp(TcpStream::connect(serve.address()).unwrap(), ()));
}

#[test]
fn a_wasi_http_handler_behind_the_server_passes_all_cases() {
    let serve = Serve::start_handler(guests::HTTP_SERVICE, &[]);
    run_cases(Role::Server, || Socket::tcp(TcpStream::connect(serve.address()).unwrap(), ()));
}

#[test]
fn get_passes_all_cases() {
    run_cases(Role::Client, || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let process = Process::start(&mut wasi_http2(&["get", "-n", "1000", "-m", "2", &url]));
        Socket::tcp(listener.accept().unwrap().0, process)
    });
}
