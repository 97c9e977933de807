//! What the numbers of a question say, and what they do not settle.

use std::collections::BTreeMap;

use super::interval::{Interval, means_by};
use super::question::{Axis, StudyQuestion};
use super::table::Table;

/// One picture of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Which subject.
    pub kind: String,
    /// The edit, as it was typed.
    pub edit: String,
    /// Which panel of the question.
    pub panel: usize,
    /// Which value of the axis.
    pub value: usize,
    /// The seed.
    pub seed: u64,
    /// Its numbers by measure; `None` where there is none.
    pub numbers: [Option<f64>; MEASURES.len()],
}

/// What is measured of a picture, and what more of it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// Its column in tables.
    pub name: &'static str,
    /// What it is, in a few words.
    pub meaning: &'static str,
    /// Its unit.
    pub unit: &'static str,
}

/// Every measure, in the order of the tables.
pub const MEASURES: [Measure; 5] = [
    Measure {
        name: "shown",
        meaning: "how much better the new words explain the picture than the old ones",
        unit: "%",
    },
    Measure { name: "change_inside", meaning: "change inside the region of the edited words", unit: "of 255" },
    Measure { name: "change_outside", meaning: "change outside of it", unit: "of 255" },
    Measure { name: "ssim", meaning: "likeness to the picture before the edit", unit: "SSIM" },
    Measure { name: "change_home", meaning: "distance from the first picture of the tree", unit: "of 255" },
];

const SHOWN: usize = 0;
const OUTSIDE: usize = 2;

impl Measure {
    /// The measures that a question is answered with.
    #[must_use]
    pub fn of(question: &StudyQuestion) -> &'static [usize] {
        match question.axis {
            Axis::Setting(..) => &[SHOWN, 1, OUTSIDE, 3],
            Axis::Weight(_) => &[1, OUTSIDE, 3],
            Axis::WayBack(..) => &[4],
        }
    }
}

/// The mean of a measure for each seed where `wanted` holds: edits of one seed look alike, seeds do not.
fn by_seed(all: &[Observation], measure: usize, wanted: impl Fn(&Observation) -> bool) -> BTreeMap<u64, f64> {
    means_by(all.iter().filter(|o| wanted(o)).filter_map(|o| Some((o.seed, o.numbers[measure]?))))
}

/// A measure in a panel at a value of the axis, over seeds.
#[must_use]
pub fn at(all: &[Observation], measure: usize, panel: usize, value: usize) -> Option<Interval> {
    let seeds = by_seed(all, measure, |o| o.panel == panel && o.value == value);
    Interval::of(&seeds.into_values().collect::<Vec<_>>())
}

/// The difference of a measure between two sets of pictures, seed by seed.
fn difference(
    all: &[Observation],
    measure: usize,
    a: impl Fn(&Observation) -> bool,
    b: impl Fn(&Observation) -> bool,
) -> Option<Interval> {
    let (a, b) = (by_seed(all, measure, a), by_seed(all, measure, b));
    let both: Vec<f64> = a.iter().filter_map(|(seed, a)| Some(b.get(seed)? - a)).collect();
    Interval::of(&both)
}

/// A number with as many places as it needs.
#[must_use]
pub fn number(x: f64) -> String {
    match x.abs() {
        _ if !x.is_finite() => "?".to_owned(),
        n if n >= 100.0 => format!("{x:.0}"),
        n if n >= 10.0 => format!("{x:.1}"),
        n if n >= 1.0 || n == 0.0 => format!("{x:.2}"),
        _ => format!("{x:.3}"),
    }
}

/// `12.3 (11.0 to 13.6)`.
#[must_use]
pub fn shown(interval: &Interval) -> String {
    let Interval { mean, low, high, .. } = *interval;
    if low == high { number(mean) } else { format!("{} ({} to {})", number(mean), number(low), number(high)) }
}

/// The sentences that follow from the numbers.
#[must_use]
pub fn findings(question: &StudyQuestion, all: &[Observation]) -> Vec<String> {
    let mut said = Vec::new();
    let values = question.axis.values();
    for &measure in Measure::of(question) {
        for (panel, at_panel) in question.panels.iter().enumerate() {
            said.extend(along(question, all, measure, (panel, at_panel.name)));
        }
        for (other, named) in question.panels.iter().enumerate().skip(1).filter(|_| question.panels.len() <= 3) {
            let pair = difference(all, measure, |o| o.panel == 0, |o| o.panel == other);
            let under = [question.panels[0].name, named.name];
            said.extend(pair.map(|pair| compared(&pair, measure, under)));
        }
    }
    if let Axis::WayBack(..) = question.axis {
        for (panel, named) in question.panels.iter().enumerate() {
            for (value, text) in values.iter().enumerate() {
                let here = all.iter().filter(|o| o.panel == panel && o.value == value);
                let (all, equal) =
                    here.fold((0, 0), |(all, equal), o| (all + 1, equal + usize::from(o.numbers[4] == Some(0.0))));
                said.push(format!(
                    "{}, back with {text}: {equal} of {all} came home with every pixel equal",
                    named.name
                ));
            }
        }
    }
    if question.name == "best" {
        said.extend(front(question, all));
    }
    said
}

/// What happens to a measure from the first to the last value of the axis.
fn along(
    question: &StudyQuestion,
    all: &[Observation],
    measure: usize,
    (panel, name): (usize, &str),
) -> Option<String> {
    let values = question.axis.values();
    let (first, last) = (0, values.len() - 1);
    let end = |value: usize| move |o: &Observation| o.panel == panel && o.value == value;
    let change = difference(all, measure, end(first), end(last))?;
    let (axis, what) = (question.axis.name(), MEASURES[measure].meaning);
    let head = format!("{name}: from {axis} {} to {}, {what}", values[first], values[last]);
    Some(if change.is_settled() {
        let way = if change.mean > 0.0 { "rises" } else { "falls" };
        format!("{head} {way} by {} {}", shown(&magnitude(&change)), MEASURES[measure].unit)
    } else {
        format!("{head}: not settled, {} {}", shown(&change), MEASURES[measure].unit)
    })
}

fn compared(pair: &Interval, measure: usize, [first, other]: [&str; 2]) -> String {
    let Measure { meaning, unit, .. } = MEASURES[measure];
    if pair.is_settled() {
        let way = if pair.mean > 0.0 { "higher" } else { "lower" };
        format!(
            "{meaning} is {way} under \"{other}\" than under \"{first}\", by {} {unit} over all values",
            shown(&magnitude(pair))
        )
    } else {
        format!("{meaning} under \"{other}\" against \"{first}\": not settled, {} {unit} over all values", shown(pair))
    }
}

/// The same difference, counted upwards.
fn magnitude(change: &Interval) -> Interval {
    if change.mean < 0.0 {
        return Interval { mean: -change.mean, low: -change.high, high: -change.low, ..*change };
    }
    *change
}

/// Settings that nothing beats in both: what is shown, and what is kept.
fn front(question: &StudyQuestion, all: &[Observation]) -> Vec<String> {
    let mut kinds: Vec<&str> = all.iter().map(|o| o.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut said = Vec::new();
    for kind in kinds {
        let of: Vec<Observation> = all.iter().filter(|o| o.kind == kind).cloned().collect();
        let points: Vec<(String, f64, f64)> = (0..question.panels.len())
            .flat_map(|panel| (0..question.axis.values().len()).map(move |value| (panel, value)))
            .filter_map(|(panel, value)| {
                let shown = at(&of, SHOWN, panel, value)?.mean;
                let outside = at(&of, OUTSIDE, panel, value)?.mean;
                let name = format!("{}, cross {}", question.panels[panel].name, question.axis.values()[value]);
                Some((name, shown, outside))
            })
            .collect();
        let beaten = |(_, shown, outside): &&(String, f64, f64)| {
            !points.iter().any(|(_, s, o)| s >= shown && o <= outside && (s > shown || o < outside))
        };
        let mut best: Vec<_> = points.iter().filter(beaten).collect();
        best.sort_by(|a, b| a.2.total_cmp(&b.2));
        let best: Vec<String> = best
            .iter()
            .map(|(name, shown, outside)| {
                format!("{name} ({} % shown, {} of 255 outside)", number(*shown), number(*outside))
            })
            .collect();
        said.push(format!("{kind}: nothing shows more and keeps more than {}", best.join("; ")));
    }
    said
}

/// A row for each panel and value, over seeds.
#[must_use]
pub fn summary(question: &StudyQuestion, all: &[Observation]) -> Table {
    let measures = Measure::of(question);
    let names = measures.iter().map(|m| format!("{} ({})", MEASURES[*m].name, MEASURES[*m].unit));
    let head =
        ["settings".to_owned(), question.axis.name().to_owned()].into_iter().chain(names).chain(["seeds".to_owned()]);
    let mut table = Table::new(head);
    for (panel, named) in question.panels.iter().enumerate() {
        for (value, text) in question.axis.values().iter().enumerate() {
            let cells: Vec<Option<Interval>> = measures.iter().map(|m| at(all, *m, panel, value)).collect();
            let seeds = cells.iter().flatten().map(|i| i.count).max().unwrap_or(0);
            let cells = cells.iter().map(|cell| cell.as_ref().map_or_else(|| "-".to_owned(), shown));
            let row = [named.name.to_owned(), (*text).to_owned()].into_iter().chain(cells).chain([seeds.to_string()]);
            table.rows.push(row.collect());
        }
    }
    table
}

/// Everything, a row a picture, in the order of the question.
#[must_use]
pub fn rows(question: &StudyQuestion, all: &[Observation]) -> Table {
    let head = ["kind", "edit", "seed", "settings", question.axis.name()].into_iter().chain(MEASURES.map(|m| m.name));
    let mut table = Table::new(head);
    for o in all {
        let numbers = o.numbers.iter().map(|n| n.map_or_else(String::new, |n| format!("{n:.5}")));
        let head = [
            o.kind.clone(),
            o.edit.clone(),
            o.seed.to_string(),
            question.panels[o.panel].name.to_owned(),
            question.axis.values()[o.value].to_owned(),
        ];
        table.rows.push(head.into_iter().chain(numbers).collect());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twenty seeds; `number` says what is measured at a panel, a value and a seed.
    fn observed(question: &StudyQuestion, number: impl Fn(usize, usize, u64) -> f64) -> Vec<Observation> {
        let mut all = Vec::new();
        for seed in 1..=20 {
            for panel in 0..question.panels.len() {
                for value in 0..question.axis.values().len() {
                    let x = number(panel, value, seed);
                    let (kind, edit) = ("hair".to_owned(), "blond -> red".to_owned());
                    all.push(Observation { kind, edit, panel, value, seed, numbers: [Some(x); MEASURES.len()] });
                }
            }
        }
        all
    }

    #[test]
    fn what_rises_for_every_seed_is_said_to_rise_and_what_wavers_is_not_settled() {
        let question = StudyQuestion::find("k").unwrap();
        let rising = findings(question, &observed(question, |_, value, seed| value as f64 + seed as f64));
        assert!(rising[0].contains("rises by 6.00"), "{}", rising[0]);
        let wavering = findings(
            question,
            &observed(question, |_, value, seed| (value as f64) * if seed % 2 == 0 { 1.0 } else { -1.0 }),
        );
        assert!(wavering[0].contains("not settled"), "{}", wavering[0]);
        let panels = findings(question, &observed(question, |panel, _, _| 5.0 - 2.0 * panel as f64));
        assert!(panels.iter().any(|said| said.contains("lower under") && said.contains("by 2.00 %")), "{panels:?}");
    }

    #[test]
    fn a_way_back_counts_the_pictures_that_came_home_equal() {
        let question = StudyQuestion::find("cycle").unwrap();
        let said = findings(question, &observed(question, |_, value, _| if value == 0 { 0.0 } else { 3.0 }));
        assert!(said.iter().any(|s| s.contains("back with 0.2: 20 of 20")), "{said:?}");
        assert!(said.iter().any(|s| s.contains("back with 0.4: 0 of 20")), "{said:?}");
    }

    #[test]
    fn the_front_leaves_out_what_another_beats_in_both() {
        let question = StudyQuestion::find("best").unwrap();
        let mut all = observed(question, |_, _, _| 1.0);
        for o in &mut all {
            // The first settings show most and change least; one more shows even more and changes more.
            o.numbers[OUTSIDE] = Some(if (o.panel, o.value) == (0, 0) { 1.0 } else { 4.0 });
            o.numbers[SHOWN] = Some(match (o.panel, o.value) {
                (0, 0) => 5.0,
                (1, 1) => 9.0,
                _ => 3.0,
            });
        }
        let said = findings(question, &all).pop().unwrap();
        assert!(said.contains("k 0, self .2, cross 0.2") && said.contains("k 0, self .4, cross 0.4"), "{said}");
        assert_eq!(said.matches("% shown").count(), 2, "{said}");
    }

    #[test]
    fn a_table_of_all_pictures_has_a_row_for_each() {
        let question = StudyQuestion::find("self").unwrap();
        let all = observed(question, |_, _, _| 0.5);
        assert_eq!(rows(question, &all).rows.len(), all.len());
        assert_eq!(summary(question, &all).rows.len(), question.panels.len() * question.axis.values().len());
        assert_eq!(summary(question, &all).rows[0][2], "0.500");
    }
}
