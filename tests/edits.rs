//! Does an edit do what its words say, and does the rest stay?
//!
//! Fixed prompts and seeds under the default settings: a judge that was trained on rendered pictures says whether the edit happened
//! and whether what it is not about is still there; PSNR over what should have stayed says how much of it stayed. The bounds are
//! a little below what was measured. The tables of docs/DEFAULTS.md are written by
//! `cargo test --release --test edits -- --ignored`, which takes minutes.

#![allow(clippy::print_stderr, reason = "a test may say what it measured")]

mod common;

use common::chains::{Outcome, SINGLES, chains, kinds};
use common::judge::load as judge;
use common::marks::write_marked;
use wordbrush::engine::judge::Judge;

/// All conversations of a kind must do this share of their edits, and keep this share of what they are not about.
#[track_caller]
fn check(kind: &str, least_done: f64, least_stayed: f64) {
    let judge = judge();
    let mut all = Outcome::default();
    chains().iter().filter(|chain| chain.kind == kind).for_each(|chain| all.add(chain.run(&judge, &[])));
    let told = format!(
        "{kind}: {} of {} edits done, {} of {} things stayed; {:#?}",
        all.done, all.edits, all.stayed, all.seen, all.missed
    );
    eprintln!("{told}");
    assert!(all.edits >= 9, "{kind}: there are conversations of it");
    assert!(all.done_share() >= least_done, "fewer than {least_done} of the edits are done: {told}");
    assert!(all.stayed_share() >= least_stayed, "less than {least_stayed} of the rest stayed: {told}");
}

/// Single edits of a kind: nine of ten that the judge could see must be done, and the median PSNR of what should stay must reach
/// `least`.
#[track_caller]
fn check_singles(kind: &str, least: f64) {
    let judge = judge();
    let singles = SINGLES.iter().find(|singles| singles.kind == kind).expect("there are edits of that kind");
    let all = singles.run(&judge, &[]);
    let needed = (0.9 * all.edits as f64).ceil() as usize;
    let told = format!(
        "{kind}: {} of {} edits happened ({needed} needed); median of what stays {:.1} dB ({least} needed); missed: {:?}",
        all.done,
        all.edits,
        all.median(),
        all.missed
    );
    eprintln!("{told}");
    assert!(all.done >= needed && all.median() >= least, "{told}");
}

#[test]
fn hair_changes_colour_and_the_middle_of_the_face_stays() {
    check_singles("hair", 28.0);
}

#[test]
fn the_middle_of_a_landscape_changes_and_what_lies_around_it_stays() {
    check_singles("middle of a landscape", 28.0);
}

#[test]
fn one_animal_becomes_another_and_the_beach_stays() {
    check_singles("object", 30.0);
}

#[test]
fn glasses_are_put_on_and_what_lies_outside_the_head_stays() {
    check_singles("glasses", 25.0);
}

#[test]
fn hair_takes_three_colours_in_turn() {
    check("hair", 0.9, 0.9);
}

#[test]
fn glasses_are_exchanged_and_taken_off() {
    check("glasses", 0.9, 0.9);
}

#[test]
fn a_face_changes_its_mood_three_times() {
    check("mood", 0.7, 0.9);
}

#[test]
fn the_middle_of_a_landscape_becomes_three_others_between_the_same_flanks() {
    check("middle", 0.9, 0.9);
}

#[test]
fn the_flanks_of_a_landscape_become_three_others_around_the_same_middle() {
    check("flanks", 0.9, 0.9);
}

#[test]
fn seasons_pass_over_the_same_landscape() {
    check("season", 0.9, 0.9);
}

#[test]
fn times_of_day_pass_over_the_same_picture() {
    check("time", 0.7, 0.9);
}

#[test]
fn an_object_becomes_three_others_in_the_same_place() {
    check("object", 0.9, 0.9);
}

#[test]
fn an_object_takes_three_colours_and_stays_what_it_is() {
    check("colour", 0.9, 0.9);
}

#[test]
fn an_object_goes_to_three_places() {
    check("place", 0.6, 0.9);
}

// Both names must be right at once, in small and soft pictures of two objects, which the judge tells badly.
#[test]
fn of_two_objects_one_changes_and_the_other_stays() {
    check("two", 0.15, 0.9);
}

#[test]
fn what_is_added_comes_and_the_rest_stays() {
    check("addition", 0.7, 0.85);
}

#[test]
fn what_is_removed_goes_and_the_rest_stays() {
    check("removal", 0.7, 0.85);
}

#[test]
fn the_conversations_ask_the_judge_for_what_it_knows() {
    let judge = judge();
    let edits: usize = chains().iter().map(|chain| chain.edits()).sum();
    assert!(edits >= 120, "there are only {edits} edits in chains");
    for (head, answer) in chains().iter().flat_map(|chain| chain.answers()) {
        assert!(
            judge.classes(head).iter().any(|class| class == answer),
            "the judge's `{head}` does not know `{answer}`"
        );
    }
}

/// A row of a table: its name, what is set, and whether conversations are measured too.
type Row = (&'static str, &'static [(&'static str, &'static str)], bool);

/// `done of all, dB` for single edits.
fn single(outcome: &Outcome) -> String {
    format!("{} of {}, {:.1}", outcome.done, outcome.edits, outcome.median())
}

/// Single edits under each row of settings, and for some rows the sums of all conversations.
fn measure(judge: &Judge, rows: &[Row]) -> Vec<Vec<String>> {
    let has_chains = rows.iter().any(|row| row.2);
    let mut lines = Vec::new();
    for (name, settings, with_chains) in rows {
        let mut cells = vec![(*name).to_owned()];
        cells.extend(SINGLES.iter().map(|singles| single(&singles.run(judge, settings))));
        if *with_chains {
            let mut all = Outcome::default();
            chains().iter().for_each(|chain| all.add(chain.run(judge, settings)));
            cells.push(format!("{} of {}", all.first.0, all.first.1));
            cells.push(format!("{} of {}", all.done, all.edits));
            cells.push(format!("{:.1} %", 100.0 * all.stayed_share()));
        } else if has_chains {
            cells.extend(["", "", ""].map(str::to_owned));
        }
        eprintln!("{}", cells.join(" | "));
        lines.push(cells);
    }
    lines
}

fn table(head: &str, lines: &[Vec<String>]) -> String {
    let columns = head.matches('|').count() - 1;
    let mut out = vec![head.to_owned(), format!("|{}", " --- |".repeat(columns))];
    out.extend(lines.iter().map(|cells| format!("| {} |", cells.join(" | "))));
    out.join("\n")
}

const SAMPLING: [Row; 10] = [
    ("**dpm 8, adapter** (default)", &[], true),
    ("dpm 6, adapter", &[("steps", "6")], true),
    ("dpm 10, adapter", &[("steps", "10")], false),
    ("dpm 12, adapter", &[("steps", "12")], true),
    ("dpm 30, adapter", &[("steps", "30")], false),
    ("ddim 8, adapter", &[("scheduler", "ddim")], false),
    ("ddim 30, adapter", &[("scheduler", "ddim"), ("steps", "30")], false),
    ("dpm 8, guidance 4.5", &[("steps", "8"), ("guidance", "4.5")], false),
    ("dpm 12, guidance 4.5", &[("guidance", "4.5")], true),
    ("ddim 30, guidance 4.5", &[("scheduler", "ddim"), ("steps", "30"), ("guidance", "4.5")], false),
];

const WINDOWS: [Row; 8] = [
    ("**.4 .6 .3** (default, `pie`)", &[], false),
    (".4 .4 .3", &[("self", ".4")], false),
    (".4 .8 .3", &[("self", ".8")], false),
    (".4 .6 0", &[("k", "0")], false),
    (".8 .4 .3 (`p2p`)", &[("cross", ".8"), ("self", ".4")], false),
    (".8 .4 0", &[("cross", ".8"), ("self", ".4"), ("k", "0")], false),
    (".8 .2 .3 (`literature`)", &[("cross", ".8"), ("self", ".2")], false),
    (".2 .8 0 (`clp2p`)", &[("cross", ".2"), ("self", ".8"), ("k", "0")], false),
];

#[test]
#[ignore = "measures for a minute; training/adopt.sh runs it"]
fn the_table_of_chains_is_written() {
    let judge = judge();
    let row = |kind: &str| {
        let mut all = Outcome::default();
        chains().iter().filter(|chain| chain.kind == kind).for_each(|chain| all.add(chain.run(&judge, &[])));
        eprintln!("{kind}: {} of {}, {} of {}; {:#?}", all.done, all.edits, all.stayed, all.seen, all.missed);
        vec![kind.to_owned(), format!("{} of {}", all.done, all.edits), format!("{} of {}", all.stayed, all.seen)]
    };
    let lines: Vec<Vec<String>> = kinds().into_iter().map(row).collect();
    let head = "| kind | edits done | what was seen before and is there after |";
    write_marked("docs/DEFAULTS.md", "chains", &table(head, &lines));
}

#[test]
#[ignore = "measures for minutes; training/adopt.sh runs it"]
fn the_table_of_windows_is_written() {
    let head = "| cross, self, k | hair | middle of a landscape | object | glasses |";
    write_marked("docs/DEFAULTS.md", "windows", &table(head, &measure(&judge(), &WINDOWS)));
}

#[test]
#[ignore = "measures for minutes; training/adopt.sh runs it"]
fn the_table_of_sampling_is_written() {
    let head =
        "| sampler, steps | hair | middle | object | glasses | first pictures | edits in chains | the rest stays |";
    write_marked("docs/DEFAULTS.md", "sampling", &table(head, &measure(&judge(), &SAMPLING)));
}
