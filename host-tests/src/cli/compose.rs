//! `wasi-http2 compose`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use wasi_http2::Composition;

/// Makes one component of an application, the engine and a transport
///
/// The application imports http2:engine, and is built for wasm32-wasip2 or turned into a component otherwise.
#[derive(Args)]
#[command(
    after_help = "If the application is a command, the result runs by: wasmtime run -Sinherit-network,allow-ip-name-lookup OUT.wasm"
)]
pub(crate) struct Compose {
    /// The application
    #[arg(long, value_name = "APP.wasm")]
    app: PathBuf,

    /// A component that exports http2:engine/transport, instead of the one over wasi:sockets
    #[arg(long, value_name = "TRANSPORT.wasm")]
    transport: Option<PathBuf>,

    /// Where to write the result
    #[arg(short, long, value_name = "OUT.wasm")]
    output: PathBuf,
}

impl Compose {
    pub(super) fn run(self) -> Result<ExitCode> {
        let application = read(&self.app)?;
        let transport = self.transport.as_deref().map(read).transpose()?;
        let mut composition = Composition::default();
        if let Some(transport) = &transport {
            composition = composition.transport(transport);
        }
        let component = composition
            .compose(&application)
            .with_context(|| format!("{} cannot be composed", self.app.display()))?;
        fs::write(&self.output, component)
            .with_context(|| format!("{} cannot be written", self.output.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("{} cannot be read", file.display()))
}
