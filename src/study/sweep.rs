//! One edit under a grid of settings.
//!
//! Every cell is the same edit of the same parent, drawn under its own settings and measured as a turn is. Nothing
//! grows: a sweep looks at what might be, and the person then sets what they like.

use std::ops::ControlFlow;

use anyhow::Result;
use candle_core::Tensor;
use image::RgbImage;

use super::table::Table;
use crate::measure::{psnr, psnr_where, ssim};
use crate::plan::settings::{Per, RootSettings, Settings, TurnSettings, find};
use crate::session::file::Hinted;
use crate::session::{Session, to_image};

/// The most cells of a grid.
pub const MOST_CELLS: usize = 256;

/// Settings with the values they are to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axes {
    axes: Vec<(&'static str, Vec<String>)>,
}

/// One picture of a grid.
#[derive(Debug, Clone)]
pub struct Cell {
    /// One value for each axis, as typed.
    pub values: Vec<String>,
    /// `k 0.3, cross 0.2`.
    pub label: String,
    /// The picture.
    pub picture: RgbImage,
    /// PSNR against the parent, in dB.
    pub psnr: Option<f64>,
    /// SSIM against the parent.
    pub ssim: Option<f64>,
    /// PSNR inside the edited words' region.
    pub inside: Option<f64>,
    /// PSNR outside of it.
    pub outside: Option<f64>,
    /// Seconds.
    pub seconds: f64,
    /// UNet samples.
    pub evaluations: u64,
}

/// `.2,.8` or `{hair: .2, default: .8},.4` at its commas, those in braces left alone.
fn values(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut deep = 0usize;
    for c in text.chars() {
        match c {
            '{' => deep += 1,
            '}' => deep = deep.saturating_sub(1),
            _ => {}
        }
        if c == ',' && deep == 0 {
            all.push(String::new());
        } else if let Some(last) = all.last_mut() {
            last.push(c);
        }
    }
    all.into_iter().map(|v| v.trim().to_owned()).filter(|v| !v.is_empty()).collect()
}

impl Axes {
    /// Reads `name=value,value` for each axis.
    ///
    /// # Errors
    /// Fails on an unknown setting or a value it cannot have, one that belongs to the root, one named twice, one without
    /// values, or a grid of more than [`MOST_CELLS`].
    pub fn read<'a>(specs: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut axes: Vec<(&'static str, Vec<String>)> = Vec::new();
        for spec in specs {
            let Some((name, given)) = spec.split_once('=') else {
                return Err(Hinted::new(format!("`{spec}` is not of the form name=values"), "k=0,.3,.6").into());
            };
            let mut tried = Settings { turn: TurnSettings::default(), root: RootSettings::default() };
            let values = values(given);
            let Some(first) = values.first() else {
                return Err(Hinted::new(format!("`{name}` has no values"), format!("{name}=.2,.8")).into());
            };
            let setting = match find(name) {
                Some(setting) => setting,
                None => tried.set(name, first)?, // its error names what there is
            };
            if setting.per == Per::Root {
                let message =
                    format!("`{}` belongs to the first picture, but a sweep draws the last edit again", setting.name);
                return Err(Hinted::new(message, "/new 8 draws a prompt with several seeds").into());
            }
            for value in &values {
                tried.set(name, value)?;
            }
            if axes.iter().any(|(other, _)| *other == setting.name) {
                return Err(
                    Hinted::new(format!("`{}` stands there twice", setting.name), format!("{name}=.2,.8")).into()
                );
            }
            axes.push((setting.name, values));
        }
        let axes = Self { axes };
        if axes.axes.is_empty() {
            return Err(Hinted::new("a sweep needs a setting and its values", "/sweep k=0,.3,.6 cross=.2,.8").into());
        }
        if axes.count() > MOST_CELLS {
            let message = format!("that would be {} pictures, but a sweep draws at most {MOST_CELLS}", axes.count());
            return Err(Hinted::new(message, "leave some values out").into());
        }
        Ok(axes)
    }

    /// The settings, in the order given.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.axes.iter().map(|(name, _)| *name).collect()
    }

    /// How many cells the grid has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.axes.iter().fold(1, |n, (_, values)| n.saturating_mul(values.len()))
    }

    /// How many values the last axis has.
    #[must_use]
    pub fn last_count(&self) -> usize {
        self.axes.last().map_or(1, |(_, values)| values.len())
    }

    /// The values of every cell, the last axis fastest.
    #[must_use]
    pub fn cells(&self) -> Vec<Vec<String>> {
        self.axes.iter().fold(vec![Vec::new()], |cells, (_, values)| {
            let longer = |cell: &Vec<String>| {
                let cell = cell.clone();
                values.iter().map(move |v| [cell.clone(), vec![v.clone()]].concat()).collect::<Vec<_>>()
            };
            cells.iter().flat_map(longer).collect()
        })
    }
}

/// Draws the edit of `node` in every cell. A stop gives the cells done so far.
///
/// # Errors
/// Fails if the node is a root, or a cell cannot be planned or drawn.
pub fn run(
    session: &mut Session,
    node: u32,
    axes: &Axes,
    watch: &mut dyn FnMut(usize, usize, &Tensor) -> ControlFlow<()>,
) -> Result<Vec<Cell>> {
    if session.tree()[node].is_root() {
        let message = format!("#{node} is a first picture: there is no edit to draw under other settings");
        return Err(Hinted::new(message, "make an edit first").into());
    }
    let mut done = Vec::new();
    for (at, values) in axes.cells().into_iter().enumerate() {
        let mut settings = Settings { turn: session.tree()[node].plan.settings.clone(), root: RootSettings::default() };
        let mut named = Vec::new();
        for (name, value) in axes.names().into_iter().zip(&values) {
            settings.set(name, value)?;
            let short = find(name).map_or(name, |s| if s.alias.is_empty() { s.name } else { s.alias });
            named.push(format!("{short} {}", settings.get(name)));
        }
        let Some(aside) = session.draw_aside(node, &settings.turn, &mut |step, latent| watch(at, step, latent))? else {
            break;
        };
        let picture = to_image(&aside.left.picture);
        let parent = aside.parent.as_ref().map(|p| to_image(&p.picture));
        let inside = aside.outside.as_ref().map(|o| o.iter().map(|out| !out).collect::<Vec<bool>>());
        let part = |mask: Option<&Vec<bool>>| parent.as_ref().zip(mask).and_then(|(p, m)| psnr_where(&picture, p, m));
        done.push(Cell {
            values,
            label: named.join(", "),
            psnr: parent.as_ref().and_then(|p| psnr(&picture, p)),
            ssim: parent.as_ref().and_then(|p| ssim(&picture, p)),
            inside: part(inside.as_ref()),
            outside: part(aside.outside.as_ref()),
            seconds: aside.seconds,
            evaluations: aside.evaluations,
            picture,
        });
    }
    Ok(done)
}

/// The numbers of a grid: its settings, then PSNR (whole, inside, outside) in dB, SSIM, seconds, evaluations.
#[must_use]
pub fn table(axes: &Axes, cells: &[Cell]) -> Table {
    let numbers = ["psnr", "ssim", "inside", "outside", "seconds", "evaluations"];
    let mut table = Table::new(axes.names().into_iter().chain(numbers));
    let number = |x: Option<f64>, places: usize| match x {
        Some(x) if x.is_finite() => format!("{x:.places$}"),
        Some(_) => "inf".to_owned(),
        None => "-".to_owned(),
    };
    for cell in cells {
        let mut row = cell.values.clone();
        row.extend([number(cell.psnr, 2), number(cell.ssim, 4), number(cell.inside, 2), number(cell.outside, 2)]);
        row.extend([format!("{:.2}", cell.seconds), cell.evaluations.to_string()]);
        table.rows.push(row);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_axis_runs_fastest_and_every_combination_comes_once() {
        let axes = Axes::read(["k=0,.3", "cross=.2,.5,.8"]).unwrap();
        assert_eq!((axes.names(), axes.count(), axes.last_count()), (vec!["k", "cross_replace_steps"], 6, 3));
        let cells: Vec<String> = axes.cells().iter().map(|c| c.join("/")).collect();
        assert_eq!(cells, ["0/.2", "0/.5", "0/.8", ".3/.2", ".3/.5", ".3/.8"]);
    }

    #[test]
    fn commas_in_braces_do_not_part_values() {
        assert_eq!(values("{hair: .2, default: .8},.4"), ["{hair: .2, default: .8}", ".4"]);
        assert_eq!(values(" 1 ,, 2"), ["1", "2"]);
    }

    #[test]
    fn what_cannot_be_swept_is_told_beforehand() {
        for bad in ["k", "k=", "k=,", "k=2", "nonsense=1", "seed=1,2", "k=zero"] {
            assert!(Axes::read([bad]).is_err(), "{bad}");
        }
        assert!(Axes::read(["k=0,.3", "k=.5"]).is_err());
        assert!(Axes::read([]).is_err());
        let many = (0..20).map(|n| format!("{}", f64::from(n) / 20.0)).collect::<Vec<_>>().join(",");
        assert!(Axes::read([format!("k={many}").as_str(), format!("cross={many}").as_str()]).is_err());
    }
}
