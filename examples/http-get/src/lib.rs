//! A command-line client in a WebAssembly component of WASI 0.3.
//!
//! It uses `wasi:http/client` and knows nothing of HTTP/2, which the component that it is composed with implements.

#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "only components export it: other linkers reject the names")
)]

mod exchange;
mod failure;
mod load;
mod options;
mod output;
mod request;

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use wasip3::clocks::monotonic_clock;

use crate::failure::Failure;
use crate::options::{Command, HELP, Options};
use crate::output::Output;
use crate::request::Template;

struct HttpGet;

#[cfg(target_arch = "wasm32")]
wasip3::cli::command::export!(HttpGet);

impl wasip3::exports::cli::run::Guest for HttpGet {
    async fn run() -> Result<(), ()> {
        let outcome = match options::parse() {
            Ok(Command::Help) => {
                print!("{HELP}");
                Ok(())
            }
            Ok(Command::Get(options)) => match options.timeout {
                Some(limit) => within(limit, get(&options)).await,
                None => get(&options).await,
            },
            Err(error) => Err(Failure::new("reading the command line", format!("{error}; see --help"))),
        };
        outcome.map_err(|failure| eprintln!("http-get: {failure}"))
    }
}

async fn get(options: &Options) -> Result<(), Failure> {
    let templates: Vec<Template> =
        options.urls.iter().map(|url| Template::new(url, options)).collect::<Result<_, _>>()?;
    if let Some(load) = options.load {
        return load::run(load, &templates).await;
    }
    let mut output = Output::stdout(options.include_head, options.trailers);
    for template in &templates {
        exchange::run(template, &mut output).await?;
    }
    Ok(())
}

/// Runs `work`, and fails if it takes longer than `limit`.
async fn within(limit: Duration, work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let nanoseconds = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
    match select(pin!(work), pin!(monotonic_clock::wait_for(nanoseconds))).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(_) => Err(Failure::new("waiting", "no end within the time allowed")),
    }
}
