//! Renders the tables as Markdown.

use std::fmt::{self, Display, Write};

use http2_conformance::Role;

use crate::attack::{Answer, Attack, Ceilings, Harm, Replies, Shown, Test, Trial};
use crate::attacks::GROUPS;
use crate::good_clients::{GOOD_CLIENTS, GoodClient};

/// Renders all attacks, one table per group.
pub fn attacks() -> String {
    let mut text = String::new();
    for group in GROUPS {
        _ = write!(text, "### {}\n\n", group.title);
        text.push_str("| | attack | the peer | our answer | ceilings | test |\n|---|---|---|---|---|---|\n");
        for attack in group.attacks {
            _ = writeln!(text, "{}", row(attack));
        }
        text.push('\n');
    }
    text
}

/// Renders all good clients.
pub fn good_clients() -> String {
    let mut text = "| | client | behaviour | limits hit elsewhere | guarantee | test |\n".to_owned();
    text.push_str("|---|---|---|---|---|---|\n");
    for client in GOOD_CLIENTS {
        let GoodClient { id, name, does, tripped, holds, test } = client;
        let tripped = list(tripped.iter().map(|source| link(source)));
        _ = writeln!(text, "| {id} | {name} | {does} | {tripped} | {holds} | `{test}` |");
    }
    text
}

fn row(attack: &Attack) -> String {
    let Attack { id, name, known_as, harms, peer, shown } = attack;
    let mut what = format!("**{name}** ({})", list(*harms));
    if !known_as.is_empty() {
        _ = write!(what, "<br>{}", list(known_as.iter().map(|name| link(name))));
    }
    let [answer, ceilings, test] = match shown {
        Shown::Here(trial) => {
            [answer(trial.answers, trial.and), ceilings(trial), format!("`{}`", trial.test)]
        }
        Shown::Elsewhere { answers, and, by } => {
            [answer(answers, and), String::new(), by.iter().map(tests).collect::<Vec<_>>().join("<br>")]
        }
        Shown::NotOurs(reason) => {
            [format!("does not apply to an engine: {reason}"), String::new(), String::new()]
        }
    };
    format!("| {id} | {what} | {peer} | {answer} | {ceilings} | {test} |")
}

fn answer(answers: &[Answer], and: &str) -> String {
    let mut text = answers.iter().map(Answer::to_string).collect::<Vec<_>>().join("<br>");
    if !answers.is_empty() && !and.is_empty() {
        text.push_str("<br>");
    }
    text + and
}

fn ceilings(trial: &Trial) -> String {
    let Trial { sizes: [small, large], unit, ceilings: Ceilings { memory, replies, work }, .. } = trial;
    let replies = match replies {
        Replies::InAll(frames, octets) => {
            format!("{} frames, {} bytes in total", number(*frames), number(*octets))
        }
        Replies::ForEach(frames, octets) => format!("{frames} frames, {octets} bytes for each"),
    };
    format!(
        "{}, {} {unit}:<br>memory {} KiB<br>replies {replies}<br>work × {work}",
        number(*small),
        number(*large),
        number(*memory)
    )
}

fn tests(test: &Test) -> String {
    match test {
        Test::Functions(file, functions) => {
            let functions = list(functions.iter().map(|function| format!("`{function}`")));
            format!("{functions} in [{file}](../../{file})")
        }
        Test::Cases(Role::Server, cases) => format!("conformance of servers: {}", cases.join("; ")),
        Test::Cases(Role::Client, cases) => format!("conformance of clients: {}", cases.join("; ")),
    }
}

/// Renders a name of the form `owner/repository#number` as a link.
fn link(name: &str) -> String {
    match name.split_once('#') {
        Some((repository, number)) if repository.contains('/') && !repository.contains(' ') => {
            format!("[{name}](https://github.com/{repository}/issues/{number})")
        }
        _ => name.to_owned(),
    }
}

fn list(items: impl IntoIterator<Item = impl Display>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// Formats a number with commas between thousands.
fn number(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Display for Harm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Work => "work",
            Self::Amplification => "amplification",
            Self::Smuggling => "smuggling",
            Self::Crash => "crash",
            Self::Hang => "hang",
            Self::Leak => "leak",
        })
    }
}

impl Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("none"),
            Self::Status(status) => write!(f, "response: {status}"),
            Self::Streams(code) => write!(f, "stream: {code}"),
            Self::Connection(code) => write!(f, "connection: {code}"),
        }
    }
}
