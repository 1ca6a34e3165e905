//! Checks that the tables are complete: each row has its test, and the README agrees.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use http2_attacks::attack::{Shown, Test};
use http2_attacks::attacks::{attacks, trials};
use http2_attacks::good_clients::GOOD_CLIENTS;
use http2_attacks::markdown;
use http2_conformance::cases::cases;
use http2_conformance::places::has_test;

/// The names of the tests in a folder of `tests/component`.
fn tests_in(folder: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/component").join(folder);
    let mut tests = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for test in text.split("#[test]\nfn ").skip(1) {
            let (name, body) = test.split_once("() {").unwrap();
            let rows =
                Vec::from_iter(body.split("hold(").skip(1).map(|row| row.trim_start().split('"').nth(1)));
            assert!(rows.iter().all(|row| *row == Some(name)), "{name} is about {rows:?}");
            assert!(tests.insert(name.to_owned()), "the test {name} is defined twice");
        }
    }
    tests
}

#[test]
fn attacks_and_their_tests_correspond() {
    let named: Vec<_> = trials().map(|trial| trial.test.to_owned()).collect();
    assert_eq!(BTreeSet::from_iter(named.iter().cloned()), tests_in("attacks"));
    assert_eq!(named.len(), tests_in("attacks").len(), "two attacks name the same test");
}

#[test]
fn good_clients_and_their_tests_correspond() {
    let named = GOOD_CLIENTS.iter().map(|client| client.test.to_owned());
    assert_eq!(BTreeSet::from_iter(named), tests_in("good_clients"));
}

#[test]
fn tests_named_as_evidence_exist() {
    let cases = cases();
    for attack in attacks() {
        let Shown::Elsewhere { by, .. } = attack.shown else { continue };
        assert!(!by.is_empty(), "{}", attack.id);
        for test in by {
            match *test {
                Test::Functions(file, functions) => {
                    for function in functions {
                        assert!(has_test(file, function).unwrap(), "{}: {file}: {function}", attack.id);
                    }
                }
                Test::Cases(role, names) => {
                    for name in names {
                        let is_there = cases.iter().any(|case| case.role == role && case.name == *name);
                        assert!(is_there, "{}: no case \"{name}\"", attack.id);
                    }
                }
            }
        }
    }
}

#[test]
fn ids_are_unique() {
    let mut ids = BTreeSet::new();
    let all = attacks().map(|attack| attack.id).chain(GOOD_CLIENTS.iter().map(|client| client.id));
    assert!(all.into_iter().all(|id| ids.insert(id)));
    assert!(attacks().count() >= 56, "the table has lost attacks");
}

/// With `UPDATE=1`, writes the tables into the README instead.
#[test]
fn readme_contains_the_tables() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let mut updated = readme.clone();
    for (name, table) in [("attacks", markdown::attacks()), ("good clients", markdown::good_clients())] {
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
        let start = updated.find(&begin).expect("the start of the table") + begin.len();
        let length = updated[start..].find(&end).expect("the end of the table");
        updated.replace_range(start..start + length, &table);
    }
    if std::env::var_os("UPDATE").is_some() {
        return fs::write(&path, updated).unwrap();
    }
    assert!(
        readme == updated,
        "the README is not up to date: run UPDATE=1 cargo test --workspace --test tables"
    );
}
