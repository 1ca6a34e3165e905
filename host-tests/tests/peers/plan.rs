//! Selects the cases to run, according to the options.

use crate::Options;
use crate::ours::Ours;
use crate::peer::{Peer, Role};

/// Cases that run with several numbers of concurrent requests.
const BY_CONCURRENCY: &[&str] = &["get", "post", "refuse", "early"];

/// The cases of one peer.
pub(crate) struct Plan<'a> {
    pub(crate) peer: &'a Peer,
    pub(crate) cases: Vec<Case<'a>>,
}

impl Plan<'_> {
    /// Name, configuration and role of the peer.
    pub(crate) fn title(&self) -> String {
        let role = if matches!(self.peer.role, Role::Client(_)) { "client" } else { "server" };
        format!("{} {role} {}", self.peer.name, self.peer.config)
    }
}

/// A case against one part of this project.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) name: &'a str,
    pub(crate) ours: Ours,
    pub(crate) at_a_time: usize,
}

impl Case<'_> {
    /// The case, with the number of concurrent requests where it matters.
    pub(crate) fn title(&self) -> String {
        if BY_CONCURRENCY.contains(&self.name) {
            format!("{} {}", self.name, self.at_a_time)
        } else {
            self.name.to_owned()
        }
    }
}

/// Selects the cases of all peers that match the options.
pub(crate) fn plans<'a>(peers: &'a [Peer], options: &Options) -> Vec<Plan<'a>> {
    let wanted = |peer: &&Peer| {
        (options.peer.is_empty() || options.peer.iter().any(|name| peer.name.contains(name)))
            && (options.config.is_empty() || options.config.contains(&peer.config))
    };
    let wanted_peers = peers.iter().filter(wanted).enumerate();
    let plans = wanted_peers.map(|(index, peer)| Plan { peer, cases: cases(peer, index, options) });
    plans.filter(|plan| !plan.cases.is_empty()).collect()
}

/// Selects the cases of the peer with this index.
fn cases<'a>(peer: &'a Peer, index: usize, options: &Options) -> Vec<Case<'a>> {
    let mut cases = Vec::new();
    for (turn, name) in peer.cases.iter().enumerate() {
        let is_wanted = options.case.is_empty() || options.case.contains(name);
        // A brief run already includes all parts of a soak.
        if !is_wanted || (options.seconds == 0 && name == "soak") {
            continue;
        }
        let mut parts = parts(peer, name).to_vec();
        parts.retain(|part| options.ours.is_empty() || options.ours.contains(part));
        let mut numbers = if BY_CONCURRENCY.contains(&&**name) { vec![1, 10, 100] } else { vec![10] };
        if !options.all {
            // They take turns, over the cases of one peer and over the peers for one case.
            choose(&mut parts, index + turn);
            choose(&mut numbers, if options.seconds == 0 { 1 } else { index });
        }
        for ours in parts {
            cases.extend(numbers.iter().map(|&at_a_time| Case { name, ours, at_a_time }));
        }
    }
    cases
}

/// Keeps only the item whose turn it is.
fn choose<T: Copy>(items: &mut Vec<T>, turn: usize) {
    let chosen = turn.checked_rem(items.len()).and_then(|at| items.get(at).copied());
    *items = chosen.into_iter().collect();
}

/// The parts of this project that a case runs against.
fn parts(peer: &Peer, case: &str) -> &'static [Ours] {
    match (&peer.role, case.starts_with("grpc")) {
        (Role::Client(_), false) => &[Ours::Serve, Ours::Http2Server],
        (Role::Client(_), true) => &[Ours::GrpcService],
        (Role::Server(_), false) => &[Ours::Get, Ours::WasiHttp],
        (Role::Server(_), true) => &[Ours::GrpcClient],
    }
}
