//! Calls a handler of wasi:http as the server does, without HTTP/2 or sockets, to measure the cost of the calls
//! alone.
//!
//! Each line of standard input is a number of calls. The program makes that many, several of them concurrently,
//! and prints a line when all were answered.

#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "only components export it: other linkers reject the names")
)]

mod bindings {
    #![allow(missing_docs, reason = "the WIT files hold the documentation")]

    wit_bindgen::generate!({
        path: "../../../src/wasi-http/wit",
        world: "http2:wasi-http/server",
        with: {
            "wasi:clocks/types@0.3.0": http2_wasi_http::bindings::wasi::clocks::types,
            "wasi:http/types@0.3.0": http2_wasi_http::bindings::wasi::http::types,
        },
        generate_all,
    });
}

use futures::stream::{self, StreamExt};
use http2_wasi_http::bindings::wasi::http::types::{ErrorCode, Fields, Request, Response, Scheme};
use http2_wasi_http::bindings::wit_future;
use wit_bindgen::StreamResult;

use crate::bindings::exports::wasi::cli::run::Guest;
use crate::bindings::wasi::cli::stdin;
use crate::bindings::wasi::http::handler;

/// Maximum number of concurrent calls: as many as the server begins in one turn.
const MAX_CONCURRENT: usize = 64;

struct Command;

#[cfg(target_arch = "wasm32")]
bindings::export!(Command with_types_in bindings);

impl Guest for Command {
    async fn run() -> Result<(), ()> {
        let (mut input, _) = stdin::read_via_stream();
        let mut line = Vec::new();
        loop {
            let (result, octets) = input.read(Vec::with_capacity(64)).await;
            if !matches!(result, StreamResult::Complete(_)) {
                return Ok(());
            }
            for octet in octets {
                if octet != b'\n' {
                    line.push(octet);
                    continue;
                }
                let calls: u32 = str::from_utf8(&line).ok().and_then(|line| line.parse().ok()).ok_or(())?;
                line.clear();
                let answered = stream::iter(0..calls).map(|_| call()).buffer_unordered(MAX_CONCURRENT);
                answered.for_each(|answer| async { answer.expect("the handler answers") }).await;
                println!("{calls} answered");
            }
        }
    }
}

/// Makes a GET request for `/`, and reads the whole response.
async fn call() -> Result<(), ErrorCode> {
    let fields = Fields::from_list(&[("user-agent".to_owned(), b"handler-calls".to_vec())])
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    let (end_writer, end) = wit_future::new(|| Ok(None));
    let (request, _) = Request::new(fields, None, end, None);
    let refused = |()| ErrorCode::HttpRequestUriInvalid;
    request.set_scheme(Some(&Scheme::Http)).map_err(refused)?;
    request.set_authority(Some("127.0.0.1:8080")).map_err(refused)?;
    request.set_path_with_query(Some("/")).map_err(refused)?;
    let response = handler::handle(request).await?;
    // Like most handlers, this one does not read the request's end.
    _ = end_writer.write(Ok(None)).await;
    assert_eq!(response.get_status_code(), 200);
    let fields = response.get_headers().copy_all();
    let length = fields.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.and_then(|(_, value)| str::from_utf8(value).ok()?.parse().ok()).unwrap_or(0);
    let (transmitted_writer, transmitted) = wit_future::new(|| Ok(()));
    let (mut contents, end) = Response::consume_body(response, transmitted);
    let (_, octets) = contents.read(Vec::with_capacity(length)).await;
    assert_eq!(octets.len(), length);
    drop(contents);
    end.await?;
    _ = transmitted_writer.write(Ok(())).await;
    Ok(())
}
