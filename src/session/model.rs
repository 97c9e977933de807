//! The model of a session, loaded while the person types.

use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow};

use crate::engine::layers::Backend;
use crate::engine::{Engine, Reader};
use crate::model::spec::ModelSpec;
use crate::model::weights::Weights;
use crate::model::{self, ModelSource};
use crate::plan::settings::{Precision, RootSettings};
use crate::plan::{Origin, Recipe};
use crate::turn::Sense;

/// A loaded model.
pub struct Model {
    /// What it is called: `embedded`, a folder, `owner/name@revision`.
    pub name: String,
    /// Digest of its weights and configurations.
    pub digest: String,
    /// The model itself.
    pub engine: Engine,
    /// Arithmetic of its networks.
    pub precision: Precision,
    /// The words of its vocabulary, and their tokens.
    words: Arc<[(String, u32)]>,
}

/// The arithmetic a new tree has where nothing is set: bf16 where the processor has it, else f32.
#[must_use]
pub fn default_precision() -> Precision {
    if wordbrush_kernels::family().has_bf16() { Precision::Bf16 } else { Precision::F32 }
}

/// What made a stored value: values of another maker count as missing.
#[must_use]
pub fn maker() -> String {
    format!("{} engine-{}", wordbrush_kernels::family().name(), crate::engine::VERSION)
}

fn backend(precision: Precision) -> Backend {
    Backend::Kernels(if precision == Precision::Bf16 {
        wordbrush_kernels::Precision::Bf16
    } else {
        wordbrush_kernels::Precision::F32
    })
}

fn digest(source: &dyn ModelSource, spec: &ModelSpec) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    for path in ["unet/config.json", "vae/config.json", "text_encoder/config.json", "scheduler/scheduler_config.json"] {
        let text = source.text(path)?;
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    let mut parts = vec!["unet", "vae", "text_encoder"];
    if spec.text_2.is_some() {
        parts.push("text_encoder_2");
    }
    for part in parts {
        Weights::open(source, part)?.digest_into(&mut hasher)?;
    }
    Ok(hasher.finalize().to_hex().to_string())
}

impl Model {
    /// Loads a model by name, its digest and its networks side by side.
    ///
    /// # Errors
    /// Fails if it cannot be found or read; the message names the file.
    pub fn load(name: &str, precision: Precision) -> Result<Self> {
        let source = model::find(name)?;
        let spec = ModelSpec::read(&*source)?;
        let (digest, engine) = std::thread::scope(|scope| {
            let digest = scope.spawn(|| digest(&*source, &spec));
            let engine = Engine::load(&*source, &backend(precision));
            (digest.join(), engine)
        });
        let digest = digest.map_err(|_| anyhow!("BUG: the digest of the model failed"))??;
        let engine = engine?;
        let words = engine.reader().vocabulary().whole_words().into();
        Ok(Self { name: source.name(), digest, engine, precision, words })
    }

    /// What its vocabulary knows about words; costs nothing.
    #[must_use]
    pub fn lexicon(&self) -> Lexicon<'_> {
        Lexicon::of(self.engine.reader(), self.words.clone())
    }

    /// The recipe of a new tree under these settings.
    ///
    /// # Errors
    /// Fails if the size does not fit the model; the message says what it must be a multiple of.
    pub fn recipe(&self, settings: &RootSettings) -> Result<Recipe> {
        let embedded = self.name == "embedded";
        let spec = self.engine.spec();
        let side = spec.unet.sample_size * spec.vae.factor();
        let (width, height) = settings.size.unwrap_or((side, side));
        let step = self.engine.size_step();
        anyhow::ensure!(
            width % step == 0 && height % step == 0,
            "`size` is {width}x{height}, but this model's pictures have sides that are multiples of {step}"
        );
        Ok(Recipe {
            model: self.name.clone(),
            model_digest: self.digest.clone(),
            seed: settings.seed.unwrap_or(888),
            steps: settings.steps.unwrap_or(if embedded { 30 } else { 50 }),
            guidance: settings.guidance.unwrap_or(if embedded { 4.5 } else { 7.5 }),
            width,
            height,
            negative: settings.negative.clone().unwrap_or_default(),
            scheduler: settings.scheduler.unwrap_or_default(),
            precision: self.precision,
            map_precision: settings.map_precision.unwrap_or(Precision::F16),
            origin: Origin::Noise,
        })
    }

    /// The largest self-attention layer that is carried where nothing is set: a quarter of the latent's side squared
    /// where the UNet has four levels as Stable Diffusion has, else all.
    #[must_use]
    pub fn self_max(&self, recipe: &Recipe) -> usize {
        let (h, w, _) = self.engine.latent_dims((recipe.width, recipe.height));
        if self.engine.spec().unet.channels.len() >= 4 { h.div_ceil(4) * w.div_ceil(4) } else { h * w }
    }
}

/// Loads the tokenizers and text encoders of a model alone: enough to read lines.
///
/// # Errors
/// As [`Model::load`].
pub fn load_reader(name: &str) -> Result<Reader> {
    let source = model::find(name)?;
    let spec = ModelSpec::read(&*source)?;
    Reader::load(&*source, &spec, &backend(Precision::F32))
}

/// Models by name and precision, loading or loaded.
#[derive(Default)]
pub struct Models {
    slots: Vec<Slot>,
}

struct Slot {
    name: String,
    precision: Precision,
    state: State,
}

enum State {
    Loading(JoinHandle<Result<Model>>),
    Ready(Arc<Model>),
}

impl Models {
    /// Begins to load a model, unless that was begun before.
    pub fn begin(&mut self, name: &str, precision: Precision) {
        if self.at(name, precision).is_some() {
            return;
        }
        let owned = name.to_owned();
        let state = State::Loading(std::thread::spawn(move || Model::load(&owned, precision)));
        self.slots.push(Slot { name: name.to_owned(), precision, state });
    }

    /// Whether [`get`](Self::get) would answer without waiting.
    #[must_use]
    pub fn is_ready(&self, name: &str, precision: Precision) -> bool {
        self.at(name, precision).is_some_and(|at| match &self.slots[at].state {
            State::Loading(handle) => handle.is_finished(),
            State::Ready(_) => true,
        })
    }

    /// Where a model is, by the name it was asked for or the one it is written down by.
    fn at(&self, name: &str, precision: Precision) -> Option<usize> {
        self.slots.iter().position(|slot| {
            let is_called = match &slot.state {
                State::Loading(_) => false,
                State::Ready(model) => model.name == name,
            };
            (slot.name == name || is_called) && slot.precision == precision
        })
    }

    /// The model, waited for if it is still loading.
    ///
    /// # Errors
    /// Fails if it cannot be loaded; asking again tries again.
    pub fn get(&mut self, name: &str, precision: Precision) -> Result<Arc<Model>> {
        self.begin(name, precision);
        let at = self.at(name, precision).context("BUG: a model that was begun is gone")?;
        if let State::Ready(model) = &self.slots[at].state {
            return Ok(model.clone());
        }
        let slot = self.slots.swap_remove(at);
        let State::Loading(handle) = slot.state else {
            anyhow::bail!("BUG: a model is neither loading nor ready");
        };
        let model = handle.join().map_err(|_| anyhow!("BUG: loading the model `{name}` failed"))?;
        let model = Arc::new(model.with_context(|| format!("cannot load the model `{name}`"))?);
        self.slots.push(Slot { name: slot.name, precision, state: State::Ready(model.clone()) });
        Ok(model)
    }
}

/// What a model's vocabulary knows about words.
pub struct Lexicon<'a> {
    reader: &'a Reader,
    /// In alphabetical order.
    words: Arc<[(String, u32)]>,
    /// A vocabulary of this size was made for all of English; then no word is unknown.
    general: bool,
}

/// Vocabularies with more whole words than this were learned from all of English.
const GENERAL: usize = 5000;

impl<'a> Lexicon<'a> {
    /// The lexicon of a model's tokenizer and token embeddings: it looks at every token of the vocabulary. Of a model
    /// that is loaded, [`Model::lexicon`] has it at hand.
    #[must_use]
    pub fn new(reader: &'a Reader) -> Self {
        Self::of(reader, reader.vocabulary().whole_words().into())
    }

    fn of(reader: &'a Reader, words: Arc<[(String, u32)]>) -> Self {
        let general = words.len() > GENERAL;
        Self { reader, words, general }
    }

    /// The words it knows.
    #[must_use]
    pub fn words(&self) -> Vec<&str> {
        self.words.iter().map(|(w, _)| w.as_str()).collect()
    }

    fn id(&self, word: &str) -> Option<u32> {
        let at = self.words.binary_search_by(|(w, _)| w.as_str().cmp(word)).ok()?;
        Some(self.words[at].1)
    }

    fn embedding(&self, word: &str) -> Option<Vec<f32>> {
        let mut sum: Vec<f32> = Vec::new();
        for part in parts(word) {
            let embedding = self.reader.encoder().token_embedding(self.id(part)?)?;
            sum.resize(embedding.len(), 0.0);
            sum.iter_mut().zip(embedding).for_each(|(a, b)| *a += b);
        }
        (!sum.is_empty()).then_some(sum)
    }
}

/// The letters-only parts of a word: `salt-and-pepper` has three.
fn parts(word: &str) -> impl Iterator<Item = &str> {
    word.split(|c: char| !c.is_alphabetic()).filter(|p| !p.is_empty())
}

impl Sense for Lexicon<'_> {
    fn knows(&self, word: &str) -> bool {
        self.general || word.chars().count() <= 1 || parts(word).all(|p| p.len() == 1 || self.id(p).is_some())
    }

    fn nearest(&self, word: &str) -> Option<String> {
        crate::turn::nearest_known(word, &self.words())
    }

    fn likeness(&self, a: &str, b: &str) -> Option<f32> {
        let (a, b) = (self.embedding(a)?, self.embedding(b)?);
        let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(p, q)| p * q).sum::<f32>();
        Some(dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt())
    }
}
