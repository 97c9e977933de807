//! Whether a plan can be: every index lies where it points, every number in its range.
//!
//! [`Plan::new`](super::Plan::new) asks, and there is no other way to a plan. So what a file or a picture from anywhere
//! says is checked at the same door as what the program makes itself.

use std::fmt;

use super::resolve::MAX_WEIGHT;
use super::sampler::SamplerName;
use super::settings::{Precision, TurnSettings, Window};
use super::{EditMethod, P2p, PlanParts, Recipe, Region, Stretch};
use crate::turn::{Replaced, words};

/// The most token positions that a prompt may have: more than any text encoder has.
pub const MOST_TOKENS: usize = 4096;
/// The longest prompt, in bytes.
pub const LONGEST_PROMPT: usize = 100_000;
/// The longest side of a picture, in pixels.
const LONGEST_SIDE: usize = 8192;

/// A plan or a recipe that cannot be; the sentence says what is the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impossible(pub(super) String);

impl fmt::Display for Impossible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Impossible {}

/// What a plan needs to know of those above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Above {
    /// How many ancestors there are, the parent among them.
    pub generations: usize,
    /// Words of the parent's prompt.
    pub words: usize,
    /// Token positions of every prompt of the tree.
    pub tokens: usize,
}

/// Fails with this sentence unless the condition holds.
macro_rules! must {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            return Err(Impossible(format!($($why)+)));
        }
    };
}

pub(super) fn plan(parts: &PlanParts, above: Option<Above>) -> Result<(), Impossible> {
    let PlanParts { prompt, weights, settings, method } = parts;
    must!(prompt.len() <= LONGEST_PROMPT, "its prompt has more than {LONGEST_PROMPT} bytes");
    let count = words::split(prompt).len();
    must!(weights.len() == count, "it has {count} words, but {} weights", weights.len());
    must!(weights.iter().all(|w| w.is_finite() && w.abs() <= MAX_WEIGHT), "a weight is out of range");
    turn_settings(settings)?;
    let tokens = parts.tokens();
    must!((2..=MOST_TOKENS).contains(&tokens), "it has {tokens} tokens");
    match (method, above) {
        (EditMethod::Generate { .. }, None) => Ok(()),
        (EditMethod::Generate { .. }, Some(_)) => Err(Impossible("it has a parent and takes nothing of it".to_owned())),
        (EditMethod::PromptToPrompt(_) | EditMethod::Redraw(_), None) => {
            Err(Impossible("a first picture edits none".to_owned()))
        }
        (EditMethod::PromptToPrompt(edit), Some(above)) => prompt_to_prompt(edit, (count, tokens), above),
        (EditMethod::Redraw(edit), Some(above)) => {
            must!(tokens == above.tokens, "its tokens are counted otherwise than its parent's");
            edit.check(above.tokens)?;
            replaced(&edit.spans, count, above)
        }
    }
}

fn prompt_to_prompt(edit: &P2p, (count, tokens): (usize, usize), above: Above) -> Result<(), Impossible> {
    let P2p { spans, columns, region } = edit;
    let generations = 1..=above.generations;
    must!(tokens == above.tokens, "its tokens are counted otherwise than its parent's");
    for stretch in columns.stretches() {
        let (up, inside) = match stretch {
            Stretch::Own(_) => continue,
            Stretch::Same { up, from, count } => {
                (up, from.checked_add(*count).is_some_and(|end| end as usize <= tokens))
            }
            Stretch::Sum { up, tokens: sum } => {
                (up, sum.iter().all(|(t, share)| (*t as usize) < tokens && share.is_finite()))
            }
        };
        must!(generations.contains(&(*up as usize)), "a word comes from an ancestor that is not there");
        must!(inside, "a word comes from a token that is not there");
    }
    match region {
        Region::Everywhere => {}
        Region::As { up } => must!(generations.contains(up), "its region is of an ancestor that is not there"),
        Region::Words { source, target, source_out, target_out } => {
            let mut all = [source, target, source_out, target_out].into_iter().flatten();
            must!(all.all(|token| *token < tokens), "its region is of words that are not there");
        }
        Region::Given(area) => area.check(above.tokens)?,
        Region::Difference => return Err(Impossible("its region is not one of its method".to_owned())),
    }
    replaced(spans, count, above)
}

/// Whether word ranges can be those by which a prompt of `count` words differs from its parent's.
fn replaced(spans: &[Replaced], count: usize, above: Above) -> Result<(), Impossible> {
    let (mut source, mut target) = (0, 0);
    for span in spans {
        must!(span.source.start >= source && span.target.start >= target, "its edits overlap");
        must!(span.source.start - source == span.target.start - target, "its kept words do not match");
        must!(span.source.start <= span.source.end && span.target.start <= span.target.end, "an edit runs backwards");
        (source, target) = (span.source.end, span.target.end);
        must!(source <= above.words && target <= count, "an edit is of words that are not there");
    }
    must!(above.words - source == count - target, "its kept words do not match");
    Ok(())
}

fn turn_settings(settings: &TurnSettings) -> Result<(), Impossible> {
    let share = |x: f64| (0.0..=1.0).contains(&x);
    let window = |w: &Window| share(w.from) && share(w.to);
    // All of them, so that a new one is not forgotten here: files can say anything.
    let TurnSettings {
        cross_replace_steps,
        cross_words,
        self_replace_steps,
        self_max: _,
        k,
        region_from: _,
        blend_words: _,
        substruct_words: _,
        substruct_k,
        start_blend,
        v_replace_steps,
        v_mix,
        v_layers: _,
        weight_window: _,
        alignment: _,
        blend_maps: _,
        blend_arithmetic: _,
        window_rounding: _,
        renormalize: _,
        outside: _,
    } = settings;
    let windows = [cross_replace_steps, self_replace_steps, v_replace_steps].into_iter().chain(cross_words.values());
    must!(windows.into_iter().all(window), "a window lies outside the run");
    must!([k, substruct_k, start_blend, v_mix].into_iter().all(|x| share(*x)), "a setting is out of range");
    Ok(())
}

pub(super) fn recipe(recipe: &Recipe) -> Result<(), Impossible> {
    let Recipe { steps, guidance, width, height, precision, .. } = recipe;
    must!((1..=1000).contains(steps), "it has {steps} steps");
    must!(guidance.is_finite() && (0.0..=50.0).contains(guidance), "its guidance is {guidance}");
    for side in [width, height] {
        must!((1..=LONGEST_SIDE).contains(side), "it is {width} x {height} pixels");
    }
    must!(*precision != Precision::F16, "its precision is not known here");
    if let Some((picture, inversion)) = recipe.photograph() {
        let size = (picture.width(), picture.height());
        must!(
            size == (*width, *height),
            "its photograph is {} x {} pixels, and it is {width} x {height}",
            size.0,
            size.1
        );
        must!(recipe.scheduler == SamplerName::Ddim, "`{inversion}` inverts by `ddim`, and its sampler is another");
        must!(!recipe.embeds_guidance, "its model reads its guidance, and photographs are inverted without");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::area::{Area, PixelMask};
    use crate::plan::redraw::{Patch, Redraw, RedrawMethod};
    use crate::plan::{Columns, Plan};
    use std::sync::Arc;

    fn good() -> (PlanParts, P2p) {
        let edit = P2p {
            spans: vec![Replaced { source: 1..2, target: 1..3 }],
            columns: Columns::of([Stretch::Own(2), Stretch::Same { up: 1, from: 2, count: 6 }]),
            region: Region::Words { source: vec![1], target: vec![7], source_out: vec![], target_out: vec![] },
        };
        let parts = PlanParts {
            prompt: "a dark red cat".to_owned(),
            weights: vec![1.0; 4],
            settings: Arc::new(TurnSettings::default()),
            method: EditMethod::PromptToPrompt(edit.clone()),
        };
        (parts, edit)
    }

    const ABOVE: Above = Above { generations: 2, words: 3, tokens: 8 };

    #[track_caller]
    fn refused(why: &str, change: impl Fn(&mut PlanParts, &mut P2p)) {
        let (mut parts, mut edit) = good();
        change(&mut parts, &mut edit);
        parts.method = EditMethod::PromptToPrompt(edit);
        let error = Plan::new(parts, Some(ABOVE)).expect_err(why);
        assert!(error.to_string().contains(why), "{error}");
    }

    #[test]
    fn an_edit_that_points_where_nothing_is_cannot_be_a_plan() {
        assert!(Plan::new(good().0, Some(ABOVE)).is_ok());
        assert!(Plan::new(good().0, None).is_err());
        refused("weights", |p, _| p.weights.push(1.0));
        refused("a weight is out of range", |p, _| p.weights[0] = f64::NAN);
        refused("a weight is out of range", |p, _| p.weights[0] = -100.5);
        refused("more than 100000 bytes", |p, _| p.prompt = "x".repeat(LONGEST_PROMPT + 1));
        refused("a window", |p, _| Arc::make_mut(&mut p.settings).self_replace_steps.to = 1.5);
        refused("a setting", |p, _| Arc::make_mut(&mut p.settings).k = f64::INFINITY);
        refused("counted otherwise", |_, e| e.columns = Columns::of([Stretch::Own(7)]));
        refused("0 tokens", |_, e| e.columns = Columns::default());
        let from = |up, from, count| Columns::of([Stretch::Own(8 - count), Stretch::Same { up, from, count }]);
        refused("an ancestor that is not there", |_, e| e.columns = from(3, 0, 2));
        refused("an ancestor that is not there", |_, e| e.columns = from(0, 0, 2));
        refused("a token that is not there", |_, e| e.columns = from(1, 7, 2));
        refused("a token that is not there", |_, e| e.columns = from(1, u32::MAX, 2));
        let sum =
            |token, share| Columns::of([Stretch::Own(7), Stretch::Sum { up: 1, tokens: [(token, share)].into() }]);
        refused("a token that is not there", |_, e| e.columns = sum(8, 0.5));
        refused("a token that is not there", |_, e| e.columns = sum(1, f32::NAN));
        refused("its region", |_, e| e.region = Region::As { up: 0 });
        refused("its region", |_, e| e.region = Region::As { up: 3 });
        refused("its region", |_, e| {
            e.region = Region::Words { source: vec![], target: vec![], source_out: vec![8], target_out: vec![] };
        });
        refused("its region", |_, e| e.region = Region::Given(Area::Words { tokens: vec![8] }));
        refused("its region", |_, e| e.region = Region::Given(Area::Words { tokens: vec![] }));
        let rectangle = |x, width| Region::Given(Area::Rectangle { x, y: 0, width, height: 1 });
        refused("its rectangle", |_, e| e.region = rectangle(3, 0));
        refused("its rectangle", |_, e| e.region = rectangle(usize::MAX, 2));
        let nothing = PixelMask::of_pixels((2, 1), &[false; 2]).unwrap();
        refused("its mask", |_, e| e.region = Region::Given(Area::Mask(nothing.clone())));
    }

    #[test]
    fn spans_that_overlap_run_backwards_or_leave_words_over_are_refused() {
        let span = |a, b, c, d| Replaced { source: a..b, target: c..d };
        refused("kept words", |_, e| e.spans = vec![]);
        refused("kept words", |_, e| e.spans[0] = span(1, 2, 2, 4));
        refused("kept words", |_, e| e.spans[0] = span(1, 2, 1, 2));
        refused("not there", |_, e| e.spans[0] = span(1, 9, 1, 10));
        refused("backwards", |_, e| e.spans[0] = span(2, 1, 2, 3));
        refused("overlap", |_, e| e.spans.push(span(0, 1, 0, 1)));
        refused("overlap", |_, e| e.spans.push(span(usize::MAX, 0, 1, 1)));
    }

    #[test]
    fn a_redrawing_out_of_range_cannot_be_a_plan() {
        let plan = |method: RedrawMethod, region: Region, above: Option<Above>| {
            let (parts, P2p { spans, .. }) = good();
            let method = EditMethod::Redraw(Redraw { spans, tokens: 8, region, seed: 1, method });
            Plan::new(PlanParts { method, ..parts }, above).is_ok()
        };
        let of = |method, region| plan(method, region, Some(ABOVE));
        let sdedit = |strength, patch| RedrawMethod::SdEdit { strength, patch };
        assert!(of(sdedit(0.5, None), Region::Everywhere));
        assert!(!plan(sdedit(0.5, None), Region::Everywhere, None));
        assert!(!plan(sdedit(0.5, None), Region::Everywhere, Some(Above { tokens: 9, ..ABOVE })));
        assert!(!of(sdedit(0.5, None), Region::As { up: 1 }));
        for strength in [0.0, -0.1, 1.01, f64::NAN] {
            assert!(!of(sdedit(strength, None), Region::Everywhere), "{strength}");
        }
        let patch = |rgba: &[u8]| Some(Patch { x: 0, y: 0, width: 1, height: 2, rgba: rgba.into() });
        assert!(
            of(sdedit(0.5, patch(&[0; 8])), Region::Everywhere) && !of(sdedit(0.5, patch(&[0; 7])), Region::Everywhere)
        );
        let words = |token| Region::Given(Area::Words { tokens: vec![token] });
        let paint = RedrawMethod::BlendedDiffusion { strength: 1.0 };
        assert!(of(paint.clone(), words(7)) && !of(paint.clone(), words(8)) && !of(paint, Region::Everywhere));
        let mix = |kmin, kmax, nu| RedrawMethod::MagicMix { kmin, kmax, nu };
        assert!(of(mix(0.3, 0.6, 0.5), Region::Everywhere));
        for (kmin, kmax, nu) in [(0.7, 0.6, 0.5), (0.0, 0.0, 0.5), (0.3, 0.6, 1.5), (f64::NAN, 0.6, 0.5)] {
            assert!(!of(mix(kmin, kmax, nu), Region::Everywhere), "{kmin} {kmax} {nu}");
        }
        let diffedit = |ratio, maps| RedrawMethod::DiffEdit { strength: 0.8, mask_strength: 0.5, ratio, maps };
        assert!(of(diffedit(3.0, 10), Region::Difference) && !of(diffedit(3.0, 10), Region::Everywhere));
        assert!(!of(diffedit(f64::NAN, 10), Region::Difference) && !of(diffedit(3.0, 0), Region::Difference));
    }

    #[test]
    fn a_first_picture_has_neither_parent_nor_sources() {
        let parts = |tokens| PlanParts { method: EditMethod::Generate { tokens }, ..good().0 };
        assert!(Plan::new(parts(8), None).is_ok());
        assert!(Plan::new(parts(8), Some(ABOVE)).is_err());
        assert!(Plan::new(parts(1), None).is_err());
        assert!(Plan::new(parts(MOST_TOKENS + 1), None).is_err());
    }
}
