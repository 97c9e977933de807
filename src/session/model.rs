//! The model of a session, loaded while the person types.

use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow};

use super::file::Hinted;
use super::memory;
use crate::engine::layers::Backend;
use crate::engine::segment::Segmenter;
use crate::engine::{Engine, Guidance, Reader};
use crate::model::named::ModelName;
use crate::model::spec::{ModelSpec, Usual};
use crate::model::weights::Weights;
use crate::model::{self, ModelSource, text_masks};
use crate::plan::device::DeviceName;
use crate::plan::sampler::SamplerName;
use crate::plan::settings::{Precision, RootSettings, name_of};
use crate::plan::{Origin, Recipe};
use crate::turn::{Edit, Sense, Turn};

/// A loaded model.
pub struct Model {
    /// What it is called: `embedded`, a folder, `owner/name@revision`.
    pub name: String,
    /// Digest of its weights and configurations.
    pub digest: String,
    /// The model itself.
    pub engine: Engine,
    /// Arithmetic of its networks, as its recipes say.
    pub precision: Precision,
    /// Where it computes.
    pub device: DeviceName,
    /// The words of its vocabulary, and their tokens.
    words: Arc<[(String, u32)]>,
    /// The network that knows the parts of its pictures, once asked for.
    parts: OnceLock<Segmenter>,
}

/// Channels of the first level from which a UNet is of full size.
const FULL_SIZE: usize = 256;

/// So many evaluations of a full-size UNet, and a person is told beforehand.
const MANY_EVALUATIONS: u64 = 16;

/// More steps than this are not few.
const MOST_FEW_STEPS: usize = 12;

/// The arithmetic a new tree has where nothing is set: bf16 where the processor computes and has it, else f32.
#[must_use]
pub fn default_precision(device: DeviceName) -> Precision {
    let bf16 = device.has_kernels() && wordbrush_kernels::family().has_bf16();
    if bf16 { Precision::Bf16 } else { Precision::F32 }
}

/// What makes a stored value on a device: values of another maker count as missing.
///
/// The processor is named by its kernel family. `candle-` tells a device without our kernels from the family `plain`.
#[must_use]
pub fn maker(device: DeviceName) -> String {
    let who = match device {
        DeviceName::Cpu => wordbrush_kernels::family().name().to_owned(),
        device => format!("candle-{device}"),
    };
    format!("{who} engine-{}", crate::engine::VERSION)
}

/// The arithmetic of a picture of this precision on a device: only the processor's kernels know bf16.
#[must_use]
pub fn computed_in(device: DeviceName, precision: Precision) -> Precision {
    if device.has_kernels() { precision } else { Precision::F32 }
}

/// Who computes a picture of this precision on a device, and in which arithmetic: pictures of one and the same have the
/// same bits.
#[must_use]
pub fn computed_by(device: DeviceName, precision: Precision) -> String {
    format!("{} {}", maker(device), name_of(&computed_in(device, precision)))
}

fn digest(source: &dyn ModelSource, spec: &ModelSpec) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    let (text, vae) = spec.parts;
    let configs = ["unet", vae, text].map(|part| format!("{part}/config.json"));
    for path in configs.iter().map(String::as_str).chain(["scheduler/scheduler_config.json"]) {
        let text = source.text(path)?;
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    let mut parts = vec!["unet", vae, text];
    if spec.text_2.is_some() {
        parts.push("text_encoder_2");
    }
    for part in parts {
        Weights::open(source, part)?.digest_into(&mut hasher)?;
    }
    for part in ["tokenizer", "tokenizer_2"] {
        let Some(text) = source.text_if_there(&format!("{part}/added_tokens.json"))? else { continue };
        // The marks were always read. Other words change what is drawn.
        let words: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap_or_default();
        if words.keys().any(|word| !["<|startoftext|>", "<|endoftext|>"].contains(&word.as_str())) {
            hasher.update(text.as_bytes());
        }
    }
    source.adapters().digest_into(&mut hasher)?;
    Ok(hasher.finalize().to_hex().to_string())
}

impl Model {
    /// Loads a model by name, its digest and its networks side by side.
    ///
    /// # Errors
    /// Fails if it cannot be found or read; the message names the file. Fails if the device cannot be had.
    pub fn load(name: &str, precision: Precision, device: DeviceName) -> Result<Self> {
        let backend = Backend::on(device, precision)?;
        let source = model::find(name)?;
        let spec = ModelSpec::read(&*source)?;
        memory::check_model(&*source, &spec, &backend)?;
        let (digest, engine) = std::thread::scope(|scope| {
            let digest = scope.spawn(|| digest(&*source, &spec));
            let engine = Engine::load(&*source, &backend);
            (digest.join(), engine)
        });
        let digest = digest.map_err(|_| anyhow!("BUG: the digest of the model failed"))??;
        let engine = engine?;
        let words = known_words(&source.name(), engine.reader());
        Ok(Self { name: source.name(), digest, engine, precision, device, words, parts: OnceLock::new() })
    }

    /// The network that comes with it and knows the parts of its pictures, if there is one. It goes with the model, whatever
    /// `segmenter` says: what a node's mask was made by may not depend on a setting that no session keeps.
    ///
    /// # Errors
    /// Fails if it is there and cannot be loaded.
    pub fn parts(&self) -> Result<Option<&Segmenter>> {
        if !model::is_embedded(&self.name) {
            return Ok(None);
        }
        if let Some(found) = self.parts.get() {
            return Ok(Some(found));
        }
        let loaded = Segmenter::load(&*text_masks::embedded()?, &Backend::on(self.device, Precision::F32)?)?;
        Ok(Some(self.parts.get_or_init(|| loaded)))
    }

    /// What its vocabulary knows about words; costs nothing.
    #[must_use]
    pub fn lexicon(&self) -> Lexicon<'_> {
        Lexicon::of(self.engine.reader(), self.words.clone())
    }

    /// How it is run where nothing is set; what is laid over a model does not change that.
    #[must_use]
    pub fn usual(&self) -> Usual {
        let below = ModelName::parse(&self.name).map(|name| name.below).unwrap_or_default();
        Usual::of_embedded(&below).unwrap_or_else(|| self.engine.spec().usual())
    }

    /// The recipe of a new tree under these settings.
    ///
    /// # Errors
    /// Fails if the size does not fit the model; the message says what it must be a multiple of.
    pub fn recipe(&self, settings: &RootSettings) -> Result<Recipe> {
        let spec = self.engine.spec();
        let usual = self.usual();
        let of_photograph = settings.photograph.as_ref().map(|p| (p.width(), p.height()));
        let (width, height) = of_photograph.or(settings.size).unwrap_or(spec.usual_size());
        let step = self.engine.size_step();
        anyhow::ensure!(
            width % step == 0 && height % step == 0,
            "`size` is {width}x{height}, but this model's pictures have sides that are multiples of {step}"
        );
        memory::check_picture(spec, (width, height), self.device)?;
        Ok(Recipe {
            model: self.name.clone(),
            model_digest: self.digest.clone(),
            seed: settings.seed.unwrap_or(888),
            steps: settings.steps.unwrap_or(usual.steps),
            guidance: settings.guidance.unwrap_or(usual.guidance),
            embeds_guidance: spec.unet.guidance_embedding.is_some(),
            width,
            height,
            negative: settings.negative.clone().unwrap_or_default(),
            scheduler: self.sampler_of(settings, usual.sampler)?,
            precision: self.precision,
            map_precision: settings.map_precision.unwrap_or(Precision::F16),
            origin: match &settings.photograph {
                None => Origin::Noise,
                Some(picture) => {
                    let inversion = settings.inversion.unwrap_or_default();
                    Origin::Photograph { picture: picture.clone(), inversion }
                }
            },
        })
    }

    /// The sampler of a new tree: the one that is set, or the model's own; for a photograph the one that runs backwards.
    fn sampler_of(&self, settings: &RootSettings, usual: SamplerName) -> Result<SamplerName> {
        if settings.photograph.is_none() {
            return Ok(settings.scheduler.unwrap_or(usual));
        }
        let reads_guidance = self.engine.spec().unet.guidance_embedding.is_some();
        anyhow::ensure!(
            !reads_guidance,
            Hinted::new(
                format!("the model `{}` reads its guidance, and photographs are inverted without", self.name),
                "take another model for photographs: /model NAME"
            )
        );
        match settings.scheduler {
            None | Some(SamplerName::Ddim) => Ok(SamplerName::Ddim),
            Some(other) => {
                let message = format!("`scheduler` is `{other}`, but photographs are inverted by `ddim`");
                Err(Hinted::new(message, "/set scheduler ddim").into())
            }
        }
    }

    /// The same model in plain operations on doubles, through which gradients run. It is loaded anew.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn in_doubles(&self) -> Result<Engine> {
        let source = model::find(&self.name)?;
        Engine::load(&*source, &Backend::Plain(candle_core::Device::Cpu, candle_core::DType::F64))
    }

    /// What a recipe asks for that a model of this kind cannot use, a sentence each.
    #[must_use]
    pub fn misuses(&self, recipe: &Recipe) -> Vec<String> {
        let usual = self.engine.spec().usual();
        let guidance = Guidance::of_recipe(recipe);
        let is_pushed = matches!(guidance, Guidance::Classifier { .. });
        let mut all = Vec::new();
        if is_pushed && usual.guidance == 1.0 {
            all.push(format!(
                "this model was made to draw without guidance: `guidance` {} takes twice the time and may spoil pictures; \
                 `/set guidance 1` is off",
                recipe.guidance
            ));
        }
        if !is_pushed && !recipe.negative.is_empty() {
            all.push("`negative` says nothing here: without guidance nothing pushes away from it".to_owned());
        }
        if usual.few_steps && recipe.steps > MOST_FEW_STEPS {
            all.push(format!(
                "this model was made to draw in few steps: {} take longer and may spoil pictures; try `/set steps {}`",
                recipe.steps, usual.steps
            ));
        }
        all
    }

    /// Whether its UNet is as wide as Stable Diffusion's.
    #[must_use]
    pub fn is_full_size(&self) -> bool {
        self.engine.spec().unet.channels[0] >= FULL_SIZE
    }

    /// What a picture of this recipe will take, if that is many evaluations of a full-size UNet.
    #[must_use]
    pub fn slowness(&self, recipe: &Recipe) -> Option<String> {
        let evaluations = Guidance::of_recipe(recipe).evaluations() * recipe.steps as u64;
        (self.is_full_size() && evaluations > MANY_EVALUATIONS).then(|| {
            format!(
                "a first picture takes {evaluations} evaluations of this model, seconds each on a processor; Ctrl-C stops it. \
                 A model or LoRA that was made for few steps takes 1 to 8: see docs/guide/8-models.md"
            )
        })
    }

    /// The largest self-attention layer, in pixels, that is carried where nothing is set.
    #[must_use]
    pub fn self_max(&self, recipe: &Recipe) -> usize {
        let (h, w, _) = self.engine.latent_dims((recipe.width, recipe.height));
        memory::self_max(&self.engine.spec().unet, (h, w))
    }
}

/// The words that a model knows, in alphabetical order, with their tokens: those of its captions where they are listed, else
/// those of its vocabulary.
fn known_words(name: &str, reader: &Reader) -> Arc<[(String, u32)]> {
    let mut words = reader.vocabulary().whole_words();
    if let Some(listed) = model::words_of(name) {
        words.retain(|(word, _)| listed.binary_search(&word.as_str()).is_ok());
    }
    words.into()
}

/// Loads the tokenizers and text encoders of a model alone: enough to read lines.
///
/// # Errors
/// As [`Model::load`].
pub fn load_reader(name: &str) -> Result<Reader> {
    let source = model::find(name)?;
    let spec = ModelSpec::read(&*source)?;
    Reader::load(&*source, &spec, &Backend::on(DeviceName::Cpu, Precision::F32)?)
}

/// Models by name and precision, loading or loaded, all on one device.
#[derive(Default)]
pub struct Models {
    device: DeviceName,
    slots: Vec<Slot>,
}

struct Slot {
    name: String,
    precision: Precision,
    state: State,
}

impl Slot {
    /// The same, with a model that has been loaded meanwhile at hand; nothing if it could not be, which is said when it is asked for.
    fn settled(self) -> Option<Self> {
        let state = match self.state {
            State::Loading(handle) if handle.is_finished() => State::Ready(Arc::new(handle.join().ok()?.ok()?)),
            other => other,
        };
        Some(Self { state, ..self })
    }
}

enum State {
    Loading(JoinHandle<Result<Model>>),
    Ready(Arc<Model>),
}

impl Models {
    /// Models are loaded on this device from now on; those on another are let go.
    pub fn compute_on(&mut self, device: DeviceName) {
        if self.device != device {
            (self.device, self.slots) = (device, Vec::new());
        }
    }

    /// Where they compute.
    #[must_use]
    pub fn device(&self) -> DeviceName {
        self.device
    }

    /// Begins to load a model, unless that was begun before.
    ///
    /// Others of full size are let go: one of them may be all that the machine has memory for. They are read again when they are
    /// asked for.
    pub fn begin(&mut self, name: &str, precision: Precision) {
        if self.at(name, precision).is_some() {
            return;
        }
        self.slots = std::mem::take(&mut self.slots).into_iter().filter_map(Slot::settled).collect();
        self.slots.retain(|slot| !matches!(&slot.state, State::Ready(model) if model.is_full_size()));
        let (owned, device) = (name.to_owned(), self.device);
        let state = State::Loading(std::thread::spawn(move || Model::load(&owned, precision, device)));
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

    /// How many are loading or loaded.
    #[cfg(test)]
    pub(super) fn loading(&self) -> usize {
        self.slots.len()
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

/// So many words are offered in the place of one.
const OFFERED: usize = 6;

/// Vocabularies with more whole words than this were learned from all of English.
const GENERAL: usize = 5000;

impl<'a> Lexicon<'a> {
    /// The lexicon of the tokenizer and token embeddings of the model that is called `name`: it looks at every token of the
    /// vocabulary. Of a model that is loaded, [`Model::lexicon`] has it at hand.
    #[must_use]
    pub fn new(name: &str, reader: &'a Reader) -> Self {
        Self::of(reader, known_words(name, reader))
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

    /// What could be drawn in the place of a word that the model does not know: the nearest in meaning, then others of its kinds,
    /// as many as fit a line. None if it knows the word, or nothing of its kind.
    #[must_use]
    pub fn instead_of(&self, word: &str) -> Vec<String> {
        let low = word.to_lowercase();
        if self.knows(&low) {
            return Vec::new();
        }
        let mut found: Vec<String> = self.nearest(&low).into_iter().collect();
        let kinds = crate::turn::kinds();
        for others in kinds.values().filter(|words| words.contains(&low.as_str())) {
            for other in others.iter().filter(|other| self.id(other).is_some()) {
                if !found.iter().any(|known| known == other) {
                    found.push((*other).to_owned());
                }
            }
        }
        found.truncate(OFFERED);
        found
    }

    /// A turn whose warnings about unknown words say what the model could draw in their place.
    #[must_use]
    pub fn with_offers(&self, mut turn: Turn) -> Turn {
        let edits: Vec<&mut Edit> = match &mut turn {
            Turn::Edit(edit) => vec![edit],
            Turn::Question(question) => question.choices.iter_mut().map(|choice| &mut choice.edit).collect(),
            Turn::Nothing => Vec::new(),
        };
        for edit in edits {
            for word in crate::turn::words::split(&edit.prompt) {
                let quoted = format!("`{}`", word.text);
                let Some(warning) = edit.warnings.iter_mut().find(|warning| warning.contains(&quoted)) else {
                    continue;
                };
                let offered = self.instead_of(word.text);
                if offered.len() > 1 {
                    *warning = format!("there is no {} here: {} …", word.text, offered.join(", "));
                }
            }
        }
        turn
    }

    fn id(&self, word: &str) -> Option<u32> {
        let at = self.words.binary_search_by(|(w, _)| w.as_str().cmp(word)).ok()?;
        Some(self.words[at].1)
    }

    fn embedding(&self, word: &str) -> Option<Vec<f32>> {
        let mut sum: Vec<f32> = Vec::new();
        for part in parts(word) {
            let embedding = self.reader.token_embedding(self.id(part)?).ok()??;
            sum.resize(embedding.len(), 0.0);
            sum.iter_mut().zip(embedding.iter()).for_each(|(a, b)| *a += b);
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
