//! Small families of four words, and what is told of them.

use super::*;
use crate::plan::lineage::Ancestry;
use crate::plan::resolve::{Resolved, resolve};
use crate::plan::settings::{Alignment, TurnSettings, WeightWindow, Window};
use crate::plan::{EditMethod, PlanParts};
use crate::prompt::vocabulary::Marks;
use crate::turn::{Edit, Replaced, Weighing, Weight, words};

const STEPS: usize = 10;

/// A prompt whose words are a token each, or two if they are longer than six letters.
fn prompt(text: &str) -> Prompt {
    let mut tokens = Vec::new();
    for word in words::split(text) {
        let id = word.text.bytes().fold(7u32, |a, b| a.wrapping_mul(31).wrapping_add(u32::from(b))) % 1000;
        let middle = if word.text.len() > 6 { word.from + 3 } else { word.to };
        tokens.push((id, word.from..middle));
        if middle < word.to {
            tokens.push((id + 1, middle..word.to));
        }
    }
    Prompt::new(text, &tokens, Marks { start: 2000, end: 2001, padding: 2001, length: 10 })
}

/// A family that grows by prompts, weights and settings; the newest is last here.
#[derive(Default)]
struct Family {
    all: Vec<Resolved>,
}

impl Family {
    fn grow(mut self, text: &str, change: impl Fn(&mut TurnSettings)) -> Self {
        self.push(text, &[], change);
        self
    }

    fn weigh(mut self, text: &str, weights: &[(usize, f64)], change: impl Fn(&mut TurnSettings)) -> Self {
        self.push(text, weights, change);
        self
    }

    fn push(&mut self, text: &str, weights: &[(usize, f64)], change: impl Fn(&mut TurnSettings)) {
        let mut settings = TurnSettings { k: 0.0, ..TurnSettings::default() };
        change(&mut settings);
        let above: Vec<&Ancestry> = self.all.iter().rev().map(|r| &r.generation).collect();
        let new = prompt(text);
        let spans = match above.first() {
            None => Vec::new(),
            Some(parent) => {
                let (a, b) = (&parent.prompt.words, &new.words);
                let front = a.iter().zip(b).take_while(|(a, b)| a == b).count();
                let most = a.len().min(b.len()) - front;
                let back = a.iter().rev().zip(b.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
                let span = Replaced { source: front..a.len() - back, target: front..b.len() - back };
                if span.source.is_empty() && span.target.is_empty() { Vec::new() } else { vec![span] }
            }
        };
        let weighings = weights.iter().map(|(word, to)| Weighing { word: *word, to: Weight::Set(*to) }).collect();
        let (is_root, prompt) = (self.all.is_empty(), text.to_owned());
        let edit = Edit { prompt, changes: Vec::new(), spans, weighings, is_root, warnings: Vec::new() };
        self.all.push(resolve(&above, new, &edit, &settings).expect("a plan"));
    }

    /// What keeps the newest from being the `wanted`-th (from 1, the root).
    fn breach(&self, wanted: usize) -> Option<Mismatch> {
        let kin: Vec<NodeView<'_>> =
            self.all.iter().rev().map(|r| NodeView { plan: &r.plan, prompt: &r.generation.prompt }).collect();
        let frame = TreeFacts {
            steps: STEPS,
            map_precision: Precision::F32,
            self_max: 64,
            layers: vec![64, 16],
            is_photograph: false,
        };
        Trace::of(&kin, &frame).breach(0, self.all.len() - wanted)
    }
}

fn windows(cross: f64, own: f64) -> impl Fn(&mut TurnSettings) {
    move |s| {
        s.cross_replace_steps = Window::until(cross);
        s.self_replace_steps = Window::until(own);
    }
}

fn usual(_: &mut TurnSettings) {}

fn there(text: &str, change: impl Fn(&mut TurnSettings)) -> Family {
    Family::default().grow("a big cat", usual).grow(text, change)
}

#[test]
fn the_same_settings_lead_back_whatever_the_edits_were() {
    assert_eq!(there("a big dog", usual).grow("a big cat", usual).breach(1), None);
    let long = there("a cat", usual).grow("a tortoise", usual).grow("a tortoise hat", usual);
    assert_eq!(long.grow("a big cat", usual).breach(1), None);
    let taken_up = there("a big tortoise", usual).grow("a cat", usual).grow("a big tortoise", usual);
    assert_eq!(taken_up.breach(2), None, "its sums are taken over as they are");
}

#[test]
fn other_words_are_never_the_same_picture() {
    let family = there("a big dog", usual).grow("a big fox", usual);
    assert_eq!(family.breach(1), Some(Mismatch { step: 0, what: Difference::Words }));
}

#[test]
fn a_shorter_window_on_the_way_back_leads_to_a_root_and_a_longer_one_does_not() {
    assert_eq!(there("a big dog", windows(0.4, 0.4)).grow("a big cat", windows(0.2, 0.1)).breach(1), None);
    let longer = |cross, own| there("a big dog", windows(0.4, 0.4)).grow("a big cat", windows(cross, own)).breach(1);
    let (ours, theirs) = (Source::Run(1), Source::Run(2));
    let what = Difference::SelfAttention { ours, theirs, pixels: 64 };
    assert_eq!(longer(0.4, 0.6), Some(Mismatch { step: 4, what }));
    let what = Difference::Cross { token: 0, ours, theirs };
    assert_eq!(longer(0.6, 0.4), Some(Mismatch { step: 4, what }));
}

#[test]
fn a_shorter_window_does_not_lead_back_to_a_node_that_took_more_itself() {
    let back = |cross, own| {
        let family = there("a big dog", windows(0.8, 0.8)).grow("a big fox", windows(0.8, 0.8));
        family.grow("a big dog", windows(cross, own)).breach(2)
    };
    assert_eq!(back(0.8, 0.8), None);
    let (ours, theirs) = (Source::Run(0), Source::Run(3));
    assert_eq!(back(0.5, 0.8), Some(Mismatch { step: 5, what: Difference::Cross { token: 0, ours, theirs } }));
    let what = Difference::SelfAttention { ours, theirs, pixels: 64 };
    assert_eq!(back(0.8, 0.6), Some(Mismatch { step: 6, what }));
}

#[test]
fn layers_beyond_self_max_are_a_nodes_own() {
    let back = |there_max, back_max| {
        let family = there("a big dog", move |s: &mut TurnSettings| s.self_max = Some(there_max));
        family.grow("a big cat", move |s| s.self_max = Some(back_max)).breach(1)
    };
    assert_eq!((back(64, 64), back(64, 16)), (None, None));
    let what = Difference::SelfAttention { ours: Source::Run(1), theirs: Source::Run(2), pixels: 64 };
    assert_eq!(back(16, 64), Some(Mismatch { step: 0, what }));
    assert_eq!(back(16, 63), None, "no layer lies between");
}

#[test]
fn mixed_values_on_either_side_are_named() {
    let mix = |s: &mut TurnSettings| s.v_replace_steps = Window { from: 0.3, to: 0.5 };
    let ours = there("a big dog", usual).grow("a big cat", mix).breach(1);
    assert_eq!(ours, Some(Mismatch { step: 3, what: Difference::Values { ours: true } }));
    let theirs = there("a big dog", mix).grow("a big fox", usual).grow("a big dog", usual);
    assert_eq!(theirs.breach(2), Some(Mismatch { step: 3, what: Difference::Values { ours: false } }));
    let between = there("a big dog", mix).grow("a big cat", usual);
    assert_eq!(between.breach(1), None, "what the way there mixed is not taken back");
}

#[test]
fn weights_are_compared_where_they_count() {
    let inside = |s: &mut TurnSettings| s.weight_window = WeightWindow::Inside;
    let back = |there_to: fn(&mut TurnSettings), back_to: fn(&mut TurnSettings), weight: f64| {
        let family = Family::default().weigh("a big cat", &[(1, weight)], there_to).grow("a big dog", usual);
        family.grow("a big cat", back_to).breach(1)
    };
    assert_eq!(back(usual, usual, 3.0), None);
    let what = Difference::Weight { token: 2, ours: 1.0, theirs: 3.0 };
    assert_eq!(back(usual, inside, 3.0), Some(Mismatch { step: 4, what }));
    assert_eq!(back(usual, inside, 1.0), None, "weights of 1 are the same anywhere");
    let other = there("a big dog", usual).weigh("a big cat", &[(2, -1.0)], usual).breach(1);
    let what = Difference::Weight { token: 3, ours: -1.0, theirs: 1.0 };
    assert_eq!(other, Some(Mismatch { step: 0, what }));
    let scaled = there("a big dog", usual).grow("a big cat", |s| s.renormalize = true).breach(1);
    assert_eq!(scaled, Some(Mismatch { step: 0, what: Difference::Renormalized { ours: true } }));
}

#[test]
fn the_published_alignment_loses_words_after_a_longer_swap() {
    let published = |s: &mut TurnSettings| s.alignment = Alignment::Published;
    assert_eq!(there("a small cat", published).grow("a big cat", published).breach(1), None);
    let breach = there("a gigantic cat", published).grow("a big cat", published).breach(1).expect("a breach");
    assert!(matches!(breach, Mismatch { step: 0, what: Difference::Cross { .. } }), "{breach:?}");
    assert!(there("a gigantic cat", usual).grow("a big cat", published).breach(1).is_some());
}

#[test]
fn masks_are_taken_up_and_a_node_that_equals_another_counts_as_it() {
    let blended = |s: &mut TurnSettings| s.k = 0.3;
    let family = there("a big dog", blended).grow("a big fox", usual).grow("a big dog", usual);
    assert_eq!(family.breach(2), None, "the masks are those of the first dog");
    let family = family.grow("a big cat", usual).grow("a big dog", usual);
    assert_eq!((family.breach(2), family.breach(4)), (None, None));
}

#[test]
fn masks_that_are_not_taken_up_are_named_with_who_made_them() {
    let blended = |s: &mut TurnSettings| s.k = 0.3;
    let mut family = there("a big dog", blended).grow("a big fox", usual).grow("a big dog", usual);
    let mut parts = PlanParts::clone(&family.all[3].plan);
    let EditMethod::PromptToPrompt(edit) = &mut parts.method else { panic!("an edit") };
    edit.region = Region::Everywhere;
    let above = family.all[2].plan.above_child(2);
    family.all[3].plan = Plan::new(parts, Some(above)).expect("possible");
    let what = Difference::Region { ours: None, theirs: Some(2) };
    assert_eq!(family.breach(2), Some(Mismatch { step: 2, what }), "masks begin after a fifth of the steps");
}

#[test]
fn a_breach_in_between_matters_only_where_it_is_taken_from() {
    // The first way back parts from the root at step 4; the second one takes nothing of it that late.
    let broken = || there("a big dog", windows(0.4, 0.4)).grow("a big cat", windows(0.4, 0.6));
    assert!(broken().breach(1).is_some());
    let again = broken().grow("a big fox", windows(0.4, 0.4)).grow("a big cat", windows(0.4, 0.4));
    assert_eq!(again.breach(1), None);
    let longer = broken().grow("a big fox", windows(0.4, 0.6)).grow("a big cat", windows(0.4, 0.6));
    assert_eq!(longer.breach(1).map(|b| b.step), Some(4));
    assert_eq!(longer.breach(3), None, "but it is the first way back again");
}
