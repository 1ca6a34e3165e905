//! Sends the requests of `wasi:http` that standard input orders, and tells on standard output what becomes of them.
//!
//! Lines go both ways, and a tab stands between the words of a line. The first word of an order is a number, by which
//! later lines name the request:
//!
//! | line | meaning |
//! |---|---|
//! | `1 send OPTION…` | sends a request; the options are those of [`order::Order`] |
//! | `1 more 1000` | 1,000 octets more of content that is `open` |
//! | `1 end` | the end of content that is `open` |
//! | `1 read` | reads the content of a response that was to be `unread` |
//! | `1 cancel` | drops the call, or the response |
//!
//! | answer | meaning |
//! |---|---|
//! | `1 written 1000` | so many octets of content were taken, all in all |
//! | `1 unwanted` | no more content is taken |
//! | `1 sent Ok` | what the client says of the way of the request |
//! | `1 head 200 NAME: VALUE…` | a response |
//! | `1 data 5 hello` | content; only a little of it is told |
//! | `1 end 5 HASH TRAILERS…` | the end, with octets and hash of all content; `none` where there are no trailers |
//! | `1 cut 5 CODE` | an error in place of the end |
//! | `1 error CODE` | an error in place of a response |
//! | `1 cancelled` | it was dropped as ordered |

mod content;
mod exchange;
mod order;

use std::collections::BTreeMap;

use wasip3::cli::stdin;
use wasip3::wit_bindgen::{StreamResult, spawn_local};

use crate::exchange::Controls;
use crate::order::Order;

struct HttpRequests;

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
                // What still runs ends with this.
                std::process::exit(0);
            }
        }
    }
}

/// Follows one line.
fn follow(line: &str, exchanges: &mut BTreeMap<String, Controls>) -> Result<(), String> {
    let mut words = line.split('\t');
    let (Some(id), Some(verb)) = (words.next(), words.next()) else { return Err("no order".to_owned()) };
    if verb == "send" {
        let (exchange, controls) = exchange::new(id, Order::parse(words)?);
        exchanges.insert(id.to_owned(), controls);
        spawn_local(exchange);
        return Ok(());
    }
    exchanges.get_mut(id).ok_or("no such request")?.follow(verb, words.next())
}
