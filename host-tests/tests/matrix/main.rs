//! Which other implementations our client and our server work with, and in what: the tables of README.md.
//!
//! Each peer is a row, each of [`Column::ALL`] a test with it. Peers that are not installed are left out with a word.
//! In CI, they have to be; so this is the command for all of them:
//!
//! ```sh
//! CI=true cargo test --workspace --test matrix
//! ```
//!
//! The tables are written to `target/matrix.md`, from where they go into README.md.

#![cfg(unix)]

#[allow(dead_code, unused_imports, reason = "what it has is shared with other tests")]
#[path = "../interop/support/mod.rs"]
mod support;

mod cells;
mod clients;
mod go;
mod proxies;
mod servers;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::thread;

use cells::Cell;
use table::Table;

/// Everything, run once.
static MATRIX: LazyLock<[Table; 2]> = LazyLock::new(|| {
    let matrix = thread::scope(|scope| {
        let client = scope.spawn(|| Table::run("our client", "client", servers::PEERS));
        let server = Table::run("our server", "server", clients::PEERS);
        [client.join().unwrap(), server]
    });
    fs::write(support::peers::peers_folder().with_file_name("matrix.md"), markdown(&matrix)).unwrap();
    matrix
});

/// Both tables, as they stand in README.md.
fn markdown(matrix: &[Table; 2]) -> String {
    matrix.each_ref().map(Table::markdown).join("\n")
}

/// A script of this folder.
fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/matrix/peers").join(name)
}

#[test]
fn every_cell_passes_or_has_a_reason() {
    let failures: Vec<String> =
        MATRIX.iter().flat_map(|table| table.rows.iter().flatten()).flat_map(cells::Row::failures).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_readme_shows_what_was_seen() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/matrix/README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let (_, shown) = readme.split_once("<!-- matrix -->\n").expect("where the tables begin");
    let (shown, _) = shown.split_once("<!-- end of matrix -->").expect("where they end");
    for line in markdown(&MATRIX).lines().filter(|line| !line.contains(table::NOT_RUN)) {
        assert!(
            shown.lines().any(|shown| shown == line),
            "README.md lacks this, see target/matrix.md: {line}"
        );
    }
    // Whoever is not here keeps the row that others have seen.
    assert_eq!(shown.lines().count(), markdown(&MATRIX).lines().count(), "more in README.md than there is");
}

#[test]
fn a_failure_is_told() {
    let row = cells::row("a peer", &[], |column| assert!(column != cells::Column::Head, "no head"));
    assert!(matches!(row.cells[0], Cell::Passed));
    assert_eq!(row.failures().collect::<Vec<_>>(), ["a peer, HEAD: no head"]);
}
