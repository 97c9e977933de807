//! Does half the precision draw the same pictures?

#![allow(clippy::print_stderr, reason = "a test may say what it measured")]

mod common;

use common::probes::{Probes, latent_inputs};
use common::{last_latent, say, session};
use wordbrush::measure::psnr;
use wordbrush::session::{TurnResult, to_image};

/// What a probe is asked about a picture.
#[derive(Clone, Copy)]
enum Asked {
    Hair,
    Eyes,
    Middle,
    Object,
}

fn answer(probes: &Probes, asked: Asked, turned: &TurnResult) -> String {
    match asked {
        Asked::Hair => probes.name("hair", &probes.palette_inputs(&turned.left.picture)),
        Asked::Eyes => probes.name("glasses", &Probes::eyes_inputs(&turned.left.picture)),
        Asked::Middle => probes.name("middle", &latent_inputs(&last_latent(turned))),
        Asked::Object => probes.name("object", &latent_inputs(&last_latent(turned))),
    }
}

const PROMPTS: [(&str, &str, Asked); 20] = [
    ("a woman's face with long wavy blond hair", "blond -> red", Asked::Hair),
    ("a man's face with short curly black hair", "black -> brown", Asked::Hair),
    ("a woman's face with straight brown hair and glasses", "brown -> pink", Asked::Hair),
    ("a man's face with a beard", "with glasses", Asked::Eyes),
    ("a woman's face with long hair", "with sunglasses", Asked::Eyes),
    ("a smiling woman's face with short red hair", "red -> blue", Asked::Hair),
    ("a man's face with grey hair", "grey -> blond", Asked::Hair),
    ("a river between mountains", "river -> street", Asked::Middle),
    ("a street between mountains", "street -> forest", Asked::Middle),
    ("a lake between mountains at night", "lake -> desert", Asked::Middle),
    ("a snowy forest between mountains", "forest -> river", Asked::Middle),
    ("a desert between mountains by day", "desert -> lake", Asked::Middle),
    ("a cat on a beach", "cat -> dog", Asked::Object),
    ("a dog on a beach", "dog -> fox", Asked::Object),
    ("a fox in a forest", "fox -> panda", Asked::Object),
    ("a panda in snow", "panda -> rabbit", Asked::Object),
    ("a rabbit on a beach at night", "rabbit -> cat", Asked::Object),
    ("a cat in a forest", "cat -> rabbit", Asked::Object),
    ("a river between snowy mountains at sunset", "river -> lake", Asked::Middle),
    ("a street between snowy mountains", "street -> river", Asked::Middle),
];

#[test]
fn edits_in_bf16_are_those_in_f32_to_35_db_and_probes_see_the_same() {
    let probes = Probes::load();
    let mut values = Vec::new();
    for (prompt, line, asked) in PROMPTS {
        let drawn = ["f32", "bf16"].map(|precision| {
            let mut session = session(&[("precision", precision), ("seed", "11"), ("steps", "15")]);
            [say(&mut session, prompt), say(&mut session, line)]
        });
        let [full, half] = &drawn;
        for (full, half) in full.iter().zip(half) {
            let value = psnr(&to_image(&full.left.picture), &to_image(&half.left.picture)).unwrap_or(f64::INFINITY);
            assert!(value >= 35.0, "`{prompt}`, `{line}`: bf16 and f32 are {value:.1} dB apart");
            values.push(value);
            let seen = [full, half].map(|turned| answer(&probes, asked, turned));
            assert_eq!(seen[0], seen[1], "`{prompt}`, `{line}`: probes see another picture in bf16");
        }
    }
    values.sort_by(f64::total_cmp);
    eprintln!("bf16 against f32: {:.1} dB at least, median {:.1}", values[0], values[values.len() / 2]);
}
