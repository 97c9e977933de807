//! Which way to edit serves when: every method over the same edits, from the same first pictures.
//!
//! First pictures are drawn, or photographs of a folder. Whether an edit is to be seen is asked of the model itself ([`shown`]). What was to
//! stay is measured outside the true region where one is known, else outside the place where the changed word attends in the first picture:
//! the same place for every method, whatever it used itself. Then the edit is taken back by the same method.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use image::RgbImage;

use super::interval::means_by;
use super::measured::{KeptOfPicture, difference, encoded, forget_peak, mean, peak_mb, shown};
use super::photographs::list::CaptionedFile;
use super::photographs::{meant, opened, taken_back, unwatched};
use super::table::Table;
use crate::measure::mean_change;
use crate::plan::area::{Area, PixelMask};
use crate::plan::redraw::{DrawnBy, RARE_WORD, RedrawMethod, Tuning};
use crate::plan::settings::TurnSettings;
use crate::preview::sheet::{Layout, Tile, sheet};
use crate::session::cycle::regenerated::CycleMethod;
use crate::session::{Session, TurnResult, to_image};
use crate::turn::{Edit, Turn, words};

/// First prompts, an edit of each, and the word whose place in the first picture is edited.
pub const EDITS: [(&str, &str, &str); 6] = [
    ("a woman's face with long wavy blond hair", "blond -> red", "hair"),
    ("a man's face with short straight black hair", "+ with glasses", "face"),
    ("a brown cat on a beach", "cat -> dog", "cat"),
    ("a red car on a street", "red -> blue", "car"),
    ("a river between mountains", "river -> road", "river"),
    ("a white house on a meadow", "+ at night", "house"),
];

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComparedMethod {
    /// The first picture itself: a yardstick.
    Nothing,
    /// Words, under the settings in force.
    Words,
    /// Words under the settings that were published.
    Published,
    /// The same with the windows of CL P2P's preset and no silhouette.
    ClP2p,
    /// Words within the region.
    WordsInRegion,
    /// SDEdit of little strength, .4.
    SdEditLittle,
    /// SDEdit of much, .7.
    SdEditMuch,
    /// Blended diffusion in the region.
    Paint,
    /// MagicMix.
    Mix,
    /// DiffEdit.
    DiffEdit,
    /// Imagic of strength .8: a lesson a picture.
    Imagic,
    /// UniTune of strength .8: a lesson a picture.
    UniTune,
    /// The new prompt from the same noise: a yardstick.
    DrawnAfresh,
}

impl ComparedMethod {
    /// All, by what they are called.
    pub const ALL: [(&'static str, Self); 13] = [
        ("nothing", Self::Nothing),
        ("words", Self::Words),
        ("words, published", Self::Published),
        ("words, clp2p", Self::ClP2p),
        ("words in region", Self::WordsInRegion),
        ("sdedit .4", Self::SdEditLittle),
        ("sdedit .7", Self::SdEditMuch),
        ("paint", Self::Paint),
        ("mix", Self::Mix),
        ("diffedit", Self::DiffEdit),
        ("imagic .8", Self::Imagic),
        ("unitune .8", Self::UniTune),
        ("drawn afresh", Self::DrawnAfresh),
    ];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, one)| *one == self).map_or("", |(name, _)| name)
    }

    /// Whether the model learns each picture first, which takes minutes.
    #[must_use]
    pub fn learns(self) -> bool {
        matches!(self, Self::Imagic | Self::UniTune)
    }

    /// The settings that it is drawn with; `None` for those in force.
    fn turn(self) -> Option<TurnSettings> {
        let published = CycleMethod::Published.settings()?;
        match self {
            Self::Published => Some(published),
            Self::ClP2p => {
                let mut settings = crate::plan::settings::Settings { turn: published, ..Default::default() };
                settings.preset("clp2p").ok()?;
                Some(settings.turn)
            }
            _ => None,
        }
    }

    fn by(self, area: &Area, full_size: bool) -> Option<DrawnBy> {
        let redraw = |method, area: Option<&Area>| Some(DrawnBy::Redraw { method, area: area.cloned(), seed: None });
        let [embedding, model] = Tuning::usual(full_size);
        match self {
            Self::Nothing | Self::DrawnAfresh => None,
            Self::Words | Self::Published | Self::ClP2p => Some(DrawnBy::Words),
            Self::WordsInRegion => Some(DrawnBy::Within(area.clone())),
            Self::SdEditLittle => redraw(RedrawMethod::SdEdit { strength: 0.4, patch: None }, None),
            Self::SdEditMuch => redraw(RedrawMethod::SdEdit { strength: 0.7, patch: None }, None),
            Self::Paint => redraw(RedrawMethod::BlendedDiffusion { strength: 1.0 }, Some(area)),
            Self::Mix => redraw(RedrawMethod::MagicMix { kmin: 0.3, kmax: 0.6, nu: 0.5 }, None),
            Self::DiffEdit => redraw(RedrawMethod::DIFFEDIT, None),
            Self::Imagic => redraw(RedrawMethod::Imagic { strength: 0.8, embedding, model }, None),
            Self::UniTune => {
                let model = Tuning { steps: embedding.steps + model.steps, ..model };
                redraw(RedrawMethod::UniTune { strength: 0.8, rare: RARE_WORD.to_owned(), model }, None)
            }
        }
    }
}

/// A first picture and its edit.
#[derive(Debug, Clone, Copy)]
pub enum EditedSubject<'a> {
    /// One of [`EDITS`], drawn.
    Drawn {
        /// Which.
        edit: usize,
        /// Of which seed.
        seed: u64,
    },
    /// A photograph and its first edit.
    Photograph(&'a CaptionedFile),
}

impl EditedSubject<'_> {
    /// What is independent of what: a seed, or a photograph.
    #[must_use]
    pub fn unit(&self) -> String {
        match self {
            Self::Drawn { seed, .. } => format!("seed {seed}"),
            Self::Photograph(one) => one.file.clone(),
        }
    }

    /// Its prompt and edit.
    #[must_use]
    pub fn said(&self) -> (&str, &str) {
        match self {
            Self::Drawn { edit, .. } => (EDITS[*edit].0, EDITS[*edit].1),
            Self::Photograph(one) => (&one.caption, one.edits[0].text()),
        }
    }
}

/// One edit by one method.
#[derive(Debug, Clone, PartialEq)]
pub struct MethodRow {
    /// Whether the first picture is a photograph.
    pub is_photograph: bool,
    /// [`EditedSubject::unit`].
    pub unit: String,
    /// The first prompt.
    pub prompt: String,
    /// The edit.
    pub edit: String,
    /// Which method.
    pub method: ComparedMethod,
    /// [`NUMBERS`]; what has no meaning is `None`.
    pub numbers: [Option<f64>; NUMBERS.len()],
}

/// What is measured: by how much of the old prompt's error the new one explains the picture better (%); PSNR and SSIM outside; likeness
/// of contours; mean change of the picture once the edit is taken back by the same method (of 255); and cost.
pub const NUMBERS: [&str; 8] = ["margin", "psnr", "ssim", "structure", "home", "seconds", "mb", "evaluations"];

fn columns() -> Vec<&'static str> {
    ["study", "source", "unit", "prompt", "edit", "method"].into_iter().chain(NUMBERS).collect()
}

fn done(turned: Option<TurnResult>) -> Result<TurnResult> {
    turned.context("BUG: a run that nobody watched was stopped")
}

/// The first picture of a subject.
fn first(session: &mut Session, subject: &EditedSubject<'_>) -> Result<TurnResult> {
    match subject {
        EditedSubject::Drawn { edit, seed } => {
            session.set("seed", &seed.to_string())?;
            let prompt = EDITS[*edit].0;
            done(session.edit(prompt, &Edit::root(prompt.to_owned()), &mut unwatched)?)
        }
        EditedSubject::Photograph(one) => {
            let photograph = session.photograph(&one.path)?.photograph;
            opened(session, &photograph, &one.caption)
        }
    }
}

/// Where methods that are told a region may draw, and the pixels outside of where the edit belongs.
fn place(
    session: &mut Session,
    subject: &EditedSubject<'_>,
    root: &TurnResult,
    edit: &Edit,
) -> Result<(Area, Vec<bool>)> {
    if let EditedSubject::Photograph(CaptionedFile { region: Some(region), .. }) = subject {
        let inside = region.pixels(session)?;
        let size = (root.left.picture.width, root.left.picture.height);
        let area = Area::Mask(PixelMask::of_pixels(size, &inside)?);
        return Ok((area, inside.iter().map(|inside| !inside).collect()));
    }
    let word = match subject {
        EditedSubject::Drawn { edit, .. } => EDITS[*edit].2.to_owned(),
        EditedSubject::Photograph(one) => {
            replaced(&one.caption, edit).context("the edit replaces no word that has a place")?
        }
    };
    let area = session.area(root.node, &word, Path::new(&word))?;
    let outside = session.outside_area(root.node, &area)?;
    Ok((area, outside))
}

/// The first word that an edit replaces, or the last before what it puts in.
fn replaced(prompt: &str, edit: &Edit) -> Option<String> {
    let all = words::split(prompt);
    let span = edit.spans.first()?;
    let at = if span.source.is_empty() { span.source.start.checked_sub(1)? } else { span.source.start };
    all.get(at).map(|word| word.text.to_owned())
}

/// An edit by a method from where the session is; `None` for the yardstick that changes nothing.
fn drawn(
    session: &mut Session,
    (method, area): (ComparedMethod, &Area),
    (from, line): (u32, &str),
    edit: &Edit,
) -> Result<Option<TurnResult>> {
    let full_size = session.model()?.is_full_size();
    let Some(by) = method.by(area, full_size) else {
        if method == ComparedMethod::Nothing {
            return Ok(None);
        }
        let prompt = edit.prompt.clone();
        return Ok(Some(done(session.edit(&prompt, &Edit::root(prompt.clone()), &mut unwatched)?)?));
    };
    let edit = match method {
        ComparedMethod::UniTune => {
            let prompt = format!("{RARE_WORD} {}", edit.prompt);
            session.edit_towards(from, Edit { prompt, is_root: true, ..edit.clone() })?
        }
        _ => edit.clone(),
    };
    let mut settings = session.settings().clone();
    if let Some(turn) = method.turn() {
        settings.turn = turn;
    }
    Ok(Some(done(session.edit_under(&settings, (Some(from), line), &edit, &by, &mut unwatched)?)?))
}

/// The edits of a subject by `methods`, and a sheet of them.
///
/// # Errors
/// Fails if a picture cannot be drawn.
pub fn one(
    session: &mut Session,
    subject: &EditedSubject<'_>,
    methods: &[ComparedMethod],
) -> Result<(Vec<MethodRow>, RgbImage)> {
    let root = first(session, subject)?;
    let (prompt, line) = subject.said();
    let edit = match subject {
        EditedSubject::Photograph(one) => meant(session, prompt, &one.edits[0])?,
        EditedSubject::Drawn { .. } => match session.read(line)? {
            Turn::Edit(edit) => edit,
            _ => bail!("BUG: `{line}` is no edit of `{prompt}`"),
        },
    };
    let (area, outside) = place(session, subject, &root, &edit)?;
    let model = session.model()?;
    let size = (root.left.picture.width, root.left.picture.height);
    let before = to_image(&root.left.picture);
    let everywhere = vec![true; size.0 * size.1];
    let (mut rows, mut pictures) = (Vec::new(), Vec::new());
    for method in methods {
        forget_peak();
        let turned = drawn(session, (*method, &area), (root.node, line), &edit)?;
        let mb = peak_mb().map(|mb| mb as f64);
        let left = turned.as_ref().map_or(&root.left, |turned| &turned.left);
        let picture = to_image(&left.picture);
        // What is shown of a photograph has its pixels around, which no latent tells of.
        let seen = match subject {
            EditedSubject::Drawn { .. } => left.trajectory.last().clone(),
            EditedSubject::Photograph(_) => encoded(&model, &picture)?,
        };
        let kept = KeptOfPicture::of(&before, &picture, &outside);
        let cost = turned.as_ref().map_or((0.0, 0), |turned| (turned.seconds, turned.evaluations));
        let home = match &turned {
            Some(turned) if !method.learns() && *method != ComparedMethod::DrawnAfresh => {
                at_home(session, (*method, &area), turned, (prompt, line))?
            }
            _ => None,
        };
        rows.push(MethodRow {
            is_photograph: matches!(subject, EditedSubject::Photograph(_)),
            unit: subject.unit(),
            prompt: prompt.to_owned(),
            edit: line.to_owned(),
            method: *method,
            numbers: [
                Some(shown(&model, &seen, [prompt, &edit.prompt], size)?),
                kept.psnr,
                kept.ssim,
                kept.structure,
                home.and_then(|home| mean_change(&home, &before, &everywhere)),
                Some(cost.0),
                mb.filter(|_| turned.is_some()),
                Some(cost.1 as f64),
            ],
        });
        pictures.push((picture, method.name()));
        session.return_to(Some(root.node))?;
    }
    let tiles: Vec<Tile> = pictures.iter().map(|(picture, label)| Tile { picture, label }).collect();
    Ok((rows, sheet(&tiles, &Layout::with_columns(pictures.len()))))
}

/// The picture once the edit is taken back by the method that made it; `None` if it cannot be by rule.
fn at_home(
    session: &mut Session,
    (method, area): (ComparedMethod, &Area),
    turned: &TurnResult,
    (prompt, line): (&str, &str),
) -> Result<Option<RgbImage>> {
    let now = session.tree()[turned.node].plan.prompt.clone();
    let (back, edit) = match taken_back(line) {
        Some(back) => match session.read(&back)? {
            Turn::Edit(edit) => (back, edit),
            _ => return Ok(None),
        },
        // A whole prompt is taken back by the one before.
        None => match crate::turn::between(&now, prompt) {
            Some(edit) => (prompt.to_owned(), edit),
            None => return Ok(None),
        },
    };
    // Words may have moved, or have given way to others: a region of words is found again.
    let area = match area {
        Area::Words { .. } => match replaced(&now, &edit) {
            Some(word) => session.area(turned.node, &word, Path::new(&word))?,
            None => return Ok(None),
        },
        area => area.clone(),
    };
    let home = drawn(session, (method, &area), (turned.node, &back), &edit)?;
    Ok(home.map(|home| to_image(&home.left.picture)))
}

/// What tells studies apart: a digest of the settings and what computes.
#[must_use]
pub fn study_id(session: &Session) -> String {
    let told = format!("{:?} {:?} {EDITS:?}", session.settings(), session.model_name());
    blake3::hash(told.as_bytes()).to_hex()[..8].to_owned()
}

/// All rows as comma-separated values.
#[must_use]
pub fn csv(rows: &[MethodRow], study: &str) -> String {
    let mut table = Table::new(columns());
    table.rows.extend(rows.iter().map(|row| {
        let source = if row.is_photograph { "photograph" } else { "drawn" };
        let named = [study, source, &row.unit, &row.prompt, &row.edit, row.method.name()].map(str::to_owned);
        let number = |x: &Option<f64>| x.map_or(String::new(), |x| x.to_string());
        named.into_iter().chain(row.numbers.iter().map(number)).collect()
    }));
    table.csv()
}

/// Rows of a study that was broken off; `None` if they are another's.
#[must_use]
pub fn read(csv: &str, study: &str) -> Option<Vec<MethodRow>> {
    let table = Table::read(csv, &columns())?;
    let row = |row: Vec<String>| -> Option<MethodRow> {
        (row[0] == study).then_some(())?;
        let number = |text: &String| match text.as_str() {
            "" => Some(None),
            text => text.parse().ok().map(Some),
        };
        let numbers: Option<Vec<Option<f64>>> = row[6..].iter().map(number).collect();
        Some(MethodRow {
            is_photograph: row[1] == "photograph",
            unit: row[2].clone(),
            prompt: row[3].clone(),
            edit: row[4].clone(),
            method: ComparedMethod::ALL.iter().find(|(name, _)| *name == row[5])?.1,
            numbers: numbers?.try_into().ok()?,
        })
    };
    table.rows.into_iter().map(row).collect()
}

/// The means of some rows in each of their units: edits of one seed look alike, seeds do not.
fn by_unit<'a>(rows: impl Iterator<Item = &'a MethodRow>, column: usize) -> BTreeMap<&'a str, f64> {
    means_by(rows.filter_map(|row| Some((row.unit.as_str(), row.numbers[column]?))))
}

/// The table of the methods over some rows.
#[must_use]
pub fn summary(rows: &[&MethodRow]) -> Table {
    let mut table = Table::new([
        "method",
        "shows the edit",
        "margin, %",
        "PSNR outside, dB",
        "SSIM outside",
        "structure",
        "change at home",
        "seconds",
        "MB",
        "evaluations",
    ]);
    for (name, method) in ComparedMethod::ALL {
        let of: Vec<&MethodRow> = rows.iter().filter(|row| row.method == method).copied().collect();
        if of.is_empty() {
            continue;
        }
        let shows = of.iter().filter(|row| row.numbers[0].is_some_and(|margin| margin > 0.0)).count();
        let mut row = vec![name.to_owned(), format!("{shows} of {}", of.len())];
        let places = [2, 1, 3, 3, 2, 2, 0, 0];
        row.extend((0..NUMBERS.len()).map(|column| {
            let means: Vec<f64> = by_unit(of.iter().copied(), column).into_values().collect();
            mean(&means, places[column])
        }));
        table.rows.push(row);
    }
    table
}

/// The tables: over all drawn edits, over all photographs, and for each drawn edit.
#[must_use]
pub fn tables(rows: &[MethodRow]) -> Vec<(String, Table)> {
    let of = |wanted: &dyn Fn(&MethodRow) -> bool| rows.iter().filter(|row| wanted(row)).collect::<Vec<_>>();
    let mut all = Vec::new();
    let mut add = |name: String, rows: Vec<&MethodRow>| {
        if !rows.is_empty() {
            all.push((name, summary(&rows)));
        }
    };
    add("Drawn pictures".to_owned(), of(&|row| !row.is_photograph));
    add("Photographs".to_owned(), of(&|row| row.is_photograph));
    for (prompt, line, word) in EDITS {
        let these = of(&|row| !row.is_photograph && row.prompt == prompt);
        add(format!("{prompt}, {line}, region: {word}"), these);
    }
    all
}

/// A sentence for each method against words: what the numbers say or leave open.
#[must_use]
pub fn findings(rows: &[MethodRow]) -> Vec<String> {
    let mut said = Vec::new();
    for (is_photograph, of) in [(false, "Drawn pictures"), (true, "Photographs")] {
        for (name, method) in ComparedMethod::ALL {
            if matches!(method, ComparedMethod::Words | ComparedMethod::Nothing) {
                continue;
            }
            let means = |method: ComparedMethod, column: usize| {
                let of = rows.iter().filter(|row| row.is_photograph == is_photograph && row.method == method);
                by_unit(of, column)
            };
            let pairs = |column: usize| -> Vec<(f64, f64)> {
                let words = means(ComparedMethod::Words, column);
                means(method, column).iter().filter_map(|(unit, own)| Some((*own, *words.get(unit)?))).collect()
            };
            if pairs(1).is_empty() {
                continue;
            }
            said.push(format!(
                "{of}, {name} against words: background {}; the edit's margin {}.",
                difference(&pairs(1), "dB"),
                difference(&pairs(0), "%")
            ));
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(unit: &str, method: ComparedMethod, psnr: f64) -> MethodRow {
        let mut numbers = [None; NUMBERS.len()];
        (numbers[0], numbers[1]) = (Some(-0.25), Some(psnr));
        let (prompt, edit) = (EDITS[1].0.to_owned(), EDITS[1].1.to_owned());
        MethodRow { is_photograph: false, unit: unit.to_owned(), prompt, edit, method, numbers }
    }

    #[test]
    fn rows_come_back_from_their_file_unless_it_is_anothers() {
        let rows =
            [row("seed 1", ComparedMethod::Nothing, 20.0), row("a, b.png", ComparedMethod::DrawnAfresh, 1.0 / 3.0)];
        assert_eq!(read(&csv(&rows, "abc"), "abc").unwrap(), rows);
        assert!(read(&csv(&rows, "abc"), "abd").is_none());
    }

    #[test]
    fn a_mean_is_over_units_and_a_method_is_set_beside_words() {
        let words = [
            row("1", ComparedMethod::Words, 20.0),
            row("1", ComparedMethod::Words, 22.0),
            row("2", ComparedMethod::Words, 25.0),
        ];
        let mut rows = words.to_vec();
        // 21 and 25: the mean is 23, and Student's interval of two values 12.706 times 2.
        assert_eq!(summary(&rows.iter().collect::<Vec<_>>()).rows[0][3], "23.0 ± 25.4");
        rows.extend([row("1", ComparedMethod::Mix, 15.0), row("2", ComparedMethod::Mix, 19.0)]);
        assert!(findings(&rows)[0].contains("mix against words: background 6.00 dB less (6.00 to 6.00)"));
        assert_eq!(tables(&rows).len(), 2);
    }

    #[test]
    fn the_settings_of_published_methods_are_their_own() {
        let settings = |method: ComparedMethod| method.turn().unwrap();
        assert_eq!((settings(ComparedMethod::Published).k, settings(ComparedMethod::ClP2p).k), (0.3, 0.0));
        assert_ne!(settings(ComparedMethod::Published), settings(ComparedMethod::ClP2p));
        assert!(ComparedMethod::Words.turn().is_none());
    }

    #[test]
    fn the_place_of_an_edit_is_the_word_it_replaces_or_the_one_before_what_it_puts_in() {
        let word = |prompt: &str, to: &str| replaced(prompt, &crate::turn::between(prompt, to).unwrap());
        assert_eq!(word("a cat on a beach", "a dog on a beach").as_deref(), Some("cat"));
        assert_eq!(word("a cat", "a cat in a hat").as_deref(), Some("cat"));
    }
}
