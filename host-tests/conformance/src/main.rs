//! Prints a Markdown table of the requirements, where the engine enforces each, and which cases or tests show
//! it.

use std::io;

use http2_conformance::cases::cases;
use http2_conformance::places::{Place, mentions, places};
use http2_conformance::requirements::{Elsewhere, Requirement, Scope, requirements};
use http2_conformance::{Case, Role};

fn main() -> io::Result<()> {
    let (cases, places) = (cases(), places()?);
    println!("| id | requirement | section | code | scope | place in the code | shown by |");
    println!("|---|---|---|---|---|---|---|");
    for requirement in requirements() {
        let Requirement { id, text, source, code, .. } = requirement;
        let scope = scope(requirement.scope);
        let shown = shown(requirement, &cases);
        println!("| {id} | {text} | {source} | {code} | {scope} | {} | {shown} |", enforced(source, &places));
    }
    Ok(())
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Connection => "connection",
        Scope::Stream => "stream",
        Scope::Either => "connection or stream",
        Scope::Nothing => "passed over",
        Scope::Duty => "duty",
    }
}

/// The lines that name one of the sections.
fn enforced(source: &str, places: &[Place]) -> String {
    let sections = mentions(source);
    let named =
        |place: &&Place| sections.iter().any(|(rfc, section)| place.rfc == *rfc && place.section == *section);
    let lines = places.iter().filter(named).map(|place| {
        let file = place.file.trim_start_matches("src/engine/src/");
        format!("{file}:{}", place.line)
    });
    let mut lines: Vec<_> = lines.collect();
    lines.dedup();
    lines.join(", ")
}

/// The cases by role, and the engine's own tests.
fn shown(requirement: &Requirement, cases: &[Case]) -> String {
    let mut shown = Vec::new();
    for (role, title) in [(Role::Server, "server"), (Role::Client, "client")] {
        let of_role =
            cases.iter().filter(|case| case.role == role && case.requirements.contains(&requirement.id));
        let names: Vec<_> = of_role.map(|case| case.name).collect();
        if !names.is_empty() {
            shown.push(format!("{title}: {}", names.join("; ")));
        }
    }
    shown.extend(requirement.elsewhere.iter().map(|elsewhere| match elsewhere {
        Elsewhere::Test { file, function } => {
            format!("`{function}` in {}", file.trim_start_matches("src/engine/src/"))
        }
        Elsewhere::NotOurs(reason) => (*reason).to_owned(),
    }));
    shown.join(" · ")
}
