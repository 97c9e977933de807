//! How far the background moves in a long conversation, against drawing every prompt afresh from the same seed.

mod common;

use common::{say, session};
use wordbrush::session::Session;
use wordbrush::study::drift::{drift, table};

const TURNS: [&str; 20] = [
    "blond -> red",
    "red -> black",
    "black -> brown",
    "brown -> pink",
    "+ with glasses",
    "pink -> blond",
    "hair*2",
    "glasses -> sunglasses",
    "hair*1",
    "blond -> gray",
    "- with sunglasses",
    "gray -> red",
    "red -> blond",
    "+ with glasses",
    "blond -> black",
    "black -> brown",
    "hair*1.5",
    "brown -> red",
    "glasses -> sunglasses",
    "red -> black",
];

#[test]
fn after_twenty_turns_what_no_edit_was_about_is_nearer_to_the_first_picture_than_when_drawn_afresh() {
    let mut session = session(&[("steps", "8"), ("seed", "11")]);
    say(&mut session, "a woman's face with long blond hair");
    let share = |session: &mut Session, node: u32| {
        let outside = session.outside_all(node).expect("all pictures are there").expect("it is no root");
        outside.iter().filter(|o| **o).count() as f64 / outside.len() as f64
    };
    let turns = TURNS.iter().map(|line| {
        let node = say(&mut session, line).node;
        (node, share(&mut session, node))
    });
    let turns: Vec<(u32, f64)> = turns.collect();
    let last = turns.last().expect("there are turns").0;
    let drifts = drift(&mut session, last).expect("all pictures are there");
    let together: Vec<(u32, f64)> = drifts.iter().map(|d| (d.node, d.outside)).collect();
    assert_eq!(turns, together, "regions taken together turn by turn are not those of all turns");
    session.forget();
    assert_eq!(share(&mut session, last), drifts[19].outside, "found anew, the regions are others");
    let shown = table(&drifts).plain();
    assert_eq!((drifts.len(), shown.lines().count()), (20, 21));
    assert!(drifts.windows(2).all(|pair| pair[1].outside <= pair[0].outside), "an edit took a place back:\n{shown}");
    let kept: Vec<(f64, f64)> = drifts.iter().filter_map(|d| d.from_root.zip(d.afresh)).collect();
    assert!(kept.len() >= 10, "nothing is left outside the edits:\n{shown}");
    let mean = |of: fn(&(f64, f64)) -> f64| kept.iter().map(of).sum::<f64>() / kept.len() as f64;
    let (conversation, afresh) = (mean(|k| k.0.min(60.0)), mean(|k| k.1.min(60.0)));
    assert!(conversation > afresh + 3.0, "{conversation:.1} dB in conversation, {afresh:.1} dB afresh:\n{shown}");
}
