//! What models learn from pictures, for edits that are drawn by a model tuned on one: kept beside the session, and learned where it is
//! not there.
//!
//! A lesson is called by a digest of all that decides it: the model, the picture's node, the method with its steps and rates, the words
//! and the seed. `NAME.learned/DIGEST.safetensors` beside `NAME.jsonl` holds by how much the weights changed; while it is being
//! learned, `DIGEST.begun.safetensors` holds what it needs to go on. Either may be deleted: then it is learned again, which takes
//! time and leads to the same bits on the same kernels. How far between the words and what was learned a picture lies is no part of a lesson,
//! so all strengths share one.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use candle_core::{DType, Tensor};

use super::Session;
use super::file::Hinted;
use super::home::learned_of;
use super::memory::{available, gigabytes};
use super::model::Model;
use super::renderer::Renderer;
use crate::engine::layers::Backend;
use crate::engine::schedule::NoiseSchedule;
use crate::engine::tuning::{
    AdamRule, ImagicRule, Lesson, NoisedCopy, TunableModel, TunedPart, TuningState, TuningStep, TuningTarget,
    UniTuneRule, imagic, unitune,
};
use crate::engine::unet::Condition;
use crate::engine::{Conditions, Engine};
use crate::history::NodeId;
use crate::model;
use crate::model::learned::{LearnedFile, LearnedNumbers, LearnedTensor, Shapes, WeightChanges};
use crate::plan::redraw::{Redraw, RedrawMethod, seed_at};
use crate::plan::{Plan, Recipe};
use crate::store::disk::Disk;

/// Raised when the same lesson comes to other numbers.
const VERSION: u32 = 1;

/// What was begun is kept so often, besides where it is stopped.
const PAUSE: Duration = Duration::from_secs(60);

/// Lessons that are kept in memory, of a session that has no file.
const REMEMBERED: usize = 4;

/// Bytes that a learning process holds for each of the UNet's numbers: measured with the embedded model, whose 17.5 million took
/// 565 MB, weights, gradients and what is remembered of them, and all else of the program among that.
const BYTES_A_NUMBER: u64 = 32;

/// One step of a lesson, as it is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearningStep {
    /// Steps that are done.
    pub done: usize,
    /// Steps in all.
    pub of: usize,
    /// The mean square error before it.
    pub loss: f64,
}

/// Sees each step of a lesson, and may stop it: what was learned till then is kept.
pub type WatchLearning<'w> = &'w mut dyn FnMut(LearningStep) -> ControlFlow<()>;

/// What must be learned before a picture can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToLearn {
    /// Steps in all.
    pub steps: usize,
    /// Steps that are done already, of a lesson that was stopped.
    pub done: usize,
    /// About so many bytes of memory.
    pub memory: u64,
}

/// A model as it was tuned on a picture.
pub(super) struct Learned {
    /// It, with its changed weights.
    pub(super) engine: Engine,
    /// From the words' own embedding to the one that was found, where one was looked for.
    text: Option<Tensor>,
}

impl Learned {
    /// What a run reads that is drawn by it: so far from the embedding that was found towards the words.
    pub(super) fn reads(&self, written: Condition, method: &RedrawMethod) -> candle_core::Result<Condition> {
        match (&self.text, method) {
            (Some(change), RedrawMethod::Imagic { strength, .. }) => {
                Ok(Condition { text: (written.text + (change * (1.0 - strength))?)?, added: written.added })
            }
            _ => Ok(written),
        }
    }
}

/// What is learned, and from what.
pub(super) struct Asked<'a> {
    /// The model.
    pub(super) model: &'a Model,
    /// The method and its seed.
    pub(super) redraw: &'a Redraw,
    /// The prompt of the new picture.
    pub(super) prompt: &'a str,
    /// What it says to the model.
    pub(super) words: &'a Condition,
    /// The picture's node.
    pub(super) parent: NodeId,
}

impl Asked<'_> {
    /// What the lesson is called: 64 hexadecimal digits.
    fn key(&self) -> String {
        let mut hash = blake3::Hasher::new();
        let mut part = |bytes: &[u8]| {
            hash.update(&(bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        part(&VERSION.to_le_bytes());
        part(self.model.digest.as_bytes());
        part(&self.parent.0);
        part(&self.redraw.seed.to_le_bytes());
        part(self.redraw.method.command().as_bytes());
        let tunings = match &self.redraw.method {
            RedrawMethod::Imagic { strength: _, embedding, model } => {
                part(self.prompt.as_bytes());
                vec![embedding, model]
            }
            RedrawMethod::UniTune { strength: _, rare, model } => {
                part(rare.as_bytes());
                vec![model]
            }
            RedrawMethod::SdEdit { .. }
            | RedrawMethod::BlendedDiffusion { .. }
            | RedrawMethod::MagicMix { .. }
            | RedrawMethod::DiffEdit { .. } => Vec::new(),
        };
        for tuning in tunings {
            part(&(tuning.steps as u64).to_le_bytes());
            part(&tuning.rate.to_bits().to_le_bytes());
        }
        hash.finalize().to_hex().to_string()
    }

    fn about(&self, key: &str, state: &str) -> BTreeMap<String, String> {
        let said =
            [("wordbrush", "learned 1"), ("state", state), ("lesson", key), ("method", self.redraw.method.command())];
        said.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
    }

    /// The shape of what was found of the words, if anything is looked for.
    fn text_shape(&self) -> Option<Vec<usize>> {
        matches!(self.redraw.method, RedrawMethod::Imagic { .. }).then(|| self.words.text.dims().to_vec())
    }
}

/// What the change of the embedding is called in a file.
const TEXT: &str = "embedding";
/// What the names of weights begin with there.
const WEIGHT: &str = "unet.";
/// What a number of losses is called in what was begun.
const LOSSES: &str = "losses";

/// Learns, keeps what was learned, and finds it again.
pub struct Learner {
    folder: Option<PathBuf>,
    writes: bool,
    disk: Arc<dyn Disk>,
    /// Whether lessons are learned although they are kept.
    again: bool,
    /// The model that was used last: two would be two times the memory.
    newest: Mutex<Option<(String, Arc<Learned>)>>,
    /// What has no folder to be kept in.
    kept: Mutex<Vec<(String, LearnedFile)>>,
    begun: Mutex<Option<(String, TuningState)>>,
    notes: Mutex<Vec<String>>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Learner {
    /// One that keeps what is learned beside a session's file; in memory where it has none. `writes` says whether it may write there.
    #[must_use]
    pub fn beside(file: Option<&Path>, writes: bool, disk: Arc<dyn Disk>) -> Self {
        let folder = file.map(learned_of);
        let (newest, kept, begun, notes) = (Mutex::default(), Mutex::default(), Mutex::default(), Mutex::default());
        Self { folder, writes, disk, again: false, newest, kept, begun, notes }
    }

    /// The same, but what is kept is not looked at.
    #[must_use]
    pub fn learning_again(mut self) -> Self {
        self.again = true;
        self
    }

    /// Sentences that came up since the last call.
    pub(super) fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut *locked(&self.notes))
    }

    fn note(&self, note: String) {
        locked(&self.notes).push(note);
    }

    fn path(&self, key: &str, ending: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(format!("{key}{ending}")))
    }

    /// Forgets the model that was used last.
    pub(super) fn forget(&self) {
        *locked(&self.newest) = None;
    }

    /// A lesson that was learned, if it is kept.
    fn find(&self, key: &str, asked: &Asked<'_>) -> Result<Option<Arc<Learned>>> {
        if let Some((_, learned)) = locked(&self.newest).as_ref().filter(|(known, _)| known == key) {
            return Ok(Some(learned.clone()));
        }
        let in_memory = locked(&self.kept).iter().find(|(known, _)| known == key).map(|(_, file)| file.clone());
        let file = match (in_memory, self.path(key, ".safetensors")) {
            (Some(file), _) => file,
            (None, Some(path)) if path.is_file() && !self.again => {
                let mut shapes = shapes_of(asked.model)?;
                shapes.extend(asked.text_shape().map(|shape| (TEXT.to_owned(), (shape, false))));
                match LearnedFile::open(&path, &asked.about(key, "whole"), &shapes) {
                    Ok(file) => file,
                    Err(error) => {
                        self.note(format!("{error:#}; it is learned again"));
                        return Ok(None);
                    }
                }
            }
            _ => return Ok(None),
        };
        self.install(key, asked, file).map(Some)
    }

    /// Makes a model of what was learned.
    fn install(&self, key: &str, asked: &Asked<'_>, file: LearnedFile) -> Result<Arc<Learned>> {
        self.forget();
        let engine = &asked.model.engine;
        let mut changes = WeightChanges::new();
        let mut text = None;
        for (name, LearnedTensor { shape, numbers }) in file.tensors {
            match (name.strip_prefix(WEIGHT), numbers) {
                (Some(weight), LearnedNumbers::Half(numbers)) => {
                    changes.insert(weight.to_owned(), numbers);
                }
                (_, LearnedNumbers::Single(numbers)) if name == TEXT => {
                    text = Some(engine.backend().tensor(numbers, shape)?);
                }
                _ => anyhow::bail!("BUG: `{name}` is none of what is learned"),
            }
        }
        let source = model::find(&asked.model.name)?;
        let engine = Engine::load_learned(&*source, engine.backend(), Arc::new(changes))?;
        let learned = Arc::new(Learned { engine, text });
        *locked(&self.newest) = Some((key.to_owned(), learned.clone()));
        Ok(learned)
    }

    /// What was begun of a lesson and stopped, if it is kept.
    fn begun(&self, key: &str, asked: &Asked<'_>, shapes: &Shapes) -> Option<TuningState> {
        if let Some((_, state)) = locked(&self.begun).as_ref().filter(|(known, _)| known == key) {
            return Some(state.clone());
        }
        let path = self.path(key, BEGUN).filter(|path| path.is_file())?;
        let read = steps_begun(&path, asked).and_then(|step| {
            let of = asked.redraw.method.tuning_steps();
            ensure!((1..=of).contains(&step), "{} was stopped after step {step} of {of}", path.display());
            let text = match &asked.redraw.method {
                RedrawMethod::Imagic { embedding, .. } => Some(step <= embedding.steps),
                _ => None,
            };
            let mut all: Shapes = [(LOSSES.to_owned(), (vec![step], false))].into();
            let mut holds = |kinds: &[&str], name: &str, count: usize| {
                let named = kinds.iter().map(|kind| (format!("{kind}{name}"), (vec![count], false)));
                all.extend(named);
            };
            let count = asked.words.text.elem_count();
            match text {
                Some(true) => holds(&["", "mean/", "square/"], "text", count),
                Some(false) => holds(&[""], "text", count),
                None => {}
            }
            if text != Some(true) {
                for (name, (shape, _)) in shapes {
                    let name = name.strip_prefix(WEIGHT).unwrap_or(name);
                    holds(&["weight/", "mean/", "square/"], name, shape.iter().product());
                }
            }
            let mut about = asked.about(key, "begun");
            about.insert("steps".to_owned(), step.to_string());
            let file = LearnedFile::open(&path, &about, &all)?;
            let mut state = TuningState { step, ..TuningState::default() };
            for (name, LearnedTensor { shape, numbers }) in file.tensors {
                let LearnedNumbers::Single(numbers) = numbers else { continue };
                if name == LOSSES {
                    state.losses = numbers;
                } else {
                    state.tensors.insert(name, Tensor::from_vec(numbers, shape, &candle_core::Device::Cpu)?);
                }
            }
            Ok(state)
        });
        match read {
            Ok(state) => Some(state),
            Err(error) => {
                self.note(format!("{error:#}; it is learned from the beginning"));
                None
            }
        }
    }

    /// Steps that were made of a lesson which was stopped.
    fn done(&self, key: &str, asked: &Asked<'_>) -> usize {
        if let Some((_, state)) = locked(&self.begun).as_ref().filter(|(known, _)| known == key) {
            return state.step;
        }
        let path = self.path(key, BEGUN).filter(|path| path.is_file());
        path.and_then(|path| steps_begun(&path, asked).ok()).unwrap_or(0)
    }

    fn keep_begun(&self, key: &str, asked: &Asked<'_>, state: TuningState) -> Result<()> {
        if let Some(path) = self.path(key, BEGUN).filter(|_| self.writes) {
            let mut about = asked.about(key, "begun");
            about.insert("steps".to_owned(), state.step.to_string());
            let mut file = LearnedFile { about, ..LearnedFile::default() };
            let losses = LearnedNumbers::Single(state.losses.clone());
            file.tensors.insert(LOSSES.to_owned(), LearnedTensor { shape: vec![state.losses.len()], numbers: losses });
            for (name, tensor) in &state.tensors {
                let numbers = LearnedNumbers::Single(tensor.flatten_all()?.to_dtype(DType::F32)?.to_vec1()?);
                file.tensors.insert(name.clone(), LearnedTensor { shape: vec![tensor.elem_count()], numbers });
            }
            self.write(&path, &file)?;
        } else {
            *locked(&self.begun) = Some((key.to_owned(), state));
        }
        Ok(())
    }

    fn keep(&self, key: &str, file: &LearnedFile) -> Result<()> {
        match self.path(key, ".safetensors").filter(|_| self.writes) {
            Some(path) => {
                self.write(&path, file)?;
                if let Some(begun) = self.path(key, BEGUN).filter(|path| path.is_file()) {
                    // What stays is larger than it need be, and does no harm.
                    let _ = self.disk.remove(&begun);
                }
            }
            None => {
                let mut kept = locked(&self.kept);
                kept.push((key.to_owned(), file.clone()));
                let more = kept.len().saturating_sub(REMEMBERED);
                kept.drain(..more);
            }
        }
        *locked(&self.begun) = None;
        Ok(())
    }

    /// Copies whole lessons to where those of another session's file are kept; says how many. What was begun of one stays here.
    ///
    /// # Errors
    /// Fails if one cannot be read or written.
    pub(super) fn copy_to(&self, file: &Path) -> Result<usize> {
        let other = Self::beside(Some(file), true, self.disk.clone());
        let in_memory = locked(&self.kept).clone();
        for (key, lesson) in &in_memory {
            other.keep(key, lesson)?;
        }
        let entries = self.folder.as_ref().and_then(|folder| std::fs::read_dir(folder).ok());
        let mut count = in_memory.len();
        for path in entries.into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let Some(key) = name.strip_suffix(".safetensors").filter(|key| !key.contains('.')) else { continue };
            let Some(to) = other.path(key, ".safetensors") else { continue };
            let copied = || -> Result<()> {
                let folder = to.parent().context("BUG: a file without a folder")?;
                self.disk.make_folder(folder)?;
                std::fs::copy(&path, &to)?;
                Ok(())
            };
            copied().with_context(|| format!("what was learned cannot be copied to {}", to.display()))?;
            count += 1;
        }
        Ok(count)
    }

    /// Writes a file whole or not at all.
    fn write(&self, path: &Path, file: &LearnedFile) -> Result<()> {
        let failed = || format!("what was learned cannot be kept in {}", path.display());
        let folder = path.parent().context("BUG: a file without a folder")?;
        let new = path.with_extension("new");
        let written = (|| -> Result<()> {
            self.disk.make_folder(folder)?;
            if new.exists() {
                self.disk.remove(&new)?;
            }
            self.disk.create(&new, &file.to_bytes()?)?;
            self.disk.sync(&new)?;
            Ok(self.disk.rename(&new, path)?)
        })();
        if written.is_err() {
            let _ = self.disk.remove(&new);
        }
        written.with_context(failed)
    }

    /// What must be learned; `None` if it is kept.
    fn to_learn(&self, asked: &Asked<'_>) -> Option<ToLearn> {
        let key = asked.key();
        let is_newest = locked(&self.newest).as_ref().is_some_and(|(known, _)| *known == key);
        let is_kept = locked(&self.kept).iter().any(|(known, _)| *known == key)
            || self.path(&key, ".safetensors").is_some_and(|path| path.is_file());
        if is_newest || is_kept && !self.again {
            return None;
        }
        let memory = memory_of(asked.model).unwrap_or(0);
        Some(ToLearn { steps: asked.redraw.method.tuning_steps(), done: self.done(&key, asked), memory })
    }

    /// The model tuned as is asked: kept, or learned now from the clean latent of the picture. `Break` if it was stopped; what was learned
    /// till then is kept.
    ///
    /// # Errors
    /// Fails if the model cannot be tuned, here or at all, or what was learned cannot be kept.
    pub(super) fn learned(
        &self,
        asked: &Asked<'_>,
        clean: &dyn Fn() -> Result<Tensor>,
        watch: WatchLearning<'_>,
    ) -> Result<ControlFlow<(), (Arc<Learned>, bool)>> {
        let key = asked.key();
        if let Some(found) = self.find(&key, asked)? {
            return Ok(ControlFlow::Continue((found, false)));
        }
        self.forget();
        check_trainable(asked.model)?;
        let clean = clean()?;
        let Some(file) = self.learn(&key, asked, &clean, watch)? else { return Ok(ControlFlow::Break(())) };
        self.keep(&key, &file)?;
        Ok(ControlFlow::Continue((self.install(&key, asked, file)?, true)))
    }

    fn learn(
        &self,
        key: &str,
        asked: &Asked<'_>,
        clean: &Tensor,
        watch: WatchLearning<'_>,
    ) -> Result<Option<LearnedFile>> {
        let engine = &asked.model.engine;
        let source = model::find(&asked.model.name)?;
        let backend = Backend::Plain(engine.backend().device().clone(), DType::F32);
        let schedule = NoiseSchedule::new(&engine.spec().scheduler);
        let levels = schedule.alphas_cumprod().len() as u64;
        let dims = clean.dims3()?;
        let seed = asked.redraw.seed;
        let copy = |step: usize| {
            // The first noise of the seed is that of the run.
            let noise = engine.noise_after(seed, step + 1, dims)?;
            Ok(NoisedCopy { noise, level: (seed_at(seed, step) % levels) as usize })
        };
        let lesson = Lesson { schedule: &schedule, clean, target: TuningTarget::OwnOutput };
        let shapes = shapes_of(asked.model)?;
        let mut state = self.begun(key, asked, &shapes);
        let mut stopped = false;
        let tuned = TunableModel::load(&*source, &backend)?;
        loop {
            let kept = Instant::now();
            let mut each = |step: TuningStep<'_>| {
                let seen = LearningStep { done: step.step + 1, of: step.of, loss: step.loss };
                stopped = watch(seen).is_break();
                if stopped || kept.elapsed() >= PAUSE { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let mut tensors = BTreeMap::new();
            let outcome = match &asked.redraw.method {
                RedrawMethod::Imagic { embedding, model, .. } => {
                    let rule = ImagicRule {
                        embedding_steps: embedding.steps,
                        embedding_rate: embedding.rate,
                        model_steps: model.steps,
                        model_rate: model.rate,
                        adam: AdamRule::default(),
                    };
                    imagic(&tuned, lesson, asked.words, &copy, rule, state.as_ref(), &mut each)?.map_continue(|found| {
                        let change = (&found.optimised.text - &found.original.text)
                            .and_then(|change| change.flatten_all()?.to_device(&candle_core::Device::Cpu)?.to_vec1());
                        change.map(|numbers| Some((found.original.text.dims().to_vec(), numbers)))
                    })
                }
                RedrawMethod::UniTune { model, .. } => {
                    let rule = UniTuneRule {
                        steps: model.steps,
                        batch: 1,
                        rate: model.rate,
                        adam: AdamRule::default(),
                        part: TunedPart::All,
                    };
                    let copies = |step: usize, _: usize| copy(step);
                    unitune(&tuned, lesson, asked.words, &copies, rule, state.as_ref(), &mut each)?
                        .map_continue(|_| Ok(None))
                }
                other => anyhow::bail!("BUG: `/{}` learns nothing", other.command()),
            };
            match outcome {
                ControlFlow::Break(begun) => {
                    self.keep_begun(key, asked, begun.clone())?;
                    if stopped {
                        return Ok(None);
                    }
                    state = Some(begun);
                }
                ControlFlow::Continue(found) => {
                    if let Some((shape, numbers)) = found? {
                        let numbers = LearnedNumbers::Single(numbers);
                        tensors.insert(TEXT.to_owned(), LearnedTensor { shape, numbers });
                    }
                    for (name, numbers) in tuned.changes(&*source)? {
                        let name = format!("{WEIGHT}{name}");
                        let shape = shapes.get(&name).map(|(shape, _)| shape.clone()).unwrap_or_default();
                        tensors.insert(name, LearnedTensor { shape, numbers: LearnedNumbers::Half(numbers) });
                    }
                    return Ok(Some(LearnedFile { about: asked.about(key, "whole"), tensors }));
                }
            }
        }
    }
}

/// How the name of a file ends that holds what was begun.
const BEGUN: &str = ".begun.safetensors";

/// The steps that a file says were made.
fn steps_begun(path: &Path, asked: &Asked<'_>) -> Result<usize> {
    let said = crate::model::learned::said_of(path)?;
    let steps = said.get("steps").and_then(|steps| steps.parse().ok());
    let steps: usize = steps.with_context(|| format!("{} does not say how far it is", path.display()))?;
    ensure!(steps <= asked.redraw.method.tuning_steps(), "{} has more steps than are asked for", path.display());
    Ok(steps)
}

/// The tensors that the weights' changes are kept in.
fn shapes_of(model: &Model) -> Result<Shapes> {
    let source = model::find(&model.name)?;
    let weights = crate::model::weights::Weights::open(&*source, "unet")?;
    Ok(weights.shapes().map(|(name, shape)| (format!("{WEIGHT}{name}"), (shape.to_vec(), true))).collect())
}

/// About so many bytes are held while a model is tuned.
fn memory_of(model: &Model) -> Result<u64> {
    let numbers = |(shape, _): &(Vec<usize>, bool)| shape.iter().map(|side| *side as u64).product::<u64>();
    Ok(shapes_of(model)?.values().map(numbers).sum::<u64>() * BYTES_A_NUMBER)
}

/// Whether a model can be tuned at all, and on this machine.
fn check_trainable(model: &Model) -> Result<()> {
    if model.engine.spec().unet.guidance_embedding.is_some() {
        let message = format!("the model `{}` reads its guidance, and such a model is not tuned here", model.name);
        return Err(Hinted::new(message, "take another model: /model NAME, then /new").into());
    }
    fits(&model.name, memory_of(model)?, available())
}

fn fits(name: &str, needed: u64, available: Option<u64>) -> Result<()> {
    let Some(free) = available.filter(|free| *free < needed) else { return Ok(()) };
    let (needed, free) = (gigabytes(needed), gigabytes(free));
    let message =
        format!("the model `{name}` cannot be tuned here: it takes about {needed} of memory, and {free} are free");
    Err(Hinted::new(message, "/sdedit and /diffedit edit without learning").into())
}

/// A tuned model, and the method that it was tuned for.
type TunedBy<'f> = (Arc<Learned>, &'f RedrawMethod);

impl Renderer<'_> {
    /// The picture at which the lineage of the first of `family` begins, if a model was tuned for it: where in the family it stands.
    fn tuned_at(family: &[Arc<super::run_node::RunNode>]) -> Option<(usize, &Redraw)> {
        let at = family.iter().position(|node| !node.plan.goes_on())?;
        let redraw = family[at].plan.redraw().filter(|redraw| redraw.method.tuning_steps() > 0)?;
        Some((at, redraw))
    }

    /// The tuned model that draws the first of `family`, if one does, and its method. `Break` if learning it was stopped.
    ///
    /// # Errors
    /// Fails if it must be learned and cannot be.
    pub(super) fn learned<'f>(
        &self,
        family: &'f [Arc<super::run_node::RunNode>],
        watch: WatchLearning<'_>,
    ) -> Result<ControlFlow<(), Option<TunedBy<'f>>>> {
        let Some((at, redraw)) = Self::tuned_at(family) else { return Ok(ControlFlow::Continue(None)) };
        let (node, above) = (&family[at], &family[at + 1..]);
        let parent = above.first().and_then(|parent| parent.id).context("BUG: a model is tuned on no picture")?;
        let words = match &redraw.method {
            RedrawMethod::UniTune { rare, .. } => self.words(rare)?.cond,
            _ => self.words(&node.plan.prompt)?.cond,
        };
        let (model, prompt) = (&*self.model, node.plan.prompt.as_str());
        let asked = Asked { model, redraw, prompt, words: &words, parent };
        let clean = || Ok(self.left(above)?.trajectory.last().clone());
        let found = self.learner.learned(&asked, &clean, watch)?;
        Ok(found.map_continue(|(learned, is_new)| {
            let is_grown_for = self.grows == Some(node.id);
            if is_new && !is_grown_for && !self.learner.again {
                let (command, steps) = (redraw.method.command(), redraw.method.tuning_steps());
                self.learner.note(format!(
                    "what `/{command}` had learned of the picture was not there any more: it was learned again in {steps} steps"
                ));
            }
            Some((learned, &redraw.method))
        }))
    }

    /// What a text says to the model.
    pub(super) fn words(&self, text: &str) -> Result<Conditions> {
        let Recipe { negative, width, height, .. } = &*self.recipe;
        self.model.engine.reader().conditions(text, negative, (*width, *height))
    }
}

impl Session {
    /// Tells what must be learned before a plan of a child of `parent` can be drawn; `None` if nothing, or it is kept.
    ///
    /// # Errors
    /// Fails if the model cannot be loaded, or cannot be tuned.
    pub fn to_learn(&mut self, parent: u32, plan: &Plan) -> Result<Option<ToLearn>> {
        let Some(redraw) = plan.redraw().filter(|redraw| redraw.method.tuning_steps() > 0).cloned() else {
            return Ok(None);
        };
        let (_, renderer) = self.renderer_at(parent)?;
        let words = match &redraw.method {
            RedrawMethod::UniTune { rare, .. } => renderer.words(rare)?.cond,
            _ => renderer.words(&plan.prompt)?.cond,
        };
        let model = renderer.model;
        let parent = self.tree[parent].id;
        let asked = Asked { model: &model, redraw: &redraw, prompt: &plan.prompt, words: &words, parent };
        let to = self.learner.to_learn(&asked);
        if to.is_some() {
            check_trainable(&model)?;
        }
        Ok(to)
    }

    /// Learns what a plan of a child of `parent` needs, unless it is kept. False if it was stopped: what was learned till then is kept.
    ///
    /// # Errors
    /// Fails if it cannot be learned or kept.
    pub fn learn(&mut self, parent: u32, plan: &Plan, watch: WatchLearning<'_>) -> Result<bool> {
        let (above, renderer) = self.renderer_at(parent)?;
        let generation = above[0].generation.clone(); // nothing of a lesson asks for it
        let mut family = vec![Arc::new(super::run_node::RunNode::new(None, plan.clone(), generation))];
        family.extend(above);
        Ok(renderer.growing(None).learned(&family, watch)?.is_continue())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_needs_more_memory_than_there_is_is_not_tuned() {
        assert!(fits("m", 10, None).is_ok() && fits("m", 10, Some(10)).is_ok());
        let error = fits("big", 27_500_000_000, Some(3_200_000_000)).unwrap_err().to_string();
        assert_eq!(
            error,
            "the model `big` cannot be tuned here: it takes about 27.5 GB of memory, and 3.2 GB are free"
        );
    }
}
