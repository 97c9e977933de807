//! The colours of the embedded model's picture while it forms: one linear map from a latent to red, green and blue.
//!
//! `WORDBRUSH_WRITE_DOCS=1 cargo test --release --test colours` fits `assets/latent_rgb.json` anew: least squares, from the
//! finished latents of a few pictures to the mean colours of the 8 x 8 pixels that each of their places becomes.

mod common;

use common::{last_latent, say, session};
use serde_json::json;
use wordbrush::engine::Picture;

const PROMPTS: [&str; 12] = [
    "a woman's face with long wavy blond hair",
    "a man's face with short black hair, red background",
    "a sad woman with a green hijab",
    "a laughing man with a long beard, white background",
    "a river between mountains",
    "a street between buildings at night",
    "a snowy road between hills",
    "a desert between dunes at sunset",
    "a red car in a city",
    "a penguin in the snow",
    "a rocket in space",
    "a banana on a table",
];

/// Channels of a latent, and the constant.
const INPUTS: usize = 9;

/// Places of a latent with the colour each becomes, from 0 to 1, for pictures of one seed.
fn places(seed: &str) -> Vec<([f64; INPUTS], [f64; 3])> {
    let mut all = Vec::new();
    for prompt in PROMPTS {
        let turned = say(&mut session(&[("seed", seed)]), prompt);
        let latent = last_latent(&turned);
        let picture = &turned.left.picture;
        all.extend((0..256).map(|place| {
            let mut inputs = [1.0; INPUTS];
            (0..8).for_each(|channel| inputs[channel] = f64::from(latent[place * 8 + channel]));
            (inputs, mean_colour(picture, (place / 16, place % 16)))
        }));
    }
    all
}

fn mean_colour(picture: &Picture, (row, column): (usize, usize)) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for pixel in 0..64 {
        let at = (row * 8 + pixel / 8) * picture.width + column * 8 + pixel % 8;
        (0..3).for_each(|c| sums[c] += f64::from(picture.bytes[at * 3 + c]));
    }
    sums.map(|sum| sum / 64.0 / 255.0)
}

/// The map of least squares, a row an input, by elimination.
fn fitted(places: &[([f64; INPUTS], [f64; 3])]) -> [[f64; 3]; INPUTS] {
    let mut rows = [[0.0; INPUTS + 3]; INPUTS];
    for (inputs, colour) in places {
        for i in 0..INPUTS {
            (0..INPUTS).for_each(|j| rows[i][j] += inputs[i] * inputs[j]);
            (0..3).for_each(|c| rows[i][INPUTS + c] += inputs[i] * colour[c]);
        }
    }
    for pivot in 0..INPUTS {
        let largest = (pivot..INPUTS).max_by(|a, b| rows[*a][pivot].abs().total_cmp(&rows[*b][pivot].abs()));
        rows.swap(pivot, largest.expect("there are rows"));
        let row = rows[pivot].map(|x| x / rows[pivot][pivot]);
        rows[pivot] = row;
        for (_, other) in rows.iter_mut().enumerate().filter(|(i, _)| *i != pivot) {
            let factor = other[pivot];
            (0..INPUTS + 3).for_each(|j| other[j] -= factor * row[j]);
        }
    }
    rows.map(|row| [row[INPUTS], row[INPUTS + 1], row[INPUTS + 2]])
}

/// The share of the colours' variance that a map explains, for red, green and blue.
fn explained(map: &[[f64; 3]; INPUTS], places: &[([f64; INPUTS], [f64; 3])]) -> [f64; 3] {
    [0, 1, 2].map(|c| {
        let mean = places.iter().map(|(_, colour)| colour[c]).sum::<f64>() / places.len() as f64;
        let told = |inputs: &[f64; INPUTS]| (0..INPUTS).map(|i| inputs[i] * map[i][c]).sum::<f64>();
        let left: f64 = places.iter().map(|(inputs, colour)| (told(inputs) - colour[c]).powi(2)).sum();
        1.0 - left / places.iter().map(|(_, colour)| (colour[c] - mean).powi(2)).sum::<f64>()
    })
}

#[test]
fn the_forming_picture_has_the_colours_of_the_finished_one() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/latent_rgb.json");
    if std::env::var_os("WORDBRUSH_WRITE_DOCS").is_some() {
        let map = fitted(&[places("1"), places("2"), places("3")].concat());
        let rounded = map.map(|row| row.map(|x| (x * 1e5).round() / 1e5));
        let text = json!({"weights": rounded[..8], "bias": rounded[8]}).to_string();
        std::fs::write(&path, text + "\n").expect("assets can be written");
    }
    let text = std::fs::read_to_string(&path).expect("the map");
    let map: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let number = |value: &serde_json::Value| value.as_f64().expect("a number");
    let row = |row: &serde_json::Value| [number(&row[0]), number(&row[1]), number(&row[2])];
    let map: [[f64; 3]; INPUTS] =
        std::array::from_fn(|i| if i < 8 { row(&map["weights"][i]) } else { row(&map["bias"]) });
    let explained = explained(&map, &places("4"));
    assert!(explained.iter().all(|share| *share >= 0.93), "the map explains {explained:.3?} of red, green and blue");
}
