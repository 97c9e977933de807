//! The model in the program: how it is run where nothing is set, which weights draw, and the words it knows.

mod common;

use common::{say, session};
use wordbrush::model;
use wordbrush::plan::Recipe;
use wordbrush::session::Session;
use wordbrush::session::model::{Lexicon, load_reader};
use wordbrush::turn::{Sense, Turn};

/// The recipe of a first picture under these settings, and what is noted; nothing is drawn.
fn planned(session: &mut Session) -> (Recipe, Vec<String>) {
    let Turn::Edit(edit) = session.read_root("a cat").expect("a prompt") else { panic!("a prompt asks nothing") };
    let (recipe, resolved) = session.plan_at(None, &edit).expect("it can be planned");
    (recipe, resolved.warnings)
}

fn recipe(settings: &[(&str, &str)]) -> Recipe {
    planned(&mut session(settings)).0
}

/// Sampler, steps, guidance, model.
fn run(recipe: &Recipe) -> String {
    let Recipe { scheduler, steps, guidance, model, .. } = recipe;
    format!("{} {steps} {guidance} {model}", scheduler.as_str())
}

#[test]
fn the_model_draws_in_few_steps_without_guidance_and_its_plain_weights_with_it() {
    let told = |settings: &[(&str, &str)]| run(&recipe(settings));
    assert_eq!(told(&[]), "dpm 8 1 embedded");
    assert_eq!(told(&[("guidance", "1")]), "dpm 8 1 embedded");
    assert_eq!(told(&[("guidance", "3")]), "dpm 12 3 embedded-plain");
    assert_eq!(told(&[("negative", "a dog")]), "dpm 12 4.5 embedded-plain");
    assert_eq!(told(&[("negative", "a dog"), ("guidance", "1")]), "dpm 8 1 embedded");
    assert_eq!(told(&[("model", "embedded-plain"), ("guidance", "1")]), "dpm 12 1 embedded-plain");
    assert_eq!(told(&[("steps", "30"), ("scheduler", "ddim")]), "ddim 30 1 embedded");
}

#[test]
fn a_model_with_something_laid_over_it_is_run_as_the_model_is() {
    let told = |settings: &[(&str, &str)]| run(&recipe(&[&[("clip_skip", "2")], settings].concat()));
    assert_eq!(told(&[]), "dpm 8 1 embedded | clip_skip=2");
    assert_eq!(told(&[("guidance", "5")]), "dpm 12 5 embedded-plain | clip_skip=2");
}

#[test]
fn a_recipe_says_by_its_digest_which_weights_draw() {
    let (guided, plain) = (recipe(&[]), recipe(&[("guidance", "4.5")]));
    assert_ne!(guided.model_digest, plain.model_digest);
    assert_eq!(plain.model_digest, recipe(&[("model", "embedded-plain")]).model_digest);
}

#[test]
fn what_guidance_costs_is_said_once_a_session() {
    let few = [("guidance", "4.5"), ("steps", "1")];
    let mut session = session(&few);
    let noted = planned(&mut session).1;
    assert!(noted.iter().any(|note| note.contains("2 evaluations a picture")), "{noted:?}");
    say(&mut session, "a cat");
    assert_eq!(planned(&mut session).1, Vec::<String>::new());
    assert_eq!(planned(&mut common::session(&[])).1, Vec::<String>::new());
}

#[test]
fn an_edit_and_its_way_back_stay_with_the_weights_that_drew_the_first_picture() {
    let mut session = session(&[("guidance", "4"), ("steps", "3")]);
    let first = say(&mut session, "a cat on a beach");
    session.set("guidance", "1").expect("it can be set");
    assert_eq!(say(&mut session, "cat -> dog").evaluations, 6);
    let back = say(&mut session, "dog -> cat");
    assert_eq!(back.left.picture.bytes, first.left.picture.bytes);
}

#[test]
fn every_word_of_the_list_is_known_and_pieces_of_words_are_not() {
    let listed = model::words_of("embedded").expect("they are listed");
    assert!(listed.len() > 150 && listed.is_sorted(), "{} words", listed.len());
    let reader = load_reader("embedded").expect("a tokenizer");
    let lexicon = Lexicon::new("embedded", &reader);
    // A single letter needs no listing.
    let longer: Vec<&str> = listed.iter().copied().filter(|word| word.len() > 1).collect();
    assert_eq!(lexicon.words(), longer);
    for word in ["shroom", "anie", "ralls", "giraffe"] {
        assert!(!lexicon.knows(word), "{word}");
    }
    assert_eq!(model::words_of("owner/name"), None);
}

#[test]
fn a_thing_that_cannot_be_drawn_is_answered_with_what_there_is_of_its_kind() {
    let reader = load_reader("embedded").expect("a tokenizer");
    let lexicon = Lexicon::new("embedded", &reader);
    let animals = &wordbrush::turn::kinds()["animal"];
    for (word, kind) in [("giraffe", "animal"), ("zebra", "animal"), ("wolf", "animal")] {
        let offered = lexicon.instead_of(word);
        assert!(offered.len() >= 3, "{word}: {offered:?}");
        let strangers: Vec<_> = offered.iter().filter(|o| !animals.contains(&o.as_str())).collect();
        assert!(strangers.is_empty(), "{word} is a {kind}: {strangers:?}");
        assert!(offered.iter().all(|o| lexicon.knows(o)), "{word}: {offered:?}");
    }
    assert_eq!(lexicon.instead_of("cat"), Vec::<String>::new());
    let mut session = session(&[]);
    let Turn::Edit(edit) = session.read("a giraffe on a beach").expect("a prompt") else { panic!("it asks nothing") };
    assert!(edit.warnings.iter().any(|note| note.starts_with("there is no giraffe here: ")), "{:?}", edit.warnings);
}
