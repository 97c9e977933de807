//! The verbs of the command line and their options: one table feeds reading, help, the manual page and completion.

/// A verb with the options it takes.
pub(super) struct Verb {
    /// What is typed after `wordbrush`; "" for the conversation.
    pub(super) name: &'static str,
    /// What may follow it.
    pub(super) usage: &'static str,
    /// What it does, in a few words.
    pub(super) about: &'static str,
    /// What else there is to know.
    pub(super) more: &'static str,
    /// A whole line that uses it.
    pub(super) example: &'static str,
    /// Options with a value.
    pub(super) valued: &'static [&'static str],
    /// Options without one.
    pub(super) switches: &'static [&'static str],
}

/// An option.
pub(super) struct Choice {
    pub(super) name: &'static str,
    /// What its value is called; "" for a switch.
    pub(super) value: &'static str,
    pub(super) about: &'static str,
}

/// Options that every verb takes.
pub(super) const COMMON: &[&str] = &["model", "set", "preview", "cache-ram", "cache-disk"];

/// Every option.
pub(super) const OPTIONS: &[Choice] = &[
    Choice { name: "model", value: "M", about: "embedded, a folder, or owner/name[@revision]" },
    Choice { name: "set", value: "NAME=VALUE", about: "a setting (repeatable); /set inside lists them" },
    Choice { name: "out", value: "DIR", about: "the folder where pictures and results are written" },
    Choice { name: "preview", value: "P", about: "kitty, iterm, sixel, blocks, none or auto" },
    Choice { name: "plain", value: "", about: "no pictures, no colours, no cursor movement" },
    Choice { name: "session", value: "FILE", about: "a session file, made if it is not there" },
    Choice { name: "read-only", value: "", about: "look at a session, also while another window writes it" },
    Choice { name: "json", value: "", about: "one JSON object a line, for programs" },
    Choice { name: "prompt", value: "P", about: "the prompt that the line is to change" },
    Choice { name: "verify", value: "", about: "end in 1 if a picture differs" },
    Choice { name: "method", value: "NAME", about: "how to go back: exact, or a published way to compare with" },
    Choice { name: "in-one", value: "", about: "go back in one edit instead of edit by edit" },
    Choice { name: "chains", value: "N", about: "how many conversations, 50 if not given" },
    Choice { name: "seed", value: "N", about: "what they are drawn from, 1 if not given" },
    Choice { name: "from", value: "N", about: "the first of them, 1 if not given; --chains N is the last" },
    Choice { name: "models", value: "DIR", about: "a folder of models that cases name (repeatable)" },
    Choice { name: "precision", value: "P", about: "f32 or bf16" },
    Choice { name: "only", value: "WHAT", about: "one measurement, such as step, turn_cached or decode" },
    Choice { name: "runs", value: "N", about: "how often each is measured, 5 if not given" },
    Choice { name: "cache-ram", value: "BYTES", about: "memory for what can be computed again, such as 512M" },
    Choice { name: "cache-disk", value: "BYTES", about: "the same on disk, such as 4G" },
    Choice { name: "version", value: "", about: "the program's version" },
    Choice { name: "help", value: "", about: "what the program or a verb does" },
];

/// Every verb.
pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: "",
        usage: "",
        about: "open a conversation",
        more: "Describe a picture, then change it by words. Lines that come through a pipe are taken as a script.",
        example: "wordbrush --set seed=21",
        valued: &["session", "out"],
        switches: &["plain", "read-only", "version", "help"],
    },
    Verb {
        name: "open",
        usage: "NAME",
        about: "go on with a session, or with a picture's",
        more: "NAME is a session of `wordbrush sessions`, a session file, or a PNG that the program wrote.",
        example: "wordbrush open 2026-11-24-a",
        valued: &["out"],
        switches: &["plain", "read-only", "help"],
    },
    Verb {
        name: "run",
        usage: "SCRIPT [--json]",
        about: "run lines from a file (-: standard input)",
        more: "Lines are what is typed in a conversation. Those that begin with `# ` are remarks.",
        example: "wordbrush run hair.txt --out pictures --session hair.jsonl",
        valued: &["session", "out"],
        switches: &["json", "plain", "help"],
    },
    Verb {
        name: "explain",
        usage: "--prompt P LINE",
        about: "say what a line would do",
        more: "Nothing is drawn. LINE may begin with a minus.",
        example: "wordbrush explain --prompt \"a cat on a beach\" \"make it a dog\"",
        valued: &["prompt"],
        switches: &["json", "help"],
    },
    Verb {
        name: "sweep",
        usage: "FILE.toml [--out DIR]",
        about: "draw prompts, edits, seeds and settings",
        more: "FILE names prompts, edits, seeds, settings, and a [grid] of settings with lists of values. Every \
               combination is drawn and measured: a contact sheet, a moving picture and a table lie in DIR, FILE's name \
               without ending if it is not given. What is there already is not drawn again, so a sweep that was stopped \
               goes on, and a changed FILE draws only what is new.",
        example: "wordbrush sweep docs/guide/sweep.toml --out hair",
        valued: &["out"],
        switches: &["json", "plain", "help"],
    },
    Verb {
        name: "replay",
        usage: "FILE... [--verify]",
        about: "draw sessions again and compare",
        more: "Pictures of the same kernels are compared byte for byte, others by thumbprint.",
        example: "wordbrush replay sessions/hair.jsonl --verify",
        valued: &["out"],
        switches: &["verify", "json", "help"],
    },
    Verb {
        name: "cycle",
        usage: "FILE [ID]",
        about: "edit back by words and measure",
        more: "From where the session is to ID, its first picture if not given. --method exact is ours; published generates \
               the source again from its prompt, and v-inject also mixes values.",
        example: "wordbrush cycle sessions/cycle.jsonl --json",
        valued: &["method"],
        switches: &["json", "in-one", "help"],
    },
    Verb {
        name: "study",
        usage: "cycles --out DIR",
        about: "compare ways back over many conversations",
        more: "Random conversations are edited back by every method; tables and a plot are written to DIR. A study that was \
               broken off goes on.",
        example: "wordbrush study cycles --chains 50 --out results",
        valued: &["out", "chains", "seed", "from"],
        switches: &["help"],
    },
    Verb {
        name: "sessions",
        usage: "[rm NAME...]",
        about: "list sessions, or remove some",
        more: "A session that is open elsewhere is not removed.",
        example: "wordbrush sessions rm 2026-11-24-a",
        valued: &[],
        switches: &["help"],
    },
    Verb {
        name: "export",
        usage: "FORMAT SESSION [FILE]",
        about: "png, gif, html or json of a session",
        more: "The present picture, its branch as a moving picture, the tree as a page, or data.",
        example: "wordbrush export gif 2026-11-24-a hair.gif",
        valued: &["out"],
        switches: &["help"],
    },
    Verb {
        name: "cache",
        usage: "clear",
        about: "remove what can be computed again",
        more: "Sessions stay; what is missing is drawn again with the same bits.",
        example: "wordbrush cache clear",
        valued: &[],
        switches: &["help"],
    },
    Verb {
        name: "parity",
        usage: "CASE... --out DIR",
        about: "compare with the published method's numbers",
        more: "CASE is a case or a folder of them.",
        example: "wordbrush parity tests/parity --out results",
        valued: &["out", "models", "precision"],
        switches: &["help"],
    },
    Verb {
        name: "bench",
        usage: "[--json]",
        about: "measure this machine",
        more: "A step, a turn, decoding, start-up; medians of several runs.",
        example: "wordbrush bench --only turn_cached",
        valued: &["only", "precision", "runs"],
        switches: &["json", "help"],
    },
    Verb {
        name: "completions",
        usage: "SHELL",
        about: "completion for bash, zsh or fish",
        more: "To be written where the shell looks for completions.",
        example: "source <(wordbrush completions bash)",
        valued: &[],
        switches: &["help"],
    },
    Verb {
        name: "man",
        usage: "",
        about: "print the manual page",
        more: "To be read at once, `wordbrush man | man -l -`, or written where man looks for pages.",
        example: "wordbrush man > ~/.local/share/man/man1/wordbrush.1",
        valued: &[],
        switches: &["help"],
    },
];

/// The verb of a name; the conversation, if there is none.
pub(super) fn verb(name: &str) -> &'static Verb {
    VERBS.iter().find(|verb| verb.name == name).unwrap_or(&VERBS[0])
}

/// What an option means.
pub(super) fn option(name: &str) -> Option<&'static Choice> {
    OPTIONS.iter().find(|choice| choice.name == name)
}

impl Verb {
    /// The options that it takes besides those of every verb.
    pub(super) fn own_options(&self) -> impl Iterator<Item = &'static Choice> {
        let (valued, switches) = (self.valued, self.switches);
        OPTIONS.iter().filter(move |o| valued.contains(&o.name) || switches.contains(&o.name))
    }

    /// `wordbrush run SCRIPT [--json]`.
    pub(super) fn synopsis(&self) -> String {
        ["wordbrush", self.name, self.usage].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

impl Choice {
    /// `--out DIR`.
    pub(super) fn typed(&self) -> String {
        format!("--{} {}", self.name, self.value).trim_end().to_owned()
    }
}
