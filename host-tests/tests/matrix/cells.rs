//! The tests of a peer, and their results.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use host_tests::support::peers;

/// A test that is run with each peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Get,
    Head,
    /// 16 MiB, complete and unchanged.
    Download,
    /// 16 MiB, complete and unchanged.
    Upload,
    Trailers,
    /// 103 (Early Hints) before the response.
    Informational,
    /// 100 concurrent requests on a connection.
    AtOnce,
    /// The client cancels an endless response, and other requests are answered.
    Cancel,
    /// The server is told to stop in the middle of a response, which arrives whole.
    Shutdown,
}

impl Column {
    /// All columns from left to right.
    ///
    /// The last one stops the server.
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

    /// Returns the name of the test in the scripts of `peers`.
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

/// The result of a test.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Passed,
    /// The peer does not allow the test.
    Unsupported,
    Failed(String),
}

/// Programs that several rows need, with their Debian packages.
pub(crate) const CURL: (&str, &str) = ("curl", "curl");
pub(crate) const NGHTTP: (&str, &str) = ("nghttp", "nghttp2-client");
pub(crate) const NODE: (&str, &str) = ("node", "nodejs");

/// Another implementation.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// The programs that the row needs, with their packages. `run` looks for Python itself.
    pub(crate) needs: &'static [(&'static str, &'static str)],
    /// The tests that the peer does not allow, with reasons.
    pub(crate) unsupported: &'static [(Column, &'static str)],
    /// Runs the other tests; returns `None` if a dependency is missing.
    pub(crate) run: fn(&Self) -> Option<Row>,
}

impl Peer {
    /// Runs all tests, unless the peer is missing.
    pub(crate) fn run(&self) -> Option<Row> {
        for (program, package) in self.needs {
            peers::installed(program, package)?;
        }
        // If the peer does not start, all cells fail.
        catch_unwind(|| (self.run)(self)).unwrap_or_else(|panic| {
            let failed = Cell::Failed(message(&*panic));
            Some(Row { peer: self.name, cells: Column::ALL.map(|_| failed.clone()) })
        })
    }

    /// Runs the tests that the peer allows.
    pub(crate) fn try_all(&self, check: impl Fn(Column)) -> Row {
        row(self.name, self.unsupported, check)
    }
}

/// The results of all tests with one peer.
pub(crate) struct Row {
    peer: &'static str,
    pub(crate) cells: [Cell; 9],
}

impl Row {
    /// Returns a message for each failed test.
    pub(crate) fn failures(&self) -> impl Iterator<Item = String> {
        self.cells.iter().zip(Column::ALL).filter_map(|(cell, column)| match cell {
            Cell::Failed(why) => Some(format!("{}, {}: {why}", self.peer, column.title())),
            Cell::Passed | Cell::Unsupported => None,
        })
    }
}

/// Runs the check of each supported column; a check that panics has failed.
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

/// Returns the message of a panic.
fn message(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<String>().map(String::as_str);
    words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("?").to_owned()
}
