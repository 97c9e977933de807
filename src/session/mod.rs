//! The one room that knows them all.
//!
//! A [`Session`] is a tree of pictures, the file that tells how it came about, a store of what would be dear to compute
//! again, and a model. [`read`](Session::read) understands a line; [`plan`](Session::plan) and
//! [`edit`](Session::edit) carry an edit out (`drawing`); moves go through the tree's own proposals. The file comes
//! about at the first picture (`opening`). Nothing is shown here.

pub mod area;
pub mod branch;
pub mod compose;
pub mod cycle;
mod drawing;
pub mod file;
pub mod found;
pub mod home;
pub mod import;
pub mod inspect;
pub mod learning;
pub mod lock;
pub mod memory;
pub mod model;
mod opening;
pub mod patch;
pub mod photograph;
pub mod region;
pub mod renderer;
pub mod replay;
pub mod run_node;
mod silhouette;
pub mod sketch;
mod stencil;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};

use crate::engine::Picture;
use crate::engine::segment::Segmenter;
use crate::history::{Event, Node, Tree};
use crate::model::named::ModelName;
use crate::model::{PLAIN, is_embedded, is_guided};
use crate::plan::Recipe;
use crate::plan::device::DeviceName;
use crate::plan::photograph::pixel_digest;
use crate::plan::settings::{DecoderName, Per, Precision, RootSettings, Setting, Settings};
use crate::store::disk::Disk;
use crate::store::{Limits, Store};
use crate::turn::{Here, Misread, Turn};

use drawing::RunNodes;
use file::{DrawnRow, Hinted, SessionFile};
use home::{Home, store_of};
use learning::Learner;
use lock::Lock;
use model::{Model, Models, default_precision, maker};
use run_node::RunResult;

/// How a session is begun.
pub struct Options {
    /// Where sessions live.
    pub home: Home,
    /// The session's file: one that exists is gone on with, another is made at the first picture. `None` keeps the session
    /// in memory alone.
    pub path: Option<PathBuf>,
    /// Only look, do not write.
    pub read_only: bool,
    /// Settings from the configuration and the command line; they give way to those in the file.
    pub settings: Settings,
    /// Settings of the command line, name and value; they win over those in the file.
    pub overrides: Vec<(String, String)>,
    /// Bytes kept in memory and on disk.
    pub limits: Limits,
}

/// A conversation's state.
pub struct Session {
    tree: Tree,
    file: Option<SessionFile>,
    lock: Option<Lock>,
    path: Option<PathBuf>,
    read_only: bool,
    disk: Arc<dyn Disk>,
    store: Store,
    /// What models learned from pictures.
    learner: Learner,
    limits: Limits,
    settings: Settings,
    /// Settings changed before there was a file to write them to.
    unsaved: Vec<(String, String)>,
    /// Lines that could not be written to the file.
    unwritten: Vec<String>,
    models: Models,
    /// The network that finds what a text names, by name, once it was needed.
    segmenter: Option<(String, DeviceName, Arc<Segmenter>)>,
    drawn: Vec<Option<DrawnRow>>,
    run_nodes: RunNodes,
    notes: Vec<String>,
}

/// What became of an edit.
pub struct TurnResult {
    /// The node arrived at.
    pub node: u32,
    /// Its parent.
    pub parent: Option<u32>,
    /// Whether the node was there already; then nothing was drawn.
    pub existed: bool,
    /// What its run left.
    pub left: Arc<RunResult>,
    /// What its parent's run left.
    pub parent_left: Option<Arc<RunResult>>,
    /// Pixels outside the edited words' region, `None` for a root.
    pub outside: Option<Vec<bool>>,
    /// UNet samples.
    pub evaluations: u64,
    /// Seconds.
    pub seconds: f64,
    /// The largest distance of a used row's sum from 1.
    pub row_gap: f32,
    /// Sentences for the person.
    pub warnings: Vec<String>,
}

impl Session {
    /// The tree.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The session's name: that of its file.
    #[must_use]
    pub fn name(&self) -> String {
        let stem = self.path.as_deref().and_then(Path::file_stem);
        stem.map_or_else(|| "unsaved".to_owned(), |n| n.to_string_lossy().into_owned())
    }

    /// The session's file, which may not be there yet; `None` if it is kept in memory alone.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Settings in force.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Sentences that came up since the last call: a damaged line set aside, a store that cannot be written.
    pub fn take_notes(&mut self) -> Vec<String> {
        let mut notes = std::mem::take(&mut self.notes);
        notes.extend(self.store.take_warnings());
        notes.extend(self.learner.take_notes());
        notes
    }

    /// What was noted when a node was drawn.
    #[must_use]
    pub fn drawn(&self, node: u32) -> Option<&DrawnRow> {
        self.drawn.get((node as usize).checked_sub(1)?)?.as_ref()
    }

    /// The model and precision of the present tree, or of the next root where there is none.
    fn model_wanted(&self) -> (String, Precision) {
        match self.tree.current() {
            Some(node) => (node.recipe.model.clone(), node.recipe.precision),
            None => self.model_of_root(&self.settings.root),
        }
    }

    /// The name of the model of a root under these settings, with what is laid over it, and its arithmetic.
    fn model_of_root(&self, root: &RootSettings) -> (String, Precision) {
        let precision = root.precision.unwrap_or_else(|| default_precision(self.device()));
        (model_name(root), precision)
    }

    /// The name of the model of the present tree, or of the next root where there is none, and its arithmetic.
    #[must_use]
    pub fn model_name(&self) -> (String, Precision) {
        self.model_wanted()
    }

    /// Whether [`model`](Self::model) would answer without waiting.
    #[must_use]
    pub fn model_is_ready(&self) -> bool {
        let (name, precision) = self.model_wanted();
        self.models.is_ready(&name, precision)
    }

    /// The model of the present tree, waited for.
    ///
    /// # Errors
    /// Fails if it cannot be loaded.
    pub fn model(&mut self) -> Result<Arc<Model>> {
        let (name, precision) = self.model_wanted();
        self.models.get(&name, precision)
    }

    fn model_for(&mut self, recipe: &Recipe) -> Result<Arc<Model>> {
        let model = self.models.get(&recipe.model, recipe.precision)?;
        if model.digest != recipe.model_digest {
            let below = ModelName::parse(&recipe.model).map(|name| name.below).unwrap_or_default();
            let (message, hint) = if is_embedded(&below) {
                (
                    "this tree was drawn by an embedded model with other weights than this program has".to_owned(),
                    "its pictures can be looked at; describe one after /new, and these weights draw it",
                )
            } else {
                (
                    format!("the model `{}` is not the one that this tree was drawn with", recipe.model),
                    "start a new tree with /new, or give the old model with --model",
                )
            };
            return Err(Hinted::new(message, hint).into());
        }
        Ok(model)
    }

    /// What a picture of this recipe will take where that is much, and what would be quicker.
    ///
    /// # Errors
    /// Fails if the model cannot be loaded.
    pub fn slowness(&mut self, recipe: &Recipe) -> Result<Option<String>> {
        Ok(self.model_for(recipe)?.slowness(recipe))
    }

    /// Understands a line that is no command where we are.
    ///
    /// # Errors
    /// Fails with a [`Misread`] if the line cannot be carried out, or otherwise if the model cannot be loaded.
    pub fn read(&mut self, line: &str) -> Result<Turn> {
        let model = self.model()?;
        let lexicon = model.lexicon();
        let ancestors: Vec<&str> = match self.tree.here() {
            Some(here) => self.tree.ancestors(here).map(|n| n.plan.prompt.as_str()).collect(),
            None => Vec::new(),
        };
        let prompt = self.tree.current().map(|n| n.plan.prompt.as_str());
        let turn = crate::turn::read(line, &Here { prompt, ancestors: &ancestors, sense: &lexicon });
        turn.map(|turn| lexicon.with_offers(turn)).map_err(|e: Misread| e.into())
    }

    /// Understands a line as the prompt of a new picture, whatever it says.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_root(&mut self, line: &str) -> Result<Turn> {
        let (name, precision) = self.model_of_root(&self.settings.root);
        let model = self.models.get(&name, precision)?;
        let lexicon = model.lexicon();
        let turn = crate::turn::root(line, &lexicon);
        turn.map(|turn| lexicon.with_offers(turn)).map_err(|e: Misread| e.into())
    }

    /// Carries a move out that the tree proposed, and says where it led.
    ///
    /// # Errors
    /// Fails if the event cannot be written.
    pub fn go(&mut self, event: Event) -> Result<u32> {
        let to = event.arrives().context("BUG: a move leads nowhere")?;
        if self.tree.here() != Some(to) {
            self.commit(event, None)?;
        }
        Ok(to)
    }

    /// Names a node.
    ///
    /// # Errors
    /// Fails if the name is taken or cannot be one, or the event cannot be written.
    pub fn name_node(&mut self, node: u32, name: &str) -> Result<()> {
        let event = self.tree.name(node, name)?;
        self.commit(event, None)
    }

    /// Changes a setting, and writes that down if pictures depend on it.
    ///
    /// # Errors
    /// Fails as [`Settings::set`] does, or if the event cannot be written.
    pub fn set(&mut self, name: &str, value: &str) -> Result<&'static Setting> {
        let setting = self.change(name, value)?;
        if setting.per == Per::Root && MADE_OF.contains(&setting.name) {
            let (name, precision) = self.model_of_root(&self.settings.root);
            self.models.begin(&name, precision);
        }
        Ok(setting)
    }

    /// The same, but no model is loaded for it yet.
    fn change(&mut self, name: &str, value: &str) -> Result<&'static Setting> {
        let mut settings = self.settings.clone();
        let setting = settings.set(name, value)?;
        if setting.per == Per::Machine {
            self.settings = settings;
            self.follow_device();
            return Ok(setting);
        }
        let (name, mut value) = (setting.name.to_owned(), value.trim().to_owned());
        if name == "model" {
            value = crate::model::written(&value);
            settings.set(&name, &value)?;
        }
        if self.file.is_some() {
            self.commit(Event::Set { name, value }, None)?;
        } else {
            self.unsaved.push((name, value));
        }
        self.settings = settings;
        Ok(setting)
    }

    /// Puts other settings of first pictures in force, for a line that says more than its words; gives back those before. Nothing
    /// of it is written down but what is drawn under it.
    pub fn exchange_root(&mut self, root: RootSettings) -> RootSettings {
        std::mem::replace(&mut self.settings.root, root)
    }

    /// Computes where the settings say from now on. What was computed elsewhere counts as missing: nothing of it is in
    /// memory any more, and the store is asked in another maker's name.
    fn follow_device(&mut self) {
        let device = self.settings.device;
        if self.device() == device {
            return;
        }
        self.models.compute_on(device);
        self.run_nodes.clear();
        self.learner.forget();
        // The store on disk is closed before it is opened anew.
        let had_folder = self.store.is_on_disk();
        self.store = Store::in_memory(&self.limits);
        if let Some(path) = self.path.as_deref().filter(|_| had_folder) {
            self.store = Store::open(&store_of(path), &maker(device), &self.limits, self.disk.clone());
        }
        let (name, precision) = self.model_wanted();
        self.models.begin(&name, precision);
    }

    /// Where it computes.
    #[must_use]
    pub fn device(&self) -> DeviceName {
        self.models.device()
    }

    /// Takes a preset.
    ///
    /// # Errors
    /// Fails if there is none of that name, or the events cannot be written.
    pub fn preset(&mut self, name: &str) -> Result<()> {
        let mut tried = self.settings.clone();
        tried.preset(name)?;
        for setting in ["cross_replace_steps", "self_replace_steps", "k"] {
            self.set(setting, &tried.get(setting))?;
        }
        Ok(())
    }

    /// The node that an id means, or the present one.
    ///
    /// # Errors
    /// Fails if there is no such node, or no node at all.
    pub fn resolve(&self, id: Option<&str>) -> Result<u32> {
        match id {
            Some(id) => Ok(self.tree.resolve(id)?),
            None => self.tree.here().ok_or_else(|| Hinted::new("there is no picture yet", "describe one first").into()),
        }
    }

    /// The node at the top of the present tree.
    ///
    /// # Errors
    /// Fails if there is no node at all.
    pub fn root(&self) -> Result<&Node> {
        let here = self.resolve(None)?;
        let path = self.tree.path_to_root(here);
        path.iter().copied().find(|n| n.is_root()).context("BUG: a tree has no root")
    }
}

/// The settings that say which model is loaded, and how.
const MADE_OF: [&str; 9] =
    ["model", "lora", "embedding", "vae", "decoder", "clip_skip", "precision", "guidance", "negative"];

/// The line that names the model of a root under these settings, and what is laid over it. The model in the program draws
/// without its adapter where words are to be pushed: by a guidance, or away from a negative text.
#[must_use]
pub fn model_name(root: &RootSettings) -> String {
    let mut below = root.model.clone().unwrap_or_else(|| "embedded".to_owned());
    let is_pushed = root.guidance.map_or(root.negative.as_ref().is_some_and(|text| !text.is_empty()), |g| g != 1.0);
    if is_pushed {
        let (name, laid_over) = below.split_once('|').map_or((&*below, None), |(name, rest)| (name, Some(rest)));
        if is_guided(name) {
            below = laid_over.map_or_else(|| PLAIN.to_owned(), |rest| format!("{PLAIN} |{rest}"));
        }
    }
    let is_plain = root.lora.is_empty() && root.embedding.is_empty() && root.vae.is_none();
    if is_plain && root.decoder.unwrap_or_default() == DecoderName::Auto && root.clip_skip.unwrap_or(1) == 1 {
        return below;
    }
    // The model of a tree that is begun again may have something over it already.
    let mut name = ModelName::parse(&below).unwrap_or_else(|_| ModelName::plain(below.as_str()));
    name.loras.extend(root.lora.iter().cloned());
    name.embeddings.extend(root.embedding.iter().cloned());
    name.vae = root.vae.clone().or(name.vae);
    name.decoder = root.decoder.unwrap_or(name.decoder);
    name.clip_skip = root.clip_skip.unwrap_or(name.clip_skip);
    crate::model::written(&name.to_string())
}

/// A digest of a picture's size and pixels, 64 hexadecimal digits.
#[must_use]
pub fn picture_digest(picture: &Picture) -> String {
    pixel_digest((picture.width, picture.height), &picture.bytes)
}

/// A picture as the image library has it.
#[must_use]
pub fn to_image(picture: &Picture) -> image::RgbImage {
    let Picture { width, height, bytes } = picture;
    image::RgbImage::from_raw(*width as u32, *height as u32, bytes.clone()).unwrap_or_default()
}
