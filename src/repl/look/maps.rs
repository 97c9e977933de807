//! Where words attend, and where an edit may change the picture: from what runs left, without running anything.

use anyhow::Result;

use super::super::reply::Reply;
use super::super::report::counted;
use super::super::talk::Talk;
use super::{brief, for_file, shown_as};
use crate::preview::Grid;
use crate::preview::heat;
use crate::preview::outline;
use crate::session::compose::{find_words, word_name};
use crate::session::file::Hinted;
use crate::session::to_image;
use crate::turn::nearest;

/// The most words on one sheet.
const MOST_WORDS: usize = 24;

/// `/maps [WORD]`.
pub(in crate::repl) fn maps(talk: &mut Talk, word: Option<&str>) -> Result<Reply> {
    let here = talk.session.resolve(None)?;
    let words = talk.session.generation(here)?.prompt.words;
    let wanted: Vec<(String, Vec<usize>)> = match word {
        Some(word) => {
            let found = find_words(&words, word);
            if found.is_empty() {
                let near = nearest(&word.to_lowercase(), words.iter().map(String::as_str));
                let hint =
                    near.map_or_else(|| "/maps alone shows every word".to_owned(), |n| format!("did you mean `{n}`?"));
                return Err(Hinted::new(format!("`{word}` is not in the prompt"), hint).into());
            }
            vec![(word.to_owned(), found)]
        }
        None => {
            let is_word = |w: &String| w.chars().any(char::is_alphanumeric) && !w.starts_with(['\'', '\u{2019}']);
            let all = (0..words.len()).filter(|i| is_word(&words[*i])).take(MOST_WORDS);
            all.map(|i| (word_name(&words, i), vec![i])).collect()
        }
    };
    let mut found = Vec::new();
    let mut lines = vec![format!("#{here}  where its words attend, summed over all steps")];
    for (name, words) in wanted {
        match talk.session.attention(here, &words)? {
            Some((map, grid)) => {
                lines.push(format!("  {name:<16} {}", place(&map, grid)));
                found.push((name, map, grid));
            }
            None => lines.push(format!("  {name:<16} was left out: the prompt is longer than the model reads")),
        }
    }
    let picture = to_image(&talk.session.picture(here)?);
    let grids: Vec<(&str, Grid)> = found
        .iter()
        .map(|(name, values, (height, width))| (name.as_str(), Grid { width: *width, height: *height, values }))
        .collect();
    let image = match (word, grids.as_slice()) {
        (Some(_), [(_, grid)]) => heat::overlay(&picture, *grid, 0.0),
        _ => heat::sheet_of_words(&picture, &grids, false),
    };
    let of = word.map(|w| format!("-{}", for_file(w))).unwrap_or_default();
    shown_as(talk, &format!("maps-{here:04}{of}.png"), image, lines.join("\n"))
}

/// A map in words: where its middle lies, and how much of the picture has more than half of its largest value.
fn place(map: &[f32], (height, width): (usize, usize)) -> String {
    let largest = map.iter().copied().fold(0.0f32, f32::max);
    let sum: f32 = map.iter().sum();
    if largest <= 0.0 || sum <= 0.0 {
        return "nowhere".to_owned();
    }
    let half: Vec<usize> = (0..map.len()).filter(|i| map[*i] > 0.5 * largest).collect();
    let mean = |axis: &dyn Fn(usize) -> usize, length: usize| {
        half.iter().map(|i| axis(*i) as f64 + 0.5).sum::<f64>() / half.len() as f64 / length as f64
    };
    let (across, down) = (mean(&|i| i % width, width), mean(&|i| i / width, height));
    let third = |x: f64, names: [&'static str; 3]| names[((x * 3.0) as usize).min(2)];
    let (row, column) = (third(down, ["top", "middle", "bottom"]), third(across, ["left", "middle", "right"]));
    let place = if row == column {
        "middle".to_owned()
    } else if column == "middle" {
        row.to_owned()
    } else {
        format!("{row} {column}")
    };
    format!("{place}, {} % of the picture", brief(100.0 * half.len() as f64 / map.len() as f64, 0))
}

/// `/mask [k]`.
pub(in crate::repl) fn mask(talk: &mut Talk, k: Option<f64>) -> Result<Reply> {
    let here = talk.session.resolve(None)?;
    let shaded = talk.session.region_of(here, k)?;
    let picture = to_image(&talk.session.picture(here)?);
    let (height, width) = shaded.grid;
    let image = outline::draw(&picture, &shaded.mask, width, height);
    let share = 100.0 * shaded.mask.iter().filter(|inside| **inside).count() as f64 / shaded.mask.len().max(1) as f64;
    let of = |words: &[String]| if words.is_empty() { "nothing".to_owned() } else { format!("`{}`", words.join(" ")) };
    if let Some(given) = &shaded.given {
        let as_in = if shaded.made_by == here { String::new() } else { format!(", as at #{}", shaded.made_by) };
        let text = format!("#{here}  {} % of the picture may change: {given}{as_in}", brief(share, 1));
        return shown_as(talk, &format!("mask-{here:04}.png"), image, text);
    }
    let mut text = format!(
        "#{here}  k {}: {} % of the picture may change · {}",
        brief(shaded.k, 3),
        brief(share, 1),
        counted(shaded.evaluations, "evaluation")
    );
    text.push_str(&format!("\n  where {} was and {} is", of(&shaded.words.0), of(&shaded.words.1)));
    if shaded.made_by != here {
        text.push_str(&format!(", as in #{}", shaded.made_by));
    }
    if shaded.drawn_with == 0.0 {
        text.push_str("\n  it was drawn without blending, so all of it could change");
    } else if shaded.drawn_with != shaded.k {
        text.push_str(&format!(
            "\n  it was drawn with k {}; `/set k {}` takes this one for the next turns",
            brief(shaded.drawn_with, 3),
            brief(shaded.k, 3)
        ));
    }
    let of = k.map(|k| format!("-k{}", brief(k, 3))).unwrap_or_default();
    shown_as(talk, &format!("mask-{here:04}{of}.png"), image, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_told_by_its_place_and_size() {
        let mut map = vec![0.0; 81];
        map[8] = 1.0;
        assert_eq!(place(&map, (9, 9)), "top right, 1 % of the picture");
        map = vec![0.0; 81];
        map[40] = 2.0;
        assert_eq!(place(&map, (9, 9)), "middle, 1 % of the picture");
        assert_eq!(place(&[0.0; 4], (2, 2)), "nowhere");
        assert_eq!(place(&[1.0; 4], (2, 2)), "middle, 100 % of the picture");
    }
}
