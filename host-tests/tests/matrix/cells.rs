//! What is tried with a peer, and what came of it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::support::peers;

/// What is tried with each peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Get,
    Head,
    /// 16 MiB, whole and equal.
    Download,
    /// 16 MiB, whole and equal.
    Upload,
    Trailers,
    /// 103 (Early Hints) before the response.
    Informational,
    /// 100 requests at a time on a connection.
    AtOnce,
    /// The client gives up a response without end, and others are answered.
    Cancel,
    /// The server is told to end in the middle of a response, which arrives whole.
    Shutdown,
}

impl Column {
    /// From left to right; the last one ends the server.
    pub(crate) const ALL: [Self; 9] = [
        Self::Get,
        Self::Head,
        Self::Download,
        Self::Upload,
        Self::Trailers,
        Self::Informational,
        Self::AtOnce,
        Self::Cancel,
        Self::Shutdown,
    ];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Download => "download",
            Self::Upload => "upload",
            Self::Trailers => "trailers",
            Self::Informational => "1xx",
            Self::AtOnce => "100 at once",
            Self::Cancel => "cancel",
            Self::Shutdown => "shutdown",
        }
    }

    /// What the scripts of `peers` call it.
    pub(crate) fn case(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Head => "head",
            Self::Informational => "informational",
            Self::AtOnce => "at-once",
            other => other.title(),
        }
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Passed,
    /// It could not be tried, because of the peer.
    Unsupported,
    Failed(String),
}

/// Programs that several rows need, and their packages.
pub(crate) const CURL: (&str, &str) = ("curl", "curl");
pub(crate) const NGHTTP: (&str, &str) = ("nghttp", "nghttp2-client");
pub(crate) const NODE: (&str, &str) = ("node", "nodejs");

/// Another implementation.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// The programs that its row needs, and the packages that have them. Python is looked for by `run`.
    pub(crate) needs: &'static [(&'static str, &'static str)],
    /// What it cannot do, and why.
    pub(crate) unsupported: &'static [(Column, &'static str)],
    /// Tries the rest; none if something is missing.
    pub(crate) run: fn(&Self) -> Option<Row>,
}

impl Peer {
    /// Tries everything, unless the peer is missing.
    pub(crate) fn run(&self) -> Option<Row> {
        for (program, package) in self.needs {
            peers::installed(program, package)?;
        }
        // A peer that does not even start.
        catch_unwind(|| (self.run)(self)).unwrap_or_else(|panic| {
            let failed = Cell::Failed(message(&*panic));
            Some(Row { peer: self.name, cells: Column::ALL.map(|_| failed.clone()) })
        })
    }

    /// Tries what the peer can do.
    pub(crate) fn try_all(&self, check: impl Fn(Column)) -> Row {
        row(self.name, self.unsupported, check)
    }
}

/// What came of everything with one peer.
pub(crate) struct Row {
    peer: &'static str,
    pub(crate) cells: [Cell; 9],
}

impl Row {
    /// What failed, and how.
    pub(crate) fn failures(&self) -> impl Iterator<Item = String> {
        self.cells.iter().zip(Column::ALL).filter_map(|(cell, column)| match cell {
            Cell::Failed(why) => Some(format!("{}, {}: {why}", self.peer, column.title())),
            Cell::Passed | Cell::Unsupported => None,
        })
    }
}

/// Tries each column that is not unsupported; a check that panics has failed.
pub(crate) fn row(peer: &'static str, unsupported: &[(Column, &'static str)], check: impl Fn(Column)) -> Row {
    let cells = Column::ALL.map(|column| {
        if unsupported.iter().any(|(unsupported, _)| *unsupported == column) {
            return Cell::Unsupported;
        }
        match catch_unwind(AssertUnwindSafe(|| check(column))) {
            Ok(()) => Cell::Passed,
            Err(panic) => Cell::Failed(message(&*panic)),
        }
    });
    Row { peer, cells }
}

/// The words of a panic.
fn message(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<String>().map(String::as_str);
    words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("?").to_owned()
}
