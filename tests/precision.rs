//! Does half the precision draw the same pictures?

#![allow(clippy::print_stderr, reason = "a test may say what it measured")]

mod common;

use common::judge::{answer, load as judge};
use common::{say, session};
use wordbrush::measure::psnr;
use wordbrush::session::to_image;

const PROMPTS: [(&str, &str, &str); 20] = [
    ("a woman's face with long wavy blond hair", "blond -> red", "hair"),
    ("a man's face with short curly black hair", "black -> brown", "hair"),
    ("a woman's face with straight brown hair and glasses", "brown -> pink", "hair"),
    ("a man's face with a beard", "with glasses", "glasses"),
    ("a woman's face with long hair", "with sunglasses", "glasses"),
    ("a smiling woman's face with short red hair", "red -> blue", "hair"),
    ("a man's face with grey hair", "grey -> blond", "hair"),
    ("a river between mountains", "river -> street", "middle"),
    ("a street between mountains", "street -> forest", "middle"),
    ("a lake between mountains at night", "lake -> desert", "middle"),
    ("a snowy forest between mountains", "forest -> river", "middle"),
    ("a desert between mountains by day", "desert -> lake", "middle"),
    ("a cat on a beach", "cat -> dog", "object"),
    ("a dog on a beach", "dog -> fox", "object"),
    ("a fox in a forest", "fox -> panda", "object"),
    ("a panda in snow", "panda -> rabbit", "object"),
    ("a rabbit on a beach at night", "rabbit -> cat", "object"),
    ("a cat in a forest", "cat -> rabbit", "object"),
    ("a river between snowy mountains at sunset", "river -> lake", "middle"),
    ("a street between snowy mountains", "street -> river", "middle"),
];

/// How near pictures in bf16 are to those in f32, in decibels; the judge sees the same in both.
fn likeness(prompts: &[(&str, &str, &str)]) -> Vec<f64> {
    let judge = judge();
    let mut values = Vec::new();
    for (prompt, line, asked) in prompts {
        let drawn = ["f32", "bf16"].map(|precision| {
            let mut session = session(&[("precision", precision), ("seed", "11"), ("steps", "10")]);
            [say(&mut session, prompt), say(&mut session, line)]
        });
        let [full, half] = &drawn;
        for (full, half) in full.iter().zip(half) {
            let value = psnr(&to_image(&full.left.picture), &to_image(&half.left.picture)).unwrap_or(f64::INFINITY);
            // A place at the edge of a mask may fall on the other side, and its pixels then show something else: the least is 19.9
            // by AVX512-BF16 and more than 20 by AVX2. Hair that is drawn afresh from the same noise leaves 16 dB (docs/studies/methods).
            assert!(value >= 19.0, "`{prompt}`, `{line}`: bf16 and f32 are {value:.1} dB apart");
            values.push(value);
            let seen = [full, half].map(|turned| answer(&judge.look(&turned.left.picture).expect("a look"), asked, 1));
            assert_eq!(seen[0], seen[1], "`{prompt}`, `{line}`: the judge sees another picture in bf16");
        }
    }
    values
}

#[test]
fn edits_in_bf16_are_those_in_f32_to_35_db_in_nine_of_ten_cases_and_the_judge_sees_the_same_in_all() {
    let (first, second) = PROMPTS.split_at(PROMPTS.len() / 2);
    let mut values = std::thread::scope(|scope| {
        let other = scope.spawn(|| likeness(second));
        let mut values = likeness(first);
        values.extend(other.join().expect("the other half"));
        values
    });
    values.sort_by(f64::total_cmp);
    let tenth = values[values.len() / 10];
    eprintln!(
        "bf16 against f32: {:.1} dB at least, {tenth:.1} in nine of ten, median {:.1}",
        values[0],
        values[values.len() / 2]
    );
    assert!(tenth >= 35.0, "more than a tenth is further apart than 35 dB: {values:.1?}");
}
