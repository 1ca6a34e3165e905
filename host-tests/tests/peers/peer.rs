//! A peer: an independent implementation in one role and one configuration.

use std::any::Any;

use anyhow::Result;

use crate::process::Server;

/// One attempt at a case by a client.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    /// The case's name.
    pub(crate) case: &'a str,
    /// Our server, as in `http://127.0.0.1:PORT`.
    pub(crate) url: &'a str,
    /// How long to continue in seconds; 0 means one round of the case.
    pub(crate) seconds: u64,
    /// The number of concurrent requests.
    pub(crate) at_a_time: usize,
}

/// The work done in a case that passed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Report {
    /// Successful requests.
    pub(crate) requests: u64,
    /// Bytes of content sent or received.
    pub(crate) bytes: u64,
}

/// A listening server of the peer.
pub(crate) struct Listening {
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    /// The process; it ends when dropped.
    pub(crate) server: Server,
    /// Everything that must live as long as the server: folders, servers behind it.
    pub(crate) behind: Vec<Box<dyn Any>>,
}

/// Runs one case against our server; an error is a failure of the case.
pub(crate) type PlayClient = Box<dyn Fn(&Attempt) -> Result<Report> + Send + Sync>;

/// Starts the peer's server.
pub(crate) type StartServer = Box<dyn Fn() -> Result<Listening> + Send + Sync>;

/// The role of a peer, with the function that plays it.
pub(crate) enum Role {
    Client(PlayClient),
    Server(StartServer),
}

/// An independent implementation in one role and one configuration.
pub(crate) struct Peer {
    /// The implementation, as in `go-nethttp`.
    pub(crate) name: String,
    /// `default`, `awkward`, or another word where the peer has more configurations.
    pub(crate) config: String,
    /// The cases to run.
    pub(crate) cases: Vec<String>,
    /// Cases that the peer fails through its own fault, each with the reason.
    pub(crate) omitted: Vec<(String, String)>,
    /// The role that it plays.
    pub(crate) role: Role,
}
