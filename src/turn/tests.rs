//! The table of phrases, and lines nobody would type.

use super::*;

/// `prompt | line | …`; see the head of the file.
const TABLE: &str = include_str!("../../tests/phrases.txt");

fn read_at(prompt: &str, ancestors: &[&str], line: &str) -> Result<Turn, Misread> {
    let prompt = (!prompt.is_empty()).then_some(prompt);
    read(line, &Here { prompt, ancestors, sense: &NoSense })
}

/// Every word between the replaced ones is kept, one to one, and every index is inside.
fn check_spans(parent: &str, line: &str, edit: &Edit) {
    let (old, new) = (words::split(parent), words::split(&edit.prompt));
    for weighing in &edit.weighings {
        assert!(weighing.word < new.len(), "{parent:?} {line:?}: weighs word {} of {:?}", weighing.word, edit.prompt);
    }
    if edit.is_root {
        assert!(edit.spans.is_empty(), "{line:?}: a root replaces nothing");
        return;
    }
    let (mut s, mut t) = (0, 0);
    let end = Replaced { source: old.len()..old.len(), target: new.len()..new.len() };
    for span in edit.spans.iter().chain(std::iter::once(&end)) {
        let place = format!("{parent:?} {line:?} gave {:?} {:?}", edit.prompt, edit.spans);
        assert!(span.source.start >= s && span.target.start >= t, "spans overlap: {place}");
        assert_eq!(span.source.start - s, span.target.start - t, "kept words differ in number: {place}");
        for i in 0..span.source.start - s {
            assert!(words::same(old[s + i].text, new[t + i].text), "a kept word changed: {place}");
        }
        assert!(
            !(span.source.is_empty() && span.target.is_empty()) || std::ptr::eq(span, &end),
            "an empty span: {place}"
        );
        (s, t) = (span.source.end, span.target.end);
        assert!(s <= old.len() && t <= new.len(), "a span leaves the prompt: {place}");
    }
}

fn check_turn(parent: &str, line: &str, turn: &Result<Turn, Misread>) {
    match turn {
        Ok(Turn::Edit(edit)) => check_spans(parent, line, edit),
        Ok(Turn::Question(question)) => {
            assert!(question.choices.len() > 1, "{line:?}: a question with one answer");
            question.choices.iter().for_each(|c| check_spans(parent, line, &c.edit));
        }
        Err(misread) => {
            assert!(
                misread.hint.as_deref().is_some_and(|h| !h.is_empty()),
                "{line:?}: an error without a hint: {misread}"
            );
            if let Some(span) = misread.span {
                assert!(span.from <= span.to && line.get(span.from..span.to).is_some(), "{line:?}: span {span:?}");
            }
        }
        Ok(_) => {}
    }
}

/// What the phrases of the table mean is tested where commands are known, in `repl::commands`.
#[test]
fn every_phrase_of_the_table_is_read_as_something_whole() {
    let mut above = "";
    for row in TABLE.lines().filter(|row| !row.trim().is_empty() && !row.starts_with('#')) {
        let mut cells = row.split('|').map(str::trim);
        let (prompt, line) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
        above = if prompt == "\"" { above } else { prompt };
        let mut prompts = above.split("<<").map(str::trim);
        let parent = prompts.next().unwrap_or_default();
        let ancestors: Vec<&str> = prompts.collect();
        check_turn(parent, line, &read_at(parent, &ancestors, line));
    }
}

/// A small generator of numbers, so that the lines are the same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap_or_default()
    }
}

const PROMPTS: &[&str] = &[
    "",
    "a cat",
    "a woman's face with long wavy blond hair",
    "a snowy river between mountains at night with a boat",
    "A red car next to a blue balloon, and a cat and a cat, on a beach.",
    "a smiling man with a hat, glasses and a beard, wearing a red shirt on a blue background",
    "חתול שחור, 😀 a \u{202e}cat 's (x) it's 3.5 -",
    "'s",
    "a",
];

const PIECES: &[&str] = &[
    "make",
    "turn",
    "into",
    "the",
    "her",
    "hair",
    "red",
    "blond",
    "cat",
    "dog",
    "river",
    "a",
    "an",
    "and",
    ",",
    "with",
    "without",
    "->",
    "→",
    "+",
    "-",
    "*2",
    "*nan",
    "(",
    ")",
    ":1.5",
    "#2",
    "more",
    "less",
    "a bit",
    "longer",
    "instead",
    "of",
    "swap",
    "replace",
    "add",
    "remove",
    "at night",
    "in winter",
    "should",
    "be",
    "not",
    "no",
    "so",
    "too",
    "it",
    "snowy",
    "mountains",
    "hat",
    "glasses",
    "'s",
    "'",
    "give",
    "him",
    "put",
    "on",
    "beach",
    "by day",
    "please",
    ".",
    "!",
    "😀",
    "👨‍👩‍👧",
    "חתול",
    "\u{202e}",
    "\u{7}",
    "é",
    "İ",
    "ß",
    "\u{301}",
    "/",
    "undo",
    "back",
    "3",
    "0",
    "-1",
    "wavy",
    "beard",
    "face",
    "smile",
    "but",
    "then",
    "to",
    "from",
    "for",
    "swapping",
    "take",
    "off",
    "all",
    "two",
    "boat",
    "between",
    "next to",
    "\u{a0}",
    "\t",
    "#",
    "ﬁ",
    "Ǆ",
    "that is",
    "who is",
    "wearing",
    "shirt",
    "background",
    "back",
];

#[test]
fn no_line_panics_and_every_answer_holds_together() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for round in 0..20_000 {
        let prompt = PROMPTS[dice.roll(PROMPTS.len())];
        let n = 1 + dice.roll(9);
        let mut line = String::new();
        for _ in 0..n {
            line.push_str(PIECES[dice.roll(PIECES.len())]);
            if dice.roll(5) > 0 {
                line.push(' ');
            }
        }
        let ancestors = [PROMPTS[dice.roll(PROMPTS.len())], PROMPTS[dice.roll(PROMPTS.len())]];
        let turn = read_at(prompt, &ancestors[..round % 3], &line);
        check_turn(prompt, &line, &turn);
    }
}

/// A sign between an apostrophe and a letter goes, and the two would be read as one word.
#[test]
fn words_that_come_to_stand_side_by_side_are_still_told_apart() {
    for (prompt, line) in [
        ("an o'\u{fffd} face in a hat", "\u{fffd} -> fox"),
        ("an o'\u{fffd} face in a hat", "- \u{fffd}"),
        ("a woman's face in a hat", "woman -> !"),
        ("a cat-\u{fffd} fish", "\u{fffd} -> dog"),
        ("a '\u{fffd}s hat", "- \u{fffd}"),
    ] {
        let turn = read_at(prompt, &[], line);
        assert!(matches!(turn, Ok(Turn::Edit(_))), "{prompt} | {line}: {turn:?}");
        check_turn(prompt, line, &turn);
    }
}

#[test]
fn a_prompt_that_was_edited_can_be_edited_again() {
    let mut dice = Dice(0x1234_5678_9abc_def1);
    for _ in 0..300 {
        let mut past: Vec<String> = vec![PROMPTS[1 + dice.roll(PROMPTS.len() - 1)].to_owned()];
        for _ in 0..12 {
            let mut line = String::new();
            for _ in 0..1 + dice.roll(6) {
                line.push_str(PIECES[dice.roll(PIECES.len())]);
                line.push(' ');
            }
            let ancestors: Vec<&str> = past.iter().rev().skip(1).map(String::as_str).collect();
            let parent = past.last().cloned().unwrap();
            let turn = read_at(&parent, &ancestors, &line);
            check_turn(&parent, &line, &turn);
            if let Ok(Turn::Edit(edit)) = turn {
                past.push(edit.prompt);
            }
        }
    }
}

#[test]
fn a_line_of_ten_thousand_letters_is_read_in_time() {
    let long = "a cat and ".repeat(1000);
    for line in [
        long.as_str(),
        &"x".repeat(10_000),
        &"make her ".repeat(1100),
        &"a -> b, ".repeat(1200),
        &"(".repeat(10_000),
        &"a*".repeat(5000),
    ] {
        for prompt in ["a cat", long.as_str()] {
            check_turn(prompt, line, &read_at(prompt, &[long.as_str()], line));
        }
    }
}

#[test]
fn removing_and_adding_gives_back_the_very_prompt() {
    let check = |prompt: &str, out: &str, back: &str| {
        let Ok(Turn::Edit(without)) = read_at(prompt, &[], out) else { panic!("{out}") };
        assert_ne!(without.prompt, prompt);
        let turn = read_at(&without.prompt, &[prompt], back);
        let Ok(Turn::Edit(again)) = turn else { panic!("{back}: {turn:?}") };
        assert_eq!(again.prompt, prompt, "{out}, then {back}");
    };
    let face = "a woman's face with long wavy blond hair, a red hat and round glasses, smiling";
    check(face, "remove the hat", "add a red hat");
    check(face, "remove the hat", "put the hat back");
    check(face, "- red hat", "+ a red hat");
    check(face, "remove the glasses", "with round glasses");
    check(face, "- smiling", "+ smiling");
    check(face, "- wavy", "+ wavy");
    check(face, "remove the hair", "with long wavy blond hair");
    check("a man with a hat and a beard", "no hat", "give him a hat");
    check("a man with a hat and a beard", "no beard", "give him a beard");
    check("a snowy river between mountains at night", "- snowy", "make it snowy");
    check("a river between snowy mountains at night", "- snowy", "+ snowy");
    check("a river between mountains at night", "remove the mountains", "between mountains");
    check("an old woman", "- old", "+ old");
    check("a cat and a dog on a beach", "remove the cat", "bring back the cat");
    check("a cat and a dog on a beach", "remove the dog", "add a dog");
    check("a house with a tree in winter", "- tree", "with a tree");
}

#[test]
fn adding_and_removing_gives_back_the_very_prompt() {
    for prompt in ["a cat on a beach", "a woman's face with long hair", "a river between mountains, at night", "A cat."]
    {
        for (into, out) in [
            ("+ with a hat", "- hat"),
            ("add a hat", "remove the hat"),
            ("+ at sunset", "- at sunset"),
            ("with round glasses", "without glasses"),
            ("add a hat and a scarf", "remove the hat and the scarf"),
            ("+ smiling, + with a boat", "- boat, - smiling"),
        ] {
            let Ok(Turn::Edit(more)) = read_at(prompt, &[], into) else { panic!("{into}") };
            let turn = read_at(&more.prompt, &[prompt], out);
            let Ok(Turn::Edit(back)) = turn else { panic!("{} {out}: {turn:?}", more.prompt) };
            assert_eq!(back.prompt, prompt, "{into} gave {}, then {out}", more.prompt);
        }
    }
}

#[test]
fn a_swap_and_its_reverse_keep_every_other_word() {
    let parent = "an owl and a cat on a beach";
    let Ok(Turn::Edit(edit)) = read_at(parent, &[], "owl -> hot dog") else { panic!() };
    assert_eq!(edit.prompt, "a hot dog and a cat on a beach");
    assert_eq!(
        edit.spans,
        [Replaced { source: 0..1, target: 0..1 }, Replaced { source: 1..2, target: 1..3 }],
        "the article and the word are replaced apart"
    );
    let Ok(Turn::Edit(back)) = read_at(&edit.prompt, &[parent], "hot dog -> owl") else { panic!() };
    assert_eq!(back.prompt, parent);
}

/// A model with a small vocabulary.
struct Small;

impl Sense for Small {
    fn knows(&self, word: &str) -> bool {
        ["a", "cat", "dog", "with", "hat", "red"].contains(&word)
    }

    fn nearest(&self, word: &str) -> Option<String> {
        (word == "kat").then(|| "cat".to_owned())
    }

    fn likeness(&self, a: &str, b: &str) -> Option<f32> {
        Some(match (a, b) {
            ("zorgish", "red") => 0.8,
            ("blorp", "cat") => 0.7,
            _ => 0.1,
        })
    }
}

#[test]
fn a_word_that_the_model_does_not_know_is_drawn_and_noted() {
    let here = Here { prompt: Some("a red dog"), ancestors: &[], sense: &Small };
    let Ok(Turn::Edit(edit)) = read("dog -> kat", &here) else { panic!() };
    assert_eq!(edit.prompt, "a red kat");
    assert_eq!(edit.warnings, ["the model does not know `kat`; the nearest it knows is `cat`"]);
}

#[test]
fn a_quality_without_a_kind_stands_beside_the_others_and_a_thing_takes_the_place_of_the_one_most_like_it() {
    let here = Here { prompt: Some("a fancy red dog"), ancestors: &[], sense: &Small };
    let Ok(Turn::Edit(edit)) = read("make the dog zorgish", &here) else { panic!() };
    // Nobody named `red`, so it stays.
    assert_eq!(edit.prompt, "a fancy red zorgish dog");
    let here = Here { prompt: Some("a cat with a hat"), ancestors: &[], sense: &Small };
    let Ok(Turn::Edit(edit)) = read("make it a blorp", &here) else { panic!() };
    assert_eq!(edit.prompt, "a blorp with a hat");
}

#[test]
fn a_new_picture_in_the_middle_says_so() {
    let Ok(Turn::Edit(edit)) = read_at("a woman's face", &[], "a river between mountains") else { panic!() };
    assert!(edit.is_root && edit.changes == [Change::Start { prompt: "a river between mountains".into() }]);
    assert!(edit.warnings.iter().any(|w| w.contains("new picture")), "{:?}", edit.warnings);
}

#[test]
fn changes_are_written_with_their_kind() {
    let change = Change::Swap { from: "blond".into(), to: "red".into() };
    assert_eq!(serde_json::to_string(&change).unwrap(), r#"{"kind":"swap","from":"blond","to":"red"}"#);
}

#[test]
fn remarks_and_blank_lines_are_nothing() {
    for line in ["", "   ", "# a remark", "#", " \t"] {
        assert_eq!(read_at("a cat", &[], line), Ok(Turn::Nothing), "{line:?}");
    }
}

#[track_caller]
fn edited(prompt: &str, line: &str) -> Edit {
    match read_at(prompt, &[], line) {
        Ok(Turn::Edit(edit)) => {
            check_spans(prompt, line, &edit);
            edit
        }
        other => panic!("{prompt:?} {line:?}: {other:?}"),
    }
}

#[track_caller]
fn refused(prompt: &str, line: &str) -> (String, String) {
    let misread = read_at(prompt, &[], line).expect_err(line);
    let hint = misread.hint().expect("an error has a hint").to_owned();
    (misread.message, hint)
}

#[test]
fn numbers_in_one_line_all_count_in_the_prompt_as_it_was() {
    let three = "a cat and a cat and a cat";
    let check = |line: &str, expected: &str| assert_eq!(edited(three, line).prompt, expected, "{line}");
    check("cat#1 -> dog, cat#2 -> fox", "a dog and a fox and a cat");
    check("cat#3 -> dog, cat#1 -> fox", "a fox and a cat and a dog");
    check("cat#1 -> dog, cat#2 -> fox, cat#3 -> hen", "a dog and a fox and a hen");
    check("the first cat -> a dog, the third cat -> a fox", "a dog and a cat and a fox");
    check("change the first cat to a dog and the second cat to a fox", "a dog and a fox and a cat");
    check("- cat#1, cat#2 -> fox", "a fox and a cat");
    let weighed = edited(three, "cat#1 -> dog, cat#2*2");
    assert_eq!(weighed.weighings, [Weighing { word: 4, to: Weight::Set(2.0) }]);
    assert_eq!(edited("a cat and a cat", "cat#1 -> dog, cat#2 -> fox").prompt, "a dog and a fox");
    let (message, _) = refused("a cat and a cat", "cat#1 -> dog, cat#3 -> fox");
    assert_eq!(message, "there is no `cat#3`: the prompt has 2 `cat`");
    let (message, _) = refused("a cat and a cat", "cat#1 -> dog, cat#1 -> fox");
    assert_eq!(message, "`cat#1` was changed before in this line");
}

#[test]
fn weights_of_a_first_prompt_count_wherever_they_stand() {
    let check = |line: &str, prompt: &str, weights: &[(usize, f64)]| {
        for edit in [edited("", line), root_of(line)] {
            let found: Vec<(usize, Weight)> = edit.weighings.iter().map(|w| (w.word, w.to)).collect();
            let expected: Vec<(usize, Weight)> = weights.iter().map(|(word, x)| (*word, Weight::Set(*x))).collect();
            assert!(edit.is_root, "{line}");
            assert_eq!((edit.prompt.as_str(), found), (prompt, expected), "{line}");
        }
    };
    check("(masterpiece:1.2), best quality, a cat", "masterpiece, best quality, a cat", &[(0, 1.2)]);
    check("cat*1.2, beach", "cat, beach", &[(0, 1.2)]);
    check("a (dog:1.5) on a beach", "a dog on a beach", &[(1, 1.5)]);
    check("beach, cat*1.2", "beach, cat", &[(2, 1.2)]);
    check("(red cat:1.2) (dog:.5)", "red cat dog", &[(0, 1.2), (1, 1.2), (2, 0.5)]);
    check("(cat:1.2)", "cat", &[(0, 1.2)]);
    // So do those of a later whole prompt.
    let edit = edited("a house in a valley", "(masterpiece:1.2), best quality, a cat");
    assert!(edit.is_root && edit.prompt == "masterpiece, best quality, a cat" && edit.weighings.len() == 1, "{edit:?}");
    // What is no whole prompt stays what it was.
    assert_eq!(refused("", "- cat").0, "there is no picture to edit yet");
    assert_eq!(refused("", "*2").0, "there is no picture to edit yet");
    assert!(refused("", "(cat:500), beach").0.contains("a weight lies between -100 and 100"));
    assert!(refused("a cat", "dog*2").0.contains("`dog` is not in the prompt"));
}

fn root_of(line: &str) -> Edit {
    match root(line, &NoSense) {
        Ok(Turn::Edit(edit)) => edit,
        other => panic!("{line:?}: {other:?}"),
    }
}

#[test]
fn a_whole_prompt_is_drawn_as_it_was_typed() {
    for line in ["an unicorn", "vitamin a apple", "a cat :)", "A  cat ,\tsitting .", "a hour , an house", "x (y) z"] {
        let typed = line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(edited("", line).prompt, typed);
        assert_eq!(root_of(line).prompt, typed);
        assert_eq!(root_of(line).changes, [Change::Start { prompt: typed }]);
    }
    assert_eq!(edited("a horse in a forest", "an unicorn in a forest").prompt, "an unicorn in a forest");
    // `draw me` is no part of the picture where it is read as words, and is where a prompt is asked for.
    assert_eq!(edited("", "draw me a dog").prompt, "a dog");
    assert_eq!(root_of("draw me a dog").prompt, "draw me a dog");
}

#[test]
fn what_a_line_has_put_into_the_prompt_is_not_offered_for_what_it_lacks() {
    let (message, hint) = refused("a cat on a beach", "cat -> dog, dog -> fox");
    assert_eq!(message, "`dog` is not in the prompt");
    assert_eq!(hint, "the prompt is: a cat on a beach");
    let (_, hint) = refused("a cat", "cat -> dog, dog -> fox");
    assert_eq!(hint, "the prompt is: a cat");
}

#[test]
fn words_of_which_nothing_came_are_told_and_those_that_only_point_are_not() {
    let told = |prompt: &str, line: &str| -> Vec<String> {
        let warnings = edited(prompt, line).warnings;
        warnings.into_iter().filter(|warning| warning.starts_with("nothing came of")).collect()
    };
    for (prompt, line, lost) in [
        ("a sketch of a bird", "render the sketch in blue ink", "`blue`"),
        ("a bench in a park", "make it spring with cherry blossoms", "`cherry blossoms`"),
    ] {
        let warnings = told(prompt, line);
        assert!(matches!(warnings.as_slice(), [one] if one.contains(lost)), "{line}: {warnings:?}");
    }
    let hair = "a woman's face with long wavy blond hair";
    for (prompt, line) in [
        (hair, "a little less wavy please"),
        (hair, "it would be nice if her hair was red"),
        ("a Beetle on a street", "make the Beetle's colour lavender"),
        ("a golden retriever on the grass", "put the retriever in the snow"),
    ] {
        assert_eq!(told(prompt, line), [""; 0], "{line}");
    }
}

#[test]
fn no_answer_is_offered_that_would_not_read() {
    for (prompt, line) in [
        ("a rowing boat moored at a jetty", "I'd like the boat to be painted white with a red stripe"),
        ("a mural showing a train leaving a station", "make it a bus leaving the station"),
    ] {
        let texts: Vec<String> = match read_at(prompt, &[], line) {
            Ok(Turn::Question(question)) => question.choices.into_iter().map(|choice| choice.edit.prompt).collect(),
            Ok(Turn::Edit(edit)) => vec![edit.prompt],
            _ => Vec::new(),
        };
        for text in texts {
            assert_eq!(check::dangling(prompt, &text), None, "{line}: {text}");
        }
    }
}

#[test]
fn a_long_line_and_a_long_prompt_are_read_in_a_moment() {
    let long = "a red cat with a blue hat next to a green barn, ".repeat(208);
    for (prompt, line) in [
        (long.as_str(), "make the zebra green and remove the second hat"),
        (long.as_str(), "put a dog next to the barn"),
        ("a cat", long.as_str()),
    ] {
        let begun = std::time::Instant::now();
        let turn = read_at(prompt, &[], line);
        let taken = begun.elapsed();
        check_turn(prompt, line, &turn);
        // Some milliseconds where it is optimised; what grows faster than the text takes minutes.
        assert!(taken.as_secs() < 5, "{line:.40}: {taken:?}");
    }
}

#[test]
fn readings_are_named_with_what_they_find() {
    let here = Here { prompt: Some("a goat in a yard"), ancestors: &[], sense: &NoSense };
    let all = readings("replace the goat with a sheep", &here);
    assert_eq!(all.first().map(|(said, _)| said.as_str()), Some("swap the goat | a sheep"));
    assert!(readings("goat -> sheep", &here).is_empty());
    assert_eq!(readings("remove the zebra", &here), [("remove the zebra".to_owned(), 0)]);
}

#[test]
fn one_prompt_becomes_another_whatever_they_share_and_however_it_would_be_read() {
    let edit = super::between("a cat on a beach", "make it a dog").expect("an edit");
    assert_eq!((edit.prompt.as_str(), edit.is_root), ("make it a dog", false));
    let edit = super::between("a slanted bicycle on the road", "a slanted rusty bicycle on the road").expect("an edit");
    assert_eq!(edit.spans, [super::Replaced { source: 2..2, target: 2..3 }]);
    assert!(super::between("a cat", " ").is_none() && super::between("a cat", "a cat").is_none());
}
