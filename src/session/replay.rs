//! Living a session again: every node drawn from its events alone, and compared with what the file says of it.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use candle_core::Tensor;

use super::drawing::RunNodes;
use super::file::{self, Hinted, Trust};
use super::learning::Learner;
use super::model::{Model, computed_by};
use super::renderer::Renderer;
use super::{Session, picture_digest, to_image};
use crate::measure::{thumbprint, thumbprint_psnr};
use crate::plan::Recipe;
use crate::store::Store;

/// The least likeness, in dB over thumbprints, of the same picture drawn by another kernel family or on another device.
pub const THUMBPRINT_PSNR: f64 = 30.0;

/// How one node came out.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The same bytes.
    Same,
    /// Another kernel family's bytes, or another device's, but the same picture: the likeness in dB.
    Alike(f64),
    /// Another picture: the likeness in dB.
    Differs(f64),
    /// The file does not say what it should look like.
    Unknown,
}

impl Verdict {
    /// Whether the node is as the file says.
    #[must_use]
    pub fn holds(&self) -> bool {
        !matches!(self, Self::Differs(_))
    }
}

/// A node replayed.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// Its number.
    pub node: u32,
    /// How it came out.
    pub verdict: Verdict,
}

/// What is done about models that learned from pictures of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lessons {
    /// What was kept beside its file is used.
    AsKept,
    /// They learn again.
    Again,
}

/// A session replayed.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// Its nodes, as far as they were drawn again.
    pub nodes: Vec<Replayed>,
    /// What of the file could not be read, a sentence each.
    pub unread: Vec<String>,
    /// What else should be known, a sentence each: photographs whose files are gone.
    pub notes: Vec<String>,
}

impl Replay {
    /// How many pictures came out as others than the file says.
    #[must_use]
    pub fn differ(&self) -> usize {
        self.nodes.iter().filter(|node| !node.verdict.holds()).count()
    }

    /// Whether the whole file was read and every picture is as it says.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.unread.is_empty() && self.differ() == 0
    }

    /// The last line of a report: how many pictures, and what could not be read.
    #[must_use]
    pub fn summary(&self) -> String {
        let unread: String = self.unread.iter().map(|note| format!("; {note}")).collect();
        format!("{} pictures, {} differ{unread}", self.nodes.len(), self.differ())
    }
}

impl Session {
    /// Draws every node of another session's file anew, in an empty store, and compares. `seen` is told each node as it
    /// is done and may stop the rest. What models learned is taken as it was kept, or learned again and kept nowhere.
    ///
    /// # Errors
    /// Fails if the file cannot be read or a node cannot be drawn.
    pub fn replay(
        &mut self,
        path: &Path,
        (trust, lessons): (Trust, Lessons),
        seen: &mut dyn FnMut(&Replayed, usize) -> ControlFlow<()>,
        watch: &mut dyn FnMut(usize, &Tensor) -> ControlFlow<()>,
    ) -> Result<Replay> {
        let contents = file::read(path, &*self.disk, trust)?;
        let count = contents.tree.len();
        let tree = &contents.tree;
        let gone = super::photograph::gone(tree);
        let learner = Learner::beside(Some(path), false, self.disk.clone());
        let learner = if lessons == Lessons::Again { learner.learning_again() } else { learner };
        let (store, mut run_nodes) = (Store::in_memory(&self.limits), RunNodes::default());
        let mut nodes = Vec::new();
        for number in 1..=count as u32 {
            let recipe = &tree[number].recipe;
            let model = self.model_to_replay(recipe, &contents.outside)?;
            let family = run_nodes.family(tree, number, &model)?;
            let renderer = Renderer::new(model, (&store, &learner), recipe.clone(), self.reach())?;
            let Some(done) = renderer.draw(&family, &mut *watch)? else { break };
            let picture = &done.left.picture;
            let kernels = computed_by(self.device(), recipe.precision);
            let verdict = match contents.drawn.get(number as usize - 1).and_then(Option::as_ref) {
                None => Verdict::Unknown,
                Some(drawn) if drawn.digest == picture_digest(picture) => Verdict::Same,
                Some(drawn) => {
                    let ours = thumbprint(&to_image(picture));
                    let psnr =
                        <[u8; 768]>::try_from(&*drawn.thumbprint).map_or(0.0, |theirs| thumbprint_psnr(&ours, &theirs));
                    if drawn.kernels != kernels && psnr >= THUMBPRINT_PSNR {
                        Verdict::Alike(psnr)
                    } else {
                        Verdict::Differs(psnr)
                    }
                }
            };
            run_nodes.remember(number, None);
            let replayed = Replayed { node: number, verdict };
            let flow = seen(&replayed, count);
            nodes.push(replayed);
            if flow.is_break() {
                break;
            }
        }
        Ok(Replay { nodes, unread: contents.notes, notes: gone.into_iter().chain(learner.take_notes()).collect() })
    }

    /// The model of a tree from a file, or the one that `--model` gave in its stead; `outside` are notes on what the file
    /// names outside its folder.
    fn model_to_replay(&mut self, recipe: &Recipe, outside: &[String]) -> Result<Arc<Model>> {
        let found = self.model_for(recipe);
        let (Err(error), Some(note)) = (&found, outside.first()) else { return found };
        let given = self.settings.root.model.clone();
        let given = given.and_then(|name| self.models.get(&name, recipe.precision).ok());
        match given.filter(|model| model.digest == recipe.model_digest) {
            Some(model) => Ok(model),
            None => Err(Hinted::new(format!("{error:#}; {note}"), "--model FOLDER, the one it was drawn with").into()),
        }
    }
}
