//! Measures the CPU time and the memory of HTTP/2 servers under the same loads, and shows them as a table and a plot.

mod idle;
mod load;
mod memory;
mod plot;
mod process;
mod report;
mod servers;

use std::fs;
use std::io::{IsTerminal, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Parser;

use crate::load::LOADS;
use crate::process::Running;
use crate::report::{Report, Row};
use crate::servers::Server;

/// Measures the CPU time and the memory of HTTP/2 servers under the same loads.
///
/// Each server runs on the first core, and the load (h2load) on the second. CPU time is the operating system's account of
/// the server's process. The table shows the median of the rounds, and in brackets the ratio to h2.
///
/// Needs h2load (Debian: nghttp2-client) and taskset (util-linux). h2o and nghttpd are measured if they are installed, and
/// components under stock Wasmtime if version 48 or later is found: in WASMTIME, in PATH, or where the tests install it.
#[derive(Parser)]
struct Options {
    /// Rounds; each measures every server once.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// A tenth of the requests, and one round.
    #[arg(long)]
    quick: bool,
    /// Leave out the components, whose host takes minutes to build.
    #[arg(long)]
    native: bool,
    /// Measure only these servers, and h2.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// A program to measure in addition, built elsewhere; it prints its address.
    #[arg(long, value_name = "NAME=PROGRAM")]
    also: Vec<String>,
    /// Folder for the results: servers.json, servers.svg and the table, servers.md.
    #[arg(short, long, value_name = "FOLDER", default_value = "target")]
    output: PathBuf,
}

fn main() -> Result<()> {
    let mut options = Options::parse();
    if options.quick {
        options.rounds = 1;
    }
    let place = tempfile::tempdir()?;
    let servers = servers(&options, place.path())?;
    let content = place.path().join("content");
    fs::write(&content, vec![0; load::MIB as usize])?;
    let mut report = Report::new(&servers, options.rounds)?;
    for round in 1..=options.rounds {
        for (number, (server, row)) in servers.iter().zip(&mut report.rows).enumerate() {
            let at = format!(
                "round {round} of {}, server {} of {}: {}",
                options.rounds,
                number + 1,
                servers.len(),
                server.name
            );
            measure(server, row, &content, &options, &at).with_context(|| server.name.clone())?;
        }
    }
    progress("");
    report.save(&options.output)
}

/// Returns the servers that the options select.
fn servers(options: &Options, place: &Path) -> Result<Vec<Server>> {
    let mut servers = servers::native(place, &options.also)?;
    if !options.native {
        servers.extend(servers::components(place)?);
    }
    for name in &options.only {
        let names: Vec<_> = servers.iter().map(|server| server.name.as_str()).collect();
        ensure!(names.contains(&name.as_str()), "--only {name}: there are {}", names.join(", "));
    }
    if !options.only.is_empty() {
        servers.retain(|server| server.name == "h2" || options.only.contains(&server.name));
    }
    Ok(servers)
}

/// Measures a server once.
fn measure(server: &Server, row: &mut Row, content: &Path, options: &Options, at: &str) -> Result<()> {
    let running = Running::start(server)?;
    for load in LOADS.iter().filter(|load| load.is_for(server.protocol) && server.serves(load.path)) {
        progress(&format!("{at}: {}", load.name));
        row.add(load.name, load.apply(server.protocol, &running, content, options.quick)?);
    }
    drop(running);
    if server.serves("/upload") && server.protocol == load::Protocol::Http2 {
        progress(&format!("{at}: memory"));
        // A new process, because none returns all memory that it has used.
        let memory = memory::measure(&Running::start(server)?)?;
        row.add(memory::IDLE, memory.idle_connection);
        row.add(memory::OPEN, memory.open_stream);
    }
    Ok(())
}

/// Shows the progress on a terminal in one line, elsewhere in a line each.
fn progress(text: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K{text}");
        let _ = std::io::stderr().flush();
    } else if !text.is_empty() {
        eprintln!("{text}");
    }
}
