//! From what was typed to a value.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::de::DeserializeOwned;

use super::{Setting, SettingError, Window};
use crate::plan::device::DeviceName;

/// A value as typed, and the setting that is to have it.
pub(super) struct Reader<'a> {
    pub(super) setting: &'static Setting,
    pub(super) value: &'a str,
    /// The value now, for the hint.
    pub(super) now: String,
}

impl Reader<'_> {
    fn wrong(&self, expected: &str) -> SettingError {
        let name = self.setting.name;
        SettingError::new(
            format!("`{name}` is `{}`, but it takes {expected}", self.value),
            format!(
                "/set {} {}   (the value now)",
                self.setting.short(),
                match self.now.as_str() {
                    "" => "\"\"",
                    now => now,
                }
            ),
        )
    }

    pub(super) fn number<T: FromStr>(&self, expected: &str) -> Result<T, SettingError> {
        self.value.parse().map_err(|_| self.wrong(expected))
    }

    pub(super) fn between(&self, low: f64, high: f64) -> Result<f64, SettingError> {
        let range = format!("a number between {low} and {high}");
        let number: f64 = self.number(&range)?;
        if (low..=high).contains(&number) { Ok(number) } else { Err(self.wrong(&range)) }
    }

    pub(super) fn share(&self) -> Result<f64, SettingError> {
        self.share_in(self.value)
    }

    fn share_in(&self, text: &str) -> Result<f64, SettingError> {
        let share = text.trim().parse::<f64>().ok().filter(|f| (0.0..=1.0).contains(f));
        // Shares of something else than steps (`k`, `v_mix`) are named plainly.
        let of_steps = self.setting.meaning.contains("share of the steps");
        let kind = if of_steps { "a share of the steps" } else { "a number" };
        share.ok_or_else(|| self.wrong(&format!("{kind} between 0 and 1")))
    }

    pub(super) fn whole(&self, low: usize, high: usize) -> Result<usize, SettingError> {
        let range = format!("a whole number from {low} to {high}");
        let number: usize = self.number(&range)?;
        if (low..=high).contains(&number) { Ok(number) } else { Err(self.wrong(&range)) }
    }

    /// What `read` makes of it; `auto` leaves it to the model.
    pub(super) fn auto_or<T>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, SettingError>,
    ) -> Result<Option<T>, SettingError> {
        if self.value == "auto" { Ok(None) } else { read(self).map(Some) }
    }

    pub(super) fn text(&self) -> Result<String, SettingError> {
        if self.value.is_empty() { Err(self.wrong("a name")) } else { Ok(self.value.to_owned()) }
    }

    /// What `read` makes of each of several files, parted by commas; `off` is none.
    pub(super) fn files<T>(
        &self,
        read: impl Fn(&str) -> Result<(String, T), SettingError>,
    ) -> Result<Vec<(String, T)>, SettingError> {
        if self.value == "off" {
            return Ok(Vec::new());
        }
        let one = |text: &str| {
            let (file, with) = read(text.trim())?;
            Ok((self.file(&file)?, with))
        };
        self.value.split(',').map(one).collect()
    }

    /// A file's name, which can stand in the line that names a model and all that is laid over it.
    pub(super) fn file(&self, name: &str) -> Result<String, SettingError> {
        let fits = !name.trim().is_empty() && !name.contains(" | ");
        if fits { Ok(name.trim().to_owned()) } else { Err(self.wrong("the name of a file")) }
    }

    /// `FILE[:scale]`; a colon that no number follows is part of the file's name.
    pub(super) fn file_and_scale(&self, text: &str) -> Result<(String, f64), SettingError> {
        let number = |scale: &str| scale.trim().parse::<f64>().ok();
        let Some((file, scale)) = text.rsplit_once(':').and_then(|(file, scale)| Some((file, number(scale)?))) else {
            return Ok((text.to_owned(), 1.0));
        };
        if !(-10.0..=10.0).contains(&scale) {
            return Err(self.wrong("a scale between -10 and 10, such as style.safetensors:0.8"));
        }
        Ok((file.to_owned(), scale))
    }

    pub(super) fn off_or_window(&self) -> Result<Window, SettingError> {
        if self.value == "off" { Ok(Window::until(0.0)) } else { self.window() }
    }

    pub(super) fn window(&self) -> Result<Window, SettingError> {
        self.window_in(self.value)
    }

    fn window_in(&self, text: &str) -> Result<Window, SettingError> {
        let Some((from, to)) = text.split_once("..") else {
            return Ok(Window::until(self.share_in(text)?));
        };
        let window = Window { from: self.share_in(from)?, to: self.share_in(to)? };
        if window.from > window.to {
            return Err(self.wrong("a..b with a not after b"));
        }
        Ok(window)
    }

    pub(super) fn cross_windows(&self) -> Result<(Window, BTreeMap<String, Window>), SettingError> {
        let Some(inner) = self.value.strip_prefix('{').and_then(|v| v.strip_suffix('}')) else {
            return Ok((self.window()?, BTreeMap::new()));
        };
        let mut default = Window::until(1.0);
        let mut words = BTreeMap::new();
        for pair in inner.split(',').filter(|p| !p.trim().is_empty()) {
            let Some((word, window)) = pair.rsplit_once(':') else {
                return Err(self.wrong("`word: share` pairs"));
            };
            let word = word.trim().trim_matches(['"', '\'']);
            let window = self.window_in(window)?;
            if word == "default" || word == "default_" {
                default = window;
            } else if word.is_empty() {
                return Err(self.wrong("`word: share` pairs"));
            } else {
                words.insert(word.to_owned(), window);
            }
        }
        Ok((default, words))
    }

    /// Words, parted by blanks or commas; `empty` stands for no word.
    pub(super) fn words(&self, empty: &str) -> Result<Vec<String>, SettingError> {
        if self.value == empty {
            return Ok(Vec::new());
        }
        let split = |c: char| c.is_whitespace() || c == ',';
        Ok(self.value.split(split).filter(|w| !w.is_empty()).map(str::to_owned).collect())
    }

    /// One of the words that the row lists.
    pub(super) fn named(&self) -> Result<&'static str, SettingError> {
        let low = self.value.to_lowercase();
        let found = self.setting.listed().find(|name| *name == low);
        found.ok_or_else(|| self.wrong(&self.setting.listed().collect::<Vec<_>>().join(" or ")))
    }

    /// The choice that is written as one of the words that the row lists.
    pub(super) fn choice<T: DeserializeOwned>(&self) -> Result<T, SettingError> {
        let name = self.named()?;
        serde_json::from_value(name.into()).map_err(|_| self.wrong(&format!("BUG: no choice is called `{name}`")))
    }

    /// A device of this build.
    pub(super) fn device(&self) -> Result<DeviceName, SettingError> {
        let found = self.value.parse().and_then(DeviceName::in_this_build);
        found.map_err(|error| {
            let message = format!("`{}` is `{}`, which {}", self.setting.name, self.value, error.what());
            SettingError::new(message, error.hint())
        })
    }

    pub(super) fn size(&self) -> Result<(usize, usize), SettingError> {
        let expected = "pixels such as 512 or 640x512: multiples of 8 from 32 to 4096";
        let (w, h) = self.value.split_once(['x', 'X', '×']).unwrap_or((self.value, self.value));
        let side = |text: &str| text.trim().parse::<usize>().ok().filter(|n| n % 8 == 0 && (32..=4096).contains(n));
        side(w).zip(side(h)).ok_or_else(|| self.wrong(expected))
    }
}
