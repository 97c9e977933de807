//! The configuration file.
//!
//! `$XDG_CONFIG_HOME/wordbrush/config.toml`, else `~/.config/wordbrush/config.toml`, in TOML. It need not exist. What it
//! says gives way to a session's own settings, and those to the command line.
//!
//! | key | value |
//! | --- | --- |
//! | any setting of `/set`, by name or alias | as typed after `/set`: `steps = 50`, `cross = "0..0.6"`, `renormalize = true` |
//! | `preview` | `"kitty"`, `"iterm"`, `"sixel"`, `"blocks"`, `"none"` or `"auto"` |
//! | `plain` | `true`: no pictures, no colours, no cursor movement |
//! | `cache_ram`, `cache_disk` | bytes of what can be computed again: `"512M"`, `"4G"` |
//!
//! ```toml
//! steps = 40
//! k = 0.25
//! blend_words = ["hair", "beard"]
//! cross = { hair = 0.2, default = 0.6 }
//! preview = "blocks"
//! cache_disk = "8G"
//! device = "cuda"
//! ```

use std::path::Path;
use std::str::FromStr;

use anyhow::Result;
use toml::{Table, Value};

use super::command_line::options::bytes;
use crate::plan::settings::{self, Settings, find, plain_name};
use crate::preview::terminal::PreviewChoice;
use crate::session::file::Hinted;

/// Keys of the file that are not settings.
const OWN_KEYS: [&str; 4] = ["preview", "plain", "cache_ram", "cache_disk"];

/// What the configuration file says.
#[derive(Debug, Default)]
pub struct Config {
    /// Settings to begin with.
    pub settings: Settings,
    /// How pictures are shown.
    pub preview: Option<PreviewChoice>,
    /// No pictures, no colours, no cursor movement.
    pub plain: bool,
    /// Bytes kept in memory.
    pub cache_ram: Option<u64>,
    /// Bytes kept on disk.
    pub cache_disk: Option<u64>,
}

impl Config {
    /// Reads the file; one that is not there says nothing.
    ///
    /// # Errors
    /// Fails if it cannot be read, is no TOML, has an unknown key or a value out of range; the message names the file and
    /// the key.
    pub fn read(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let shown = path.display();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, &shown.to_string()),
            // Where nobody may look there is nothing to be read; a home that is somebody else's is no reason to stop.
            Err(_) if !path.try_exists().unwrap_or(false) => Ok(Self::default()),
            Err(error) => Err(Hinted::new(format!("cannot read {shown}: {error}"), "mend or remove it").into()),
        }
    }

    fn parse(text: &str, file: &str) -> Result<Self> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let message = format!("{file}, line {line}: {}", error.message().replace('\n', "; "));
            Hinted::new(message, "a line reads: steps = 50, or: preview = \"blocks\"")
        })?;
        let mut config = Self::default();
        // `freedom` sets two others, so a file that names those as well means them.
        let mut entries: Vec<(&String, &Value)> = table.iter().collect();
        entries.sort_by_key(|(key, _)| plain_name(key) != "freedom");
        for (key, value) in entries {
            config.take(key, value).map_err(|told| Hinted::new(format!("{file}: {}", told.0), told.1))?;
        }
        Ok(config)
    }

    /// One key; the error is what is the case and a hint.
    fn take(&mut self, key: &str, value: &Value) -> Result<(), (String, String)> {
        let name = plain_name(key);
        let typed = typed(value).ok_or_else(|| {
            let message = format!("`{key}` has a value that is neither text, a number, a list nor a table of them");
            (message, format!("{key} = 1"))
        })?;
        let size = || match bytes(&typed) {
            Some(size) => Ok(Some(size)),
            None => Err((format!("`{key}`: `{typed}` is no number of bytes"), format!("{key} = \"512M\""))),
        };
        match name.as_str() {
            "preview" => {
                let choice =
                    PreviewChoice::from_str(&typed).map_err(|error| (error, "preview = \"auto\"".to_owned()))?;
                self.preview = Some(choice);
            }
            "plain" => match value {
                Value::Boolean(plain) => self.plain = *plain,
                _ => return Err((format!("`{key}` is {value}, but it is true or false"), "plain = true".to_owned())),
            },
            "cache_ram" => self.cache_ram = size()?,
            "cache_disk" => self.cache_disk = size()?,
            _ if find(&name).is_some() => {
                self.settings.set(&name, &typed).map_err(|e| {
                    // What would be typed in a conversation stands otherwise here.
                    let as_typed = e.hint().starts_with("/set");
                    let lead = if as_typed { format!("in the file: {key} = …; ") } else { String::new() };
                    (e.to_string(), lead + e.hint())
                })?;
            }
            _ => {
                let near = crate::turn::nearest(&name, OWN_KEYS.into_iter().chain(settings::names()));
                let hint =
                    near.map_or_else(|| "`/set` lists the settings".to_owned(), |n| format!("did you mean `{n}`?"));
                return Err((format!("there is no setting `{key}`"), hint));
            }
        }
        Ok(())
    }
}

/// A value as it would be typed after `/set NAME`.
pub(super) fn typed(value: &Value) -> Option<String> {
    Some(match value {
        Value::String(text) => text.clone(),
        Value::Integer(n) => n.to_string(),
        Value::Float(x) => x.to_string(),
        Value::Boolean(yes) => if *yes { "on" } else { "off" }.to_owned(),
        Value::Array(items) => items.iter().map(typed).collect::<Option<Vec<_>>>()?.join(", "),
        Value::Table(table) => {
            let pairs = table.iter().map(|(k, v)| Some(format!("{k}: {}", typed(v)?)));
            format!("{{{}}}", pairs.collect::<Option<Vec<_>>>()?.join(", "))
        }
        Value::Datetime(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::device::DeviceName;
    use crate::preview::terminal::Protocol;

    fn read(text: &str) -> Config {
        Config::parse(text, "config.toml").unwrap()
    }

    #[track_caller]
    fn fails(text: &str, message: &str, hint: &str) {
        let error = Config::parse(text, "config.toml").unwrap_err();
        assert_eq!(error.to_string(), message);
        let found = error.downcast_ref::<Hinted>().unwrap().hint();
        assert!(found.contains(hint), "{found}");
    }

    #[test]
    fn every_kind_of_value_means_what_it_means_after_set() {
        let config = read(
            "steps = 40\nk = 0.25\nrenormalize = true\nblend_words = [\"hair\", \"beard\"]\n\
             cross = { hair = 0.2, default = 0.6 }\nself-replace-steps = \"0.1..0.5\"\nnegative = \"blurry\"\n",
        );
        let mut set = Settings::default();
        for (name, value) in [
            ("steps", "40"),
            ("k", ".25"),
            ("renormalize", "on"),
            ("blend_words", "hair, beard"),
            ("cross", "{hair: .2, default: .6}"),
            ("self", ".1..0.5"),
            ("negative", "blurry"),
        ] {
            set.set(name, value).unwrap();
        }
        assert_eq!(config.settings, set);
    }

    #[test]
    fn keys_that_are_no_settings_are_read() {
        let config = read("preview = \"blocks\"\nplain = true\ncache_ram = \"512M\"\ncache-disk = 1000\n");
        assert_eq!(config.preview, Some(PreviewChoice::Forced(Protocol::Blocks)));
        assert_eq!((config.plain, config.cache_ram, config.cache_disk), (true, Some(512 << 20), Some(1000)));
    }

    #[test]
    fn freedom_gives_way_to_cross_wherever_it_stands() {
        assert_eq!(read("freedom = 0.5\ncross = 0.8").settings, read("cross = 0.8\nfreedom = 0.5").settings);
        assert_eq!(read("cross = 0.8\nfreedom = 0.5").settings.get("cross_replace_steps"), "0.8");
    }

    #[test]
    fn what_is_wrong_is_named_with_the_file_and_one_thing_to_try() {
        fails("stepz = 1", "config.toml: there is no setting `stepz`", "did you mean `steps`?");
        fails(
            "preview = \"paint\"",
            "config.toml: `paint` is not a way to show pictures, but kitty, iterm, sixel, blocks, none and auto are",
            "auto",
        );
        fails("plain = 1", "config.toml: `plain` is 1, but it is true or false", "plain = true");
        fails("cache_ram = \"lots\"", "config.toml: `cache_ram`: `lots` is no number of bytes", "512M");
        let error = Config::parse("k = 3", "config.toml").unwrap_err().to_string();
        assert!(error.starts_with("config.toml: `k` is"), "{error}");
        let error = Config::parse("k = .3\nsteps = = 3", "config.toml").unwrap_err().to_string();
        assert!(error.starts_with("config.toml, line "), "{error}");
    }

    #[test]
    fn a_device_is_a_setting_and_one_that_cannot_be_had_is_named_with_the_file_and_the_key() {
        let config = read("device = \"plain\"\nsteps = 4\n");
        assert_eq!((config.settings.device, config.settings.root.steps), (DeviceName::Plain, Some(4)));
        fails("device = \"gpu\"", "config.toml: `device` is `gpu`, which is no device", "cuda:1");
        if !cfg!(feature = "cuda") {
            let message = "config.toml: `device` is `cuda`, which is not in this build";
            fails("device = \"cuda\"", message, "cargo build --release --features cuda");
        }
    }

    #[test]
    fn a_file_that_is_not_there_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        for nowhere in ["config.toml", "not/yet/config.toml", "file/config.toml"] {
            let config = Config::read(Some(&folder.path().join(nowhere))).unwrap();
            assert_eq!(config.settings, Settings::default());
            assert!(config.preview.is_none() && !config.plain);
        }
        assert!(Config::read(Some(folder.path())).is_err(), "a folder is there, and cannot be read");
    }
}
