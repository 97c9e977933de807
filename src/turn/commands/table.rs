//! The one table of commands.

/// One command.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its name, without the slash.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// Its arguments: `[n]` may be left out.
    pub signature: &'static str,
    /// What it does, as an order.
    pub help: &'static str,
    /// A line that uses it.
    pub example: &'static str,
    /// True if it may be typed without the slash.
    pub bare: bool,
    /// Its heading in the help.
    pub group: Group,
}

/// Headings of the help, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Moving in the tree.
    Move,
    /// Making pictures.
    Draw,
    /// Looking at them.
    Look,
    /// Settings.
    Settings,
    /// Files and sessions.
    Files,
    /// About the program.
    Help,
}

impl Group {
    /// All headings, in order.
    pub const ALL: [Self; 6] = [Self::Move, Self::Draw, Self::Look, Self::Settings, Self::Files, Self::Help];

    /// The heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Move => "Moving",
            Self::Draw => "Drawing",
            Self::Look => "Looking",
            Self::Settings => "Settings",
            Self::Files => "Files",
            Self::Help => "Help",
        }
    }
}

const fn row(
    group: Group,
    name: &'static str,
    aliases: &'static [&'static str],
    signature: &'static str,
    help: &'static str,
    example: &'static str,
) -> Entry {
    Entry { name, aliases, signature, help, example, bare: false, group }
}

const fn bare(entry: Entry) -> Entry {
    Entry { bare: true, ..entry }
}

use Group::{Draw, Files, Help, Look, Move, Settings};

/// Every command, by heading.
pub const COMMANDS: &[Entry] = &[
    bare(row(Move, "undo", &["u"], "[n]", "Go to the n-th ancestor, 1 if not given", "/undo 3")),
    bare(row(Move, "redo", &[], "[n]", "Go down the branch last left, 1 step if not given", "/redo 2")),
    bare(row(Move, "back", &[], "[n]", "Go to where we were before, in time, across roots and sessions", "/back 2")),
    bare(row(Move, "go", &["goto"], "ID", "Go to a node: its number, hex digits or branch name", "/go #3")),
    row(Move, "branch", &[], "NAME", "Give the present node a name to come back to", "/branch short-hair"),
    bare(row(Move, "tree", &[], "", "Draw the tree of pictures, with where we are", "/tree")),
    bare(row(Move, "log", &["history"], "", "List edits and moves in the order they were made", "/log")),
    row(Move, "name", &[], "TEXT", "Name the session", "/name the red fox"),
    row(
        Draw,
        "new",
        &[],
        "[PROMPT | N]",
        "Start a new picture; with a number, draw the prompt with N seeds and take one",
        "/new a cat on a beach",
    ),
    bare(row(
        Draw,
        "stronger",
        &[],
        "",
        "Draw the last edit once more with its windows .2 nearer to freedom",
        "/stronger",
    )),
    bare(row(
        Draw,
        "weaker",
        &[],
        "",
        "Draw the last edit once more with its windows .2 further from freedom",
        "/weaker",
    )),
    row(Draw, "seed", &[], "N", "Draw the branch again from the noise of seed N", "/seed 7"),
    bare(row(Draw, "again", &[], "", "Draw the branch again from the next seed", "/again")),
    bare(row(Draw, "vary", &[], "", "Draw the branch again from a far seed, made from the present one", "/vary")),
    row(Draw, "pick", &[], "ID", "Apply another node's edit here", "/pick #5"),
    row(Draw, "rebase", &[], "ID", "Replay the edits of this branch on another root", "/rebase #8"),
    row(Draw, "collapse", &[], "", "Draw the edits since the root as one edit", "/collapse"),
    row(
        Draw,
        "cycle",
        &[],
        "[ID] [--in-one]",
        "Edit back to an ancestor, the root if not given, and compare with it",
        "/cycle #1",
    ),
    row(
        Draw,
        "sweep",
        &[],
        "SPEC... [gif] [csv]",
        "Draw the last edit under a grid of settings",
        "/sweep k=0,.3,.6 cross=.2,.8",
    ),
    row(
        Look,
        "show",
        &[],
        "[ID... | path]",
        "Show pictures again, or say where the present one is saved",
        "/show #1 #4",
    ),
    row(Look, "compare", &[], "A B", "Show two pictures side by side", "/compare #1 #4"),
    row(Look, "sheet", &[], "", "Show the whole branch as a sheet", "/sheet"),
    row(Look, "maps", &["map"], "[WORD]", "Draw where the words attend, or one word", "/maps hair"),
    row(Look, "mask", &[], "[k]", "Draw the edited region, with threshold k", "/mask .4"),
    row(Look, "explain", &[], "EDIT", "Say what an edit would do; draw nothing", "/explain make her hair red"),
    row(Settings, "set", &[], "[NAME VALUE]", "Set a setting for the next turns; alone, list them", "/set cross .6"),
    row(Settings, "preset", &[], "NAME", "Take a set of settings: p2p, literature, clp2p, pie", "/preset p2p"),
    row(Settings, "freedom", &[], "X", "Keep everything (0) up to keep only the seed (1)", "/freedom .7"),
    row(
        Settings,
        "negative",
        &[],
        "[TEXT]",
        "Say what the next new picture should not be; alone, show it",
        "/negative blurry",
    ),
    row(Settings, "model", &[], "[NAME]", "Take a model for the next new picture; alone, show it", "/model ./my-model"),
    row(Files, "save", &[], "[NAME]", "Save the session under a name", "/save fox"),
    row(Files, "open", &[], "FILE", "Open a session, or a picture that carries one", "/open fox"),
    row(Files, "sessions", &[], "", "List the saved sessions", "/sessions"),
    row(
        Files,
        "export",
        &[],
        "png|gif|html|json [FILE]",
        "Write the picture, the branch as a GIF, a page or data",
        "/export gif fox.gif",
    ),
    row(Files, "replay", &[], "FILE", "Draw a session file again from its beginning", "/replay fox.jsonl"),
    row(Help, "words", &[], "[KIND]", "List the words that the model knows, by kind", "/words colour"),
    bare(row(Help, "help", &["?"], "[COMMAND | all]", "Name the commands, or explain one", "/help undo")),
    row(Help, "about", &["version"], "", "Say what this is and what it runs on", "/about"),
    bare(row(Help, "quit", &["exit", "q"], "", "Leave; everything is saved", "/quit")),
];

/// The entry of a name or alias.
#[must_use]
pub fn entry(name: &str) -> Option<&'static Entry> {
    COMMANDS.iter().find(|e| e.name == name || e.aliases.contains(&name))
}

/// The table as a page of documentation.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Commands\n\nThis page is generated from the table in `src/turn/commands/table.rs`.\n\n\
         Commands begin with `/`. Those marked with a dot may be typed without it. `#4` alone goes to node 4; `try again`\n\
         is `/again`. What is in square brackets may be left out.\n",
    );
    for group in Group::ALL {
        page.push_str(&format!(
            "\n## {}\n\n| command | | does | example |\n| --- | --- | --- | --- |\n",
            group.title()
        ));
        for e in COMMANDS.iter().filter(|e| e.group == group) {
            let blank = if e.signature.is_empty() { "" } else { " " };
            let mut help = e.help.to_owned();
            if !e.aliases.is_empty() {
                let aliases: Vec<String> = e.aliases.iter().map(|a| format!("`/{a}`")).collect();
                help.push_str(&format!(" (also {})", aliases.join(", ")));
            }
            let signature = e.signature.replace('|', "\\|");
            let dot = if e.bare { "·" } else { "" };
            page.push_str(&format!("| `/{}{blank}{signature}` | {dot} | {help} | `{}` |\n", e.name, e.example));
        }
    }
    page
}
