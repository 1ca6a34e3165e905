//! The results of all servers, as a table, a plot and a file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::load::LOADS;
use crate::servers::{Kind, Server, version};
use crate::{memory, plot};

/// The results, and where they come from.
#[derive(Serialize)]
pub(crate) struct Report {
    /// The machine, the versions of the servers, and the date with the number of rounds.
    pub(crate) origin: [String; 3],
    pub(crate) rows: Vec<Row>,
}

/// The results of one server.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) server: String,
    pub(crate) kind: Kind,
    /// By measure, one value for each round.
    results: BTreeMap<&'static str, Vec<f64>>,
}

impl Row {
    fn new(server: &str, kind: Kind) -> Self {
        Self { server: server.to_owned(), kind, results: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, measure: &'static str, value: f64) {
        self.results.entry(measure).or_default().push(value);
    }

    /// Returns the median of the rounds.
    fn median(&self, measure: &str) -> Option<f64> {
        let mut values = self.results.get(measure)?.clone();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    }
}

/// Returns the names of all measures, in the order in which they are shown.
pub(crate) fn measures() -> impl Iterator<Item = &'static str> {
    LOADS.iter().map(|load| load.name).chain([memory::IDLE, memory::OPEN])
}

impl Report {
    pub(crate) fn new(servers: &[Server], rounds: usize) -> Result<Self> {
        let rows = servers.iter().map(|server| Row::new(&server.name, server.kind)).collect();
        let date = format!("{}, rounds: {rounds}", printed("date", &["-u", "+%F"])?);
        Ok(Self { origin: [machine()?, versions(servers)?, date], rows })
    }

    /// Returns how many times as much as `h2` a server needs.
    pub(crate) fn ratio(&self, row: &Row, measure: &str) -> Option<f64> {
        let reference = self.rows.iter().find(|row| row.server == "h2")?;
        Some(row.median(measure)? / reference.median(measure)?)
    }

    /// Returns a table in Markdown, with a row for each server.
    fn table(&self) -> String {
        let mut text = String::from("| |");
        for measure in measures() {
            let _ = write!(text, " {measure} |");
        }
        let _ = write!(text, "\n|---|{}\n", "--:|".repeat(measures().count()));
        for row in &self.rows {
            let _ = write!(text, "| {} |", row.server);
            for measure in measures() {
                let _ = match (row.median(measure), self.ratio(row, measure)) {
                    (Some(value), Some(ratio)) => write!(text, " {value:.2} ({ratio:.2}) |"),
                    _ => write!(text, " – |"),
                };
            }
            text.push('\n');
        }
        text
    }

    /// Prints the table, and writes it, the plot and the results of every round to a folder.
    pub(crate) fn save(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        let table = self.table();
        let origin = self.origin.join("\n");
        println!("{table}\n{origin}");
        fs::write(folder.join("servers.md"), format!("{table}\n{origin}\n"))?;
        fs::write(folder.join("servers.json"), serde_json::to_string_pretty(self)?)?;
        svg::save(folder.join("servers.svg"), &plot::draw(self))?;
        println!("written to {}: servers.md, servers.json, servers.svg", folder.display());
        Ok(())
    }
}

/// Returns the processor and the system.
fn machine() -> Result<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let models: Vec<_> =
        cpus.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(": ")).collect();
    let model = models.first().map_or("unknown processor", |(_, name)| name);
    Ok(format!("{model}, {} cores, {}", models.len().max(1), printed("uname", &["-srm"])?))
}

/// Returns the versions of the programs and crates.
fn versions(servers: &[Server]) -> Result<String> {
    let mut versions = vec![printed("rustc", &["--version"])?];
    for package in ["h2", "hyper"] {
        let lock = include_str!("../../../Cargo.lock");
        let (_, rest) =
            lock.split_once(&format!("name = \"{package}\"\nversion = \"")).context("a package")?;
        versions.push(format!("{package} {}", rest.split('"').next().unwrap_or_default()));
    }
    for name in ["h2o", "nghttpd", "wasmtime serve (HTTP/1.1)"] {
        if let Some(server) = servers.iter().find(|server| server.name == name) {
            versions.push(version(&server.program)?);
        }
    }
    // Without dates and commits in parentheses.
    let short: Vec<_> =
        versions.iter().map(|version| version.split(" (").next().unwrap_or_default()).collect();
    Ok(short.join(", "))
}

/// Returns the first line that a program prints.
fn printed(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output().with_context(|| program.to_owned())?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
}
