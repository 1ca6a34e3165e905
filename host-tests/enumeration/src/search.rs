//! The search: breadth first, over pairs of nodes.
//!
//! A state of both endpoints and both queues follows from the steps of each endpoint in its own order, since
//! the queues hold the items that one has sent and the other has not taken. Therefore, a pair of nodes
//! determines a state exactly. Steps of different endpoints commute, so interleavings that differ only in
//! their order lead to the same pair, and are visited once. The search omits no state, and confuses no two
//! states.

use std::fmt::Write;
use std::time::Instant;

use bytes::Bytes;

use crate::action::{Frames, Step, StepDisplay};
use crate::cut::Queued;
use crate::endpoint::Fault;
use crate::joint::Joint;
use crate::scenario::{CLIENT, Clock, SERVER, Scenario};
use crate::tree::{NodeId, Tree};

/// A node of each tree.
type Pair = [NodeId; 2];

/// The result of a search.
#[derive(Debug)]
pub struct Report {
    /// The name of the scenario.
    pub name: &'static str,
    /// The number of steps of both endpoints together up to which every order was visited.
    pub depth: usize,
    /// Whether no action was left, so that more depth would add nothing.
    pub exhausted: bool,
    /// The number of states of both endpoints and both queues visited.
    pub states: usize,
    /// The number of histories of a single endpoint, each replayed by a new engine.
    pub histories: usize,
    /// The faults found, shortest first, one per kind.
    pub counterexamples: Vec<Counterexample>,
}

/// The shortest list of steps that leads to a fault.
#[derive(Debug)]
pub struct Counterexample {
    /// The description of the fault.
    pub fault: String,
    /// The number of steps.
    pub depth: usize,
    /// The description of the steps.
    pub steps: String,
}

/// The most kinds of faults to look for in one scenario.
const FAULTS: usize = 6;
/// The most states waiting to be visited, and the most histories kept; they take 5 to 10 GB.
const FRONTIER: usize = 60_000_000;
const HISTORIES: usize = 1_500_000;

/// Visits every order of a scenario's actions, breadth first, until `deadline`.
pub fn search(scenario: &Scenario, deadline: Instant) -> Report {
    let mut search = Search::new(scenario);
    let start = search.start();
    let mut frontier = vec![start];
    search.report.states = 1;
    while !frontier.is_empty() && search.report.counterexamples.len() < FAULTS {
        for &pair in &frontier {
            if let Err(fault) = search.joint(pair).check() {
                search.found(pair, fault);
            }
        }
        let Some(next) = search.expand(&frontier, deadline) else { break };
        search.report.exhausted = next.is_empty();
        if !next.is_empty() {
            search.report.depth += 1;
        }
        search.report.states += next.len();
        frontier = next;
        search.prune(&frontier);
    }
    search.report.histories = search.trees.iter().map(Tree::len).sum();
    search.report
}

struct Search<'a> {
    scenario: &'a Scenario,
    trees: [Tree<'a>; 2],
    /// The start of the search: nodes at which SETTINGS have been exchanged, or the roots.
    start: Pair,
    report: Report,
}

impl<'a> Search<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        Self {
            scenario,
            trees: [Tree::new(scenario, CLIENT), Tree::new(scenario, SERVER)],
            start: [0, 0],
            report: Report {
                name: scenario.name,
                depth: 0,
                exhausted: false,
                states: 0,
                histories: 0,
                counterexamples: Vec::new(),
            },
        }
    }

    /// The pair at which the search starts.
    fn start(&mut self) -> Pair {
        let mut pair = [0, 0];
        while self.scenario.greeted
            && let Some(side) = (0..2).find(|&side| self.in_flight(pair, side) > 0)
        {
            pair[side] = self.deliver(pair, side);
        }
        self.start = pair;
        pair
    }

    /// Returns every pair one step away from those of the frontier; `None` if time or memory is used up.
    fn expand(&mut self, frontier: &[Pair], deadline: Instant) -> Option<Vec<Pair>> {
        let mut next = Vec::new();
        for (place, &pair) in frontier.iter().enumerate() {
            let histories = self.trees.iter().map(Tree::len).sum::<usize>();
            if histories > HISTORIES || (place % 16 == 0 && Instant::now() >= deadline) {
                return None;
            }
            if next.len() > FRONTIER {
                next.sort_unstable();
                next.dedup();
                if next.len() > FRONTIER / 2 {
                    return None;
                }
            }
            for side in [CLIENT, SERVER] {
                for at in 0..self.trees[side].view(pair[side]).possible.len() {
                    let (entry, stream) = self.trees[side].view(pair[side]).possible[at];
                    let node = self.trees[side].child(pair[side], Step::Act { entry, stream }, 0);
                    self.reach(pair, side, node, &mut next);
                }
                if self.in_flight(pair, side) > 0 && self.trees[side].view(pair[side]).takes_input {
                    let node = self.deliver(pair, side);
                    self.reach(pair, side, node, &mut next);
                }
            }
            self.advance_clocks(pair, &mut next);
        }
        next.sort_unstable();
        next.dedup();
        Some(next)
    }

    /// Adds the pair in which one endpoint has taken a step.
    fn reach(&mut self, mut pair: Pair, side: usize, node: NodeId, next: &mut Vec<Pair>) {
        pair[side] = node;
        match self.trees[side].fault(node) {
            Some(fault) => self.found(pair, format!("{}: {fault}", name(side))),
            None => next.push(pair),
        }
    }

    /// Advances both clocks to the earliest deadline.
    fn advance_clocks(&mut self, pair: Pair, next: &mut Vec<Pair>) {
        let passes = match self.scenario.clock {
            Clock::Stopped => false,
            Clock::WhenQuiet => self.joint(pair).quiet,
            Clock::Running => true,
        };
        let deadlines =
            [CLIENT, SERVER].into_iter().filter_map(|side| self.trees[side].view(pair[side]).deadline);
        let Some(time) = deadlines.min().filter(|_| passes) else { return };
        let mut later = pair;
        for side in [CLIENT, SERVER] {
            later[side] = self.trees[side].child(pair[side], Step::Wake(time), 0);
            if let Some(fault) = self.trees[side].fault(later[side]) {
                let fault = format!("{}: {fault}", name(side));
                return self.found([later[CLIENT], pair[SERVER]], fault);
            }
        }
        next.push(later);
    }

    /// The number of items in flight to an endpoint that takes input.
    fn in_flight(&self, pair: Pair, to: usize) -> u32 {
        let over = self.trees[to].view(pair[to]).over;
        let from = 1 - to;
        let sent = self.trees[from].node(pair[from]).produced;
        if over { 0 } else { sent - self.trees[to].node(pair[to]).consumed }
    }

    /// Delivers the next item, or all of them up to the end of the transport.
    fn deliver(&mut self, pair: Pair, to: usize) -> NodeId {
        let from = 1 - to;
        let first = self.trees[to].node(pair[to]).consumed;
        let sent = self.trees[from].node(pair[from]).produced;
        let item = |number| self.trees[from].item(pair[from], number);
        if !self.scenario.in_bulk || *item(first) == Queued::End {
            let step = Step::Deliver(item(first).clone());
            return self.trees[to].child(pair[to], step, 1);
        }
        let frames = (first..sent).map_while(|number| match item(number) {
            Queued::Frames(bytes) => Some(bytes),
            Queued::End => None,
        });
        let (mut items, mut all) = (0, Vec::new());
        for bytes in frames {
            items += 1;
            all.extend_from_slice(bytes);
        }
        self.trees[to].child(pair[to], Step::Deliver(Queued::Frames(Bytes::from(all))), items)
    }

    fn joint(&self, pair: Pair) -> Joint<'_> {
        let views = [self.trees[CLIENT].view(pair[CLIENT]), self.trees[SERVER].view(pair[SERVER])];
        let quiet =
            (0..2).all(|side| self.in_flight(pair, side) == 0 && (views[side].settled || views[side].over));
        Joint { views, quiet }
    }

    fn prune(&mut self, frontier: &[Pair]) {
        for side in [CLIENT, SERVER] {
            let mut needed: Vec<_> = frontier.iter().map(|pair| pair[side]).collect();
            needed.sort_unstable();
            needed.dedup();
            self.trees[side].prune(&needed);
        }
    }

    fn found(&mut self, pair: Pair, fault: Fault) {
        let known = self.report.counterexamples.iter().any(|known| known.fault == fault);
        if !known && self.report.counterexamples.len() < FAULTS {
            let (depth, steps) = self.describe_path(pair);
            self.report.counterexamples.push(Counterexample { fault, depth, steps });
        }
    }

    /// Describes the steps to a pair, in one of the orders that lead there.
    fn describe_path(&self, pair: Pair) -> (usize, String) {
        let paths = [CLIENT, SERVER].map(|side| self.trees[side].path(pair[side]));
        let greeting = [CLIENT, SERVER].map(|side| self.trees[side].path(self.start[side]).len());
        let (mut places, mut depth, mut panic_message) = ([0, 0], 0, String::new());
        let mut at = [0, 0];
        while (0..2).any(|side| places[side] < paths[side].len()) {
            let clock = |side: usize| {
                let next = paths[side].get(places[side]).copied();
                next.is_some_and(|node| matches!(self.trees[side].step(node), Some(Step::Wake(_))))
            };
            let ready = |side: usize| {
                let next = paths[side].get(places[side]).copied();
                let enough = |node| {
                    self.trees[side].node(node).consumed <= self.trees[1 - side].node(at[1 - side]).produced
                };
                next.is_some_and(|node| {
                    enough(node)
                        && (!clock(side) || clock(1 - side) || places[1 - side] == paths[1 - side].len())
                })
            };
            let side =
                (0..2).find(|&side| ready(side) && !clock(side)).or_else(|| (0..2).find(|&side| ready(side)));
            let Some(side) = side else { unreachable!("every pair is reachable") };
            let node = paths[side][places[side]];
            if places[side] >= greeting[side] {
                depth += 1;
                self.describe_step(side, node, depth, &mut panic_message);
            }
            (at[side], places[side]) = (node, places[side] + 1);
        }
        (depth, panic_message)
    }

    fn describe_step(&self, side: usize, node: NodeId, number: usize, panic_message: &mut String) {
        let Some(step) = self.trees[side].step(node) else { return };
        let action = match step {
            Step::Act { entry, .. } => Some(self.scenario.actions[side][usize::from(*entry)].0),
            _ => None,
        };
        _ = writeln!(panic_message, "{number:4}. {}: {}", name(side), StepDisplay(step, action));
        let output = self.trees[side].output(node);
        for item in output.iter().take(4) {
            _ = writeln!(panic_message, "        sends {}", Frames(item));
        }
        if output.len() > 4 {
            _ = writeln!(panic_message, "        … {} items in all", output.len());
        }
    }
}

fn name(side: usize) -> &'static str {
    if side == CLIENT { "client" } else { "server" }
}
