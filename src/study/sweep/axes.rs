//! Settings with the values they are to have.

use anyhow::Result;

use crate::plan::settings::{Per, Settings, find};
use crate::session::file::Hinted;

/// The most combinations of a grid.
pub const MOST_CELLS: usize = 256;

/// Settings with the values they are to have: one axis each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Axes {
    axes: Vec<(&'static str, Vec<String>)>,
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
    /// Reads `name=value,value` for each axis of a grid of one edit.
    ///
    /// # Errors
    /// As [`add`](Self::add); also if there is no axis, or one belongs to the first picture.
    pub fn read<'a>(specs: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut axes = Self::default();
        for spec in specs {
            let Some((name, given)) = spec.split_once('=') else {
                return Err(Hinted::new(format!("`{spec}` is not of the form name=values"), "k=0,.3,.6").into());
            };
            if let Some(setting) = find(name).filter(|setting| setting.per == Per::Root) {
                let message =
                    format!("`{}` belongs to the first picture, but a sweep draws the last edit again", setting.name);
                return Err(Hinted::new(message, "`wordbrush sweep FILE` draws first pictures too").into());
            }
            axes.add(name, values(given))?;
        }
        if axes.axes.is_empty() {
            return Err(Hinted::new("a sweep needs a setting and its values", "/sweep k=0,.3,.6 cross=.2,.8").into());
        }
        Ok(axes)
    }

    /// Adds an axis; the last one runs fastest.
    ///
    /// # Errors
    /// Fails on an unknown setting or a value it cannot have, one named twice, one without values, or a grid of more than
    /// [`MOST_CELLS`].
    pub fn add(&mut self, name: &str, values: Vec<String>) -> Result<()> {
        let Some(first) = values.first() else {
            return Err(Hinted::new(format!("`{name}` has no values"), format!("{name}=.2,.8")).into());
        };
        let mut tried = Settings::default();
        let setting = tried.set(name, first)?;
        if setting.per == Per::Machine {
            let message = format!("`{}` belongs to this machine and to no picture", setting.name);
            return Err(Hinted::new(message, format!("--set {}={first}, for the whole sweep", setting.name)).into());
        }
        for value in &values {
            tried.set(name, value)?;
        }
        if self.axes.iter().any(|(other, _)| *other == setting.name) {
            return Err(Hinted::new(format!("`{}` stands there twice", setting.name), format!("{name}=.2,.8")).into());
        }
        self.axes.push((setting.name, values));
        if self.count() > MOST_CELLS {
            let message = format!("that would be {} pictures, but a grid has at most {MOST_CELLS}", self.count());
            return Err(Hinted::new(message, "leave some values out").into());
        }
        Ok(())
    }

    /// The axes of the first picture, and those of edits.
    #[must_use]
    pub fn split(self) -> (Self, Self) {
        let is_root = |name: &str| find(name).is_some_and(|setting| setting.per == Per::Root);
        let (root, turn) = self.axes.into_iter().partition(|(name, _)| is_root(name));
        (Self { axes: root }, Self { axes: turn })
    }

    /// The settings, in the order given.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.axes.iter().map(|(name, _)| *name).collect()
    }

    /// How many cells the grid has; without axes, one.
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

    /// `base` with the values of a cell, and what tells the cell apart: `k 0.3, cross 0.2`. A setting with one value tells nothing.
    ///
    /// # Errors
    /// Fails if a value cannot be set, which [`add`](Self::add) has tried.
    pub fn settings(&self, base: &Settings, cell: &[String]) -> Result<(Settings, String)> {
        let mut settings = base.clone();
        let mut named = Vec::new();
        for ((name, values), value) in self.axes.iter().zip(cell) {
            let setting = settings.set(name, value)?;
            if values.len() > 1 || self.count() == 1 {
                named.push(format!("{} {}", setting.short(), settings.get(name)));
            }
        }
        Ok((settings, named.join(", ")))
    }
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
        for bad in ["k", "k=", "k=,", "k=2", "nonsense=1", "seed=1,2", "k=zero", "device=cpu,plain"] {
            assert!(Axes::read([bad]).is_err(), "{bad}");
        }
        assert!(Axes::read(["k=0,.3", "k=.5"]).is_err());
        assert!(Axes::read([]).is_err());
        let many = (0..20).map(|n| format!("{}", f64::from(n) / 20.0)).collect::<Vec<_>>().join(",");
        assert!(Axes::read([format!("k={many}").as_str(), format!("cross={many}").as_str()]).is_err());
    }

    #[test]
    fn axes_of_the_first_picture_are_told_from_those_of_edits() {
        let mut axes = Axes::default();
        for name in ["k", "steps", "cross"] {
            axes.add(name, vec!["1".to_owned()]).unwrap();
        }
        let (root, turn) = axes.split();
        assert_eq!((root.names(), turn.names()), (vec!["steps"], vec!["k", "cross_replace_steps"]));
        assert_eq!((Axes::default().count(), Axes::default().cells()), (1, vec![Vec::<String>::new()]));
    }

    #[test]
    fn a_cell_is_told_by_the_settings_that_have_several_values() {
        let axes = Axes::read(["k=.3", "cross=.2,.8"]).unwrap();
        let (settings, label) = axes.settings(&Settings::default(), &axes.cells()[1]).unwrap();
        assert_eq!((settings.get("cross_replace_steps").as_str(), label.as_str()), ("0.8", "cross 0.8"));
    }
}
