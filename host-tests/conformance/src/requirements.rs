//! What the RFCs require of an endpoint, in our own words.

mod connection;
mod extensions;
mod frames;
mod hpack;
mod messages;

/// A requirement.
#[derive(Clone, Copy, Debug)]
pub struct Requirement {
    /// Its name in this project.
    pub id: &'static str,
    /// The RFC and its sections.
    pub source: &'static str,
    /// What is required.
    pub text: &'static str,
    /// The error code that is due where it is broken.
    pub code: &'static str,
    /// What ends where it is broken.
    pub scope: Scope,
    /// Whom it concerns.
    pub concerns: Concerns,
    /// Where it is shown, if no case can show it: the function of a test, or why there is none.
    pub elsewhere: &'static [Elsewhere],
}

/// What ends where a requirement is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The connection, with GOAWAY (RFC 9113, 5.4.1).
    Connection,
    /// One stream, with RST_STREAM (RFC 9113, 5.4.2).
    Stream,
    /// The connection or the stream, as it is about the one or the other.
    Either,
    /// Nothing: it is passed over.
    Nothing,
    /// A duty of the endpoint itself.
    Duty,
}

/// Whom a requirement concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concerns {
    /// Servers and clients.
    Both,
    /// Servers.
    Server,
    /// Clients.
    Client,
}

/// Where a requirement is shown, if not in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// A test function in this file of the workspace.
    Test {
        /// The file.
        file: &'static str,
        /// The function.
        function: &'static str,
    },
    /// It does not concern an engine without TLS and HTTP/1, for this reason.
    NotOurs(&'static str),
}

/// All requirements, in the order of the RFCs.
pub fn requirements() -> impl Iterator<Item = &'static Requirement> {
    let parts =
        [frames::FRAMES, connection::CONNECTION, messages::MESSAGES, hpack::HPACK, extensions::EXTENSIONS];
    parts.into_iter().flatten()
}

/// The requirement of this name.
pub fn requirement(id: &str) -> Option<&'static Requirement> {
    requirements().find(|requirement| requirement.id == id)
}

const fn row(
    id: &'static str,
    source: &'static str,
    scope: Scope,
    code: &'static str,
    concerns: Concerns,
    text: &'static str,
) -> Requirement {
    Requirement { id, source, text, code, scope, concerns, elsewhere: &[] }
}

const fn shown(requirement: Requirement, elsewhere: &'static [Elsewhere]) -> Requirement {
    Requirement { elsewhere, ..requirement }
}

const fn test(file: &'static str, function: &'static str) -> Elsewhere {
    Elsewhere::Test { file, function }
}
