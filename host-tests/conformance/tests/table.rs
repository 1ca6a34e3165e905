//! Checks the table of requirements: each has evidence, and a place in the code.

use std::collections::HashSet;

use http2_conformance::Role;
use http2_conformance::cases::cases;
use http2_conformance::places::{engine_files, has_test, mentions, places};
use http2_conformance::requirements::{Concerns, Elsewhere, Requirement, requirement, requirements};

/// The roles that a requirement applies to.
fn roles(requirement: &Requirement) -> &'static [Role] {
    match requirement.concerns {
        Concerns::Both => &[Role::Server, Role::Client],
        Concerns::Server => &[Role::Server],
        Concerns::Client => &[Role::Client],
    }
}

#[test]
fn every_requirement_has_cases_or_a_test_elsewhere() {
    let cases = cases();
    let shown = |requirement: &Requirement, role| {
        cases.iter().any(|case| case.role == role && case.requirements.contains(&requirement.id))
    };
    let mut lacking = Vec::new();
    for requirement in requirements().filter(|requirement| requirement.elsewhere.is_empty()) {
        let roles = roles(requirement).iter().filter(|role| !shown(requirement, **role));
        lacking.extend(roles.map(|role| (requirement.id, *role)));
    }
    assert!(lacking.is_empty(), "{lacking:?}");
}

#[test]
fn tests_named_as_evidence_exist() {
    for requirement in requirements() {
        for elsewhere in requirement.elsewhere {
            let Elsewhere::Test { file, function } = elsewhere else { continue };
            let has_test = has_test(file, function);
            let has_test = has_test.unwrap_or_else(|error| panic!("{}: {file}: {error}", requirement.id));
            assert!(has_test, "{}: {file} has no test {function}", requirement.id);
        }
    }
}

#[test]
fn requirement_ids_are_unique_and_cases_name_existing_ones() {
    let mut ids = HashSet::new();
    assert!(requirements().all(|requirement| ids.insert(requirement.id)));
    assert_eq!(ids.len(), 112);
    for case in cases() {
        assert!(!case.requirements.is_empty(), "{case}");
        for id in case.requirements {
            let requirement = requirement(id).unwrap_or_else(|| panic!("{case}: no requirement {id}"));
            assert!(roles(requirement).contains(&case.role), "{case}: {id} does not apply to its role");
        }
    }
}

#[test]
fn case_names_are_unique_per_role() {
    let mut names = HashSet::new();
    for case in cases() {
        assert!(names.insert((case.role, case.name)), "{case}");
    }
}

#[test]
fn engine_comments_name_every_section() {
    let places = places().unwrap();
    for requirement in requirements() {
        if matches!(requirement.elsewhere, [Elsewhere::NotOurs(_)]) {
            continue;
        }
        let sections = mentions(requirement.source);
        assert!(!sections.is_empty(), "{}: {}", requirement.id, requirement.source);
        for (rfc, section) in sections {
            let is_named = places.iter().any(|place| place.rfc == rfc && place.section == section);
            assert!(is_named, "{}: RFC {rfc}, {section} is not named in the engine", requirement.id);
        }
    }
}

/// The form is "RFC 9113, 6.9.1", not "RFC 9113, section 6.9.1", and on one line: otherwise the place is not
/// found.
#[test]
fn section_references_have_one_form() {
    let mut others = Vec::new();
    for (file, text) in engine_files().unwrap() {
        for (line, text) in (1..).zip(text.lines()) {
            for (at, _) in text.match_indices("RFC") {
                let behind =
                    text[at + 3..].trim_start_matches(|c: char| c.is_ascii_digit() || " ,".contains(c));
                let number_or_section_is_elsewhere = behind.is_empty() && !text.ends_with(char::is_numeric);
                if number_or_section_is_elsewhere || behind.to_lowercase().starts_with("section") {
                    others.push(format!("{file}:{line}: {text}"));
                }
            }
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}
