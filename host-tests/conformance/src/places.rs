//! Finds the places where the engine enforces a section: the comments that say "RFC 9113, 6.9.1", or name
//! several sections as in "RFC 9113, 6.6, 8.4" and "RFC 9113, 5.4.1 and 6.8".

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The root of the workspace, as of the build.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A comment that mentions a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path of the file, relative to the workspace.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The number of the RFC.
    pub rfc: String,
    /// The section.
    pub section: String,
}

/// All mentions of sections in the engine's code outside its tests, ordered by file and line.
///
/// # Errors
///
/// Fails if a file cannot be read.
pub fn places() -> io::Result<Vec<Place>> {
    let mut places = Vec::new();
    for (file, text) in engine_files()? {
        for (line, text) in (1..).zip(text.lines()) {
            for (rfc, section) in mentions(text) {
                places.push(Place { file: file.clone(), line, rfc, section });
            }
        }
    }
    Ok(places)
}

/// The engine's source files and their text, without tests.
///
/// # Errors
///
/// Fails if a file cannot be read.
pub fn engine_files() -> io::Result<Vec<(String, String)>> {
    let workspace = workspace();
    let mut folders = vec![workspace.join("src/engine/src")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.file_stem().is_some_and(|name| name == "tests") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                let mut text = fs::read_to_string(&path)?;
                // A test module is always the last item of its file.
                text.truncate(text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len()));
                let file =
                    path.strip_prefix(&workspace).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                files.push((file, text));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a file, given by its path in the workspace, has a test of this name.
///
/// # Errors
///
/// Fails if the file cannot be read.
pub fn has_test(file: &str, function: &str) -> io::Result<bool> {
    let text = fs::read_to_string(workspace().join(file))?;
    // A test inside a module is indented.
    let text = text.replace("\n    ", "\n").replace("    #[test]", "#[test]");
    Ok(text.contains(&format!("#[test]\nfn {function}() {{")))
}

/// The sections in a source like "RFC 9113, 4.1, 5.5", or in a line of code.
pub fn mentions(text: &str) -> Vec<(String, String)> {
    let mut mentions = Vec::new();
    for (at, _) in text.match_indices("RFC ") {
        let (rfc, mut rest) = digits(&text[at + 4..]);
        while let Some(list) = rest.strip_prefix(", ").or_else(|| rest.strip_prefix(" and ")) {
            let (section, behind) = digits(list);
            if section.is_empty() {
                break;
            }
            mentions.push((rfc.to_owned(), section.to_owned()));
            rest = behind;
        }
    }
    mentions
}

/// Splits a number, or several joined by dots, off the front of a text, and returns it with the rest.
fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number = text[..end].trim_end_matches('.');
    (number, &text[number.len()..])
}
