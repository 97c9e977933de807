//! What a model takes of the machine's memory, foretold from its configuration and the headers of its files.
//!
//! A machine whose memory is used up stalls, and everything on it with it; what was typed and not yet saved is lost then. So a
//! model that does not fit is refused before its weights are read. What is foretold was measured:
//! docs/decisions/0028-foretold-memory.md.

use anyhow::Result;

use super::file::Hinted;
use crate::engine::layers::Backend;
use crate::model::ModelSource;
use crate::model::spec::{Middle, ModelSpec, UnetSpec, VaeKind};
use crate::model::weights::Weights;
use crate::plan::device::DeviceName;

/// The program itself, its tokenizers and caches.
const PROGRAM: u64 = 150 << 20;

/// So many results of the UNet's widest level are there at once, those among them that its way up takes up again.
const RESULTS_OF_A_STEP: f64 = 34.0;

/// So many results of the decoder's widest level are there at once: it goes in bands.
const RESULTS_OF_A_DECODE: f64 = 2.0;

/// Bytes of a number that is computed with.
const WIDE: f64 = 4.0;

/// Bytes of a carried map's number, as it waits for the store.
const KEPT: f64 = 2.0;

/// What is held, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// As long as the model is loaded.
    weights: u64,
    /// While a text is read.
    text: u64,
    /// While a picture is drawn.
    picture: u64,
}

impl Needs {
    /// Of a model on a backend, for an edit of pictures of this size; `None` of random weights, which are in no file.
    ///
    /// # Errors
    /// Fails if a file of weights is missing or damaged.
    pub fn of(
        source: &dyn ModelSource,
        spec: &ModelSpec,
        backend: &Backend,
        size: (usize, usize),
    ) -> Result<Option<Self>> {
        if source.is_random() {
            return Ok(None);
        }
        let (text, vae) = spec.parts;
        let number = bytes_of_a_weight(backend);
        let mut weights = bytes_of(&Weights::open(source, "unet")?, number);
        let mut largest_text = 0;
        let texts = [Some(text), spec.text_2.as_ref().map(|_| "text_encoder_2")];
        for part in texts.into_iter().flatten() {
            let part = Weights::open(source, part)?;
            let bytes = bytes_of(&part, number);
            // What is large is there only while it is used (decision 0027).
            if part.is_large() {
                largest_text = bytes.max(largest_text);
            } else {
                weights += bytes;
            }
        }
        let vae = Weights::open(source, vae)?;
        if !vae.is_large() {
            weights += bytes_of(&vae, number);
        }
        Ok(Some(Self { weights: PROGRAM + weights, text: largest_text, picture: of_a_picture(spec, size) }))
    }

    /// The most that is held at once.
    #[must_use]
    pub fn peak(&self) -> u64 {
        self.weights.saturating_add(self.text.max(self.picture))
    }
}

/// The bytes that a picture's largest phase holds beside the weights: a step with its carried maps, or the decoding. In floats, since a
/// configuration may ask for any number of pixels and channels.
fn of_a_picture(spec: &ModelSpec, (width, height): (usize, usize)) -> u64 {
    let (h, w) = latent(spec, (width, height));
    let widest = 2.0 * h * w * spec.unet.channels[0] as f64 * WIDE;
    // Those that a run reads of its parent, and those that it leaves.
    let maps = 2.0 * numbers_of_maps(&spec.unet, (h, w), spec.text.positions) * KEPT;
    let decoded = match &spec.vae.kind {
        VaeKind::Full(full) => width as f64 * height as f64 * full.channels[0] as f64 * WIDE,
        VaeKind::Tiny(_) => 0.0,
    };
    (RESULTS_OF_A_STEP * widest + maps).max(RESULTS_OF_A_DECODE * decoded) as u64
}

/// The numbers of one step's carried maps: text maps, queries and keys.
fn numbers_of_maps(unet: &UnetSpec, (h, w): (f64, f64), tokens: usize) -> f64 {
    let last = unet.channels.len() - 1;
    // Of four levels the upper two are not carried where nothing is set, as `self_max` has it.
    let carried_from = if last >= 3 { 2 } else { 0 };
    let of_level = |level: usize| {
        let pixels = h * w / 4f64.powi(level as i32);
        let own = if level >= carried_from { 2.0 * pixels * unet.channels[level] as f64 } else { 0.0 };
        unet.depth[level] as f64 * (unet.heads[level] as f64 * pixels * tokens as f64 + own)
    };
    let layers = |level: usize| {
        let down = if unet.down_attends[level] { unet.layers[level] } else { 0 };
        let up = if unet.up_attends[last - level] { unet.layers[level] + 1 } else { 0 };
        (down + up + usize::from(level == last && unet.middle == Middle::Attends)) as f64
    };
    (0..=last).map(|level| layers(level) * of_level(level)).sum()
}

fn latent(spec: &ModelSpec, (width, height): (usize, usize)) -> (f64, f64) {
    let factor = spec.vae.factor();
    (height.div_ceil(factor) as f64, width.div_ceil(factor) as f64)
}

/// The largest self-attention layer, in pixels, that is carried where nothing is set: a quarter of the latent's side squared where the
/// UNet has four levels as Stable Diffusion has, else all.
#[must_use]
pub fn self_max(unet: &UnetSpec, (h, w): (usize, usize)) -> usize {
    if unet.channels.len() >= 4 { h.div_ceil(4) * w.div_ceil(4) } else { h * w }
}

fn bytes_of_a_weight(backend: &Backend) -> u64 {
    match backend {
        Backend::Kernels(wordbrush_kernels::Precision::Bf16) => 2,
        Backend::Kernels(wordbrush_kernels::Precision::F32) => 4,
        Backend::Plain(_, number) => number.size_in_bytes() as u64,
    }
}

fn bytes_of(weights: &Weights, number: u64) -> u64 {
    // Rows of a table of tokens are read when a text names them.
    let held = weights.shapes().filter(|(name, _)| !name.ends_with("token_embedding.weight"));
    held.map(|(_, shape)| shape.iter().map(|side| *side as u64).product::<u64>()).sum::<u64>() * number
}

/// Bytes of memory that the system could still give, as far as a container's limit lets it; `None` where it does not say.
pub(super) fn available() -> Option<u64> {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    let limit = system.cgroup_limits().map(|limits| limits.total_memory.saturating_sub(limits.rss));
    let free = system.available_memory().min(limit.unwrap_or(u64::MAX)) + system.free_swap();
    (system.total_memory() > 0).then_some(free)
}

/// Whether a model's weights, and a text that is read, fit on a backend; a picture's share is known when its size is.
///
/// # Errors
/// Fails if they do not fit; the message has both numbers. Fails if a file of weights is missing or damaged.
pub(super) fn check_model(source: &dyn ModelSource, spec: &ModelSpec, backend: &Backend) -> Result<()> {
    let (Some(free), true) = (available(), backend.device().is_cpu()) else { return Ok(()) };
    let Some(needs) = Needs::of(source, spec, backend, spec.usual_size())? else { return Ok(()) };
    let is_f32 = matches!(backend, Backend::Kernels(wordbrush_kernels::Precision::F32));
    let half = Needs { weights: needs.weights / 2, text: needs.text / 2, ..needs };
    fits(needs, Some(half).filter(|_| is_f32), free)
}

fn fits(needs: Needs, half: Option<Needs>, free: u64) -> Result<()> {
    if needs.peak() <= free {
        return Ok(());
    }
    let hint = match half.filter(|needs| needs.peak() <= free) {
        Some(needs) => format!("with `precision` bf16 it takes about {}", gigabytes(needs.peak())),
        None => "close other programs, or take a smaller model: docs/guide/8-models.md has some".to_owned(),
    };
    let (all, free) = (gigabytes(needs.peak()), gigabytes(free));
    Err(Hinted::new(format!("it takes about {all} of memory, and {free} are free"), hint).into())
}

/// Whether pictures of a size fit beside a model that is loaded.
///
/// # Errors
/// Fails if they do not; the message has both numbers.
pub(super) fn check_picture(spec: &ModelSpec, size: (usize, usize), device: DeviceName) -> Result<()> {
    let is_here = matches!(device, DeviceName::Cpu | DeviceName::Plain);
    available().filter(|_| is_here).map_or(Ok(()), |free| picture_fits(spec, size, free))
}

fn picture_fits(spec: &ModelSpec, size: (usize, usize), free: u64) -> Result<()> {
    let needed = of_a_picture(spec, size);
    if needed <= free {
        return Ok(());
    }
    let (width, height) = size;
    let message = format!(
        "a picture of {width}x{height} takes about {} of memory beside the model, and {} are free",
        gigabytes(needed),
        gigabytes(free)
    );
    let (width, height) = spec.usual_size();
    let hint = format!("take smaller pictures: the model's own are {width}x{height} (/set size auto)");
    Err(Hinted::new(message, hint).into())
}

/// `8.5 GB`.
#[must_use]
pub fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::random::Random;

    #[test]
    fn what_does_not_fit_is_refused_with_what_would() {
        let needs = Needs { weights: 5_000_000_000, text: 500_000_000, picture: 1_500_000_000 };
        let half = Needs { weights: 2_500_000_000, ..needs };
        assert!(fits(needs, None, needs.peak()).is_ok());
        let said = |half, free| {
            let error = fits(needs, half, free).unwrap_err();
            let hint = error.downcast_ref::<Hinted>().unwrap().hint();
            format!("{error} | {hint}")
        };
        assert_eq!(
            said(Some(half), 4_200_000_000),
            "it takes about 6.5 GB of memory, and 4.2 GB are free | with `precision` bf16 it takes about 4.0 GB"
        );
        for (half, free) in [(Some(half), 3_900_000_000), (None, 4_200_000_000)] {
            assert!(said(half, free).contains("a smaller model"), "{}", said(half, free));
        }
    }

    #[test]
    fn a_size_that_does_not_fit_is_refused_with_the_one_that_the_model_was_made_for() {
        let spec = ModelSpec::read(&Random::Sd15).unwrap();
        assert!(picture_fits(&spec, (512, 512), 1_000_000_000).is_ok());
        let error = picture_fits(&spec, (4096, 4096), 1_000_000_000).unwrap_err().to_string();
        assert!(
            error.starts_with("a picture of 4096x4096 takes about") && error.ends_with("1.0 GB are free"),
            "{error}"
        );
    }

    /// `VmHWM` of sessions with a file, in MB: a picture and an edit in bf16.
    #[test]
    fn what_is_foretold_is_what_was_measured() {
        for (model, numbers, measured) in [(Random::Sd15, 859_520_964, 2254), (Random::Sdxl, 2_567_463_684u64, 8222)] {
            let spec = ModelSpec::read(&model).unwrap();
            let picture = of_a_picture(&spec, spec.usual_size());
            let foretold = Needs { weights: PROGRAM + numbers * 2, text: 0, picture }.peak() as f64 / 1e6;
            let off = (foretold / f64::from(measured) - 1.0).abs();
            assert!(off < 0.05, "{model:?}: {foretold:.0} MB foretold, {measured} measured");
        }
    }

    #[test]
    fn this_machine_says_what_memory_it_has() {
        let free = available().unwrap();
        assert!(free > 1 << 20 && free < 1 << 50, "{free}");
    }
}
