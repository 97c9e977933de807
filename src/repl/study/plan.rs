//! Which pictures a question needs, and which task draws which.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::super::command_line::Args;
use super::super::sweep::Plan;
use super::super::sweep::asked::{Asked, Start};
use crate::plan::settings::Settings;
use crate::preview::file::write_atomically;
use crate::session::Session;
use crate::session::file::Hinted;
use crate::study::question::{Axis, Panel, StudyQuestion, Subject};
use crate::study::sweep::Axes;

/// Seeds where none are named: enough for intervals that say something.
const SEEDS: u64 = 20;

/// A question with all that is asked of it.
pub(super) struct Asking {
    pub(super) question: &'static StudyQuestion,
    about: About,
}

/// A kind, a prompt, and the edits that are made of it.
type AskedOf = (String, String, Vec<(String, String)>);

/// The same as a study's folder keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct About {
    question: String,
    seeds: u64,
    subjects: Vec<AskedOf>,
    /// Settings of all pictures, name and value.
    settings: Vec<(String, String)>,
}

/// Where a run stands in the question.
pub(super) struct Place {
    pub(super) subject: usize,
    pub(super) edit: usize,
    pub(super) panel: usize,
    pub(super) value: usize,
    pub(super) seed: u64,
}

/// One of several tasks that share a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shard {
    at: usize,
    of: usize,
}

impl Shard {
    /// Reads `2/8`.
    ///
    /// # Errors
    /// Fails if it is not of that form, or counts wrongly.
    pub(super) fn read(text: &str) -> Result<Self, Hinted> {
        let numbers = text.split_once('/').and_then(|(at, of)| Some((at.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((at, of)) if (1..=of).contains(&at) && of <= 1000 => Ok(Self { at, of }),
            _ => Err(Hinted::new(format!("`--shard {text}` is no share of a study"), "--shard 1/4, to --shard 4/4")),
        }
    }

    /// The folder that it draws into.
    pub(super) fn folder(self) -> String {
        format!("shard-{}-of-{}", self.at, self.of)
    }

    /// Whether a folder's name is that of a shard.
    pub(super) fn is_folder(name: &str) -> bool {
        let numbers = name.strip_prefix("shard-").and_then(|rest| rest.split_once("-of-"));
        numbers.is_some_and(|(at, of)| Self::read(&format!("{at}/{of}")).is_ok())
    }

    /// Whether it draws the group of this number.
    fn has(self, group: usize) -> bool {
        group % self.of == self.at - 1
    }
}

impl Asking {
    /// What the command line asks.
    ///
    /// # Errors
    /// Fails if the prompts cannot be read, or do not suit the question.
    pub(super) fn of(question: &'static StudyQuestion, args: &Args, settings: Settings) -> Result<Self> {
        let subjects = match args.value("prompts") {
            None => question.subjects(),
            Some(file) => given(question, Path::new(file), settings)?,
        };
        let subjects = subjects.into_iter().map(|s| (s.kind, s.prompt, s.edits)).collect();
        let settings = args.settings().into_iter().filter(|(name, _)| name != "device").collect();
        let seeds = args.get("seeds").copied().unwrap_or(SEEDS);
        if seeds == 0 {
            let message = format!("`--seeds 0` leaves `study {}` nothing to draw", question.name);
            return Err(Hinted::new(message, "it asks of drawn pictures: --seeds 20").into());
        }
        Ok(Self { question, about: About { question: question.name.to_owned(), seeds, subjects, settings } })
    }

    /// What a study's folder says was asked.
    ///
    /// # Errors
    /// Fails if there is none, or it is damaged.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!("cannot read {shown}: {error}");
            Hinted::new(message, "give the --out DIR that the shards were drawn with")
        })?;
        let about: About = serde_json::from_str(&text).with_context(|| format!("{shown} is damaged"))?;
        let question = StudyQuestion::find(&about.question);
        let question = question
            .with_context(|| format!("{shown} names the study `{}`, of which there is none", about.question))?;
        Ok(Self { question, about })
    }

    /// Writes down what is asked, where nothing else was asked before.
    ///
    /// # Errors
    /// Fails if the folder holds another study, or cannot be written.
    pub(super) fn claim(&self, path: &Path) -> Result<()> {
        if let Ok(text) = std::fs::read_to_string(path) {
            if serde_json::from_str::<About>(&text).is_ok_and(|there| there == self.about) {
                return Ok(());
            }
            let message =
                format!("{} is of another study, or of the same with other seeds, prompts or settings", path.display());
            return Err(Hinted::new(message, "give another folder with --out").into());
        }
        write_atomically(path, format!("{}\n", serde_json::to_string_pretty(&self.about)?).as_bytes())
    }

    /// Settings of all pictures, on top of others.
    ///
    /// # Errors
    /// Fails if one cannot be set.
    pub(super) fn settings(&self, base: Settings) -> Result<Settings> {
        let mut settings = base;
        for (name, value) in &self.about.settings {
            settings.set(name, value)?;
        }
        Ok(settings)
    }

    /// What is asked about.
    pub(super) fn subject(&self, at: usize) -> (&str, &str) {
        let (kind, prompt, _) = &self.about.subjects[at];
        (kind, prompt)
    }

    /// How many seeds each picture is drawn with.
    pub(super) fn seeds(&self) -> u64 {
        self.about.seeds
    }

    /// Settings that all pictures have, as they were given.
    pub(super) fn given(&self) -> &[(String, String)] {
        &self.about.settings
    }

    /// The edit of a place, as it is told.
    pub(super) fn edit(&self, place: &Place) -> String {
        let (from, to) = &self.about.subjects[place.subject].2[place.edit];
        if to.is_empty() { from.clone() } else { format!("{from} -> {to}") }
    }

    /// All pictures, or those of a shard, and where each stands.
    ///
    /// # Errors
    /// Fails if an edit does not fit its prompt.
    pub(super) fn plan(
        &self,
        session: &mut Session,
        settings: &Settings,
        shard: Option<Shard>,
    ) -> Result<(Plan, Vec<Place>)> {
        let seeds: Vec<String> = (1..=self.about.seeds).map(|seed| seed.to_string()).collect();
        let (mut starts, mut places, mut last) = (Vec::new(), Vec::new(), None);
        for (subject, (_, prompt, edits)) in self.about.subjects.iter().enumerate() {
            for (panel, with) in self.question.panels.iter().enumerate() {
                let asked = self.asked((prompt, edits), with, settings, &seeds)?;
                for (at, mut start) in asked.plan(session)?.into_iter().enumerate() {
                    // All that starts from one picture is drawn by one task.
                    if !shard.is_none_or(|shard| shard.has(subject * seeds.len() + at)) {
                        continue;
                    }
                    let values = self.question.axis.values().len();
                    places.extend((0..start.runs.len()).map(|run| Place {
                        subject,
                        edit: run / values,
                        panel,
                        value: run % values,
                        seed: at as u64 + 1,
                    }));
                    self.label(&mut start, with);
                    starts.push(start);
                }
                last = Some(asked);
            }
        }
        let last = last.context("BUG: a question of nothing")?;
        Ok((Plan::of(starts, &last), places))
    }

    /// A picture's label names its panel's settings too.
    fn label(&self, start: &mut Start, panel: &Panel) {
        if self.question.panels.len() > 1 {
            for run in &mut start.runs {
                run.label = format!("{} · {}", panel.name, run.label);
            }
        }
    }

    fn asked(
        &self,
        (prompt, edits): (&str, &[(String, String)]),
        panel: &Panel,
        settings: &Settings,
        seeds: &[String],
    ) -> Result<Asked> {
        let mut settings = settings.clone();
        for (name, value) in panel.settings {
            settings.set(name, value)?;
        }
        let (mut root, mut turn) = (Axes::default(), Axes::default());
        root.add("seed", seeds.to_vec())?;
        let values = self.question.axis.values();
        if let Axis::Setting(name, values) | Axis::WayBack(name, values) = self.question.axis {
            turn.add(name, values.iter().map(|value| (*value).to_owned()).collect())?;
        }
        let lines = |(from, to): &(String, String), value: &str| self.question.lines((from, to), value);
        let edits = match self.question.axis {
            Axis::Weight(_) => {
                edits.iter().flat_map(|edit| values.iter().map(move |value| lines(edit, value))).collect()
            }
            _ => edits.iter().map(|edit| lines(edit, values[0])).collect(),
        };
        Ok(Asked { prompts: vec![prompt.to_owned()], edits, settings, root, turn })
    }
}

/// The subjects of a file: prompts, each with all of its edits.
fn given(question: &StudyQuestion, path: &Path, settings: Settings) -> Result<Vec<Subject>> {
    let asked = Asked::read(path, settings, &[])?;
    let is_weight = matches!(question.axis, Axis::Weight(_));
    let is_word = |line: &str| !line.is_empty() && !line.contains(|c: char| c.is_whitespace() || "->*".contains(c));
    let edit = |chain: &Vec<String>| -> Result<(String, String)> {
        let line = chain.join("; ");
        let parted = line.split_once("->").map(|(from, to)| (from.trim().to_owned(), to.trim().to_owned()));
        match parted {
            _ if is_weight && is_word(line.trim()) => Ok((line.trim().to_owned(), String::new())),
            Some((from, to)) if !is_weight && chain.len() == 1 && !from.is_empty() && !to.is_empty() => Ok((from, to)),
            _ => {
                let hint = if is_weight { "edits = [\"wavy\", \"blond\"]" } else { "edits = [\"blond -> red\"]" };
                let kind = if is_weight { "a word to weigh" } else { "words and what takes their place" };
                Err(Hinted::new(format!("{}: `{line}` is not {kind}", path.display()), hint).into())
            }
        }
    };
    let edits: Vec<(String, String)> = asked.edits.iter().map(edit).collect::<Result<_>>()?;
    if edits.is_empty() {
        let message = format!("{}: there are no edits to study", path.display());
        return Err(Hinted::new(message, "edits = [\"blond -> red\"]").into());
    }
    let kind = |at: usize| if asked.prompts.len() == 1 { "all".to_owned() } else { format!("prompt {}", at + 1) };
    let subject =
        |(at, prompt): (usize, &String)| Subject { kind: kind(at), prompt: prompt.clone(), edits: edits.clone() };
    Ok(asked.prompts.iter().enumerate().map(subject).collect())
}

/// A script for Slurm: an array of as many tasks, a shard each. A task whose program or node is killed is put back into the
/// queue, `PATIENCE` times at most, and goes on where it was.
pub(super) fn slurm(asking: &Asking, tasks: u64, args: &Args, folder: &Path) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let out = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()).display().to_string();
    let mut line = format!("study {} --out {} --seeds {}", asking.question.name, quoted(&out), asking.seeds());
    if let Some(file) = args.value("prompts") {
        let file = std::path::absolute(file).map_or_else(|_| file.to_owned(), |file| file.display().to_string());
        line += &format!(" --prompts {}", quoted(&file));
    }
    for (name, value) in asking.given() {
        line += &format!(" --set {}", quoted(&format!("{name}={value}")));
    }
    format!(
        "#!/bin/sh\n\
         #SBATCH --job-name=wordbrush-{name}\n\
         #SBATCH --array=1-{tasks}\n\
         #SBATCH --requeue\n\
         #SBATCH --open-mode=append\n\
         # When all have ended: wordbrush study merge --out {merged}\n\
         \"${{WORDBRUSH:-wordbrush}}\" {line} --plain --shard \"$SLURM_ARRAY_TASK_ID/{tasks}\"\n\
         status=$?\n\
         # What a signal ended has 128 and more.\n\
         if [ $status -gt 128 ] && [ \"${{SLURM_RESTART_COUNT:-0}}\" -lt {PATIENCE} ]; then\n  \
           exec scontrol requeue \"${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID\"\n\
         fi\n\
         exit $status\n",
        name = asking.question.name,
        merged = quoted(&out),
    )
}

/// How often a task that was killed is tried again.
const PATIENCE: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_belongs_to_one_shard_and_a_share_that_is_none_is_told() {
        let shards: Vec<Shard> = (1..=3).map(|at| Shard::read(&format!("{at}/3")).unwrap()).collect();
        for group in 0..12 {
            assert_eq!(shards.iter().filter(|shard| shard.has(group)).count(), 1, "{group}");
        }
        assert!(Shard::is_folder("shard-2-of-3") && !Shard::is_folder("shard-4-of-3") && !Shard::is_folder("pictures"));
        for bad in ["0/3", "4/3", "1", "a/b", "1/0", ""] {
            assert!(Shard::read(bad).is_err(), "{bad}");
        }
    }
}
