//! A line after each of the first few pictures, for someone who has never seen this; then no more.

use crate::session::file::summary;
use crate::session::home::Home;
use crate::store::disk::RealDisk;
use crate::turn::{Sense, kinds, words};

/// How many pictures are drawn before tips stop.
const TIPS: usize = 3;

/// Pictures drawn so far in any session, counted only as far as tips go.
#[must_use]
pub fn turns_so_far(home: &Home) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(home.sessions()).into_iter().flatten().flatten() {
        if count >= TIPS {
            break;
        }
        let path = entry.path();
        if path.extension().is_some_and(|e| e == "jsonl") {
            count += summary(&path, &RealDisk).map_or(0, |s| s.nodes);
        }
    }
    count
}

/// What to try after the picture drawn when there were `turns` before it; `None` when tips are over.
#[must_use]
pub fn after(turns: usize, prompt: &str, sense: &dyn Sense) -> Option<String> {
    match turns {
        0 => {
            let swap = swap(prompt, sense).unwrap_or_else(|| "+ at night".to_owned());
            Some(format!("now change it: {swap} · or in plain words: without …, make it …, add …"))
        }
        1 => Some("undo goes back, redo forth, /tree shows every picture, #1 goes to one".to_owned()),
        2 => Some(
            "/explain EDIT says what an edit would do; everything is saved by itself; /help lists the rest".to_owned(),
        ),
        _ => None,
    }
}

/// A swap that would do something here: a colour of the prompt for another that the model knows.
fn swap(prompt: &str, sense: &dyn Sense) -> Option<String> {
    let kinds = kinds();
    let colours = kinds.get("colour")?;
    let low = prompt.to_lowercase();
    let from = words::split(&low).into_iter().map(|w| w.text).find(|w| colours.contains(w))?;
    let to = ["red", "black", "blue", "green"].into_iter().find(|c| *c != from && sense.knows(c))?;
    Some(format!("{from} -> {to}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::NoSense;

    #[test]
    fn the_first_tip_swaps_a_colour_that_is_there_for_another() {
        assert!(after(0, "a woman with blond hair", &NoSense).unwrap().contains("blond -> red "));
        assert!(after(0, "a red car", &NoSense).unwrap().contains("red -> black "));
        assert!(after(0, "a car", &NoSense).unwrap().contains("+ at night"));
    }

    #[test]
    fn tips_end_after_three_pictures() {
        let told: Vec<bool> = (0..5).map(|turns| after(turns, "a cat", &NoSense).is_some()).collect();
        assert_eq!(told, [true, true, true, false, false]);
    }
}
