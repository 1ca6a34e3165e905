//! Measures round trips to a server, one at a time on one connection, with the blocking calls of `http2:engine`.
//!
//! Arguments: the server's address, the case (`get`, `post` or `ping-pong`), the path, and the number of round trips.
//! The program prints the duration of each round trip in microseconds, one per line.

mod bindings {
    #![allow(missing_docs, reason = "the WIT files hold the documentation")]

    wit_bindgen::generate!({
        path: "../../../wit",
        world: "application",
        with: {
            "wasi:clocks/monotonic-clock@0.2.12": wasi::clocks::monotonic_clock,
            "wasi:io/poll@0.2.12": wasi::io::poll,
        },
    });
}

use std::io::{self, Write};

use bindings::http2::engine::connection::{Connection, Http2Stream};
use bindings::http2::engine::over_tcp;
use bindings::http2::engine::types::{Error, Method, RequestHead, Scheme};
use wasi::clocks::monotonic_clock;

/// Time limit of each call, in nanoseconds.
const TIMEOUT: Option<u64> = Some(60_000_000_000);

/// The content of a POST, and a message of a ping-pong.
const CONTENT: &[u8] = b"hello";

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [address, case, path, count] = args.as_slice() else { panic!("ADDRESS CASE PATH COUNT: {args:?}") };
    let (host, port) = address.rsplit_once(':').expect("a port");
    let dialed = over_tcp::dial(host, port.parse().expect("a port"), None, TIMEOUT);
    let connection = dialed.unwrap_or_else(|error| panic!("{}", error.message));
    let client = Client { connection, address, path };
    let count = count.parse().expect("a number");
    let took = match case.as_str() {
        "get" => (0..count).map(|_| timed(|| client.exchange(Method::Get, &[]))).collect(),
        "post" => (0..count).map(|_| timed(|| client.exchange(Method::Post, CONTENT))).collect(),
        "ping-pong" => client.ping_pong(count),
        other => panic!("unknown case: {other}"),
    };
    let took: Result<Vec<u64>, Error> = took;
    let mut stdout = io::stdout().lock();
    for microseconds in took.unwrap_or_else(|error| panic!("{}", error.message)) {
        writeln!(stdout, "{microseconds}").expect("standard output");
    }
}

/// A connection, and the target of its requests.
struct Client<'a> {
    connection: Connection,
    address: &'a str,
    path: &'a str,
}

impl Client<'_> {
    /// Begins a request.
    fn open(&self, method: Method, end: bool) -> Result<Http2Stream, Error> {
        let head = RequestHead {
            method,
            scheme: Some(Scheme::Http),
            authority: Some(self.address.to_owned()),
            path_with_query: Some(self.path.to_owned()),
            headers: Vec::new(),
        };
        self.connection.open_stream(&head, end)
    }

    /// Sends a request and receives all of its response.
    fn exchange(&self, method: Method, content: &[u8]) -> Result<(), Error> {
        let stream = self.open(method, content.is_empty())?;
        if !content.is_empty() {
            let sent = stream.blocking_send_data(content, true, TIMEOUT)?;
            assert_eq!(sent as usize, content.len());
        }
        let status = stream.blocking_response(TIMEOUT)?.status;
        assert_eq!(status, 200);
        while stream.blocking_read_data(1 << 16, TIMEOUT)?.is_some() {}
        Ok(())
    }

    /// Sends messages on one stream, each after the previous one has been echoed.
    fn ping_pong(&self, count: u32) -> Result<Vec<u64>, Error> {
        let stream = self.open(Method::Post, false)?;
        let mut answered = false;
        let took = (0..count).map(|_| {
            timed(|| {
                stream.blocking_send_data(CONTENT, false, TIMEOUT)?;
                if !answered {
                    answered = true;
                    assert_eq!(stream.blocking_response(TIMEOUT)?.status, 200);
                }
                let mut left = CONTENT.len();
                while left > 0 {
                    let octets = stream.blocking_read_data(1 << 16, TIMEOUT)?.expect("the rest of the echo");
                    left = left.checked_sub(octets.len()).expect("no more than the echo");
                }
                Ok(())
            })
        });
        let took = took.collect::<Result<_, _>>()?;
        stream.blocking_send_data(&[], true, TIMEOUT)?;
        while stream.blocking_read_data(1 << 16, TIMEOUT)?.is_some() {}
        Ok(took)
    }
}

/// Measures an exchange, in microseconds.
fn timed(exchange: impl FnOnce() -> Result<(), Error>) -> Result<u64, Error> {
    let began = monotonic_clock::now();
    exchange()?;
    Ok((monotonic_clock::now() - began) / 1_000)
}
