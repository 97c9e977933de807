//! The numbers of a study of photographs as tables, and what they say.

use super::super::measured::{MOST_DECIBELS, difference, mean};
use super::super::table::Table;
use crate::plan::inversion::InversionName;

/// One picture under one inversion, edited, with one kind of pixels around the region.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotographRow {
    /// The file's name in its list.
    pub picture: String,
    /// The inversion.
    pub inversion: String,
    /// Whose pixels stand outside the region: `photograph` or `model`.
    pub outside: String,
    /// Which region the background lies outside of: the `true` one, or that of the `edit`'s words.
    pub region: String,
    /// [`NUMBERS`]; what has no meaning is `None`, PSNR of equal pictures infinite.
    pub numbers: [Option<f64>; NUMBERS.len()],
}

/// What is measured: the autoencoder's ceiling and the first picture (PSNR to the photograph); PSNR and SSIM of the background,
/// likeness of contours, by how much the new words explain the picture better (%), the CLIP score; PSNR outside the edit's own
/// region, change inside it (of 255), its share of the picture, what it shares with the true one; and cost.
pub const NUMBERS: [&str; 14] = [
    "ceiling",
    "first",
    "psnr",
    "ssim",
    "structure",
    "shown",
    "clip",
    "psnr_outside_own",
    "changed",
    "share",
    "iou",
    "seconds",
    "mb",
    "evaluations",
];

const CEILING: usize = 0;
const FIRST: usize = 1;
const PSNR: usize = 2;
const SSIM: usize = 3;
const STRUCTURE: usize = 4;
const SHOWN: usize = 5;
const CLIP: usize = 6;
const OWN: usize = 7;
const IOU: usize = 10;
const SECONDS: usize = 11;
const MB: usize = 12;
const EVALUATIONS: usize = 13;

/// A turn of a picture that is edited several times and back.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainRow {
    /// The file's name in its list.
    pub picture: String,
    /// Which turn, from 1.
    pub turn: usize,
    /// What was typed.
    pub line: String,
    /// PSNR to the photograph outside the regions of all edits so far, with its own pixels there; infinite if equal.
    pub pasted: Option<f64>,
    /// The same with the model's pixels.
    pub model: Option<f64>,
    /// The same where each turn decodes its picture and the next inverts it anew.
    pub again: Option<f64>,
    /// On the way back: whether the picture is the one that stood here on the way there, byte for byte.
    pub is_exact: Option<bool>,
    /// In the last turn: mean change of the picture inverted anew from the photograph, of 255.
    pub again_changed: Option<f64>,
}

const CHAINS: [&str; 9] = ["study", "picture", "turn", "line", "pasted", "model", "again", "is_exact", "again_changed"];

fn text(number: Option<f64>) -> String {
    match number {
        None => String::new(),
        Some(x) if x == f64::INFINITY => "equal".to_owned(),
        Some(x) => format!("{x:.4}"),
    }
}

fn number(text: &str) -> Option<Option<f64>> {
    match text {
        "" => Some(None),
        "equal" => Some(Some(f64::INFINITY)),
        text => text.parse().ok().map(Some),
    }
}

fn head() -> Vec<&'static str> {
    ["study", "picture", "inversion", "outside", "region"].into_iter().chain(NUMBERS).collect()
}

/// Single edits as comma-separated values.
#[must_use]
pub fn csv(rows: &[PhotographRow], study: &str) -> String {
    let mut table = Table::new(head());
    table.rows.extend(rows.iter().map(|row| {
        let named = [study, &row.picture, &row.inversion, &row.outside, &row.region].map(str::to_owned);
        named.into_iter().chain(row.numbers.iter().map(|x| text(*x))).collect()
    }));
    table.csv()
}

/// Single edits of a study that was begun; `None` if they are another's.
#[must_use]
pub fn read(csv: &str, study: &str) -> Option<Vec<PhotographRow>> {
    let table = Table::read(csv, &head())?;
    let row = |row: Vec<String>| {
        (row[0] == study).then_some(())?;
        let numbers: Option<Vec<_>> = row[5..].iter().map(|text| number(text)).collect();
        let [_, picture, inversion, outside, region, ..] = &row[..] else { return None };
        Some(PhotographRow {
            picture: picture.clone(),
            inversion: inversion.clone(),
            outside: outside.clone(),
            region: region.clone(),
            numbers: numbers?.try_into().ok()?,
        })
    };
    table.rows.into_iter().map(row).collect()
}

/// Turns of chains as comma-separated values.
#[must_use]
pub fn chains_csv(rows: &[ChainRow], study: &str) -> String {
    let mut table = Table::new(CHAINS);
    table.rows.extend(rows.iter().map(|row| {
        let is_exact = row.is_exact.map_or(String::new(), |is_exact| is_exact.to_string());
        let [pasted, model, again, changed] = [row.pasted, row.model, row.again, row.again_changed].map(text);
        let named = [study.to_owned(), row.picture.clone(), row.turn.to_string(), row.line.clone()];
        named.into_iter().chain([pasted, model, again, is_exact, changed]).collect()
    }));
    table.csv()
}

/// Turns of a study that was begun; `None` if they are another's.
#[must_use]
pub fn read_chains(csv: &str, study: &str) -> Option<Vec<ChainRow>> {
    let table = Table::read(csv, &CHAINS)?;
    let row = |row: Vec<String>| {
        (row[0] == study).then_some(())?;
        Some(ChainRow {
            picture: row[1].clone(),
            turn: row[2].parse().ok()?,
            line: row[3].clone(),
            pasted: number(&row[4])?,
            model: number(&row[5])?,
            again: number(&row[6])?,
            is_exact: if row[7].is_empty() { None } else { Some(row[7].parse().ok()?) },
            again_changed: number(&row[8])?,
        })
    };
    table.rows.into_iter().map(row).collect()
}

/// Inversions and whose pixels stand around, in the order of the rows.
fn ways(rows: &[PhotographRow]) -> Vec<(&str, &str)> {
    let mut all = Vec::new();
    for row in rows {
        let way = (row.inversion.as_str(), row.outside.as_str());
        if !all.contains(&way) {
            all.push(way);
        }
    }
    all
}

fn values(rows: &[PhotographRow], (inversion, outside): (&str, &str), column: usize) -> Vec<f64> {
    let of = rows.iter().filter(|row| row.inversion == inversion && row.outside == outside);
    of.filter_map(|row| row.numbers[column]).collect()
}

/// The means of each way, with their intervals over pictures.
#[must_use]
pub fn summary(rows: &[PhotographRow]) -> Table {
    let scored = rows.iter().any(|row| row.numbers[CLIP].is_some());
    let truth = rows.iter().any(|row| row.numbers[IOU].is_some());
    let mut head = vec![
        "inversion",
        "outside",
        "pictures",
        "ceiling, dB",
        "first, dB",
        "background, dB",
        "SSIM",
        "structure",
        "edit shown",
        "shown, %",
    ];
    head.extend(scored.then_some("CLIP"));
    head.push("equal outside");
    head.extend(truth.then_some("IoU"));
    head.extend(["s", "MB", "evaluations"]);
    let mut table = Table::new(head);
    for way in ways(rows) {
        let of = |column| values(rows, way, column);
        let capped = |column| of(column).into_iter().map(|x| x.min(MOST_DECIBELS)).collect::<Vec<f64>>();
        let shown = of(SHOWN);
        let own = of(OWN);
        let mut row = vec![way.0.to_owned(), way.1.to_owned(), shown.len().to_string()];
        row.extend([CEILING, FIRST, PSNR].map(|column| mean(&capped(column), 1)));
        row.extend([SSIM, STRUCTURE].map(|column| mean(&of(column), 3)));
        row.push(format!("{} of {}", shown.iter().filter(|x| **x > 0.0).count(), shown.len()));
        row.push(mean(&shown, 1));
        row.extend(scored.then(|| mean(&of(CLIP), 2)));
        row.push(format!("{} of {}", own.iter().filter(|x| x.is_infinite()).count(), own.len()));
        row.extend(truth.then(|| mean(&of(IOU), 2)));
        row.extend([(SECONDS, 2), (MB, 0), (EVALUATIONS, 0)].map(|(column, places)| mean(&of(column), places)));
        table.rows.push(row);
    }
    table
}

/// The means of each turn, with their intervals over pictures.
#[must_use]
pub fn chains_summary(rows: &[ChainRow]) -> Table {
    let last = rows.iter().map(|row| row.turn).max().unwrap_or(0);
    let mut table = Table::new([
        "turn",
        "pictures",
        "equal, pasted",
        "the model's, dB",
        "inverted anew, dB",
        "exact on the way back",
    ]);
    for turn in 1..=last {
        let of: Vec<&ChainRow> = rows.iter().filter(|row| row.turn == turn).collect();
        let capped = |number: fn(&ChainRow) -> Option<f64>| {
            of.iter().filter_map(|row| number(row)).map(|x| x.min(MOST_DECIBELS)).collect::<Vec<f64>>()
        };
        let pasted = of.iter().filter(|row| row.pasted.is_some());
        let equal = pasted.clone().filter(|row| row.pasted == Some(f64::INFINITY)).count();
        let back: Vec<bool> = of.iter().filter_map(|row| row.is_exact).collect();
        let exact = format!("{} of {}", back.iter().filter(|is_exact| **is_exact).count(), back.len());
        table.rows.push(vec![
            turn.to_string(),
            of.len().to_string(),
            format!("{equal} of {}", pasted.count()),
            mean(&capped(|row| row.model), 1),
            mean(&capped(|row| row.again), 1),
            if back.is_empty() { String::new() } else { exact },
        ]);
    }
    table
}

/// A sentence for each thing that the numbers say or leave open.
#[must_use]
pub fn findings(rows: &[PhotographRow], chains: &[ChainRow]) -> Vec<String> {
    let mut said = Vec::new();
    let pasted: Vec<f64> =
        rows.iter().filter(|row| row.outside == "photograph").filter_map(|row| row.numbers[OWN]).collect();
    let equal = pasted.iter().filter(|x| x.is_infinite()).count();
    said.push(format!(
        "With the photograph's pixels laid around the region, {equal} of {} pictures are the file there, byte for byte.",
        pasted.len()
    ));
    let mut names: Vec<&str> = ways(rows).into_iter().map(|(name, _)| name).collect();
    names.dedup();
    // The default is what others are set beside.
    let usual = InversionName::default();
    let Some(first) = names.iter().copied().find(|name| *name == usual.as_str()).or(names.first().copied()) else {
        return said;
    };
    for other in names.iter().filter(|name| **name != first) {
        for (column, what, unit) in [(PSNR, "background that the model decodes", "dB"), (SHOWN, "edit's margin", "%")] {
            let pairs: Vec<(f64, f64)> = rows
                .iter()
                .filter(|row| row.inversion == *other && row.outside == "model")
                .filter_map(|row| {
                    let same = |one: &&PhotographRow| {
                        one.picture == row.picture && one.inversion == first && one.outside == "model"
                    };
                    let theirs = rows.iter().find(same)?.numbers[column]?;
                    Some((row.numbers[column]?.min(MOST_DECIBELS), theirs.min(MOST_DECIBELS)))
                })
                .collect();
            said.push(format!("{other} against {first}, the {what}: {}.", difference(&pairs, unit)));
        }
    }
    let last = chains.iter().map(|row| row.turn).max().unwrap_or(0);
    let back: Vec<bool> = chains.iter().filter_map(|row| row.is_exact).collect();
    if !back.is_empty() {
        let exact = back.iter().filter(|is_exact| **is_exact).count();
        said.push(format!(
            "Of {} turns back by words, {exact} led to the very picture that stood there on the way.",
            back.len()
        ));
        let of_last = |of: fn(&ChainRow) -> Option<f64>| {
            chains.iter().filter(|row| row.turn == last).filter_map(of).collect::<Vec<f64>>()
        };
        let lost = of_last(|row| row.again_changed);
        said.push(format!(
            "Where each turn inverts the last picture anew, the picture at home differs from the photograph by {} of 255 on average.",
            mean(&lost, 2)
        ));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(picture: &str, inversion: &str, outside: &str, psnr: f64, own: f64) -> PhotographRow {
        let mut numbers = [None; NUMBERS.len()];
        (numbers[PSNR], numbers[OWN], numbers[SHOWN]) = (Some(psnr), Some(own), Some(2.5));
        PhotographRow {
            picture: picture.to_owned(),
            inversion: inversion.to_owned(),
            outside: outside.to_owned(),
            region: "true".to_owned(),
            numbers,
        }
    }

    fn turn(turn: usize, is_exact: Option<bool>) -> ChainRow {
        let pasted = Some(f64::INFINITY);
        let line = "+ with glasses, round".to_owned();
        ChainRow {
            picture: "a.png".into(),
            turn,
            line,
            pasted,
            model: Some(30.5),
            again: None,
            is_exact,
            again_changed: None,
        }
    }

    #[test]
    fn rows_come_back_from_their_files_unless_they_are_anothers() {
        let rows =
            [row("a, b.png", "direct", "model", 30.25, 31.0), row("c.png", "ddim", "photograph", 40.0, f64::INFINITY)];
        assert_eq!(read(&csv(&rows, "s"), "s").unwrap(), rows);
        assert!(read(&csv(&rows, "s"), "t").is_none());
        let chains = [turn(1, None), turn(2, Some(true))];
        assert_eq!(read_chains(&chains_csv(&chains, "s"), "s").unwrap(), chains);
        assert!(read_chains(&csv(&rows, "s"), "s").is_none());
        let whole = csv(&rows, "s");
        assert!(read(&whole[..whole.len() - 3], "s").is_none(), "cut off");
    }

    #[test]
    fn the_summary_counts_equal_pictures_and_the_findings_say_what_is_settled() {
        let mut rows = Vec::new();
        for (i, picture) in ["a", "b", "c"].iter().enumerate() {
            let i = i as f64;
            rows.push(row(picture, "edit-friendly", "photograph", 60.0, f64::INFINITY));
            rows.push(row(picture, "edit-friendly", "model", 30.0 + i, 30.0));
            rows.push(row(picture, "ddim", "model", 20.0 + i, 30.0 - i));
        }
        let table = summary(&rows);
        let at = |name: &str| table.head.iter().position(|head| head == name).unwrap();
        assert_eq!(table.rows.len(), 3);
        assert_eq!(table.rows[0][at("equal outside")], "3 of 3");
        assert_eq!(table.rows[1][at("equal outside")], "0 of 3");
        assert_eq!(table.rows[1][at("background, dB")], "31.0 ± 2.5");
        let said = findings(&rows, &[turn(1, None), turn(2, Some(true)), turn(2, Some(false))]);
        assert!(said[0].contains("3 of 3"), "{said:?}");
        assert!(said[1].contains("ddim against edit-friendly") && said[1].contains("10.00 dB less"), "{said:?}");
        assert!(said.iter().any(|line| line.contains("Of 2 turns back by words, 1 led")), "{said:?}");
    }
}
