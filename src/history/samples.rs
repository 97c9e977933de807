//! Small plans and recipes for tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::plan::photograph::Photograph;
use crate::plan::sampler::SamplerName;
use crate::plan::settings::{
    Alignment, BlendArithmetic, BlendMaps, Outside, Precision, RegionFrom, Rounding, TurnSettings, VLayers,
    WeightWindow, Window,
};
use crate::plan::{Columns, EditMethod, Origin, P2p, Plan, PlanParts, Recipe, Region, Stretch};
use crate::turn::{Replaced, words};

/// A photograph of four pixels of this value, that fits no recipe but is told from others.
pub(crate) fn photograph(value: u8) -> Arc<Photograph> {
    Arc::new(Photograph::new(2, 2, vec![value; 12], None).expect("four pixels"))
}

/// A recipe of few steps with the seed `seed`.
pub(crate) fn recipe(seed: u64) -> Recipe {
    Recipe {
        model: "embedded".to_owned(),
        model_digest: "ab".repeat(32),
        seed,
        steps: 4,
        embeds_guidance: false,
        guidance: 4.5,
        width: 128,
        height: 128,
        negative: String::new(),
        scheduler: SamplerName::Ddim,
        precision: Precision::F32,
        map_precision: Precision::F16,
        origin: Origin::Noise,
    }
}

/// What a plan says that leads to `prompt` by this method.
fn parts(prompt: &str, method: EditMethod) -> PlanParts {
    let weights = words::split(prompt).iter().map(|_| 1.0).collect();
    PlanParts { prompt: prompt.to_owned(), weights, settings: Arc::new(settings()), method }
}

/// The plan of a first picture, of 32 tokens.
pub(crate) fn first(prompt: &str) -> Plan {
    first_of(prompt, 32)
}

/// The plan of a first picture, of this many tokens.
pub(crate) fn first_of(prompt: &str, tokens: usize) -> Plan {
    Plan::new(parts(prompt, EditMethod::Generate { tokens }), None).unwrap()
}

/// A plan that replaces all words of its parent and takes every column from there.
pub(crate) fn next(parent: &Plan, prompt: &str) -> Plan {
    let span = Replaced { source: 0..parent.weights.len(), target: 0..words::split(prompt).len() };
    let columns = Columns::of([Stretch::Same { up: 1, from: 0, count: parent.tokens() as u32 }]);
    let edit = P2p { spans: vec![span], columns, region: Region::Everywhere };
    Plan::new(parts(prompt, EditMethod::PromptToPrompt(edit)), Some(parent.above_child(0))).unwrap()
}

/// The plan with something changed, possible or not.
pub(crate) fn changed(plan: &Plan, change: impl FnOnce(&mut PlanParts)) -> Plan {
    let mut parts = PlanParts::clone(plan);
    change(&mut parts);
    Plan::unchecked(parts)
}

/// The edit of a plan that is one.
pub(crate) fn edit_of(parts: &mut PlanParts) -> &mut P2p {
    match &mut parts.method {
        EditMethod::PromptToPrompt(edit) => edit,
        EditMethod::Generate { .. } | EditMethod::Redraw(_) => panic!("it is drawn otherwise"),
    }
}

/// Settings spelled out, so that a changed default changes no test of ids.
fn settings() -> TurnSettings {
    TurnSettings {
        cross_replace_steps: Window { from: 0.0, to: 0.4 },
        cross_words: BTreeMap::new(),
        self_replace_steps: Window { from: 0.0, to: 0.4 },
        self_max: None,
        k: 0.3,
        region_from: RegionFrom::Cross,
        blend_words: Vec::new(),
        substruct_words: Vec::new(),
        substruct_k: 0.3,
        start_blend: 0.2,
        v_replace_steps: Window { from: 0.0, to: 0.0 },
        v_mix: 0.5,
        v_layers: VLayers::Cross,
        weight_window: WeightWindow::Always,
        alignment: Alignment::Words,
        blend_maps: BlendMaps::Carried,
        blend_arithmetic: BlendArithmetic::Select,
        window_rounding: Rounding::Round,
        renormalize: false,
        outside: Outside::Photograph,
    }
}
