//! The files of a study: tables, plots, sheets, and one page with all of it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::super::html::{escaped, head};
use super::super::sweep::Plan;
use super::super::sweep::folder::Folder;
use super::plan::{Asking, Place};
use crate::preview::file::write_atomically;
use crate::preview::png;
use crate::study::findings::{self, MEASURES, Measure, Observation};
use crate::study::plots::plot;
use crate::study::sweep::page::{Block, Labelled, contact_sheet, moving};
use crate::study::table::Table;

const STYLE: &str = "\
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
img, svg { max-width: 100%; height: auto; }
svg { background: #fff; }
table { border-collapse: collapse; font-size: .85rem; }
th, td { padding: .1rem .8rem .1rem 0; text-align: left; vertical-align: top; }
.quiet { opacity: .7; font-size: .9rem; }";

/// Writes all files, and says which, with their bytes.
///
/// # Errors
/// Fails if one cannot be written, or a picture not be read.
pub(super) fn write_files(
    asking: &Asking,
    plan: &Plan,
    places: &[Place],
    held: &Folder,
    folder: &Path,
) -> Result<Vec<(PathBuf, usize)>> {
    let question = asking.question;
    let observed = observations(asking, plan, places, held);
    let said = findings::findings(question, &observed);
    let summary = findings::summary(question, &observed);
    let mut plots = Vec::new();
    for measure in Measure::of(question) {
        if let Some(svg) = plot(question, &observed, *measure)? {
            plots.push((MEASURES[*measure].name, svg));
        }
    }
    let blocks = blocks(asking, plan, places, held)?;
    let sheet = png::encode(&contact_sheet(&blocks, 1, question.axis.values().len()))?;
    let page = page(asking, &said, &summary, &plots, &sheet);
    let name = question.name;
    let mut files = vec![
        (format!("{name}.html"), page.into_bytes()),
        (format!("{name}.csv"), findings::rows(question, &observed).csv().into_bytes()),
        ("summary.csv".to_owned(), summary.csv().into_bytes()),
        ("sheet.png".to_owned(), sheet),
        ("moving.gif".to_owned(), moving(&blocks)?),
    ];
    files.extend(plots.into_iter().map(|(measure, svg)| (format!("{name}-{measure}.svg"), svg.into_bytes())));
    let write = |(name, bytes): (String, Vec<u8>)| {
        let path = folder.join(name);
        write_atomically(&path, &bytes)?;
        Ok((path, bytes.len()))
    };
    files.into_iter().map(write).collect()
}

fn observations(asking: &Asking, plan: &Plan, places: &[Place], held: &Folder) -> Vec<Observation> {
    let one = |(place, run): (&Place, &crate::study::sweep::SweepRun)| {
        let f = held.figures(&run.sketch.node.id)?;
        Some(Observation {
            kind: asking.subject(place.subject).0.to_owned(),
            edit: asking.edit(place),
            panel: place.panel,
            value: place.value,
            seed: place.seed,
            numbers: [f.shown, f.change_inside, f.change_outside, f.ssim, f.change_home],
        })
    };
    places.iter().zip(&plan.runs).filter_map(one).collect()
}

/// The pictures of the first seed: a row for each edit and panel, along the axis.
fn blocks(asking: &Asking, plan: &Plan, places: &[Place], held: &Folder) -> Result<Vec<Block>> {
    let mut rows: Vec<((usize, usize, usize), Block)> = Vec::new();
    for (place, run) in places.iter().zip(&plan.runs).filter(|(place, _)| place.seed == 1) {
        let key = (place.subject, place.edit, place.panel);
        if rows.last().is_none_or(|(last, _)| *last != key) {
            let first = run.sketch.root();
            let label = format!("{} · {}", asking.edit(place), asking.question.panels[place.panel].name);
            let first = if held.has(&first) { Some(Labelled { picture: held.picture(&first)?, label }) } else { None };
            rows.push((key, Block { first, cells: Vec::new() }));
        }
        let label = format!("{} {}", asking.question.axis.name(), asking.question.axis.values()[place.value]);
        let picture = held.picture(&run.sketch.node.id)?;
        if let Some((_, block)) = rows.last_mut() {
            block.cells.push(Labelled { picture, label });
        }
    }
    rows.sort_by_key(|(key, _)| *key);
    Ok(rows.into_iter().map(|(_, block)| block).collect())
}

fn page(asking: &Asking, said: &[String], summary: &Table, plots: &[(&str, String)], sheet: &[u8]) -> String {
    let question = asking.question;
    let mut set = vec![format!("{} seeds", asking.seeds())];
    set.extend(given(asking.given()));
    StudyPage {
        name: question.name,
        asks: question.asks,
        set: &set,
        said,
        note: "Means over seeds, of the mean over edits in each; in brackets the interval of 95 % by Student's distribution. \
               Differences are taken seed by seed.",
        plots: &plots.iter().map(|(_, svg)| svg.as_str()).collect::<Vec<_>>(),
        tables: &[("Numbers", summary)],
        pictures: &[("Pictures of the first seed", "A sheet: a row for each edit and its settings", sheet)],
    }
    .html()
}

/// Settings as a page names them.
pub(super) fn given(settings: &[(String, String)]) -> impl Iterator<Item = String> {
    settings.iter().map(|(name, value)| format!("{name}={value}"))
}

/// All of a study on one page that needs nothing beside it.
pub(super) struct StudyPage<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// What it asks.
    pub(super) asks: &'a str,
    /// What it was asked of, and the settings that differ.
    pub(super) set: &'a [String],
    /// What the numbers say, a sentence each.
    pub(super) said: &'a [String],
    /// How the numbers were made.
    pub(super) note: &'a str,
    /// SVG.
    pub(super) plots: &'a [&'a str],
    /// With their headings.
    pub(super) tables: &'a [(&'a str, &'a Table)],
    /// PNGs, with their headings and what they are for those who do not see them.
    pub(super) pictures: &'a [(&'a str, &'a str, &'a [u8])],
}

impl StudyPage<'_> {
    /// The page.
    pub(super) fn html(&self) -> String {
        let mut out = head(&format!("Study: {}", self.name), STYLE);
        let _ = writeln!(out, "<p>{}</p>", escaped(self.asks));
        let _ = writeln!(
            out,
            "<p class=\"quiet\">{}, drawn by wordbrush {}</p>",
            escaped(&self.set.join(" · ")),
            env!("CARGO_PKG_VERSION")
        );
        out.push_str("<h2>What the numbers say</h2>\n<ul>\n");
        for sentence in self.said {
            let _ = writeln!(out, "<li>{}</li>", escaped(sentence));
        }
        let _ = writeln!(out, "</ul>\n<p class=\"quiet\">{}</p>", self.note);
        for svg in self.plots {
            out.push_str(svg);
            out.push('\n');
        }
        for (heading, table) in self.tables {
            let _ = write!(out, "<h2>{}</h2>\n<table>\n<tr>", escaped(heading));
            for name in &table.head {
                let _ = write!(out, "<th>{}</th>", escaped(name));
            }
            out.push_str("</tr>\n");
            for row in &table.rows {
                out.push_str("<tr>");
                for cell in row {
                    let _ = write!(out, "<td>{}</td>", escaped(cell));
                }
                out.push_str("</tr>\n");
            }
            out.push_str("</table>\n");
        }
        for (heading, alt, png) in self.pictures {
            let _ = writeln!(
                out,
                "<h2>{}</h2>\n<img alt=\"{}\" src=\"data:image/png;base64,{}\">",
                escaped(heading),
                escaped(alt),
                BASE64_STANDARD.encode(png)
            );
        }
        out.push_str("</body>\n</html>\n");
        out
    }
}
