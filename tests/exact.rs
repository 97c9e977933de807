//! The way back is exact: what the tests here hold the arithmetic to.

mod common;

use common::{last_latent, say, session};
use std::ops::ControlFlow;
use wordbrush::engine::Guidance;
use wordbrush::plan::sampler::SamplerName;
use wordbrush::session::Session;
use wordbrush::session::cycle::StepBack;
use wordbrush::session::cycle::predict::Foretold;
use wordbrush::session::cycle::regenerated::{CycleMethod, Regenerated};

const SETTINGS: [(&str, &str); 2] = [("steps", "4"), ("seed", "7")];

fn with(extra: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    SETTINGS.iter().copied().chain(extra.iter().copied()).collect()
}

/// Small numbers that look random, the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides
    }
}

/// One edit that can be made of the present prompt.
fn an_edit(session: &Session, dice: &mut Dice) -> String {
    let prompt = session.tree().current().expect("a picture").plan.prompt.clone();
    let colours = ["blond", "red", "black", "brown", "pink"];
    let now = colours.iter().find(|c| prompt.contains(*c));
    loop {
        let line = match dice.roll(7) {
            0 | 1 => match now {
                Some(colour) => {
                    let other = colours[dice.roll(colours.len())];
                    if other == *colour { continue } else { format!("{colour} -> {other}") }
                }
                None => continue,
            },
            2 => match prompt.contains("glasses") {
                true => "without glasses".to_owned(),
                false => "with glasses".to_owned(),
            },
            3 => format!("hair*{}", [0.5, 2.0, -1.0, 1.0][dice.roll(4)]),
            4 if prompt.contains("wavy") => "- wavy".to_owned(),
            5 if prompt.contains("woman") => "woman -> man".to_owned(),
            6 if prompt.contains("long") => "long -> short curly".to_owned(),
            _ => continue,
        };
        return line;
    }
}

/// Goes back to an ancestor by words.
#[track_caller]
fn way_back(session: &mut Session, to: u32, in_one: bool) -> Vec<StepBack> {
    let way = session.cycle(to, in_one, &mut |_, _, _| ControlFlow::Continue(()));
    way.expect("a way back").expect("not stopped")
}

/// Chains of edits from a root: from every node, the way back to every ancestor leads to its very bits.
fn chains(count: usize, settings: &[(&str, &str)]) {
    let mut dice = Dice(2026);
    for chain in 0..count {
        let mut session = session(settings);
        session.set("seed", &(100 + chain).to_string()).expect("a seed");
        // Half of the chains are not blended.
        session.set("k", if chain % 2 == 0 { "0.3" } else { "0" }).expect("a threshold");
        say(&mut session, "a woman's face with long wavy blond hair");
        let length = 1 + dice.roll(8);
        let mut lines = Vec::new();
        while lines.len() < length {
            let line = an_edit(&session, &mut dice);
            let Ok(wordbrush::turn::Turn::Edit(edit)) = session.read(&line) else { continue };
            session.edit(&line, &edit, &mut |_, _| ControlFlow::Continue(())).expect(&line);
            lines.push(line);
        }
        let here = session.tree().here().expect("a picture");
        let ancestors: Vec<u32> = session.tree().ancestors(here).map(|n| n.number).collect();
        if ancestors.is_empty() {
            continue;
        }
        let to = ancestors[dice.roll(ancestors.len())];
        let in_one = dice.roll(2) == 1;
        for step in &way_back(&mut session, to, in_one) {
            assert_eq!(step.predicted, Some(Foretold::Exact), "chain {chain} {lines:?}: #{}", step.to);
            assert!(step.identical, "chain {chain} {lines:?}: the way back to #{} is off by {}", step.to, step.max_abs);
            let run = 4 * Guidance::of_recipe(&session.tree()[here].recipe).evaluations();
            assert!(step.evaluations >= run, "a step back ran the UNet only {} times", step.evaluations);
        }
    }
}

#[test]
fn every_way_back_leads_to_the_very_bits_in_f32() {
    chains(8, &with(&[("precision", "f32"), ("map_precision", "f32")]));
}

#[test]
fn every_way_back_leads_to_the_very_bits_in_the_default_precision() {
    chains(8, &with(&[]));
}

#[test]
fn every_way_back_of_every_sampler_leads_to_the_very_bits() {
    for sampler in SamplerName::all().filter(|sampler| *sampler != SamplerName::Ddim) {
        chains(if sampler == SamplerName::Dpm { 6 } else { 2 }, &with(&[("scheduler", sampler.as_str())]));
    }
}

#[test]
fn every_way_back_without_guidance_leads_to_the_very_bits() {
    chains(4, &with(&[("guidance", "1"), ("scheduler", "dpm")]));
    chains(4, &with(&[("guidance", "1")]));
}

#[test]
fn every_way_back_leads_to_the_very_bits_whatever_says_where_words_were() {
    // What text attention says itself is what all other chains go by.
    for from in ["spread", "text"] {
        chains(3, &with(&[("region_from", from)]));
    }
}

#[test]
#[ignore = "takes minutes; cargo test --release -- --ignored"]
fn three_hundred_ways_back_lead_to_the_very_bits() {
    chains(150, &with(&[("precision", "f32"), ("map_precision", "f32")]));
    chains(150, &with(&[]));
}

/// Sets some of what exactness hangs on, at random.
fn set_at_random(session: &mut Session, dice: &mut Dice) {
    let values: [(&str, &[&str]); 10] = [
        ("cross", &["0", ".25", ".5", ".75", "1", "{hair: .75, default: .25}", ".25...75"]),
        ("self", &["0", ".25", ".5", "1", ".25...5"]),
        ("self_max", &["auto", "auto", "64", "16"]),
        ("v", &["off", "off", "off", ".5"]),
        ("v_layers", &["cross", "self", "both"]),
        ("weight_window", &["always", "inside"]),
        ("renormalize", &["off", "off", "off", "on"]),
        ("alignment", &["words", "words", "words", "published"]),
        ("k", &["0", ".3"]),
        ("region_from", &["cross", "spread"]),
    ];
    for (name, values) in values {
        if dice.roll(4) == 0 {
            session.set(name, values[dice.roll(values.len())].trim()).expect("a setting");
        }
    }
}

/// Chains of edits under settings that change on the way, each taken back under yet others: what was foretold to be exact
/// is. How many steps were foretold to be exact, and how many to be not and were different.
fn chains_of_all_kinds(count: usize, seed: u64, settings: &[(&str, &str)], first: &str) -> (usize, usize) {
    let mut dice = Dice(seed);
    let (mut exact, mut different) = (0, 0);
    for chain in 0..count {
        let mut session = session(settings);
        session.set("seed", &(500 + chain).to_string()).expect("a seed");
        say(&mut session, first);
        let length = 1 + dice.roll(5);
        let mut lines = Vec::new();
        while lines.len() < length {
            if dice.roll(2) == 0 {
                set_at_random(&mut session, &mut dice);
            }
            let line = an_edit(&session, &mut dice);
            let Ok(wordbrush::turn::Turn::Edit(edit)) = session.read(&line) else { continue };
            session.edit(&line, &edit, &mut |_, _| ControlFlow::Continue(())).expect(&line);
            lines.push(line);
        }
        let here = session.tree().here().expect("a picture");
        let ancestors: Vec<u32> = session.tree().ancestors(here).map(|n| n.number).collect();
        let Some(to) = ancestors.get(dice.roll(ancestors.len().max(1))) else { continue };
        if dice.roll(3) == 0 {
            set_at_random(&mut session, &mut dice);
        }
        for step in way_back(&mut session, *to, dice.roll(3) == 0) {
            match step.predicted.expect("it is told") {
                Foretold::Exact => {
                    exact += 1;
                    assert!(step.identical, "chain {chain} {lines:?}: #{} is off by {}", step.to, step.max_abs);
                }
                Foretold::Not(_) => different += usize::from(!step.identical),
            }
        }
    }
    (exact, different)
}

#[test]
fn what_is_foretold_to_be_exact_is_exact_under_settings_that_change_on_the_way() {
    let (exact, different) = chains_of_all_kinds(24, 77, &with(&[]), "a woman's face with long wavy blond hair");
    assert!(exact > 8 && different > 8, "{exact} exact and {different} different steps show too little");
}

#[test]
fn what_is_foretold_of_a_sampler_with_memory_is_so_under_settings_that_change_on_the_way() {
    let settings = with(&[("scheduler", "dpm")]);
    let (exact, different) = chains_of_all_kinds(16, 78, &settings, "a woman's face with long wavy blond hair");
    assert!(exact > 4 && different > 4, "{exact} exact and {different} different steps show too little");
}

#[test]
fn a_stable_diffusion_of_a_few_thousand_weights_leads_back_as_foretold() {
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/parity/models/tiny-sd");
    let settings = with(&[("model", model), ("precision", "f32"), ("map_precision", "f32")]);
    let (exact, different) = chains_of_all_kinds(8, 5, &settings, "a woman's face with long wavy blond hair");
    assert!(exact > 2 && different > 2, "{exact} exact and {different} different steps show too little");
}

#[test]
#[ignore = "takes minutes; cargo test --release -- --ignored"]
fn three_hundred_ways_under_changing_settings_are_as_foretold() {
    let face = "a woman's face with long wavy blond hair";
    let (exact, different) = chains_of_all_kinds(300, 2027, &with(&[]), face);
    assert!(exact > 100 && different > 100, "{exact} exact and {different} different steps show too little");
}

/// Draws a chain under `there`, the way back under `back`: it is foretold that it is not exact, where and why, it is in fact
/// different, and what is to be tried makes it exact if it is a setting.
#[track_caller]
fn breaks(there: &[(&'static str, &'static str)], lines: &[&str], back: &[(&str, &str)], site: &str, helps: bool) {
    let usual = [("cross", ".5"), ("self", ".5"), ("k", "0")];
    let mut session = session(&with(&[&usual[..], there].concat()));
    say(&mut session, "a woman's face with long wavy blond hair");
    for line in lines {
        say(&mut session, line);
    }
    for (name, value) in back {
        session.set(name, value).expect("a setting");
    }
    // The step that leads to the last picture but one: to #1 after one edit, to #2 after two.
    let to = lines.len() as u32;
    let step = way_back(&mut session, to, false).remove(0);
    let Some(Foretold::Not(why)) = step.predicted else { panic!("{:?} was foretold", step.predicted) };
    assert_eq!(why.site, site, "{why:?}");
    assert!(!step.identical && step.max_abs > 0.0, "nothing differs, but: {}", why.reason);
    assert_eq!(why.hint.contains("/set "), helps, "{why:?}");
    if helps {
        for set in why.hint.split(", ") {
            let (name, value) = set["/set ".len()..].split_once(' ').expect("a name and a value");
            session.set(name, value).expect("a setting");
        }
        let step = way_back(&mut session, to, false).remove(0);
        assert_eq!(step.predicted, Some(Foretold::Exact), "after {}", why.hint);
        assert!(step.identical, "after {} it is off by {}", why.hint, step.max_abs);
    }
}

const SWAP: &[&str] = &["blond -> red"];
const SWAPS: &[&str] = &["blond -> red", "red -> black"];

#[test]
fn a_longer_cross_window_on_the_way_back_is_foretold() {
    breaks(&[], SWAP, &[("cross", "1")], "cross-attention", true);
    breaks(&[], SWAP, &[("cross", "{hair: 1, default: .5}")], "cross-attention", true);
}

#[test]
fn a_shorter_cross_window_on_the_way_back_to_an_edited_picture_is_foretold() {
    breaks(&[], SWAPS, &[("cross", ".25")], "cross-attention", true);
}

#[test]
fn a_longer_or_shorter_self_window_on_the_way_back_is_foretold() {
    breaks(&[], SWAP, &[("self", "1")], "self-attention", true);
    breaks(&[], SWAPS, &[("self", ".25")], "self-attention", true);
}

#[test]
fn another_self_max_on_the_way_back_is_foretold() {
    breaks(&[("self_max", "64")], SWAP, &[("self_max", "auto")], "self-attention", true);
    breaks(&[], SWAPS, &[("self_max", "64")], "self-attention", true);
}

#[test]
fn mixed_values_on_the_way_back_are_foretold_and_so_is_a_picture_that_was_drawn_with_them() {
    for layers in ["cross", "self", "both"] {
        breaks(&[], SWAP, &[("v", ".5"), ("v_layers", layers)], "values", true);
    }
    breaks(&[("v", ".5")], SWAPS, &[("v", "off")], "values", false);
}

#[test]
fn another_weight_window_or_scaled_rows_are_foretold() {
    let weighed = &["wavy*4", "blond -> red"];
    breaks(&[], weighed, &[("weight_window", "inside")], "weights", true);
    breaks(&[("weight_window", "inside")], weighed, &[("weight_window", "always")], "weights", true);
    breaks(&[], SWAP, &[("renormalize", "on")], "weights", true);
    breaks(&[("renormalize", "on")], SWAP, &[("renormalize", "off")], "weights", true);
}

#[test]
fn the_published_alignment_after_a_longer_swap_is_foretold() {
    let longer = &["blond -> salt-and-pepper"];
    breaks(&[], longer, &[("alignment", "published")], "cross-attention", true);
    breaks(&[("alignment", "published")], longer, &[], "cross-attention", false);
}

#[test]
fn an_edit_that_brings_an_ancestors_words_back_says_so_beforehand() {
    let mut session = session(&with(&[]));
    say(&mut session, "a cat on a beach");
    say(&mut session, "cat -> dog");
    let foretold = |session: &mut Session, line: &str| {
        let Ok(wordbrush::turn::Turn::Edit(edit)) = session.read(line) else { panic!("`{line}` is an edit") };
        let resolved = session.plan(&edit).expect("a plan").1;
        session.leads_back(&edit, &resolved).expect("it can be told")
    };
    assert!(foretold(&mut session, "dog -> fox").is_none());
    let back = foretold(&mut session, "dog -> cat").expect("#1 had these words");
    assert_eq!((back.to, back.predicted), (1, Foretold::Exact));
    let weighed = foretold(&mut session, "dog -> cat, beach*2").expect("#1 had these words");
    let Foretold::Not(why) = weighed.predicted else { panic!("the weight is another") };
    assert_eq!((why.step, why.site, why.hint.as_str()), (0, "weights", "beach*1"));
    assert_eq!(why.reason, "`beach` weighs 2 in step 0, but 1 at #1");
}

#[test]
fn a_picture_generated_from_its_prompt_does_not_lead_back_and_a_weight_alone_does() {
    let published = CycleMethod::Published.settings().expect("settings of its own");
    let mut session = session(&with(&[]));
    say(&mut session, "a woman's face with long wavy blond hair");
    say(&mut session, "wavy*3");
    let back = |session: &mut Session| {
        let mut watch = |_: usize, _: usize, _: &_| ControlFlow::Continue(());
        let steps = session.regenerated((1, false), &published, &mut Regenerated::default(), &mut watch);
        steps.expect("a way back").expect("not stopped")
    };
    // Without its weight the source is the first picture, and so is what comes of it.
    let steps = back(&mut session);
    assert!(steps[0].identical && steps[0].evaluations == 8, "{} evaluations", steps[0].evaluations);
    say(&mut session, "blond -> red");
    let steps = back(&mut session);
    assert_eq!(steps.len(), 2);
    assert!(!steps[0].identical && steps[0].max_abs > 0.1, "off by {}", steps[0].max_abs);
}

#[test]
fn a_way_back_on_a_cold_store_is_the_same_way() {
    let mut session = session(&with(&[]));
    for line in ["a woman's face with long wavy blond hair", "blond -> red", "with glasses"] {
        say(&mut session, line);
    }
    let published = CycleMethod::Published.settings().expect("settings of its own");
    let both = |session: &mut Session| {
        let ours = way_back(session, 1, false);
        let mut watch = |_: usize, _: usize, _: &_| ControlFlow::Continue(());
        let theirs = session.regenerated((1, false), &published, &mut Regenerated::default(), &mut watch);
        let theirs = theirs.expect("a way back").expect("not stopped");
        ours.into_iter().chain(theirs).map(|s| (s.identical, s.max_abs.to_bits(), s.evaluations)).collect::<Vec<_>>()
    };
    let warm = both(&mut session);
    session.forget();
    assert_eq!(warm, both(&mut session));
}

#[test]
fn a_longer_window_on_the_way_back_is_not_exact_and_the_difference_is_told() {
    let mut session = session(&with(&[("cross", ".25"), ("self", ".25"), ("k", "0")]));
    say(&mut session, "a woman's face with long wavy blond hair");
    say(&mut session, "blond -> red");
    session.set("cross", "1").expect("a window");
    session.set("self", "1").expect("a window");
    let steps =
        session.cycle(1, false, &mut |_, _, _| ControlFlow::Continue(())).expect("a way back").expect("not stopped");
    assert!(!steps[0].identical && steps[0].max_abs > 0.01, "off by {}", steps[0].max_abs);
}

#[test]
fn an_edit_that_changes_nothing_reproduces_its_parent() {
    let mut session = session(&with(&[]));
    let root = say(&mut session, "a cat on a beach");
    session.set("cross", "0.7").expect("a window");
    let same = say(&mut session, "cat*1");
    assert_eq!(last_latent(&root), last_latent(&same));
}

#[test]
fn without_glasses_and_with_glasses_again_gives_the_same_glasses() {
    let mut session = session(&with(&[]));
    say(&mut session, "a woman's face with long hair");
    let on = say(&mut session, "with glasses");
    say(&mut session, "without glasses");
    let again = say(&mut session, "with glasses");
    assert_ne!(on.node, again.node, "a fresh node was drawn");
    let run = 4 * Guidance::of_recipe(&session.tree()[again.node].recipe).evaluations();
    assert_eq!(again.evaluations, run);
    assert_eq!(last_latent(&on), last_latent(&again));
}

/// The same edits on a store that forgets everything at once and on one that keeps it.
#[test]
fn a_warm_cache_and_a_cold_one_give_the_same_picture() {
    let lines = ["a woman's face with long wavy blond hair", "blond -> red", "with glasses", "red -> black", "hair*2"];
    for from in ["cross", "spread", "text"] {
        let mut warm = session(&with(&[("region_from", from)]));
        let mut cold = session(&with(&[("region_from", from)]));
        for line in lines {
            let a = say(&mut warm, line);
            let b = say(&mut cold, line);
            assert_eq!(last_latent(&a), last_latent(&b), "{from}: {line}");
            cold.forget();
        }
        // What was forgotten is computed again, with more evaluations and the same bits.
        let a = say(&mut warm, "black -> red");
        let b = say(&mut cold, "black -> red");
        assert!(b.evaluations > a.evaluations, "{from}: nothing was computed again");
        assert_eq!(last_latent(&a), last_latent(&b), "{from}");
    }
}

#[test]
fn one_thread_and_two_give_the_same_bits() {
    let draw = |threads: usize| {
        wordbrush_kernels::on_threads(threads, || {
            let mut session = session(&with(&[]));
            say(&mut session, "a river between mountains");
            last_latent(&say(&mut session, "river -> street"))
        })
    };
    assert_eq!(draw(1), draw(2));
}

#[test]
fn a_session_replayed_elsewhere_has_the_same_ids_and_the_same_pictures() {
    let lines = ["a cat on a beach", "cat -> dog", "at night"];
    let (mut one, mut two) = (session(&with(&[])), session(&with(&[])));
    for line in lines {
        let (a, b) = (say(&mut one, line), say(&mut two, line));
        assert_eq!(a.left.picture, b.left.picture);
        assert_eq!(one.tree()[a.node].id, two.tree()[b.node].id);
    }
}

#[test]
fn redo_retraces_the_branch_that_was_undone_not_the_newest_one() {
    let mut session = session(&with(&[]));
    say(&mut session, "a cat on a beach");
    let dog = say(&mut session, "cat -> dog").node;
    let up = session.tree().undo(1).expect("a parent");
    session.go(up).expect("undo");
    let fox = say(&mut session, "cat -> fox").node;
    let event = session.tree().go(&format!("#{dog}")).expect("it is there");
    session.go(event).expect("a move");
    let up = session.tree().undo(1).expect("a parent");
    session.go(up).expect("undo");
    let down = session.tree().redo(1).expect("a child");
    assert_eq!(session.go(down).expect("redo"), dog);
    assert_ne!(fox, dog);
}

#[test]
fn a_turn_that_is_stopped_grows_no_node() {
    let mut session = session(&with(&[]));
    say(&mut session, "a cat on a beach");
    let Ok(wordbrush::turn::Turn::Edit(edit)) = session.read("cat -> dog") else { panic!("an edit") };
    let stopped = session.edit("cat -> dog", &edit, &mut |step, _| {
        if step == 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(stopped.expect("stopping is no error").is_none());
    assert_eq!(session.tree().len(), 1);
    assert_eq!(session.tree().here(), Some(1));
}
