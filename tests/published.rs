//! Each published switch: what it reproduces, and that our default is the corrected one.

mod common;

use common::{last_latent, say, session};
use wordbrush::plan::Column;
use wordbrush::session::{Session, TurnResult};
use wordbrush::turn::Turn;

const FACE: &str = "a woman's face with long wavy blond hair";

fn drawn(settings: &[(&str, &str)], lines: &[&str]) -> (Session, TurnResult) {
    let base = [("steps", "8"), ("seed", "7"), ("precision", "f32"), ("map_precision", "f32")];
    let all: Vec<(&str, &str)> = base.iter().chain(settings).copied().collect();
    let mut session = session(&all);
    let mut last = say(&mut session, FACE);
    for line in lines {
        last = say(&mut session, line);
    }
    (session, last)
}

fn latent(settings: &[(&str, &str)], lines: &[&str]) -> Vec<f32> {
    last_latent(&drawn(settings, lines).1)
}

fn gap(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}

#[test]
fn a_swap_of_equal_token_counts_gives_the_same_numbers_with_both_alignments() {
    let ours = latent(&[("alignment", "words")], &["blond -> red"]);
    let published = latent(&[("alignment", "published")], &["blond -> red"]);
    assert_eq!(ours, published);
}

#[test]
fn after_a_longer_swap_only_the_published_alignment_moves_later_words() {
    let source_of_hair = |alignment: &str| {
        let (mut session, _) = drawn(&[("alignment", alignment)], &[]);
        let Ok(Turn::Edit(edit)) = session.read("blond -> salt-and-pepper") else { panic!("an edit") };
        let resolved = session.plan(&edit).expect("a plan").1;
        let prompt = &resolved.generation.prompt;
        let hair = prompt.words.iter().position(|w| w == "hair").expect("hair");
        let token = prompt.word_tokens[hair].start;
        match &resolved.plan.columns()[token] {
            Column::From { up: 1, tokens } => (token, tokens[0].0),
            other => panic!("hair comes from {other:?}"),
        }
    };
    let (token, ours) = source_of_hair("words");
    let (_, published) = source_of_hair("published");
    assert_eq!(published, token, "published: the same position in the source, whatever stood there");
    assert!(ours < token, "ours: the position where hair stood");
}

#[test]
fn weights_reach_past_the_window_unless_published() {
    let lines = ["wavy*4"];
    let windowed =
        |inside: &str, cross: &str| latent(&[("weight_window", inside), ("cross", cross), ("k", "0")], &lines);
    assert_ne!(windowed("always", ".25"), windowed("inside", ".25"));
    assert_eq!(windowed("always", "1"), windowed("inside", "1"), "a window over all steps makes no difference");
}

#[test]
fn masks_are_made_before_weights_unless_published() {
    let masks = |maps: &str, line: &str| {
        drawn(&[("blend_maps", maps), ("cross", "1"), ("start_blend", "0")], &[line]).1.left.masks.clone()
    };
    assert_eq!(
        masks("carried", "blond -> red"),
        masks("used", "blond -> red"),
        "without weights there is no difference"
    );
    let both = "blond -> red, long*30";
    assert_ne!(masks("carried", both), masks("used", both));
}

#[test]
fn a_selection_keeps_what_is_inside_to_the_bit_and_a_mixture_nearly() {
    let select = latent(&[("blend_arithmetic", "select")], &["blond -> red"]);
    let mix = latent(&[("blend_arithmetic", "mix")], &["blond -> red"]);
    let gap = gap(&select, &mix);
    assert!(gap > 0.0 && gap < 1e-2, "they differ by {gap}");
}

#[test]
fn what_lies_outside_the_mask_is_the_parents_to_the_bit() {
    let (_, turned) = drawn(&[], &["blond -> red"]);
    let mask = turned.left.masks.last().expect("a last step").clone().expect("a mask");
    let parent =
        turned.parent_left.as_ref().expect("a parent").trajectory.last().flatten_all().and_then(|t| t.to_vec1::<f32>());
    let (parent, ours) = (parent.expect("numbers"), last_latent(&turned));
    let channels = ours.len() / mask.len();
    let (mut outside, mut changed) = (0, 0);
    for (pixel, inside) in mask.iter().enumerate() {
        let range = pixel * channels..(pixel + 1) * channels;
        if *inside == 0 {
            outside += 1;
            assert_eq!(ours[range.clone()], parent[range], "pixel {pixel}");
        } else {
            changed += usize::from(ours[range.clone()] != parent[range]);
        }
    }
    assert!(outside > 0 && changed > 0, "{outside} pixels outside, {changed} changed");
}

#[test]
fn a_mask_word_that_is_in_neither_prompt_is_an_error() {
    let (mut session, _) = drawn(&[("blend_words", "zebra")], &[]);
    let Ok(Turn::Edit(edit)) = session.read("blond -> red") else { panic!("an edit") };
    let error = session.plan(&edit).expect_err("zebra is nowhere").to_string();
    assert_eq!(error, "`zebra`, one of blend_words, is in neither prompt");
}

#[test]
fn no_blend_word_is_no_blending() {
    let (session, turned) = drawn(&[("blend_words", "none")], &["blond -> red"]);
    assert_eq!(session.settings().get("blend_words"), "none");
    assert_eq!(last_latent(&turned), latent(&[("k", "0")], &["blond -> red"]));
}

#[test]
fn shares_become_steps_by_rounding_unless_published() {
    let windows = |rounding: &str| {
        latent(&[("window_rounding", rounding), ("cross", ".75"), ("self", ".3"), ("k", "0")], &["blond -> red"])
    };
    // Of 8 steps: .75 * 8 = 6, int(.75 * 9) = 6; .3 * 8 = 2.4 both 2. The same run.
    assert_eq!(windows("round"), windows("published"));
    let windows = |rounding: &str| {
        latent(&[("window_rounding", rounding), ("cross", ".7"), ("self", ".3"), ("k", "0")], &["blond -> red"])
    };
    // .7 * 8 = 5.6 becomes 6, int(.7 * 9) = 6; the self window .45 becomes 4 or 3.
    assert_eq!(windows("round"), windows("published"));
    let own = |rounding: &str| latent(&[("window_rounding", rounding), ("self", ".45"), ("k", "0")], &["blond -> red"]);
    assert_ne!(own("round"), own("published"), ".45 of 8 steps is 4 by rounding, 3 as published");
}

#[test]
fn self_max_says_which_layers_keep_the_parents_attention() {
    let with = |max: &str| latent(&[("self_max", max), ("k", "0")], &["blond -> red"]);
    assert_eq!(with("auto"), with("256"), "the embedded model's largest layer has 256 pixels");
    assert_ne!(with("auto"), with("64"));
    assert_eq!(with("0"), latent(&[("self", "0"), ("k", "0")], &["blond -> red"]));
}

#[test]
fn mixed_values_change_the_picture_and_a_share_of_nothing_does_not() {
    let with = |v: &str, mix: &str, layers: &str| {
        latent(&[("v", v), ("v_mix", mix), ("v_layers", layers), ("k", "0")], &["blond -> red"])
    };
    let off = with("off", ".5", "both");
    assert_eq!(off, with("1", "0", "both"));
    for layers in ["cross", "self", "both"] {
        assert_ne!(off, with("1", ".5", layers), "{layers}");
    }
    assert_ne!(with("1", ".5", "cross"), with("1", ".5", "self"));
}

#[test]
fn a_window_of_one_word_moves_that_word_alone() {
    let all = latent(&[("cross", "{default: .5}"), ("k", "0")], &["blond -> red"]);
    assert_eq!(all, latent(&[("cross", ".5"), ("k", "0")], &["blond -> red"]));
    assert_ne!(all, latent(&[("cross", "{red: 0, default: .5}"), ("k", "0")], &["blond -> red"]));
}

#[test]
fn substruct_words_take_their_place_out_of_the_mask() {
    let inside = |words: &str| {
        let (_, turned) = drawn(&[("substruct_words", words)], &["blond -> red"]);
        let mask = turned.left.masks.last().expect("a last step").clone().expect("a mask");
        mask.iter().map(|m| usize::from(*m)).sum::<usize>()
    };
    let (all, less) = (inside("none"), inside("face"));
    assert!(less < all, "{less} pixels are left of {all}");
}
