//! The way back is exact: what the tests here hold the arithmetic to.

mod common;

use common::{last_latent, say, session};
use std::ops::ControlFlow;
use wordbrush::session::Session;

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
        let steps = session
            .cycle(to, in_one, &mut |_, _, _| ControlFlow::Continue(()))
            .expect("a way back")
            .expect("not stopped");
        for step in &steps {
            assert!(step.identical, "chain {chain} {lines:?}: the way back to #{} is off by {}", step.to, step.max_abs);
            assert!(step.evaluations >= 8, "a step back ran the UNet only {} times", step.evaluations);
        }
    }
}

#[test]
fn every_way_back_leads_to_the_very_bits_in_f32() {
    chains(20, &with(&[("precision", "f32"), ("map_precision", "f32")]));
}

#[test]
fn every_way_back_leads_to_the_very_bits_in_the_default_precision() {
    chains(20, &with(&[]));
}

#[test]
#[ignore = "takes minutes; cargo test --release -- --ignored"]
fn three_hundred_ways_back_lead_to_the_very_bits() {
    chains(150, &with(&[("precision", "f32"), ("map_precision", "f32")]));
    chains(150, &with(&[]));
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
    assert_eq!(again.evaluations, 8);
    assert_eq!(last_latent(&on), last_latent(&again));
}

/// The same edits on a store that forgets everything at once and on one that keeps it.
#[test]
fn a_warm_cache_and_a_cold_one_give_the_same_picture() {
    let lines = ["a woman's face with long wavy blond hair", "blond -> red", "with glasses", "red -> black", "hair*2"];
    let mut warm = session(&with(&[]));
    let mut cold = session(&with(&[]));
    for line in lines {
        let a = say(&mut warm, line);
        let b = say(&mut cold, line);
        assert_eq!(last_latent(&a), last_latent(&b), "{line}");
        cold.forget();
    }
    // What was forgotten is computed again, with more evaluations and the same bits.
    let a = say(&mut warm, "black -> red");
    let b = say(&mut cold, "black -> red");
    assert!(b.evaluations > a.evaluations, "nothing was computed again");
    assert_eq!(last_latent(&a), last_latent(&b));
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
