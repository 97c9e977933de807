//! The fold of all events.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Event, HistoryError, Node, NodeId};

/// All nodes of a session, their names, its settings, and where we are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tree {
    /// Node number n stands at n - 1, and so do its branches.
    nodes: Vec<Node>,
    branches: Vec<Branches>,
    roots: Vec<u32>,
    by_id: BTreeMap<NodeId, u32>,
    names: BTreeMap<String, u32>,
    settings: Vec<(String, String)>,
    /// Everywhere we have been, in time; the last is where we are. Staying is not recorded.
    trail: Vec<u32>,
    log: Vec<LogEntry>,
}

/// What hangs on a node.
#[derive(Debug, Clone, Default, PartialEq)]
struct Branches {
    children: Vec<u32>,
    /// The child whose branch was last left upwards: where redo goes.
    left: Option<u32>,
    /// How many ancestors the node has.
    depth: usize,
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogEntry {
    /// A node grew.
    Grew(u32),
    /// We went to a node.
    Moved(u32),
    /// A node got a name.
    Named(u32, String),
    /// A setting got a value.
    Set(String, String),
}

impl Tree {
    /// A tree without nodes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Folds one more event in.
    ///
    /// # Errors
    /// As [`Tree::check`]; the tree is then unchanged.
    pub fn apply(&mut self, event: Event) -> Result<(), HistoryError> {
        self.check(&event)?;
        match event {
            Event::Grow(node) => self.take_in(*node),
            Event::Move { to } => {
                self.log.push(LogEntry::Moved(to));
                self.arrive(to);
            }
            Event::Name { node, name } => {
                self.log.push(LogEntry::Named(node, name.clone()));
                self.names.insert(name, node);
            }
            Event::Set { name, value } => {
                self.log.push(LogEntry::Set(name.clone(), value.clone()));
                self.settings.retain(|(other, _)| *other != name);
                self.settings.push((name, value));
            }
        }
        Ok(())
    }

    /// Whether an event can follow those of this tree. What this tree proposed always can.
    ///
    /// # Errors
    /// It has a node out of order or one that is there already, or names a node that is not there.
    pub fn check(&self, event: &Event) -> Result<(), HistoryError> {
        let misfit = |why: String| Err(HistoryError::Misfit { why });
        let node = match event {
            Event::Grow(node) => node,
            Event::Move { to: number } | Event::Name { node: number, .. } => return self.must_have(*number),
            Event::Set { .. } => return Ok(()),
        };
        if node.number != self.next_number() {
            return misfit(format!("node #{} follows #{}", node.number, self.nodes.len()));
        }
        if let Some(parent) = node.parent {
            self.must_have(parent)?;
            if !Arc::ptr_eq(&self[parent].recipe, &node.recipe) && self[parent].recipe != node.recipe {
                return misfit(format!("#{} has another recipe than its parent #{parent}", node.number));
            }
        }
        match self.by_id.get(&node.id) {
            Some(other) => misfit(format!("#{} is #{other} once more", node.number)),
            None => Ok(()),
        }
    }

    fn take_in(&mut self, node: Node) {
        let number = node.number;
        let depth = node.parent.map_or(0, |parent| self.depth(parent) + 1);
        match node.parent {
            Some(parent) => self.branches[index(parent)].children.push(number),
            None => self.roots.push(number),
        }
        self.by_id.insert(node.id, number);
        self.branches.push(Branches { depth, ..Branches::default() });
        self.nodes.push(node);
        self.log.push(LogEntry::Grew(number));
        self.arrive(number);
    }

    /// Goes to `to` and remembers, at every node climbed to on the way up, the branch that was left there.
    fn arrive(&mut self, to: u32) {
        let Some(from) = self.here() else {
            self.trail.push(to);
            return;
        };
        if from == to {
            return;
        }
        let top = self.common_ancestor(from, to);
        let mut below = from;
        while Some(below) != top {
            let Some(above) = self[below].parent else { break };
            self.branches[index(above)].left = Some(below);
            below = above;
        }
        self.trail.push(to);
    }

    fn must_have(&self, number: u32) -> Result<(), HistoryError> {
        match self.node(number) {
            Some(_) => Ok(()),
            None => Err(HistoryError::Misfit { why: format!("there is no node #{number} here") }),
        }
    }

    /// The number that the next node will get.
    ///
    /// # Panics
    /// At four thousand million nodes.
    #[must_use]
    pub fn next_number(&self) -> u32 {
        u32::try_from(self.nodes.len() + 1).expect("a session file is limited to fewer nodes")
    }

    /// The node with this number.
    #[must_use]
    pub fn node(&self, number: u32) -> Option<&Node> {
        self.nodes.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// The node with this id.
    #[must_use]
    pub fn find(&self, id: &NodeId) -> Option<&Node> {
        self.by_id.get(id).map(|number| &self[*number])
    }

    /// All nodes, in the order of growth.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether nothing has grown yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The number of the node we are at; `None` before the first picture.
    #[must_use]
    pub fn here(&self) -> Option<u32> {
        self.trail.last().copied()
    }

    /// The node we are at; `None` before the first picture.
    #[must_use]
    pub fn current(&self) -> Option<&Node> {
        self.here().map(|number| &self[number])
    }

    /// Numbers of the roots, in the order of growth.
    #[must_use]
    pub fn roots(&self) -> &[u32] {
        &self.roots
    }

    /// Numbers of a node's children, in the order of growth; none for a number that no node has.
    #[must_use]
    pub fn children(&self, number: u32) -> &[u32] {
        self.node(number).map_or(&[], |_| &self.branches[index(number)].children)
    }

    /// How many ancestors a node has: 0 for a root.
    #[must_use]
    pub fn depth(&self, number: u32) -> usize {
        self.node(number).map_or(0, |_| self.branches[index(number)].depth)
    }

    /// The child whose branch was last left upwards; redo goes there.
    #[must_use]
    pub fn last_left(&self, number: u32) -> Option<u32> {
        self.node(number).and_then(|_| self.branches[index(number)].left)
    }

    /// A node's ancestors, its parent first, its root last.
    pub fn ancestors(&self, number: u32) -> impl Iterator<Item = &Node> {
        let parent = |node: &&Node| node.parent.and_then(|number| self.node(number));
        std::iter::successors(self.node(number).as_ref().and_then(parent), parent)
    }

    /// A node and its ancestors, the node first, its root last.
    #[must_use]
    pub fn path_to_root(&self, number: u32) -> Vec<&Node> {
        self.node(number).into_iter().chain(self.ancestors(number)).collect()
    }

    /// The deepest node that is an ancestor of both, or one of them; `None` if they hang on different roots.
    #[must_use]
    pub fn common_ancestor(&self, one: u32, other: u32) -> Option<u32> {
        let (mut one, mut other) = (self.node(one)?, self.node(other)?);
        while one.number != other.number {
            // The deeper one climbs, so that neither passes the other.
            let climber = if self.depth(one.number) < self.depth(other.number) { &mut other } else { &mut one };
            *climber = self.node(climber.parent?)?;
        }
        Some(one.number)
    }

    /// All names and the numbers of their nodes, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = (&str, u32)> {
        self.names.iter().map(|(name, number)| (name.as_str(), *number))
    }

    /// The names of one node, in alphabetical order.
    pub fn names_of(&self, number: u32) -> impl Iterator<Item = &str> {
        self.names().filter(move |(_, other)| *other == number).map(|(name, _)| name)
    }

    pub(super) fn named(&self, name: &str) -> Option<u32> {
        self.names.get(name).copied()
    }

    pub(super) fn by_id(&self) -> &BTreeMap<NodeId, u32> {
        &self.by_id
    }

    /// The settings given in this session: name and value as typed, each name once, the latest last.
    #[must_use]
    pub fn settings(&self) -> &[(String, String)] {
        &self.settings
    }

    /// Everywhere we have been, in time; the last is where we are.
    #[must_use]
    pub fn trail(&self) -> &[u32] {
        &self.trail
    }

    /// Everything that happened, in time.
    #[must_use]
    pub fn log(&self) -> &[LogEntry] {
        &self.log
    }

    /// The recipe of the tree that a node belongs to.
    #[must_use]
    pub fn recipe(&self, number: u32) -> Option<&Arc<crate::plan::Recipe>> {
        self.node(number).map(|node| &node.recipe)
    }
}

impl std::ops::Index<u32> for Tree {
    type Output = Node;

    /// # Panics
    /// If no node has this number.
    fn index(&self, number: u32) -> &Node {
        self.node(number).expect("BUG: a node's number outlives nothing, yet this one has no node")
    }
}

fn index(number: u32) -> usize {
    number as usize - 1
}
