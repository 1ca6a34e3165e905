//! Compares transcripts.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use crate::differences::{Difference, known};

/// The differences of two transcripts of a scenario.
#[derive(Default)]
struct Outcome {
    /// Lines to show, in the form of a diff.
    diff: Vec<String>,
    /// The known differences that were met.
    known: BTreeSet<&'static str>,
}

/// Compares the transcripts in two folders, and prints the differences.
pub(crate) fn folders(expected: &Path, actual: &Path) -> ExitCode {
    let table = known();
    let (mut same, mut different, mut met) = (0, 0, 0);
    for name in names(expected).union(&names(actual)) {
        let scenario = name.replace('.', "::");
        let [Ok(left), Ok(right)] = [expected, actual].map(|folder| fs::read_to_string(folder.join(name)))
        else {
            println!("{scenario}: only one side has a transcript");
            different += 1;
            continue;
        };
        let known: Vec<_> = table.iter().filter(|known| known.scenario == scenario).collect();
        let outcome = transcripts(&left, &right, &known);
        for reason in &outcome.known {
            println!("{scenario}: known, because {reason}");
        }
        met += outcome.known.len();
        if outcome.diff.is_empty() {
            same += 1;
        } else {
            different += 1;
            println!("{scenario}:\n{}", outcome.diff.join("\n"));
        }
    }
    println!(
        "scenarios: {same} the same, {different} different; known differences: {met} of {}",
        table.len()
    );
    if same > 0 && different == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The names of the files in a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("a folder of transcripts");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

/// Compares two transcripts. A scenario that did not come to its end is always a difference.
fn transcripts(left: &str, right: &str, known: &[&Difference]) -> Outcome {
    let mut outcome = Outcome::default();
    for change in changes(&left.lines().collect::<Vec<_>>(), &right.lines().collect::<Vec<_>>()) {
        let Change::Replaced(left, right) = change else { continue };
        for line in left {
            outcome.note('-', line, known.iter().find(|known| known.stock.contains(&line)));
        }
        for line in right {
            outcome.note('+', line, known.iter().find(|known| known.patched.contains(&line)));
        }
    }
    let broken_off = |line: &&str| line.starts_with("PANICKED") || line.starts_with("GIVEN UP");
    outcome.diff.extend(right.lines().filter(broken_off).map(|line| format!("  ! {line}")));
    outcome
}

impl Outcome {
    fn note(&mut self, side: char, line: &str, known: Option<&&Difference>) {
        match known {
            Some(known) => _ = self.known.insert(known.reason),
            None => self.diff.push(format!("  {side} {line}")),
        }
    }
}

/// A stretch of two sequences of lines.
enum Change<'a> {
    Same,
    Replaced(Vec<&'a str>, Vec<&'a str>),
}

/// Aligns two sequences along their longest common subsequence.
fn changes<'a>(left: &[&'a str], right: &[&'a str]) -> Vec<Change<'a>> {
    let (rows, columns) = (left.len() + 1, right.len() + 1);
    // The length of the longest common subsequence of what follows both positions.
    let mut common = vec![0_u32; rows * columns];
    for row in (0..left.len()).rev() {
        for column in (0..right.len()).rev() {
            common[row * columns + column] = if left[row] == right[column] {
                common[(row + 1) * columns + column + 1] + 1
            } else {
                common[(row + 1) * columns + column].max(common[row * columns + column + 1])
            };
        }
    }
    let (mut row, mut column) = (0, 0);
    let (mut changes, mut removed, mut added) = (Vec::new(), Vec::new(), Vec::new());
    while row < left.len() || column < right.len() {
        if row < left.len() && column < right.len() && left[row] == right[column] {
            changes.push(Change::Replaced(std::mem::take(&mut removed), std::mem::take(&mut added)));
            changes.push(Change::Same);
            (row, column) = (row + 1, column + 1);
        } else if column == right.len()
            || row < left.len() && common[(row + 1) * columns + column] >= common[row * columns + column + 1]
        {
            removed.push(left[row]);
            row += 1;
        } else {
            added.push(right[column]);
            column += 1;
        }
    }
    changes.push(Change::Replaced(removed, added));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(left: &str, right: &str, known: &[&Difference]) -> Vec<String> {
        transcripts(left, right, known).diff
    }

    #[test]
    fn equal_transcripts_have_no_difference() {
        assert!(diff("a\nb\n", "a\nb\n", &[]).is_empty());
    }

    #[test]
    fn changed_missing_and_further_lines_are_shown() {
        assert_eq!(diff("a\nb\nc\n", "a\nx\nc\n", &[]), ["  - b", "  + x"]);
        assert_eq!(diff("a\nb\nc\n", "a\nc\n", &[]), ["  - b"]);
        assert_eq!(diff("a\n", "a\nb\n", &[]), ["  + b"]);
    }

    #[test]
    fn known_difference_is_not_shown() {
        let either = Difference {
            scenario: "m::f",
            stock: vec!["a: 1"],
            patched: vec!["a: 2"],
            reason: "either is a number",
        };
        let outcome = transcripts("a: 1\nb\n", "a: 2\nb\n", &[&either]);
        assert!(outcome.diff.is_empty());
        assert_eq!(outcome.known.into_iter().collect::<Vec<_>>(), ["either is a number"]);
        assert_eq!(diff("a: 1\nb\n", "a: 3\nb\n", &[&either]), ["  + a: 3"]);
    }

    #[test]
    fn scenario_without_an_end_is_a_difference() {
        assert_eq!(diff("GIVEN UP\n", "GIVEN UP\n", &[]), ["  ! GIVEN UP"]);
    }
}
