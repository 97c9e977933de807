//! Proposals: which event an edit, a move or a name would be. None of them changes the tree.

use std::sync::Arc;

use super::{Event, HistoryError, Node, NodeId, Prefix, Resolution, Tree};
use crate::plan::{Plan, Recipe};
use crate::turn::Change;
use crate::turn::nearest;

/// The most characters a name may have.
const LONGEST_NAME: usize = 60;

impl Tree {
    /// Proposes a node made by editing `parent`'s picture.
    ///
    /// An edit that this parent has had before, however it was typed then, is a move to the node that it made.
    ///
    /// # Errors
    /// No node has the number `parent`.
    pub fn grow(&self, parent: u32, line: &str, changes: Vec<Change>, plan: Plan) -> Result<Event, HistoryError> {
        let Some(above) = self.node(parent) else {
            return Err(HistoryError::Misfit { why: format!("there is no node #{parent} here") });
        };
        Ok(self.propose(Some(above), line, changes, plan, Arc::clone(&above.recipe)))
    }

    /// Proposes a first picture. One that was drawn before under the same recipe is a move to it.
    #[must_use]
    pub fn grow_root(&self, line: &str, changes: Vec<Change>, plan: Plan, recipe: Recipe) -> Event {
        self.propose(None, line, changes, plan, Arc::new(recipe))
    }

    fn propose(
        &self,
        parent: Option<&Node>,
        line: &str,
        changes: Vec<Change>,
        plan: Plan,
        recipe: Arc<Recipe>,
    ) -> Event {
        let id = NodeId::of(parent.map(|node| node.id), &plan, &recipe);
        if let Some(node) = self.find(&id) {
            return Event::Move { to: node.number };
        }
        let (number, parent) = (self.next_number(), parent.map(|node| node.number));
        Event::Grow(Box::new(Node { id, number, parent, line: line.to_owned(), changes, plan, recipe }))
    }

    /// Proposes to go to the `n`-th ancestor.
    ///
    /// # Errors
    /// There is no picture, or no `n`-th ancestor, or `n` is 0.
    pub fn undo(&self, n: usize) -> Result<Event, HistoryError> {
        let here = self.start("undo", n)?;
        let possible = self.depth(here);
        match self.ancestors(here).nth(n - 1) {
            Some(node) => Ok(Event::Move { to: node.number }),
            None if possible == 0 => Err(HistoryError::AtRoot { here }),
            None => Err(HistoryError::TooFar { verb: "undo", asked: n, possible }),
        }
    }

    /// Proposes to go `n` steps down the branch last left.
    ///
    /// After an undo that is the branch which was undone, not the newest one.
    ///
    /// # Errors
    /// There is no picture, or fewer than `n` steps were left that way, or `n` is 0.
    pub fn redo(&self, n: usize) -> Result<Event, HistoryError> {
        let here = self.start("redo", n)?;
        let mut to = here;
        for possible in 0..n {
            match self.last_left(to) {
                Some(child) => to = child,
                None if possible == 0 => return Err(HistoryError::NothingToRedo { here }),
                None => return Err(HistoryError::TooFar { verb: "redo", asked: n, possible }),
            }
        }
        Ok(Event::Move { to })
    }

    /// Proposes to go to where we were `n` moves ago, in time, whether that is up, down or on another root.
    ///
    /// Going back is a move like any other. So `back` twice returns, and `back 2` is where we were before both.
    ///
    /// # Errors
    /// There is no picture, or we have not been to so many places, or `n` is 0.
    pub fn back(&self, n: usize) -> Result<Event, HistoryError> {
        self.start("back", n)?;
        let possible = self.trail().len() - 1;
        match possible.checked_sub(n) {
            Some(place) => Ok(Event::Move { to: self.trail()[place] }),
            None if possible == 0 => Err(HistoryError::NowhereBefore),
            None => Err(HistoryError::TooFar { verb: "back", asked: n, possible }),
        }
    }

    fn start(&self, verb: &'static str, n: usize) -> Result<u32, HistoryError> {
        let here = self.here().ok_or(HistoryError::Empty)?;
        if n == 0 { Err(HistoryError::ByNothing { verb }) } else { Ok(here) }
    }

    /// Proposes to go to the node that `typed` stands for; see [`Tree::resolve`].
    ///
    /// # Errors
    /// It stands for none, or for several.
    pub fn go(&self, typed: &str) -> Result<Event, HistoryError> {
        Ok(Event::Move { to: self.resolve(typed)? })
    }

    /// The number of the node that `typed` stands for: `#3`, `3`, a name, or 4 and more digits of an id.
    ///
    /// A number wins over a name, and a name over digits of an id.
    ///
    /// # Errors
    /// It stands for none, or it begins several ids.
    pub fn resolve(&self, typed: &str) -> Result<u32, HistoryError> {
        if self.is_empty() {
            return Err(HistoryError::Empty);
        }
        let typed = typed.trim();
        let known = |number: &u32| self.node(*number).is_some();
        let number = typed.strip_prefix('#').unwrap_or(typed).parse().ok().filter(known);
        if let Some(number) = number.or_else(|| self.named(typed)) {
            return Ok(number);
        }
        match Prefix::parse(typed).map_or(Resolution::None, |prefix| self.resolve_prefix(&prefix)) {
            Resolution::One(number) => Ok(number),
            Resolution::Ambiguous(numbers) => Err(HistoryError::Ambiguous { typed: typed.to_owned(), numbers }),
            Resolution::None => Err(HistoryError::Unknown {
                typed: typed.to_owned(),
                last: self.next_number() - 1,
                nearest: nearest(typed, self.names().map(|(name, _)| name)).map(str::to_owned),
            }),
        }
    }

    /// Which nodes have an id that begins with `prefix`.
    #[must_use]
    pub fn resolve_prefix(&self, prefix: &Prefix) -> Resolution {
        let numbers: Vec<u32> = self.by_id().range(prefix.range()).map(|(_, number)| *number).collect();
        match numbers[..] {
            [] => Resolution::None,
            [number] => Resolution::One(number),
            _ => Resolution::Ambiguous(numbers),
        }
    }

    /// Proposes a name for a node.
    ///
    /// # Errors
    /// The name is another node's, is empty, long, has blanks or control characters, or reads as a number.
    pub fn name(&self, node: u32, name: &str) -> Result<Event, HistoryError> {
        let name = name.trim();
        let bad = |why| Err(HistoryError::BadName { name: name.to_owned(), why });
        if self.node(node).is_none() {
            return Err(self.resolve(&format!("#{node}")).err().unwrap_or(HistoryError::Empty));
        }
        if name.is_empty() {
            return bad("it is empty");
        }
        if name.chars().count() > LONGEST_NAME {
            return bad("it has more than 60 characters");
        }
        if name.chars().any(|c| c.is_whitespace() || c == '\n' || !crate::safe::is_printable(c)) {
            return bad("it has blanks or control characters");
        }
        if name.starts_with(['#', '/', '-']) || name.chars().all(|c| c.is_ascii_digit()) {
            return bad("it reads as a number, a command or an option");
        }
        match self.named(name) {
            Some(number) if number != node => Err(HistoryError::NameTaken { name: name.to_owned(), number }),
            _ => Ok(Event::Name { node, name: name.to_owned() }),
        }
    }
}
