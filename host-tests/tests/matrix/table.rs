//! The results as Markdown tables.

use std::fmt::Write;

use crate::cells::{Cell, Column, Peer, Row};

/// The cell of a peer that is missing.
pub(crate) const NOT_RUN: &str = "not run here";

/// The results of our client or server with all peers.
pub(crate) struct Table {
    /// Our role.
    ours: &'static str,
    /// The prefix of footnote names.
    prefix: &'static str,
    peers: &'static [Peer],
    /// One row for each peer; `None` for missing peers.
    pub(crate) rows: Vec<Option<Row>>,
}

impl Table {
    /// Runs all tests with every peer.
    pub(crate) fn run(ours: &'static str, prefix: &'static str, peers: &'static [Peer]) -> Self {
        Self { ours, prefix, peers, rows: peers.iter().map(Peer::run).collect() }
    }

    /// Formats the table and its footnotes.
    ///
    /// Reasons are numbered in order of first use, including those of missing peers.
    pub(crate) fn markdown(&self) -> String {
        let mut reasons: Vec<&str> = Vec::new();
        let titles = Column::ALL.map(Column::title).join(" | ");
        let mut text = format!("| {} with | {titles} |\n|---|{}\n", self.ours, ":-:|".repeat(9));
        for (peer, row) in self.peers.iter().zip(&self.rows) {
            let mut cells = vec![peer.name.to_owned()];
            for (index, column) in Column::ALL.into_iter().enumerate() {
                let reason = peer.unsupported.iter().find(|(unsupported, _)| *unsupported == column);
                let number = reason.map(|(_, reason)| number(&mut reasons, reason));
                cells.push(match (row.as_ref().map(|row| &row.cells[index]), number) {
                    (None, _) => NOT_RUN.to_owned(),
                    (Some(Cell::Failed(_)), _) => "failed".to_owned(),
                    (Some(_), Some(number)) => format!("–[^{}-{number}]", self.prefix),
                    (Some(_), None) => "✓".to_owned(),
                });
            }
            writeln!(text, "| {} |", cells.join(" | ")).unwrap();
        }
        text.push('\n');
        for (index, reason) in reasons.iter().enumerate() {
            writeln!(text, "[^{}-{}]: {reason}", self.prefix, index + 1).unwrap();
        }
        text
    }
}

/// Returns the number of a reason, which is added if it is new.
fn number<'a>(reasons: &mut Vec<&'a str>, reason: &'a str) -> usize {
    let index = reasons.iter().position(|known| *known == reason).unwrap_or_else(|| {
        reasons.push(reason);
        reasons.len() - 1
    });
    index + 1
}
