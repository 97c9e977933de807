//! The questions that the study behind this program asked in pictures, as grids that give numbers.
//!
//! A [`StudyQuestion`] varies one thing, its axis, under some panels of settings, over some subjects: prompts, each with the edits that
//! are made of it. Every combination is drawn with every seed.

/// What a question varies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Axis {
    /// A setting, through these values.
    Setting(&'static str, &'static [&'static str]),
    /// The weight of a word of the prompt.
    Weight(&'static [&'static str]),
    /// A setting of the way back, when the edit has been made under the panel.
    WayBack(&'static str, &'static [&'static str]),
}

impl Axis {
    /// The values, as they are typed.
    #[must_use]
    pub fn values(&self) -> &'static [&'static str] {
        match self {
            Self::Setting(_, values) | Self::Weight(values) | Self::WayBack(_, values) => values,
        }
    }

    /// What varies, in a word.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Setting(name, _) => name,
            Self::Weight(_) => "weight",
            Self::WayBack(_, _) => "way back",
        }
    }
}

/// Settings that a panel has in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Panel {
    /// What it is called: its settings, in short.
    pub name: &'static str,
    /// Names and values.
    pub settings: &'static [(&'static str, &'static str)],
}

/// A prompt, and what is changed in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Of what kind it is, in a word.
    pub kind: String,
    /// The prompt.
    pub prompt: String,
    /// Words and what takes their place; for weights, words alone.
    pub edits: Vec<(String, String)>,
}

/// A question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StudyQuestion {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What is asked, in a sentence.
    pub asks: &'static str,
    /// What is varied.
    pub axis: Axis,
    /// Under which settings.
    pub panels: &'static [Panel],
}

const CLOSE: Panel =
    Panel { name: "k .3, cross .8, self .4", settings: &[("k", "0.3"), ("cross", "0.8"), ("self", "0.4")] };
const LOOSE: Panel =
    Panel { name: "k 0, cross .2, self .8", settings: &[("k", "0"), ("cross", "0.2"), ("self", "0.8")] };
const SHARES: &[&str] = &["0", "0.2", "0.4", "0.6", "0.8", "1"];

/// Every question.
pub const QUESTIONS: [StudyQuestion; 7] = [
    StudyQuestion {
        name: "k",
        asks: "What does the threshold of the silhouette do?",
        axis: Axis::Setting("k", &["0", "0.1", "0.2", "0.3", "0.4", "0.6", "0.8"]),
        panels: &[
            Panel { name: "cross .8, self .4", settings: &[("cross", "0.8"), ("self", "0.4")] },
            Panel { name: "cross .2, self .8", settings: &[("cross", "0.2"), ("self", "0.8")] },
        ],
    },
    StudyQuestion {
        name: "cross",
        asks: "What does the share of steps with carried cross-attention do, under several silhouettes?",
        axis: Axis::Setting("cross_replace_steps", SHARES),
        panels: &[
            Panel { name: "k 0, self .4", settings: &[("k", "0"), ("self", "0.4")] },
            Panel { name: "k .3, self .4", settings: &[("k", "0.3"), ("self", "0.4")] },
            Panel { name: "k .6, self .4", settings: &[("k", "0.6"), ("self", "0.4")] },
        ],
    },
    StudyQuestion {
        name: "self",
        asks: "What does the share of steps with carried self-attention do, where the rest is held and where it is free?",
        axis: Axis::Setting("self_replace_steps", SHARES),
        panels: &[
            Panel { name: "k .3, cross .8", settings: &[("k", "0.3"), ("cross", "0.8")] },
            Panel { name: "k 0, cross .2", settings: &[("k", "0"), ("cross", "0.2")] },
        ],
    },
    StudyQuestion {
        name: "cycle",
        asks: "Does an edit taken back by words lead to the picture that it began with, whatever the windows on the way back?",
        axis: Axis::WayBack("cross_replace_steps", &["0.2", "0.4", "0.6", "0.8"]),
        panels: &[
            Panel {
                name: "there with k .3, cross .4, self .4",
                settings: &[("k", "0.3"), ("cross", "0.4"), ("self", "0.4")],
            },
            Panel {
                name: "there with k 0, cross .4, self .4",
                settings: &[("k", "0"), ("cross", "0.4"), ("self", "0.4")],
            },
        ],
    },
    StudyQuestion {
        name: "reweight",
        asks: "Do the settings that serve swaps serve weights too, negative ones included?",
        axis: Axis::Weight(&["-8", "-4", "-2", "0", "1", "2", "4", "8"]),
        panels: &[CLOSE, LOOSE],
    },
    StudyQuestion {
        name: "values",
        asks: "What does mixing in the values of the old prompt for some steps do?",
        axis: Axis::Setting("v_replace_steps", &["off", "0.1", "0.2", "0.4", "0.6", "0.8"]),
        panels: &[CLOSE, LOOSE],
    },
    StudyQuestion {
        name: "best",
        asks: "Which settings show the edit most for what they keep of the rest?",
        axis: Axis::Setting("cross_replace_steps", &["0.2", "0.4", "0.8"]),
        panels: &[
            Panel { name: "k 0, self .2", settings: &[("k", "0"), ("self", "0.2")] },
            Panel { name: "k 0, self .4", settings: &[("k", "0"), ("self", "0.4")] },
            Panel { name: "k 0, self .8", settings: &[("k", "0"), ("self", "0.8")] },
            Panel { name: "k .3, self .2", settings: &[("k", "0.3"), ("self", "0.2")] },
            Panel { name: "k .3, self .4", settings: &[("k", "0.3"), ("self", "0.4")] },
            Panel { name: "k .3, self .8", settings: &[("k", "0.3"), ("self", "0.8")] },
        ],
    },
];

impl StudyQuestion {
    /// The question of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        QUESTIONS.iter().find(|question| question.name == name)
    }

    /// What it is asked of where nothing is named.
    #[must_use]
    pub fn subjects(&self) -> Vec<Subject> {
        let subject = |kind: &str, prompt: &str, edits: &[(&str, &str)]| Subject {
            kind: kind.to_owned(),
            prompt: prompt.to_owned(),
            edits: edits.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect(),
        };
        if matches!(self.axis, Axis::Weight(_)) {
            let prompt = "a woman's face with long wavy blond hair";
            return vec![subject("hair", prompt, &[("long", ""), ("wavy", ""), ("blond", "")])];
        }
        let hair = [("blond", "brown"), ("blond", "red"), ("blond", "black")];
        let middle = [("river", "street"), ("river", "forest"), ("river", "desert")];
        vec![
            subject("hair", "a woman's face with blond hair", &hair),
            subject("middle", "a river between mountains", &middle),
        ]
    }

    /// The lines that are typed for an edit, one upon the other, at a value of the axis; the last is the one that is looked at.
    #[must_use]
    pub fn lines(&self, (from, to): (&str, &str), value: &str) -> Vec<String> {
        match self.axis {
            Axis::Setting(..) => vec![format!("{from} -> {to}")],
            Axis::Weight(_) => vec![format!("{from}*{value}")],
            Axis::WayBack(..) => vec![format!("{from} -> {to}"), format!("{to} -> {from}")],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::settings::Settings;

    #[test]
    fn every_question_asks_for_settings_that_can_be_had_and_none_sets_what_it_varies() {
        for question in &QUESTIONS {
            assert_eq!(StudyQuestion::find(question.name), Some(question));
            let mut settings = Settings::default();
            for panel in question.panels {
                for (name, value) in panel.settings {
                    settings.set(name, value).expect(question.name);
                }
            }
            if let Axis::Setting(name, values) | Axis::WayBack(name, values) = question.axis {
                let varied = crate::plan::settings::find(name).expect(name).name;
                for value in values {
                    settings.set(name, value).expect(question.name);
                }
                let sets = |panel: &Panel| {
                    panel
                        .settings
                        .iter()
                        .any(|(name, _)| crate::plan::settings::find(name).is_some_and(|s| s.name == varied))
                };
                let is_back = matches!(question.axis, Axis::WayBack(..));
                assert!(is_back || !question.panels.iter().any(sets), "{}", question.name);
            }
            assert!(!question.subjects().is_empty() && question.axis.values().len() > 1);
        }
    }
}
