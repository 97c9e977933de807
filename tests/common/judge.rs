//! The judge that says what a picture shows (`assets/judge/`), as tests ask it.

use wordbrush::engine::Picture;
use wordbrush::engine::judge::{Judge, Look};

/// The judge in the program.
pub fn load() -> Judge {
    let (weights, about) = wordbrush::model::embedded::judge();
    Judge::read(weights, about).expect("the judge can be read")
}

/// The `count` likeliest answers of a head, in alphabetical order, with `+` between them.
pub fn answer(look: &Look<'_>, head: &str, count: usize) -> String {
    let answers = look.answers(head).expect("every head reads the same features");
    let mut names: Vec<&str> = answers[..count].iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.join("+")
}

#[test]
fn the_judge_reads_as_it_was_made() {
    let judge = load();
    let picture = Picture {
        width: 128,
        height: 128,
        bytes: (0..128 * 128 * 3).map(|i| ((3 * (i / 3 % 128) + 5 * (i / 384) + 70 * (i % 3)) % 256) as u8).collect(),
    };
    let look = judge.look(&picture).expect("a picture can be looked at");
    let about: serde_json::Value =
        serde_json::from_str(wordbrush::model::embedded::judge().1).expect("what is known of it is JSON");
    let heads = about["check"]["sums"].as_object().expect("sums by head");
    assert_eq!(heads.len(), judge.heads().count());
    for (name, expected) in heads {
        let (ours, theirs) = (look.sums(name).expect("sums"), expected.as_array().expect("numbers"));
        assert_eq!((ours.len(), ours.len()), (theirs.len(), judge.classes(name).len()), "{name}");
        for (ours, theirs) in ours.iter().zip(theirs) {
            let gap = (f64::from(*ours) - theirs.as_f64().expect("a number")).abs();
            // Weights lie in half precision; the sums were made before.
            assert!(gap < 0.2, "{name}: {ours} is not {theirs}");
        }
    }
}
