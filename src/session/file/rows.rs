//! The lines of a session file, as types of their own.
//!
//! What is in memory may change from version to version; what is in these files may not, without a new format number.
//! So nothing in memory is written as it is: each structure has its row here, and every field is named on the way to it
//! and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::area_rows::AreaRow;
use super::redraw_rows::{MethodRow, RedrawRow};
use super::{columns, hex, pixels};
use crate::history::{Event, Node, NodeId, Tree};
use crate::plan::area::Area;
use crate::plan::redraw::{Redraw, RedrawMethod};
use crate::plan::settings::{
    Alignment, BlendArithmetic, BlendMaps, Outside, Precision, RegionFrom, Rounding, TurnSettings, VLayers,
    WeightWindow, Window,
};
use crate::plan::{EditMethod, Origin, P2p, Plan, PlanParts, Recipe, Region, Stretch};
use crate::turn::{Change, Replaced};

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct HeaderRow {
    /// Format of the file.
    pub(super) wordbrush: u32,
    /// Version of the program that began it.
    pub(super) program: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
}

/// Every other line. Nodes go by number: numbers never change.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Row {
    Grow(Box<GrowRow>),
    Move { to: u32 },
    Name { node: u32, name: String },
    Set { name: String, value: String },
}

/// A node, with all that is needed to draw it again.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct GrowRow {
    node: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<u32>,
    /// 64 hexadecimal digits; at least 8 of them are checked on reading.
    id: String,
    line: String,
    changes: Vec<ChangeRow>,
    prompt: String,
    /// Word ranges given up and gained: from, to, from, to.
    spans: Vec<[usize; 4]>,
    weights: Vec<f64>,
    columns: String,
    region: RegionRow,
    /// Absent: drawn by its words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redraw: Option<RedrawRow>,
    settings: SettingsRow,
    /// Only at a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recipe: Option<RecipeRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) picture: Option<PictureRow>,
}

/// What came out when the node was drawn.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PictureRow {
    pub(super) digest: String,
    #[serde(with = "hex")]
    pub(super) thumbprint: Vec<u8>,
    pub(super) kernels: String,
    pub(super) seconds: f64,
    pub(super) evaluations: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum ChangeRow {
    Start { prompt: String },
    Swap { from: String, to: String },
    Add { text: String },
    Remove { text: String },
    Weigh { word: String, factor: f64, absolute: bool },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum RegionRow {
    Everywhere,
    Words { source: Vec<usize>, target: Vec<usize>, source_out: Vec<usize>, target_out: Vec<usize> },
    As { up: usize },
    Given(AreaRow),
    Difference,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsRow {
    cross_replace_steps: [f64; 2],
    cross_words: BTreeMap<String, [f64; 2]>,
    self_replace_steps: [f64; 2],
    self_max: Option<usize>,
    k: f64,
    blend_words: Vec<String>,
    substruct_words: Vec<String>,
    substruct_k: f64,
    start_blend: f64,
    v_replace_steps: [f64; 2],
    v_mix: f64,
    v_layers: String,
    weight_window: String,
    alignment: String,
    blend_maps: String,
    blend_arithmetic: String,
    window_rounding: String,
    renormalize: bool,
    /// Absent: the photograph's own pixels, which is nothing where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outside: Option<String>,
    /// Absent: maps of text attention.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region_from: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecipeRow {
    pub(super) model: String,
    model_digest: String,
    seed: u64,
    steps: usize,
    guidance: f64,
    /// Absent: the model is pushed from an unconditional half.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    embeds_guidance: bool,
    width: usize,
    height: usize,
    negative: String,
    scheduler: String,
    precision: String,
    map_precision: String,
    /// Absent: noise from the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) inverted: Option<InvertedRow>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InvertedRow {
    digest: String,
    method: String,
    /// What the photograph's file was called, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<String>,
    /// The photograph as a PNG in base64.
    pixels: String,
}

/// Both directions between a choice and its word in the file.
macro_rules! words {
    ($to:ident, $from:ident, $kind:ty, $($choice:path = $word:literal),+) => {
        fn $to(choice: $kind) -> String {
            match choice { $($choice => $word,)+ }.to_owned()
        }
        fn $from(word: &str) -> Result<$kind> {
            match word {
                $($word => Ok($choice),)+
                _ => bail!("`{word}` is none of {}", [$($word),+].join(", ")),
            }
        }
    };
}

words!(
    v_layers,
    to_v_layers,
    VLayers,
    VLayers::Cross = "cross",
    VLayers::SelfAttention = "self",
    VLayers::Both = "both"
);
words!(outside, to_outside, Outside, Outside::Photograph = "photograph", Outside::Model = "model");
words!(
    region_from,
    to_region_from,
    RegionFrom,
    RegionFrom::Cross = "cross",
    RegionFrom::Spread = "spread",
    RegionFrom::Text = "text"
);
words!(weight_window, to_weight_window, WeightWindow, WeightWindow::Always = "always", WeightWindow::Inside = "inside");
words!(alignment, to_alignment, Alignment, Alignment::Words = "words", Alignment::Published = "published");
words!(blend_maps, to_blend_maps, BlendMaps, BlendMaps::Carried = "carried", BlendMaps::Used = "used");
words!(arithmetic, to_arithmetic, BlendArithmetic, BlendArithmetic::Select = "select", BlendArithmetic::Mix = "mix");
words!(rounding, to_rounding, Rounding, Rounding::Round = "round", Rounding::Published = "published");
words!(precision, to_precision, Precision, Precision::F32 = "f32", Precision::F16 = "f16", Precision::Bf16 = "bf16");

impl Row {
    /// The row of an event.
    pub(super) fn from_event(event: &Event, picture: Option<PictureRow>) -> Result<Self> {
        Ok(match event {
            Event::Grow(node) => Self::Grow(Box::new(GrowRow::from_node(node, picture)?)),
            Event::Move { to } => Self::Move { to: *to },
            Event::Name { node, name } => Self::Name { node: *node, name: name.clone() },
            Event::Set { name, value } => Self::Set { name: name.clone(), value: value.clone() },
        })
    }

    /// The event of a row that follows the events in `tree`.
    pub(super) fn into_event(self, tree: &Tree) -> Result<Event> {
        Ok(match self {
            Self::Grow(row) => Event::Grow(Box::new(row.into_node(tree)?)),
            Self::Move { to } => Event::Move { to },
            Self::Name { node, name } => Event::Name { node, name },
            Self::Set { name, value } => Event::Set { name, value },
        })
    }
}

impl GrowRow {
    fn from_node(node: &Node, picture: Option<PictureRow>) -> Result<Self> {
        let Node { id, number, parent, line, changes, plan, recipe } = node;
        let PlanParts { prompt, weights, settings, method } = &**plan;
        let columns = match method {
            EditMethod::Generate { tokens } | EditMethod::Redraw(Redraw { tokens, .. }) => {
                columns::write(&[Stretch::Own(*tokens as u32)])
            }
            EditMethod::PromptToPrompt(edit) => columns::write(edit.columns.stretches()),
        };
        let span = |Replaced { source, target }: &Replaced| [source.start, source.end, target.start, target.end];
        let redraw = match plan.redraw() {
            Some(Redraw { seed, method, .. }) => Some(RedrawRow { seed: *seed, by: MethodRow::try_from(method)? }),
            None => None,
        };
        Ok(Self {
            node: *number,
            parent: *parent,
            id: id.hex(),
            line: line.clone(),
            changes: changes.iter().map(ChangeRow::from).collect(),
            prompt: prompt.clone(),
            spans: plan.spans().iter().map(span).collect(),
            weights: weights.clone(),
            columns,
            region: RegionRow::from(plan.region()),
            redraw,
            settings: SettingsRow::from(&**settings),
            recipe: parent.is_none().then(|| RecipeRow::from(&**recipe)),
            picture,
        })
    }

    fn into_node(self, tree: &Tree) -> Result<Node> {
        let above = match self.parent {
            Some(number) => match tree.node(number) {
                Some(node) => Some(node),
                None => bail!("its parent #{number} is not there"),
            },
            None => None,
        };
        let recipe = match (above, self.recipe) {
            (Some(node), None) => Arc::clone(&node.recipe),
            (None, Some(row)) => Arc::new(Recipe::try_from(row)?),
            (Some(_), Some(_)) => bail!("it has a parent and yet a recipe of its own"),
            (None, None) => bail!("it has neither a parent nor a recipe"),
        };
        let span = |[a, b, c, d]: [usize; 4]| Replaced { source: a..b, target: c..d };
        let edit = P2p {
            spans: self.spans.into_iter().map(span).collect(),
            columns: columns::read(&self.columns)?,
            region: Region::try_from(self.region)?,
        };
        let method = match (above, self.redraw) {
            (Some(_), None) => EditMethod::PromptToPrompt(edit),
            (Some(_), Some(RedrawRow { seed, by })) => {
                let P2p { spans, columns, region } = edit;
                let [Stretch::Own(tokens)] = *columns.stretches() else { bail!("it is drawn again and takes words") };
                let (tokens, method) = (tokens as usize, RedrawMethod::try_from(by)?);
                EditMethod::Redraw(Redraw { spans, tokens, region, seed, method })
            }
            (None, None) => first_picture(&edit)?,
            (None, Some(_)) => bail!("a first picture is drawn again from none"),
        };
        let settings = shared(TurnSettings::try_from(self.settings)?, tree);
        let parts = PlanParts { prompt: self.prompt, weights: self.weights, settings, method };
        let plan = Plan::new(parts, above.map(|node| node.plan.above_child(tree.depth(node.number))))?;
        plan.fits(&recipe)?;
        let id = NodeId::of(above.map(|node| node.id), &plan, &recipe);
        ensure!(
            self.id.len() >= 8 && id.hex().starts_with(&self.id),
            "its id is {}, but what it says has the id {}",
            self.id.chars().take(8).collect::<String>(),
            id.short()
        );
        let changes = self.changes.into_iter().map(Change::from).collect();
        Ok(Node { id, number: self.node, parent: self.parent, line: self.line, changes, plan, recipe })
    }

    /// The row of a node whose only ancestors are those in the rows before it, as a picture carries it: counted from 1.
    pub(super) fn in_lineage(node: &Node, number: u32, picture: Option<PictureRow>) -> Result<Self> {
        let mut row =
            Self { node: number, parent: (number > 1).then(|| number - 1), ..Self::from_node(node, picture)? };
        // A picture goes to others, who need not know in which folder a photograph lay.
        if let Some(inverted) = row.recipe.as_mut().and_then(|recipe| recipe.inverted.as_mut()) {
            inverted.file = inverted.file.take().map(|file| last_part(&file));
        }
        Ok(row)
    }

    /// The prompt, for lists.
    pub(super) fn prompt(&self) -> &str {
        &self.prompt
    }

    pub(super) fn recipe_mut(&mut self) -> Option<&mut RecipeRow> {
        self.recipe.as_mut()
    }
}

/// The last part of a path, whichever way its parts are parted.
fn last_part(path: &str) -> String {
    path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
}

/// What a first picture may say of an edit: nothing.
fn first_picture(edit: &P2p) -> Result<EditMethod> {
    let P2p { spans, columns, region } = edit;
    ensure!(spans.is_empty(), "a first picture replaces no words");
    ensure!(*region == Region::Everywhere, "a first picture has no region");
    match columns.stretches() {
        [] => Ok(EditMethod::Generate { tokens: 0 }),
        [Stretch::Own(tokens)] => Ok(EditMethod::Generate { tokens: *tokens as usize }),
        _ => bail!("a first picture takes no words from elsewhere"),
    }
}

/// These settings; kept once if the newest node of the tree has the same.
fn shared(settings: TurnSettings, tree: &Tree) -> Arc<TurnSettings> {
    let newest = tree.nodes().last().map(|node| &node.plan.settings);
    newest.filter(|same| ***same == settings).map_or_else(|| Arc::new(settings), Arc::clone)
}

impl From<&Change> for ChangeRow {
    fn from(change: &Change) -> Self {
        match change.clone() {
            Change::Start { prompt } => Self::Start { prompt },
            Change::Swap { from, to } => Self::Swap { from, to },
            Change::Add { text } => Self::Add { text },
            Change::Remove { text } => Self::Remove { text },
            Change::Weigh { word, factor, absolute } => Self::Weigh { word, factor, absolute },
        }
    }
}

impl From<ChangeRow> for Change {
    fn from(row: ChangeRow) -> Self {
        match row {
            ChangeRow::Start { prompt } => Self::Start { prompt },
            ChangeRow::Swap { from, to } => Self::Swap { from, to },
            ChangeRow::Add { text } => Self::Add { text },
            ChangeRow::Remove { text } => Self::Remove { text },
            ChangeRow::Weigh { word, factor, absolute } => Self::Weigh { word, factor, absolute },
        }
    }
}

impl From<&Region> for RegionRow {
    fn from(region: &Region) -> Self {
        match region.clone() {
            Region::Everywhere => Self::Everywhere,
            Region::Words { source, target, source_out, target_out } => {
                Self::Words { source, target, source_out, target_out }
            }
            Region::As { up } => Self::As { up },
            Region::Given(area) => Self::Given(AreaRow::from(&area)),
            Region::Difference => Self::Difference,
        }
    }
}

impl TryFrom<RegionRow> for Region {
    type Error = anyhow::Error;

    fn try_from(row: RegionRow) -> Result<Self> {
        Ok(match row {
            RegionRow::Everywhere => Self::Everywhere,
            RegionRow::Words { source, target, source_out, target_out } => {
                Self::Words { source, target, source_out, target_out }
            }
            RegionRow::As { up } => Self::As { up },
            RegionRow::Given(area) => Self::Given(Area::try_from(area)?),
            RegionRow::Difference => Self::Difference,
        })
    }
}

fn pair(Window { from, to }: Window) -> [f64; 2] {
    [from, to]
}

fn window([from, to]: [f64; 2]) -> Window {
    Window { from, to }
}

impl From<&TurnSettings> for SettingsRow {
    fn from(settings: &TurnSettings) -> Self {
        let s = settings.clone();
        Self {
            cross_replace_steps: pair(s.cross_replace_steps),
            cross_words: s.cross_words.into_iter().map(|(word, window)| (word, pair(window))).collect(),
            self_replace_steps: pair(s.self_replace_steps),
            self_max: s.self_max,
            k: s.k,
            blend_words: s.blend_words,
            substruct_words: s.substruct_words,
            substruct_k: s.substruct_k,
            start_blend: s.start_blend,
            v_replace_steps: pair(s.v_replace_steps),
            v_mix: s.v_mix,
            v_layers: v_layers(s.v_layers),
            weight_window: weight_window(s.weight_window),
            alignment: alignment(s.alignment),
            blend_maps: blend_maps(s.blend_maps),
            blend_arithmetic: arithmetic(s.blend_arithmetic),
            window_rounding: rounding(s.window_rounding),
            renormalize: s.renormalize,
            outside: (s.outside != Outside::Photograph).then(|| outside(s.outside)),
            region_from: (s.region_from != RegionFrom::Cross).then(|| region_from(s.region_from)),
        }
    }
}

impl TryFrom<SettingsRow> for TurnSettings {
    type Error = anyhow::Error;

    fn try_from(row: SettingsRow) -> Result<Self> {
        Ok(Self {
            cross_replace_steps: window(row.cross_replace_steps),
            cross_words: row.cross_words.into_iter().map(|(word, pair)| (word, window(pair))).collect(),
            self_replace_steps: window(row.self_replace_steps),
            self_max: row.self_max,
            k: row.k,
            blend_words: row.blend_words,
            substruct_words: row.substruct_words,
            substruct_k: row.substruct_k,
            start_blend: row.start_blend,
            v_replace_steps: window(row.v_replace_steps),
            v_mix: row.v_mix,
            v_layers: to_v_layers(&row.v_layers)?,
            weight_window: to_weight_window(&row.weight_window)?,
            alignment: to_alignment(&row.alignment)?,
            blend_maps: to_blend_maps(&row.blend_maps)?,
            blend_arithmetic: to_arithmetic(&row.blend_arithmetic)?,
            window_rounding: to_rounding(&row.window_rounding)?,
            renormalize: row.renormalize,
            outside: row.outside.as_deref().map_or(Ok(Outside::Photograph), to_outside)?,
            region_from: row.region_from.as_deref().map_or(Ok(RegionFrom::Cross), to_region_from)?,
        })
    }
}

impl From<&Recipe> for RecipeRow {
    fn from(recipe: &Recipe) -> Self {
        let r = recipe.clone();
        Self {
            model: r.model,
            model_digest: r.model_digest,
            seed: r.seed,
            steps: r.steps,
            guidance: r.guidance,
            embeds_guidance: r.embeds_guidance,
            width: r.width,
            height: r.height,
            negative: r.negative,
            scheduler: r.scheduler.to_string(),
            precision: precision(r.precision),
            map_precision: precision(r.map_precision),
            inverted: match r.origin {
                Origin::Noise => None,
                Origin::Photograph { picture, inversion } => Some(InvertedRow {
                    digest: picture.digest().to_owned(),
                    method: inversion.to_string(),
                    file: picture.file().map(str::to_owned),
                    pixels: pixels::write(&picture),
                }),
            },
        }
    }
}

impl TryFrom<RecipeRow> for Recipe {
    type Error = anyhow::Error;

    fn try_from(row: RecipeRow) -> Result<Self> {
        let recipe = Self {
            model: row.model,
            model_digest: row.model_digest,
            seed: row.seed,
            steps: row.steps,
            guidance: row.guidance,
            embeds_guidance: row.embeds_guidance,
            width: row.width,
            height: row.height,
            negative: row.negative,
            scheduler: row.scheduler.parse()?,
            precision: to_precision(&row.precision)?,
            map_precision: to_precision(&row.map_precision)?,
            origin: match row.inverted {
                None => Origin::Noise,
                Some(InvertedRow { digest, method, file, pixels }) => {
                    let picture = Arc::new(pixels::read(&pixels, (row.width, row.height), file)?);
                    ensure!(picture.digest() == digest, "its photograph is not the one whose digest it names");
                    Origin::Photograph { picture, inversion: method.parse()? }
                }
            },
        };
        recipe.check()?;
        Ok(recipe)
    }
}
