//! The one room that knows them all.
//!
//! A [`Session`] is a tree of pictures, the file that tells how it came about, a store of what would be dear to compute
//! again, and a model. [`read`](Session::read) understands a line; [`edit`](Session::edit) carries an edit out;
//! moves go through the tree's own proposals. Nothing is shown here.

pub mod branch;
pub mod compose;
pub mod cycle;
pub mod easel;
pub mod file;
pub mod home;
pub mod import;
pub mod inspect;
pub mod lock;
pub mod model;
pub mod region;
pub mod relative;
pub mod replay;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::engine::Picture;
use crate::history::{Event, Node, Tree};
use crate::measure::thumbprint;
use crate::plan::lineage::{self, Generation};
use crate::plan::resolve::{Resolved, resolve};
use crate::plan::settings::{Per, Precision, Setting, Settings};
use crate::plan::{Recipe, settings};
use crate::store::disk::{Disk, RealDisk};
use crate::store::{Limits, Store};
use crate::turn::{Edit, Here, Misread, Turn};

use easel::{Easel, Watch};
use file::{Drawn, Hinted, SessionFile, Trust};
use home::{Home, store_of};
use lock::Lock;
use model::{Lexicon, Model, Models, default_precision, maker};
use relative::{Left, Relative};

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
    limits: Limits,
    settings: Settings,
    /// Settings changed before there was a file to write them to.
    unsaved: Vec<(String, String)>,
    models: Models,
    drawn: Vec<Option<Drawn>>,
    relatives: HashMap<u32, Arc<Relative>>,
    notes: Vec<String>,
}

/// What became of an edit.
pub struct Turned {
    /// The node arrived at.
    pub node: u32,
    /// Its parent.
    pub parent: Option<u32>,
    /// Whether the node was there already; then nothing was drawn.
    pub existed: bool,
    /// What its run left.
    pub left: Arc<Left>,
    /// What its parent's run left.
    pub parent_left: Option<Arc<Left>>,
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

/// Nodes whose runs are remembered besides the store.
const REMEMBERED: usize = 24;

impl Session {
    /// Opens the session, and begins to load its model in the background.
    ///
    /// # Errors
    /// Fails if the file cannot be read, is damaged before its end, or is open elsewhere.
    pub fn open(options: Options) -> Result<Self> {
        let mut session = Self {
            tree: Tree::new(),
            file: None,
            lock: None,
            read_only: options.read_only,
            store: Store::in_memory(&options.limits),
            limits: options.limits,
            settings: options.settings,
            unsaved: Vec::new(),
            models: Models::default(),
            drawn: Vec::new(),
            relatives: HashMap::new(),
            notes: Vec::new(),
            path: options.path,
            disk: Arc::new(RealDisk),
        };
        if let Some(path) = session.path.clone().filter(|p| p.is_file()) {
            session.reopen(&path)?;
        }
        for (name, value) in &options.overrides {
            session.set(name, value)?;
        }
        let (name, precision) = session.model_wanted();
        session.models.begin(&name, precision);
        Ok(session)
    }

    fn reopen(&mut self, path: &Path) -> Result<()> {
        let contents = if self.read_only {
            file::read(path, &*self.disk, Trust::Own)?
        } else {
            self.lock = Some(Lock::take(path, &self.name())?);
            let opened = SessionFile::open(path, self.disk.clone())?;
            self.file = Some(opened.file);
            self.store = Store::open(&store_of(path), &maker(), &self.limits, self.disk.clone());
            opened.contents
        };
        self.tree = contents.tree;
        self.drawn = contents.drawn;
        self.notes = contents.notes;
        for (name, value) in self.tree.settings().to_vec() {
            if name == inspect::TITLE {
                continue;
            }
            if let Err(error) = self.settings.set(&name, &value) {
                self.notes.push(format!("a setting of the session was left out: {error}"));
            }
        }
        Ok(())
    }

    /// Makes the file and its store, if they are not there yet: a window that draws nothing leaves nothing behind.
    fn begin_file(&mut self) -> Result<()> {
        if self.read_only {
            return Err(Hinted::new(
                format!("session `{}` is open for reading only", self.name()),
                "open it without --read-only",
            )
            .into());
        }
        let Some(path) = self.path.clone().filter(|_| self.file.is_none()) else {
            return Ok(());
        };
        if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        self.lock = Some(Lock::take(&path, &self.name())?);
        let title = self.name();
        let mut file = SessionFile::create(&path, Some(&title), self.disk.clone())?;
        for (name, value) in std::mem::take(&mut self.unsaved) {
            file.commit(&mut self.tree, Event::Set { name, value }, None)?;
        }
        self.file = Some(file);
        self.store = Store::open(&store_of(&path), &maker(), &self.limits, self.disk.clone());
        Ok(())
    }

    fn commit(&mut self, event: Event, drawn: Option<&Drawn>) -> Result<()> {
        self.begin_file()?;
        match &mut self.file {
            Some(file) => file.commit(&mut self.tree, event, drawn),
            None => Ok(self.tree.apply(event)?),
        }
    }

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
        notes
    }

    /// What was noted when a node was drawn.
    #[must_use]
    pub fn drawn(&self, node: u32) -> Option<&Drawn> {
        self.drawn.get((node as usize).checked_sub(1)?)?.as_ref()
    }

    /// The model and precision of the present tree, or of the next root where there is none.
    fn model_wanted(&self) -> (String, Precision) {
        match self.tree.current() {
            Some(node) => (node.recipe.model.clone(), node.recipe.precision),
            None => self.model_of_next_root(),
        }
    }

    fn model_of_next_root(&self) -> (String, Precision) {
        let root = &self.settings.root;
        (root.model.clone().unwrap_or_else(|| "embedded".to_owned()), root.precision.unwrap_or_else(default_precision))
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
            let message = format!("the model `{}` is not the one that this tree was drawn with", recipe.model);
            return Err(Hinted::new(message, "start a new tree with /new, or give the old model with --model").into());
        }
        Ok(model)
    }

    /// Understands a line where we are.
    ///
    /// # Errors
    /// Fails with a [`Misread`] if the line cannot be carried out, or otherwise if the model cannot be loaded.
    pub fn read(&mut self, line: &str) -> Result<Turn> {
        // A command needs no vocabulary, so it need not wait for the model.
        let is_remark = line.trim_start().starts_with("# ");
        if !is_remark
            && !self.model_is_ready()
            && let Some(command) = crate::turn::commands::read(line)?
        {
            return Ok(Turn::Command(command));
        }
        let model = self.model()?;
        let lexicon = Lexicon::new(model.engine.reader());
        let ancestors: Vec<&str> = match self.tree.here() {
            Some(here) => self.tree.ancestors(here).map(|n| n.plan.prompt.as_str()).collect(),
            None => Vec::new(),
        };
        let prompt = self.tree.current().map(|n| n.plan.prompt.as_str());
        let turn = crate::turn::read(line, &Here { prompt, ancestors: &ancestors, sense: &lexicon });
        turn.map_err(|e: Misread| e.into())
    }

    /// A node and its ancestors, nearest first, ready to be drawn from.
    ///
    /// # Errors
    /// Fails if the tokenizer does.
    pub fn family(&mut self, node: u32, model: &Model) -> Result<Vec<Arc<Relative>>> {
        let path: Vec<u32> = self.tree.path_to_root(node).iter().map(|n| n.number).collect();
        let mut up: Vec<u32> = path;
        up.sort_unstable(); // numbers grow from the root down
        let mut family: Vec<Arc<Relative>> = Vec::new();
        for number in up {
            if let Some(found) = self.relatives.get(&number) {
                family.insert(0, found.clone());
                continue;
            }
            let node = &self.tree[number];
            let prompt = model.engine.reader().prompt(&node.plan.prompt)?;
            let above: Vec<&Generation> = family.iter().map(|r| &r.generation).collect();
            let identities = lineage::identities(&above, &prompt, &node.plan.spans);
            let generation = Generation { prompt, identities, weights: node.plan.weights.clone() };
            let relative = Arc::new(Relative::new(Some(node.id), node.plan.clone(), generation));
            self.relatives.insert(number, relative.clone());
            family.insert(0, relative);
        }
        Ok(family)
    }

    /// Shares of the steps that windows reach to under the settings in force.
    fn reach(&self) -> (f64, f64) {
        let turn = &self.settings.turn;
        let words = turn.cross_words.values().map(|w| w.to);
        (words.fold(turn.cross_replace_steps.to, f64::max), turn.self_replace_steps.to)
    }

    /// Plans an edit where we are: the recipe it would be drawn with, and the plan.
    ///
    /// # Errors
    /// Fails if the edit cannot be planned or the model cannot be loaded.
    pub fn plan(&mut self, edit: &Edit) -> Result<(Recipe, Resolved)> {
        self.plan_at(self.tree.here(), edit)
    }

    /// Plans an edit of the node `parent`, or a root.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub fn plan_at(&mut self, parent: Option<u32>, edit: &Edit) -> Result<(Recipe, Resolved)> {
        let parent = parent.filter(|_| !edit.is_root);
        if parent.is_none() {
            let (name, precision) = self.model_of_next_root();
            let model = self.models.get(&name, precision)?;
            let recipe = model.recipe(&self.settings.root)?;
            let prompt = model.engine.reader().prompt(&edit.prompt)?;
            return Ok((recipe, resolve(&[], prompt, edit, &self.settings.turn)?));
        }
        let Some(node) = parent.and_then(|number| self.tree.node(number)) else { bail!("BUG: an edit has no parent") };
        let (number, recipe) = (node.number, (*node.recipe).clone());
        let model = self.model_for(&recipe)?;
        let family = self.family(number, &model)?;
        let above: Vec<&Generation> = family.iter().map(|r| &r.generation).collect();
        let prompt = model.engine.reader().prompt(&edit.prompt)?;
        Ok((recipe, resolve(&above, prompt, edit, &self.settings.turn)?))
    }

    /// Carries an edit out: plans, draws, stores, and only then writes the event. `None` if it was stopped; then no node
    /// has grown. An edit that leads to a node that exists moves there and draws nothing.
    ///
    /// # Errors
    /// Fails if the edit cannot be planned or drawn, or its event cannot be written; the tree is then as before.
    pub fn edit(&mut self, line: &str, edit: &Edit, watch: Watch<'_>) -> Result<Option<Turned>> {
        self.edit_at(self.tree.here(), line, edit, watch)
    }

    /// Carries out an edit of the node `parent`, wherever we are; we are then at what grew.
    ///
    /// # Errors
    /// As [`edit`](Self::edit).
    pub fn edit_at(
        &mut self,
        parent: Option<u32>,
        line: &str,
        edit: &Edit,
        watch: Watch<'_>,
    ) -> Result<Option<Turned>> {
        let begun = Instant::now();
        let (recipe, Resolved { plan, generation, mut warnings }) = self.plan_at(parent, edit)?;
        warnings.splice(0..0, edit.warnings.iter().cloned());
        let parent = parent.filter(|_| !edit.is_root);
        let event = match parent {
            Some(here) => self.tree.grow(here, line, edit.changes.clone(), plan)?,
            None => self.tree.grow_root(line, edit.changes.clone(), plan, recipe.clone()),
        };
        let model = self.model_for(&recipe)?;
        let node = match event {
            Event::Grow(node) => node,
            event => return self.arrive(event, begun, warnings).map(Some),
        };
        self.begin_file()?;
        let relative = Arc::new(Relative::new(Some(node.id), node.plan.clone(), generation));
        let mut family = match parent {
            Some(here) => self.family(here, &model)?,
            None => Vec::new(),
        };
        family.insert(0, relative.clone());
        let easel = Easel::new(&model, &self.store, &recipe, self.reach())?;
        let Some(done) = easel.draw(&family, watch)? else {
            return Ok(None);
        };
        let parent_left = if family.len() > 1 { Some(easel.left(&family[1..])?) } else { None };
        let outside = region::outside(&family, &done.left, parent_left.as_deref(), &easel);
        let evaluations = easel.evaluations();
        self.store.flush();
        let seconds = begun.elapsed().as_secs_f64();
        let drawn = Drawn {
            digest: picture_digest(&done.left.picture),
            thumbprint: thumbprint(&to_image(&done.left.picture)).to_vec(),
            kernels: format!("{} {}", maker(), settings::name_of(&recipe.precision)),
            seconds,
            evaluations,
        };
        let number = node.number;
        self.commit(Event::Grow(node), Some(&drawn))?;
        self.drawn.push(Some(drawn));
        self.forget_far(number);
        self.relatives.insert(number, relative);
        Ok(Some(Turned {
            node: number,
            parent,
            existed: false,
            left: done.left,
            parent_left,
            outside,
            evaluations,
            seconds,
            row_gap: done.row_gap,
            warnings,
        }))
    }

    /// Keeps what is remembered of runs small; the store has the rest.
    fn forget_far(&mut self, newest: u32) {
        if self.relatives.len() > REMEMBERED {
            self.relatives.retain(|number, _| number + REMEMBERED as u32 / 2 > newest);
        }
    }

    /// Goes where an event leads; nothing is drawn unless the store has lost the picture.
    fn arrive(&mut self, event: Event, begun: Instant, warnings: Vec<String>) -> Result<Turned> {
        let to = event.arrives().context("BUG: a move leads nowhere")?;
        if self.tree.here() != Some(to) {
            self.commit(event, None)?;
        }
        let (left, parent_left, outside) = self.look(to)?;
        Ok(Turned {
            node: to,
            parent: self.tree[to].parent,
            existed: true,
            left,
            parent_left,
            outside,
            evaluations: 0,
            seconds: begun.elapsed().as_secs_f64(),
            row_gap: 0.0,
            warnings,
        })
    }

    /// What a node and its parent left, and what lies outside the region of its words.
    ///
    /// # Errors
    /// Fails if it must be drawn again and cannot be.
    #[expect(clippy::type_complexity, reason = "three parts of one look")]
    pub fn look(&mut self, number: u32) -> Result<(Arc<Left>, Option<Arc<Left>>, Option<Vec<bool>>)> {
        let recipe = self.tree[number].recipe.clone();
        let model = self.model_for(&recipe)?;
        let family = self.family(number, &model)?;
        let easel = Easel::new(&model, &self.store, &recipe, self.reach())?;
        let left = easel.left(&family)?;
        let parent = if family.len() > 1 { Some(easel.left(&family[1..])?) } else { None };
        let outside = region::outside(&family, &left, parent.as_deref(), &easel);
        Ok((left, parent, outside))
    }

    /// Pixels outside the regions of all edits since the root of a node's tree; `None` for a root.
    ///
    /// # Errors
    /// As [`look`](Self::look).
    pub fn outside_all(&mut self, number: u32) -> Result<Option<Vec<bool>>> {
        let recipe = self.tree[number].recipe.clone();
        let model = self.model_for(&recipe)?;
        let family = self.family(number, &model)?;
        let easel = Easel::new(&model, &self.store, &recipe, self.reach())?;
        region::outside_all(&family, &easel)
    }

    /// A node's picture: from the store, or drawn again.
    ///
    /// # Errors
    /// As [`look`](Self::look).
    pub fn picture(&mut self, number: u32) -> Result<Picture> {
        if let Some(picture) = relative::find_picture(&self.store, self.tree[number].id) {
            return Ok(picture);
        }
        Ok(self.look(number)?.0.picture.clone())
    }

    /// Forgets all that can be computed again, in memory and in the store's memory; the tree stays. For tests and for
    /// measuring what a cold start costs.
    pub fn forget(&mut self) {
        self.relatives.clear();
        if self.store.is_on_disk() {
            self.store.forget_memory();
        } else {
            self.store = Store::in_memory(&self.limits);
        }
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

    /// Changes a setting, and writes that down.
    ///
    /// # Errors
    /// Fails as [`Settings::set`] does, or if the event cannot be written.
    pub fn set(&mut self, name: &str, value: &str) -> Result<&'static Setting> {
        let setting = self.settings.set(name, value)?;
        let (name, value) = (setting.name.to_owned(), value.trim().to_owned());
        if self.file.is_some() {
            self.commit(Event::Set { name, value }, None)?;
        } else {
            self.unsaved.push((name, value));
        }
        if setting.per == Per::Root && ["model", "precision"].contains(&setting.name) {
            let (name, precision) = self.model_of_next_root();
            self.models.begin(&name, precision);
        }
        Ok(setting)
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

/// A digest of a picture's size and pixels, 64 hexadecimal digits.
#[must_use]
pub fn picture_digest(picture: &Picture) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(picture.width as u64).to_le_bytes());
    hasher.update(&(picture.height as u64).to_le_bytes());
    hasher.update(&picture.bytes);
    hasher.finalize().to_hex().to_string()
}

/// A picture as the image library has it.
#[must_use]
pub fn to_image(picture: &Picture) -> image::RgbImage {
    let Picture { width, height, bytes } = picture;
    image::RgbImage::from_raw(*width as u32, *height as u32, bytes.clone()).unwrap_or_default()
}
