use std::path::PathBuf;

use super::{Known, KnownWords};
use crate::plan::settings::{Settings, TABLE};

fn known() -> Known {
    let vocabulary = KnownWords::default();
    vocabulary.set(["bald", "beard", "black", "blond", "sunglasses", "sunset"].map(str::to_owned).to_vec()).unwrap();
    let list = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    Known {
        ids: list(&["#1", "#2", "#12"]),
        names: list(&["good"]),
        words: list(&["woman's", "face", "with", "long", "blond", "hair"]),
        vocabulary,
        sessions: PathBuf::from("/nowhere"),
        room: 60,
    }
}

#[track_caller]
fn offers(line: &str, at: usize, expected: &[&str]) {
    assert_eq!(known().candidates(line), (at, expected.iter().map(|e| (*e).to_owned()).collect()), "{line:?}");
}

#[track_caller]
fn hints(line: &str, expected: &str) {
    assert_eq!(known().rest(line, |_| None).map_or(String::new(), |r| r.shown), expected, "{line:?}");
}

#[test]
fn commands_and_their_arguments_are_offered() {
    offers("/und", 0, &["/undo"]);
    offers("/go ", 4, &["#1", "#2", "#12", "good"]);
    offers("/go #1", 4, &["#1", "#12"]);
    offers("go g", 3, &["good"]);
    offers("/compare #1 #2", 12, &["#2"]);
    offers("/set cross", 5, &["cross_replace_steps", "cross"]);
    offers("/set v_layers ", 14, &["cross", "self", "both"]);
    offers("/set precision b", 15, &["bf16"]);
    offers("/set k ", 7, &[]);
    offers("/preset cl", 8, &["clp2p"]);
    offers("/help und", 6, &["undo"]);
    offers("/export g", 8, &["gif"]);
    offers("/maps ha", 6, &["hair"]);
}

#[test]
fn words_of_the_prompt_come_before_those_of_the_model() {
    offers("bl", 0, &["blond", "black"]);
    offers("blond -> bl", 9, &["blond", "black"]);
    offers("blond->bla", 7, &["black"]);
    offers("with suns", 5, &["sunset"]);
    offers("#1", 0, &["#1", "#12"]);
}

#[test]
fn where_a_word_may_begin_words_of_the_model_are_offered_that_are_of_the_prompts_kinds() {
    // The prompt has a colour and a length: colours are offered, and no glasses.
    let (at, all) = known().candidates("make it a ");
    assert_eq!(at, 10);
    assert!(all.contains(&"hair".to_owned()) && all.contains(&"black".to_owned()), "{all:?}");
    assert!(!all.contains(&"sunset".to_owned()), "{all:?}");
    let anything = Known { words: Vec::new(), ..known() }.candidates("make it a ").1;
    assert_eq!(anything, ["bald", "beard", "black", "blond", "sunglasses", "sunset"]);
}

#[test]
fn an_empty_line_offers_bare_commands_and_no_words() {
    let (at, all) = known().candidates("");
    assert!(at == 0 && all.contains(&"undo".to_owned()) && !all.contains(&"blond".to_owned()), "{all:?}");
}

#[test]
fn every_listed_value_of_every_setting_can_be_set() {
    for setting in TABLE.iter().filter(|s| !["blend_words", "substruct_words"].contains(&s.name)) {
        for value in known().values(setting.name) {
            assert!(Settings::default().set(setting.name, &value).is_ok(), "{} {value}", setting.name);
        }
    }
    assert_eq!(known().values("renormalize"), ["off", "on"]);
}

#[test]
fn files_are_offered_with_their_folder_and_hidden_ones_only_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["fox.png", "fog.jsonl", ".fo"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    std::fs::create_dir(folder.path().join("food")).unwrap();
    let lead = format!("{}/", folder.path().display());
    let line = format!("/open {lead}fo");
    let expected: Vec<String> = ["fog.jsonl", "food/", "fox.png"].iter().map(|f| format!("{lead}{f}")).collect();
    assert_eq!(known().candidates(&line), (6, expected));
    assert_eq!(known().candidates(&format!("/open {lead}.f")).1, [format!("{lead}.fo")]);
}

#[test]
fn the_rest_is_hinted_where_it_is_likely() {
    hints("/und", "o [n]");
    hints("/undo", " [n]");
    hints("/tre", "e");
    hints("/tree", "");
    hints("blo", "nd");
    hints("bl", "ond");
    hints("b", "");
    hints("blond", " -> …");
    hints("blond -> bla", "ck");
    hints("with sun", "");
    hints("xyz", "");
    hints("", "");
}

#[test]
fn an_older_line_is_hinted_unless_it_has_control_characters() {
    let rest = |old: &str| known().rest("a c", |_| Some(old.to_owned())).map(|r| r.shown);
    assert_eq!(rest("a cat"), Some("at".to_owned()));
    assert_eq!(rest("a c\u{1b}[2J"), None);
}

#[test]
fn nothing_is_offered_inside_a_character() {
    offers("/go ü", 4, &[]);
    offers("ü, bl", 4, &["blond", "black"]);
}
