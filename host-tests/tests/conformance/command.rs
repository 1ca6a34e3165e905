//! `wasi-http2 serve`, with the demonstration and with a handler of `wasi:http`, and `wasi-http2 get`, over TCP.

use std::net::{TcpListener, TcpStream};

use http2_conformance::Role;
use wasi_http2::components;

use crate::hold;
use crate::support::{Process, Serve, wasi_http2};
use crate::transport::Socket;

#[test]
fn serve_does_what_all_cases_want() {
    let serve = Serve::start();
    hold(Role::Server, || Socket::tcp(TcpStream::connect(serve.address()).unwrap(), ()));
}

#[test]
fn a_handler_of_wasi_http_behind_the_server_does_what_all_cases_want() {
    let serve = Serve::start_handler(components::HTTP_SERVICE, &[]);
    hold(Role::Server, || Socket::tcp(TcpStream::connect(serve.address()).unwrap(), ()));
}

#[test]
fn get_does_what_all_cases_want() {
    hold(Role::Client, || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let process = Process::start(&mut wasi_http2(&["get", "-n", "1000", "-m", "2", &url]));
        Socket::tcp(listener.accept().unwrap().0, process)
    });
}
