//! `wasi-http2 compose`.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::compose::{with_client, with_server};
use crate::{Composition, components};
use anyhow::{Context, Result};
use clap::Args;

use super::{read, write};

/// Compose an application with the components it needs for HTTP/2
///
/// An application that imports http2:engine is composed with the engine over TCP, or over another transport. An application of wasi:http
/// 0.3, which needs no knowledge of HTTP/2, is put into the server (--server), on top of the client (--client), or
/// both. With both options and no application, the result is a reverse proxy.
#[derive(Args)]
#[command(after_help = RUN)]
pub(crate) struct Compose {
    /// The application
    #[arg(long, value_name = "APP.wasm", required_unless_present_all = ["server", "client"])]
    app: Option<PathBuf>,

    /// Put the application, which exports wasi:http/handler 0.3, into the HTTP/2 server
    #[arg(long)]
    server: bool,

    /// Put the application, which imports wasi:http/client or wasi:http/handler 0.3, on top of the HTTP/2 client
    #[arg(long)]
    client: bool,

    /// For http2:engine: a component that exports http2:engine/transport, in place of TCP over wasi:sockets
    #[arg(long, value_name = "TRANSPORT.wasm", conflicts_with_all = ["server", "client"])]
    transport: Option<PathBuf>,

    /// Where to write the result
    #[arg(short, long, value_name = "OUT.wasm")]
    output: PathBuf,
}

const RUN: &str = "\
To run the result in stock Wasmtime:
  http2:engine, a command   wasmtime run -Sinherit-network,allow-ip-name-lookup OUT.wasm
  --server                  wasmtime run -Sp3,http,inherit-network OUT.wasm --help
  --server --client         wasmtime run -Sp3,http,inherit-network,allow-ip-name-lookup OUT.wasm --help
  --client, a command       wasmtime run -Sp3,http,inherit-network,allow-ip-name-lookup OUT.wasm
  --client, a handler       wasmtime serve -Sp3,cli,inherit-network,allow-ip-name-lookup OUT.wasm
A component of WASI 0.2 alone, such as a command of http2:engine, takes a third less CPU time with
  -Sp3=n -Wconcurrency-support=n,component-model-async=n";

impl Compose {
    pub(super) fn run(self) -> Result<ExitCode> {
        let component = match &self.app {
            Some(app) => {
                let application = read(app)?;
                self.compose(&application).with_context(|| format!("{} cannot be composed", app.display()))?
            }
            None => with_server(components::http_client())?,
        };
        write(&self.output, &component)?;
        Ok(ExitCode::SUCCESS)
    }

    fn compose(&self, application: &[u8]) -> Result<Vec<u8>> {
        match (self.server, self.client) {
            (true, true) => with_server(&with_client(application)?),
            (true, false) => with_server(application),
            (false, true) => with_client(application),
            (false, false) => {
                let transport = self.transport.as_deref().map(read).transpose()?;
                let mut composition = Composition::default();
                if let Some(transport) = &transport {
                    composition = composition.transport(transport);
                }
                composition.compose(application)
            }
        }
    }
}
