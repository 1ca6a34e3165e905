//! All histories of one endpoint, as a tree: each node is a step, and stands for the steps that lead to it.
//!
//! An endpoint depends only on its own steps. Therefore, each node is computed once, however many different
//! steps the other endpoint has taken meanwhile.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::action::Step;
use crate::cut::Queued;
use crate::endpoint::{Endpoint, Fault};
use crate::scenario::Scenario;
use crate::view::View;

/// The index of a node; 0 is the root, before any step.
pub(crate) type NodeId = u32;

/// A step and its result.
pub(crate) struct Node {
    parent: NodeId,
    step: Option<Step>,
    children: Vec<NodeId>,
    /// The total items taken from the queue to this endpoint, and put into the queue from it.
    pub(crate) consumed: u32,
    pub(crate) produced: u32,
    output: Vec<Queued>,
    /// The fault, or the view of the endpoint; `None` once it is no longer needed.
    pub(crate) outcome: Option<Result<View, Fault>>,
}

/// The tree of one endpoint.
pub(crate) struct Tree<'a> {
    scenario: &'a Scenario,
    side: usize,
    nodes: Vec<Node>,
}

impl<'a> Tree<'a> {
    pub(crate) fn new(scenario: &'a Scenario, side: usize) -> Self {
        let mut tree = Self { scenario, side, nodes: Vec::new() };
        tree.compute(0, None, 0, 0);
        tree
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    /// The view of the endpoint at a node without fault.
    pub(crate) fn view(&self, id: NodeId) -> &View {
        match &self.node(id).outcome {
            Some(Ok(view)) => view,
            _ => unreachable!("a node without fault that is still needed"),
        }
    }

    /// The fault at a node, if any.
    pub(crate) fn fault(&self, id: NodeId) -> Option<&Fault> {
        self.node(id).outcome.as_ref().and_then(|outcome| outcome.as_ref().err())
    }

    /// The child of `parent` for `step`, which takes `items` items from the queue.
    pub(crate) fn child(&mut self, parent: NodeId, step: Step, items: u32) -> NodeId {
        let known = &self.nodes[parent as usize].children;
        let known = known.iter().find(|&&child| self.node(child).step.as_ref() == Some(&step));
        if let Some(&child) = known {
            if self.node(child).outcome.is_none() {
                let (_, outcome) = self.replay(&self.steps(child));
                self.nodes[child as usize].outcome = Some(outcome);
            }
            return child;
        }
        let (consumed, produced) = (self.node(parent).consumed + items, self.node(parent).produced);
        let child = self.compute(parent, Some(step), consumed, produced);
        self.nodes[parent as usize].children.push(child);
        child
    }

    fn compute(&mut self, parent: NodeId, step: Option<Step>, consumed: u32, produced: u32) -> NodeId {
        let mut steps: Vec<_> = if step.is_some() { self.steps(parent) } else { Vec::new() };
        steps.extend(&step);
        let (output, outcome) = self.replay(&steps);
        let id = NodeId::try_from(self.nodes.len()).expect("fewer than 2^32 nodes");
        let produced = produced + u32::try_from(output.len()).expect("few frames");
        let outcome = Some(outcome);
        self.nodes.push(Node { parent, step, children: Vec::new(), consumed, produced, output, outcome });
        id
    }

    /// Performs steps from the start; reports a panic of the engine as a fault.
    fn replay(&self, steps: &[&Step]) -> (Vec<Queued>, Result<View, Fault>) {
        let replay = || replay(self.scenario, self.side, steps);
        catch_unwind(AssertUnwindSafe(replay)).unwrap_or_else(|cause| {
            (Vec::new(), Err(format!("the engine panics: {}", panic_message(&*cause))))
        })
    }

    /// The nodes on the path from the root, exclusive, to this one.
    pub(crate) fn path(&self, mut id: NodeId) -> Vec<NodeId> {
        let mut path = Vec::new();
        while id != 0 {
            path.push(id);
            id = self.node(id).parent;
        }
        path.reverse();
        path
    }

    /// The steps that lead to a node.
    fn steps(&self, id: NodeId) -> Vec<&Step> {
        self.path(id).into_iter().filter_map(|id| self.node(id).step.as_ref()).collect()
    }

    pub(crate) fn step(&self, id: NodeId) -> Option<&Step> {
        self.node(id).step.as_ref()
    }

    /// The items that a step has put into the queue.
    pub(crate) fn output(&self, id: NodeId) -> &[Queued] {
        &self.node(id).output
    }

    /// The item with this index in the queue from the endpoint.
    pub(crate) fn item(&self, mut id: NodeId, number: u32) -> &Queued {
        loop {
            let node = self.node(id);
            let first = node.produced - u32::try_from(node.output.len()).expect("few frames");
            if number >= first {
                return &node.output[(number - first) as usize];
            }
            id = node.parent;
        }
    }

    /// Drops the views of nodes that are no longer needed; `needed` is sorted.
    pub(crate) fn prune(&mut self, needed: &[NodeId]) {
        for (id, node) in self.nodes.iter_mut().enumerate() {
            if node.outcome.is_some() && needed.binary_search(&(id as NodeId)).is_err() {
                node.outcome = None;
            }
        }
    }
}

/// Performs all steps; returns the output of the last, and the resulting view.
fn replay(scenario: &Scenario, side: usize, steps: &[&Step]) -> (Vec<Queued>, Result<View, Fault>) {
    let mut endpoint = Endpoint::new(scenario, side);
    let mut result = endpoint.settle();
    for step in steps {
        endpoint.output.clear();
        result = endpoint.step(step);
        if result.is_err() {
            break;
        }
    }
    let outcome = result.map(|()| View::of(&mut endpoint));
    (endpoint.output, outcome)
}

fn panic_message(cause: &(dyn std::any::Any + Send)) -> String {
    let text =
        cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").to_owned()
}
