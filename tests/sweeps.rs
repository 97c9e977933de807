//! Runs of a sweep share first steps, and nobody can tell from what they draw.

mod common;

use std::ops::ControlFlow;

use wordbrush::plan::settings::Settings;
use wordbrush::session::Session;
use wordbrush::session::sketch::{DrawnSketch, Sketch};
use wordbrush::study::sweep::{Axes, Cost, SweepRun, run};

/// A session at an edit of a picture, eight steps a picture.
fn session(lines: &[&str], settings: &[(&str, &str)]) -> Session {
    let all = [&[("steps", "8"), ("precision", "f32"), ("seed", "21")], settings].concat();
    let mut session = common::session(&all);
    for line in lines {
        common::say(&mut session, line);
    }
    session
}

/// The edit of the present node in every cell of a grid.
fn cells(session: &mut Session, grid: &[&str]) -> Vec<Sketch> {
    let axes = Axes::read(grid.iter().copied()).expect("a grid");
    let here = session.tree().here().expect("a node");
    let node = &session.tree()[here];
    let (parent, line, turn) = (node.parent, node.line.clone(), (*node.plan.settings).clone());
    let (base, edit) = (Settings { turn, ..Settings::default() }, session.edit_of(here));
    let sketch = |cell: Vec<String>| {
        let settings = axes.settings(&base, &cell).expect("settings").0;
        session.sketch(parent, &line, &edit, &settings).expect("it can be planned")
    };
    axes.cells().into_iter().map(sketch).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

fn latents(aside: &DrawnSketch) -> Vec<Vec<u32>> {
    let latents = aside.left.trajectory.latents().iter();
    latents.map(|l| bits(&l.flatten_all().and_then(|l| l.to_vec1()).expect("numbers"))).collect()
}

fn word_maps(aside: &DrawnSketch) -> Vec<Vec<u32>> {
    aside.left.word_maps.iter().map(|maps| bits(maps)).collect()
}

/// Draws every cell alone, then each after the one before it in the order in which they share most. The steps that were
/// shared.
#[track_caller]
fn check(lines: &[&str], settings: &[(&str, &str)], grid: &[&str]) -> usize {
    let mut session = session(lines, settings);
    let mut sketches = cells(&mut session, grid);
    sketches.sort_by(|a, b| a.digests.cmp(&b.digests));
    let mut go = |_: usize, _: &_| ControlFlow::Continue(());
    let mut draw = |sketch: &Sketch, trail: Option<&_>| {
        let drawn = session.draw_sketch(sketch, trail, &mut go).expect("it can be drawn");
        drawn.expect("nobody stopped it")
    };
    let alone: Vec<DrawnSketch> = sketches.iter().map(|sketch| draw(sketch, None)).collect();
    let (mut trail, mut shared, mut before): (Option<_>, usize, Option<&Sketch>) = (None, 0, None);
    for (sketch, alone) in sketches.iter().zip(&alone) {
        let aside = draw(sketch, trail.as_ref());
        let n = aside.shared;
        assert!(latents(&aside) == latents(alone), "{grid:?}: latents differ after {n} shared steps");
        assert!(word_maps(&aside) == word_maps(alone), "{grid:?}: word maps differ after {n} shared steps");
        assert!(aside.left.masks == alone.left.masks, "{grid:?}: masks differ after {n} shared steps");
        assert!(aside.left.picture == alone.left.picture, "{grid:?}: pictures differ");
        if aside.trail.is_some() {
            assert_eq!(aside.shared, before.map_or(0, |before| before.shared(sketch)), "{grid:?}");
            // Mixed values are computed again for each step that mixes them, besides.
            let saved = sketch.evaluations_a_step() * aside.shared as u64;
            assert!(aside.evaluations + saved <= alone.evaluations, "{grid:?}");
            (shared, before) = (shared + aside.shared, Some(sketch));
            trail = aside.trail;
        }
    }
    shared
}

const FACE: &str = "a woman's face with long wavy blond hair";

#[test]
fn runs_that_share_steps_draw_the_bits_of_runs_that_do_not() {
    let edit = [FACE, "blond -> red"];
    // Windows of text and of self-attention: of 8 steps, 2, 4 and 6.
    assert_eq!(check(&edit, &[], &["cross=.25,.5,.75", "k=0"]), 2 + 4);
    assert!(check(&edit, &[], &["self=.25,.5", "cross=.25,{red: .5, default: .25}"]) > 0);
    // Masks that begin at different steps, at different thresholds, and never.
    assert!(check(&edit, &[], &["start_blend=.25,.5", "k=0,.2,.4"]) > 0);
    // Values mixed in the middle of a run.
    assert!(check(&edit, &[], &["v=.5..0.75,.5..1,off", "v_layers=cross,both"]) > 0);
    // What differs from the first step on shares nothing.
    assert_eq!(check(&edit, &[], &["self_max=16,64,256"]), 0);
}

#[test]
fn runs_of_a_sampler_with_memory_go_on_from_what_it_remembers() {
    let edit = [FACE, "blond -> red"];
    let dpm = [("scheduler", "dpm")];
    assert_eq!(check(&edit, &dpm, &["cross=.25,.5,.75", "k=0"]), 2 + 4);
    assert!(check(&edit, &dpm, &["start_blend=.25,.5", "k=0,.2,.4"]) > 0);
    assert!(check(&edit, &[("scheduler", "dpm"), ("guidance", "1")], &["cross=.25,.5,.75"]) > 0);
}

#[test]
fn masks_made_of_weighed_maps_are_taken_over_with_their_maps() {
    let edit = [FACE, "blond -> red, hair*2"];
    let weighed = [("blend_maps", "used"), ("weight_window", "inside"), ("cross", ".5")];
    assert!(check(&edit, &weighed, &["k=.2,.4", "start_blend=.25,.5"]) > 0);
    assert!(check(&edit, &weighed, &["blend_maps=used,carried", "renormalize=off,on", "k=.2,.4"]) > 0);
}

#[test]
fn masks_of_an_ancestor_are_taken_over_too() {
    assert!(check(&[FACE, "blond -> red", "red -> blond"], &[], &["cross=.25,.5,.75"]) > 0);
}

#[test]
fn a_sweep_draws_what_runs_share_once_and_counts_what_that_saved() {
    // Maps of all steps are kept, so that none is computed again.
    let mut session = session(&[FACE, "blond -> red"], &[("cross", "1")]);
    let sketches = cells(&mut session, &["cross=.25,.5,.75", "k=0"]);
    let runs: Vec<SweepRun> =
        sketches.into_iter().map(|sketch| SweepRun { sketch, values: vec![], label: String::new() }).collect();
    let (mut told, mut seen) = (Vec::new(), Vec::new());
    let cost = run(
        &mut session,
        &runs,
        &[0, 1, 2],
        &mut |_, drawn| {
            seen.push((drawn.at, drawn.figures.shared_steps));
            Ok(())
        },
        &mut |done, all, _| {
            told.push((done, all));
            ControlFlow::Continue(())
        },
    )
    .expect("it can be drawn");
    // 8 steps, then 6 and 4, or 4 and 6: whichever digest comes first.
    let steps: usize = 3 * 8 - 2 - 4;
    assert_eq!(told, (1..=steps).map(|step| (step, steps)).collect::<Vec<_>>());
    seen.sort_unstable();
    assert_eq!(seen.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 1, 2]);
    // Each was one edit away from a picture that was there: on its own it would have drawn that too.
    let started = 3 * 8;
    let (evaluations, shared) = (steps as u64, 2 + 4);
    assert_eq!(cost, Cost { evaluations, shared, started, stopped: false });
}

#[test]
fn a_sweep_that_is_stopped_keeps_what_was_done() {
    let mut session = session(&[FACE, "blond -> red"], &[]);
    let sketches = cells(&mut session, &["self_max=16,64"]);
    let runs: Vec<SweepRun> =
        sketches.into_iter().map(|sketch| SweepRun { sketch, values: vec![], label: String::new() }).collect();
    let mut done = 0;
    let mut count = |_: &mut Session, _| {
        done += 1;
        Ok(())
    };
    let mut stop = |step: usize, _: usize, _: &_| {
        if step == 11 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let cost = run(&mut session, &runs, &[0, 1], &mut count, &mut stop).expect("it can be drawn");
    assert!(cost.stopped);
    assert_eq!((done, session.tree().len()), (1, 2));
}
