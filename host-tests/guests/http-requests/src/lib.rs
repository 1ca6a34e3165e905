//! Sends requests of `wasi:http` as ordered on standard input, and reports their progress on standard output.
//!
//! Orders and answers are lines of words separated by tabs. The first word is a number, chosen by the order that
//! sends a request, that identifies the request:
//!
//! | order | meaning |
//! |---|---|
//! | `1 send OPTION…` | send a request; [`order::Order`] lists the options |
//! | `1 more 1000` | write 1,000 more bytes of content that is `open` |
//! | `1 end` | end content that is `open` |
//! | `1 read` | read the content of a response that is `unread` |
//! | `1 cancel` | drop the call, or the response |
//!
//! | answer | meaning |
//! |---|---|
//! | `1 written 1000` | the client has taken this many bytes of content in total |
//! | `1 unwanted` | the client takes no more content |
//! | `1 sent Ok` | the client's result of sending the request |
//! | `1 head 200 NAME: VALUE…` | the head of the response |
//! | `1 data 5 hello` | a piece of content: its size and its start |
//! | `1 end 5 HASH TRAILERS…` | the end, with size and hash of all content, and the trailers or `none` |
//! | `1 cut 5 CODE` | an error in place of the end |
//! | `1 error CODE` | an error in place of a response |
//! | `1 cancelled` | the call or the response was dropped as ordered |

#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "only components export it: other linkers reject the names")
)]

mod content;
mod exchange;
mod order;

use std::collections::BTreeMap;

use wasip3::cli::stdin;
use wasip3::wit_bindgen::{StreamResult, spawn_local};

use crate::exchange::Controls;
use crate::order::Order;

struct HttpRequests;

#[cfg(target_arch = "wasm32")]
wasip3::cli::command::export!(HttpRequests);

impl wasip3::exports::cli::run::Guest for HttpRequests {
    async fn run() -> Result<(), ()> {
        let (mut input, _) = stdin::read_via_stream();
        let mut exchanges = BTreeMap::new();
        let mut text = Vec::new();
        loop {
            let (result, octets) = input.read(Vec::with_capacity(4096)).await;
            text.extend(octets);
            while let Some(end) = text.iter().position(|&octet| octet == b'\n') {
                let line: Vec<u8> = text.drain(..=end).collect();
                follow(String::from_utf8_lossy(&line).trim_end_matches('\n'), &mut exchanges).map_err(
                    |wrong| eprintln!("http-requests: {wrong}: {:?}", line.escape_ascii().to_string()),
                )?;
            }
            if !matches!(result, StreamResult::Complete(_)) {
                // Exchanges that are still running end with the process.
                std::process::exit(0);
            }
        }
    }
}

/// Executes one line.
fn follow(line: &str, exchanges: &mut BTreeMap<String, Controls>) -> Result<(), String> {
    let mut describe = line.split('\t');
    let (Some(id), Some(verb)) = (describe.next(), describe.next()) else {
        return Err("no order".to_owned());
    };
    if verb == "send" {
        let (exchange, controls) = exchange::new(id, Order::parse(describe)?);
        exchanges.insert(id.to_owned(), controls);
        spawn_local(exchange);
        return Ok(());
    }
    exchanges.get_mut(id).ok_or("no such request")?.follow(verb, describe.next())
}
