//! `wasi-http2 components`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::components;
use anyhow::{Context, Result};
use clap::Args;

use super::write;

/// Write the components of this project to files
///
///   http2_over_tcp.wasm  all of http2:engine, over TCP (WASI 0.2)
///   http2.wasm           the engine alone: exports http2:engine/connection over any byte-stream (WASI 0.2)
///   http2_tcp.wasm       byte-streams over TCP for it (WASI 0.2)
///   http2_server.wasm    a command that serves a wasi:http/handler over HTTP/2 (WASI 0.3)
///   http2_client.wasm    wasi:http/client and wasi:http/handler, over HTTP/2 (WASI 0.3)
#[derive(Args)]
#[command(verbatim_doc_comment, after_help = PLUG)]
pub(crate) struct Components {
    /// The directory to write them to; created if it does not exist
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

const PLUG: &str = "\
To compose an application of http2:engine with http2_over_tcp.wasm, run either of:
  wasi-http2 compose --app APP.wasm -o OUT.wasm
  wac plug APP.wasm --plug http2_over_tcp.wasm -o OUT.wasm
To serve an application with http2_server.wasm, run either of:
  wasi-http2 compose --server --app APP.wasm -o OUT.wasm
  wac plug http2_server.wasm --plug APP.wasm -o OUT.wasm
To run an application on top of http2_client.wasm, run either of:
  wasi-http2 compose --client --app APP.wasm -o OUT.wasm
  wac plug APP.wasm --plug http2_client.wasm -o OUT.wasm";

impl Components {
    pub(super) fn run(self) -> Result<ExitCode> {
        fs::create_dir_all(&self.output)
            .with_context(|| format!("{} cannot be created", self.output.display()))?;
        let components = [
            ("http2_over_tcp.wasm", components::ENGINE_OVER_TCP),
            ("http2.wasm", components::ENGINE),
            ("http2_tcp.wasm", components::TCP),
            ("http2_server.wasm", components::http_server()),
            ("http2_client.wasm", components::http_client()),
        ];
        for (name, component) in components {
            write(&self.output.join(name), component)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
