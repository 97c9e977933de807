//! Small plans and recipes for tests.

use std::collections::BTreeMap;

use crate::plan::sampler::SamplerName;
use crate::plan::settings::{
    Alignment, BlendArithmetic, BlendMaps, Precision, Rounding, TurnSettings, VLayers, WeightWindow, Window,
};
use crate::plan::{Column, Origin, Plan, Recipe, Region};

/// A recipe of few steps with the seed `seed`.
pub(crate) fn recipe(seed: u64) -> Recipe {
    Recipe {
        model: "embedded".to_owned(),
        model_digest: "ab".repeat(32),
        seed,
        steps: 4,
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

/// A plan that leads to `prompt` and carries every column from the parent.
pub(crate) fn plan(prompt: &str) -> Plan {
    Plan {
        prompt: prompt.to_owned(),
        spans: Vec::new(),
        weights: prompt.split(' ').map(|_| 1.0).collect(),
        columns: (0..32).map(|token| Column::From { up: 1, tokens: vec![(token, 1.0)] }).collect(),
        settings: settings(),
        region: Region::Everywhere,
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
    }
}
