//! What a sweep's file asks for.
//!
//! | key | value |
//! | --- | --- |
//! | `prompt`, `prompts` | what the first pictures show: a text, or a list of them |
//! | `edit`, `edits` | lines as they are typed, one tried after the other; a list inside the list is edits made one upon the other, of which the last is drawn under the grid. Without any, first pictures alone are drawn |
//! | `seed`, `seeds` | whole numbers |
//! | any setting of `/set`, by name or alias | a value for all runs: `steps = 20`, `model = "../sd15"`, `precision = "f32"` |
//! | `[grid]` | settings with lists of values: `k = [0, 0.3]`, `cross = ["0.2", "0.1..0.5"]`, `guidance = [3, 6]` |
//!
//! Every prompt is drawn with every seed and edited by every edit under every combination of the grid.

use std::path::Path;

use anyhow::{Context, Result};
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::super::commands::{self, Line};
use super::super::config::typed;
use super::super::root_edit;
use crate::plan::settings::{self, Per, Settings, find, plain_name};
use crate::session::Session;
use crate::session::file::Hinted;
use crate::study::sweep::{Axes, SweepRun};
use crate::turn::{Edit, NoSense, Turn, root};

/// Keys of the file that are not settings.
const OWN_KEYS: [&str; 7] = ["prompt", "prompts", "edit", "edits", "seed", "seeds", "grid"];

/// The most runs of a file.
const MOST_RUNS: usize = 4096;

/// What a file asks for.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::repl) struct Asked {
    pub(in crate::repl) prompts: Vec<String>,
    /// Lines, those of each made one upon the other; none where first pictures alone are drawn.
    pub(in crate::repl) edits: Vec<Vec<String>>,
    /// Settings of all runs.
    pub(in crate::repl) settings: Settings,
    /// Axes of first pictures, the seed first.
    pub(in crate::repl) root: Axes,
    /// Axes of edits.
    pub(in crate::repl) turn: Axes,
}

impl Asked {
    /// Reads a file. `settings` are those of the configuration, which give way to it; `overrides` win over it.
    ///
    /// # Errors
    /// Fails if it cannot be read, is no TOML, has an unknown key or a value out of range; the message names the file and
    /// the key.
    pub(in crate::repl) fn read(path: &Path, settings: Settings, overrides: &[(String, String)]) -> Result<Self> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let why = match error.kind() {
                std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
                _ => error.to_string(),
            };
            Hinted::new(format!("cannot read `{shown}`: {why}"), "docs/guide/sweep.toml is one to start from")
        })?;
        Self::parse(&text, &shown, settings, overrides)
    }

    pub(super) fn parse(text: &str, file: &str, settings: Settings, overrides: &[(String, String)]) -> Result<Self> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let message = format!("{file}, line {line}: {}", error.message().replace('\n', "; "));
            Hinted::new(message, "a line reads: prompt = \"a cat on a beach\", or: k = [0, 0.3]")
        })?;
        let mut asked = Self { prompts: vec![], edits: vec![], settings, root: Axes::default(), turn: Axes::default() };
        asked.take(&table, &grid_in_order(text), overrides).with_context(|| file.to_owned())?;
        Ok(asked)
    }

    /// `grid` names the settings of the grid in their order.
    fn take(&mut self, table: &Table, grid: &[String], overrides: &[(String, String)]) -> Result<()> {
        // `freedom` sets two others, so a file that names those as well means them.
        let mut entries: Vec<(&String, &Value)> = table.iter().collect();
        entries.sort_by_key(|(key, _)| plain_name(key) != "freedom");
        let mut axes = Axes::default();
        for (key, value) in entries {
            let twice = |there: bool| match there {
                true => Err(Hinted::new(format!("`{key}` stands there twice"), format!("{key} = [..., ...]"))),
                false => Ok(()),
            };
            match plain_name(key).as_str() {
                "prompt" | "prompts" => {
                    twice(!self.prompts.is_empty())?;
                    self.prompts = list(key, value)?.into_iter().map(|text| root_edit(&text).prompt).collect();
                }
                "edit" | "edits" => {
                    twice(!self.edits.is_empty())?;
                    self.edits = chains(key, value)?;
                }
                "seed" | "seeds" => axes.add("seed", list(key, value)?)?,
                "grid" => {}
                _ => {
                    known(key)?;
                    let value = typed(value).ok_or_else(|| no_value(key))?;
                    let setting = self.settings.set(key, &value)?;
                    if setting.per == Per::Machine {
                        let message = format!("`{key}` belongs to the machine that draws, not to a sweep's file");
                        return Err(Hinted::new(message, format!("--set {}={value}", setting.name)).into());
                    }
                }
            }
        }
        match table.get("grid") {
            None => {}
            Some(Value::Table(values)) => {
                for (key, value) in grid.iter().filter_map(|key| Some((key, values.get(key)?))) {
                    known(key)?;
                    axes.add(key, list(key, value)?)?;
                }
            }
            Some(_) => return Err(Hinted::new("`grid` is a table of settings", "[grid]\nk = [0, 0.3]").into()),
        }
        for (name, value) in overrides {
            let setting = self.settings.set(name, value)?;
            if axes.names().contains(&setting.name) {
                let message = format!("`{name}` is given, but the file has a list for it");
                return Err(Hinted::new(message, "take it out of one of them").into());
            }
        }
        if self.prompts.is_empty() {
            let hint = "prompt = \"a woman's face with long wavy blond hair\"";
            return Err(Hinted::new("there is no prompt", hint).into());
        }
        (self.root, self.turn) = axes.split();
        if let (true, Some(name)) = (self.edits.is_empty(), self.turn.names().first()) {
            let message = format!("`{name}` shapes an edit, but there is none");
            return Err(Hinted::new(message, "edit = \"blond -> red\"").into());
        }
        let count = self.prompts.len() * self.edits.len().max(1) * self.root.count() * self.turn.count();
        if count > MOST_RUNS {
            let message = format!("that would be {count} pictures, but a sweep draws at most {MOST_RUNS}");
            return Err(Hinted::new(message, "leave some values out, or make two files of it").into());
        }
        Ok(())
    }

    /// Models that are named.
    pub(in crate::repl) fn models(&self) -> Vec<String> {
        let axis = self.root.names().iter().position(|name| *name == "model");
        let named = axis.map(|at| self.root.cells().into_iter().map(|cell| cell[at].clone()).collect());
        let mut models: Vec<String> = named.unwrap_or_else(|| self.settings.root.model.iter().cloned().collect());
        models.sort_unstable();
        models.dedup();
        models
    }

    /// The columns that tell runs apart.
    pub(in crate::repl) fn columns(&self) -> Vec<&'static str> {
        let edit = if self.edits.is_empty() { None } else { Some("edit") };
        ["prompt"].into_iter().chain(self.root.names()).chain(edit).chain(self.turn.names()).collect()
    }

    /// All runs, by the picture they start from. The session must be one that is written nowhere: the pictures that runs start from are planted in its tree.
    ///
    /// # Errors
    /// Fails if an edit does not fit a prompt, before anything is drawn.
    pub(in crate::repl) fn plan(&self, session: &mut Session) -> Result<Vec<Start>> {
        let mut starts = Vec::new();
        for prompt in &self.prompts {
            for cell in self.root.cells() {
                let (settings, label) = self.root.settings(&self.settings, &cell)?;
                // Its weights count; a prompt without a word is left to the model.
                let first = match root(prompt, &NoSense)? {
                    Turn::Edit(edit) => edit,
                    Turn::Nothing | Turn::Question(_) => root_edit(prompt),
                };
                let head = [vec![prompt.clone()], cell].concat();
                let prompt_too = if self.prompts.len() > 1 { prompt.as_str() } else { "" };
                let short = joined([prompt_too, if self.root.count() > 1 { &label } else { "" }]);
                if self.edits.is_empty() {
                    let sketch = session.sketch(None, prompt, &first, &settings)?;
                    let run = SweepRun { sketch, values: head, label: short.clone() };
                    starts.push(Start { node: None, label: String::new(), short: String::new(), runs: vec![run] });
                    continue;
                }
                let planted = session.plant(None, prompt, &first, &settings)?;
                let label = joined([prompt.as_str(), &label]);
                let mut start = Start { node: Some(planted), label, short, runs: Vec::new() };
                for chain in &self.edits {
                    self.plan_edits(session, (planted, &head), chain, &settings, &mut start.runs)?;
                }
                starts.push(start);
            }
        }
        Ok(starts)
    }

    fn plan_edits(
        &self,
        session: &mut Session,
        (root, head): (u32, &[String]),
        chain: &[String],
        settings: &Settings,
        runs: &mut Vec<SweepRun>,
    ) -> Result<()> {
        let Some((last, before)) = chain.split_last() else { return Ok(()) };
        let mut at = root;
        for line in before {
            let edit = understood(session, at, line)?;
            at = session.plant(Some(at), line, &edit, settings)?;
        }
        let edit = understood(session, at, last)?;
        let told = chain.join("; ");
        for cell in self.turn.cells() {
            let (settings, label) = self.turn.settings(settings, &cell)?;
            let sketch = session.sketch(Some(at), last, &edit, &settings)?;
            let short = if self.edits.len() > 1 || label.is_empty() { told.as_str() } else { "" };
            let values = [head.to_vec(), vec![told.clone()], cell].concat();
            runs.push(SweepRun { sketch, values, label: joined([short, &label]) });
        }
        Ok(())
    }
}

/// Runs that start from one picture.
pub(in crate::repl) struct Start {
    /// The first picture; `None` where the run is one itself.
    pub(in crate::repl) node: Option<u32>,
    /// Its prompt and settings.
    pub(in crate::repl) label: String,
    /// What tells it from other first pictures.
    pub(in crate::repl) short: String,
    pub(in crate::repl) runs: Vec<SweepRun>,
}

pub(in crate::repl) fn joined<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// A line as an edit of the node `at`.
fn understood(session: &mut Session, at: u32, line: &str) -> Result<Edit> {
    session.go(crate::history::Event::Move { to: at })?;
    let prompt = session.tree()[at].plan.prompt.clone();
    let place = || format!("the edit `{line}` of `{prompt}`");
    let no_edit = || Hinted::new(format!("{} is no edit", place()), "edit = \"blond -> red\"").into();
    if let Line::Command(_) = commands::read(line).with_context(place)? {
        return Err(no_edit());
    }
    match session.read(line).with_context(place)? {
        Turn::Edit(edit) if !edit.is_root => Ok(edit),
        Turn::Edit(_) => {
            let message = format!("{} reads as another prompt", place());
            Err(Hinted::new(message, "a prompt of its own belongs into `prompts`").into())
        }
        Turn::Question(question) => {
            let choices: Vec<&str> = question.choices.iter().map(|choice| choice.label.as_str()).collect();
            let hint = format!("say which: {}", choices.join(", or "));
            Err(Hinted::new(format!("{} has several readings: {}", place(), question.text), hint).into())
        }
        Turn::Nothing => Err(no_edit()),
    }
}

/// The keys of `[grid]` as they stand in the file. A table forgets that, but the last axis runs fastest.
fn grid_in_order(text: &str) -> Vec<String> {
    let Ok(table) = DeTable::parse(text) else { return Vec::new() };
    let Some(DeValue::Table(grid)) = table.get_ref().get("grid").map(|value| value.get_ref()) else {
        return Vec::new();
    };
    let mut keys: Vec<(usize, String)> = grid.keys().map(|key| (key.span().start, key.get_ref().to_string())).collect();
    keys.sort_unstable();
    keys.into_iter().map(|(_, key)| key).collect()
}

fn no_value(key: &str) -> Hinted {
    let message = format!("`{key}` has a value that is neither text, a number, a list nor a table of them");
    Hinted::new(message, format!("{key} = 1"))
}

/// Texts of a list, or of one value.
fn list(key: &str, value: &Value) -> Result<Vec<String>> {
    let items = if let Value::Array(items) = value { items.as_slice() } else { std::slice::from_ref(value) };
    let texts: Option<Vec<String>> = items.iter().map(typed).collect();
    let texts = texts.ok_or_else(|| no_value(key))?;
    if texts.is_empty() {
        return Err(
            Hinted::new(format!("`{key}` is an empty list"), format!("{key} = [..., ...], or leave it out")).into()
        );
    }
    Ok(texts)
}

/// Edits, each a line or a list of lines.
fn chains(key: &str, value: &Value) -> Result<Vec<Vec<String>>> {
    let items = if let Value::Array(items) = value { items.as_slice() } else { std::slice::from_ref(value) };
    let chains: Vec<Vec<String>> = items.iter().map(|item| list(key, item)).collect::<Result<_>>()?;
    if chains.is_empty() {
        return Err(
            Hinted::new(format!("`{key}` is an empty list"), "leave it out to draw first pictures alone").into()
        );
    }
    Ok(chains)
}

/// Whether a key is a setting; else the nearest thing it may have been.
fn known(key: &str) -> Result<()> {
    if find(key).is_some() {
        return Ok(());
    }
    let near = crate::turn::nearest(&plain_name(key), OWN_KEYS.into_iter().chain(settings::names()));
    let hint = near.map_or_else(
        || format!("there are {}, and the settings that /set lists", OWN_KEYS.join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    Err(Hinted::new(format!("there is no key `{key}`"), hint).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Asked> {
        Asked::parse(text, "s.toml", Settings::default(), &[])
    }

    #[track_caller]
    fn fails(text: &str, message: &str, hint: &str) {
        let told = super::super::super::reply::tell(&read(text).unwrap_err());
        assert_eq!(told.message, message);
        let found = told.hint.unwrap_or_default();
        assert!(found.contains(hint), "{found}");
    }

    #[test]
    fn one_value_and_a_list_of_values_mean_the_same() {
        let one = read("prompt = 'a cat'\nedit = 'cat -> dog'\nseed = 7\n[grid]\nk = 0.3").unwrap();
        let list = read("prompts = ['a cat']\nedits = ['cat -> dog']\nseeds = [7]\n[grid]\nk = [0.3]").unwrap();
        assert_eq!(one, list);
        assert_eq!((one.columns(), one.edits), (vec!["prompt", "seed", "edit", "k"], vec![vec!["cat -> dog".into()]]));
    }

    #[test]
    fn settings_hold_for_all_runs_and_those_of_the_grid_are_axes_of_pictures_or_of_edits() {
        let text = "prompt = 'a cat'\nedits = [['cat -> dog', '+ at night'], 'cat -> fox']\nsteps = 4\nprecision = 'f32'\n\
                    [grid]\nself = [0.2]\ncross = ['0.2', '0.1..0.5', { cat = 0.1, default = 0.4 }]\nguidance = [3, 6]";
        let asked = read(text).unwrap();
        assert_eq!(asked.settings.root.steps, Some(4));
        assert_eq!(asked.edits, [vec!["cat -> dog", "+ at night"], vec!["cat -> fox"]]);
        assert_eq!((asked.root.names(), asked.root.count()), (vec!["guidance"], 2));
        assert_eq!((asked.turn.names(), asked.turn.count()), (vec!["self_replace_steps", "cross_replace_steps"], 3));
        assert_eq!(asked.turn.cells()[2][1], "{cat: 0.1, default: 0.4}");
    }

    #[test]
    fn what_is_wrong_is_named_with_the_file_and_one_thing_to_try() {
        fails("prompt = 'a'\npromts = 'b'", "s.toml: there is no key `promts`", "did you mean `prompts`?");
        fails("prompt = 'a'\nedit = 'b'\n[grid]\nkk = [1]", "s.toml: there is no key `kk`", "settings");
        fails("edit = 'a -> b'", "s.toml: there is no prompt", "prompt = ");
        fails("prompt = 'a'\n[grid]\nk = [0]", "s.toml: `k` shapes an edit, but there is none", "edit = ");
        fails("prompt = 'a'\nprompts = ['b']", "s.toml: `prompts` stands there twice", "");
        fails("prompt = []", "s.toml: `prompt` is an empty list", "");
        fails("prompt = 'a'\nseeds = [1]\n[grid]\nseed = [2]", "s.toml: `seed` stands there twice", "");
        let message = "s.toml: `device` belongs to the machine that draws, not to a sweep's file";
        fails("prompt = 'a'\nedit = 'b'\ndevice = 'plain'", message, "--set device=plain");
        fails("prompt = 'a'\ngrid = 3", "s.toml: `grid` is a table of settings", "[grid]");
        fails(
            "prompt = 1979-05-27",
            "s.toml: `prompt` has a value that is neither text, a number, a list nor a table of them",
            "",
        );
        let error = format!("{:#}", read("prompt = 'a'\nsteps = 0").unwrap_err());
        assert!(error.starts_with("s.toml: `steps` is `0`"), "{error}");
        let error = format!("{:#}", read("prompt = = 'a'").unwrap_err());
        assert!(error.starts_with("s.toml, line 1: "), "{error}");
        let many = (0..17).map(|n| format!("'{n}'")).collect::<Vec<_>>().join(",");
        let error =
            read(&format!("prompts = [{many}]\n[grid]\nseed = {:?}", (0..250).collect::<Vec<_>>())).unwrap_err();
        assert!(format!("{error:#}").contains("4250 pictures"), "{error:#}");
    }

    #[test]
    fn the_command_line_wins_over_the_file_but_not_over_a_list_in_it() {
        let over = |name: &str| [(name.to_owned(), "9".to_owned())];
        let text = "prompt = 'a'\nsteps = 4\n[grid]\nguidance = [3, 6]";
        let asked = Asked::parse(text, "s.toml", Settings::default(), &over("steps")).unwrap();
        assert_eq!(asked.settings.root.steps, Some(9));
        let error = Asked::parse(text, "s.toml", Settings::default(), &over("guidance")).unwrap_err();
        assert!(format!("{error:#}").contains("has a list for it"), "{error:#}");
    }

    #[test]
    fn every_model_that_is_named_is_told_once() {
        let text = "prompt = 'a'\n[grid]\nsteps = [1, 2]\nmodel = ['embedded', '../sd15']";
        assert_eq!(read(text).unwrap().models(), ["../sd15", "embedded"]);
        assert_eq!(read("prompt = 'a'\nmodel = '../sd15'").unwrap().models(), ["../sd15"]);
        assert!(read("prompt = 'a'").unwrap().models().is_empty());
    }
}
