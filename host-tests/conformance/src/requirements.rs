//! The requirements of the RFCs on an endpoint, in this project's words.

mod connection;
mod extensions;
mod frames;
mod hpack;
mod messages;

/// A requirement.
#[derive(Clone, Copy, Debug)]
pub struct Requirement {
    /// The id of the requirement in this project.
    pub id: &'static str,
    /// The RFC and its sections.
    pub source: &'static str,
    /// The requirement as a sentence, or the offence as a noun phrase.
    pub text: &'static str,
    /// The error code due when a peer breaks the requirement.
    pub code: &'static str,
    /// The scope that the endpoint ends when a peer breaks the requirement.
    pub scope: Scope,
    /// The roles that the requirement applies to.
    pub concerns: Concerns,
    /// For a requirement that no case can show: the test functions that show it, or the reason why none does.
    pub elsewhere: &'static [Elsewhere],
}

/// The scope that the endpoint ends when a peer breaks a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The connection, with GOAWAY (RFC 9113, 5.4.1).
    Connection,
    /// One stream, with RST_STREAM (RFC 9113, 5.4.2).
    Stream,
    /// The connection or the stream, depending on where the offence happened.
    Either,
    /// Nothing: the endpoint ignores the offence.
    Nothing,
    /// Nothing: the requirement is a duty of the endpoint itself.
    Duty,
}

/// The roles that a requirement applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concerns {
    /// Servers and clients.
    Both,
    /// Servers.
    Server,
    /// Clients.
    Client,
}

/// Evidence for a requirement outside the cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// A test function in this file of the workspace.
    Test {
        /// The file.
        file: &'static str,
        /// The function.
        function: &'static str,
    },
    /// The requirement does not apply to an engine without TLS and HTTP/1.1, for this reason.
    NotOurs(&'static str),
}

/// Returns all requirements, in the order of the RFCs.
pub fn requirements() -> impl Iterator<Item = &'static Requirement> {
    let parts =
        [frames::FRAMES, connection::CONNECTION, messages::MESSAGES, hpack::HPACK, extensions::EXTENSIONS];
    parts.into_iter().flatten()
}

/// Returns the requirement with this id.
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
