//! Tests our client and our server with other implementations, and checks the tables of tests/matrix/README.md.
//!
//! Each peer is a row, and each of [`Column::ALL`] is a test with it. Peers that are not installed are skipped with a
//! message. With `CI=true`, a missing peer is an error, so this command tests all of them:
//!
//! ```sh
//! CI=true cargo test --workspace --test matrix
//! ```
//!
//! The tables are written to `target/matrix.md`, to be copied into README.md.

#![cfg(unix)]

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

use host_tests::support::peers::peers_folder;

use cells::Cell;
use table::Table;

/// The results of all tests, which run once.
static MATRIX: LazyLock<[Table; 2]> = LazyLock::new(|| {
    let matrix = thread::scope(|scope| {
        let client = scope.spawn(|| Table::run("our client", "client", servers::PEERS));
        let server = Table::run("our server", "server", clients::PEERS);
        [client.join().unwrap(), server]
    });
    fs::write(peers_folder().with_file_name("matrix.md"), markdown(&matrix)).unwrap();
    matrix
});

/// Formats both tables as in README.md.
fn markdown(matrix: &[Table; 2]) -> String {
    matrix.each_ref().map(Table::markdown).join("\n")
}

/// Returns the path of a script in `peers`.
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
fn the_readme_shows_the_results() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/matrix/README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let (_, shown) = readme.split_once("<!-- matrix -->\n").expect("no start of the tables");
    let (shown, _) = shown.split_once("<!-- end of matrix -->").expect("no end of the tables");
    for line in markdown(&MATRIX).lines().filter(|line| !line.contains(table::NOT_RUN)) {
        assert!(
            shown.lines().any(|shown| shown == line),
            "tests/matrix/README.md lacks a line, see target/matrix.md: {line}"
        );
    }
    // Rows of peers that are missing here stay as they were seen elsewhere.
    assert_eq!(shown.lines().count(), markdown(&MATRIX).lines().count(), "README.md has additional lines");
}

#[test]
fn failures_are_reported() {
    let row = cells::row("a peer", &[], |column| assert!(column != cells::Column::Head, "no head"));
    assert!(matches!(row.cells[0], Cell::Passed));
    assert_eq!(row.failures().collect::<Vec<_>>(), ["a peer, HEAD: no head"]);
}
