//! The one table of commands: a row is all that a command is beside its function.

use super::Group::{Draw, Files, Help, Look, Move, Settings};
use super::{Entry, Group, Offers, Run};
use crate::repl::look::{
    about, branches, cycle, export, files, learning, maps, methods, region, settings, show, sweep,
};
use crate::repl::reply::Reply;
use crate::repl::{explain, help};

/// Every command, by heading.
pub const COMMANDS: &[Entry] = &[
    row(Move, "undo", "[n]", "Go to the n-th ancestor, 1 if not given", "/undo 3")
        .also(&["u"])
        .bare()
        .does(|t, a, _| t.go(t.session.tree().undo(a.steps()?)?)),
    row(Move, "redo", "[n]", "Go down the branch last left, 1 step if not given", "/redo 2")
        .bare()
        .does(|t, a, _| t.go(t.session.tree().redo(a.steps()?)?)),
    row(Move, "back", "[n]", "Go to where we were before, in time, across roots and sessions", "/back 2")
        .bare()
        .does(|t, a, _| t.go(t.session.tree().back(a.steps()?)?)),
    row(Move, "go", "ID", "Go to a node: its number, hex digits or branch name", "/go #3")
        .also(&["goto"])
        .bare()
        .offers(Offers::Nodes(""))
        .does(|t, a, _| t.go(t.session.tree().go(a.one()?)?)),
    row(Move, "branch", "NAME", "Give the present node a name to come back to", "/branch short-hair")
        .does(|t, a, _| about::branch(t, a.one()?)),
    row(Move, "tree", "", "Draw the tree of pictures, with where we are", "/tree")
        .bare()
        .does(|t, _, _| Ok(about::tree(t))),
    row(Move, "walk", "", "Walk through the tree with its pictures: arrow keys, Enter goes there, Esc leaves", "/walk")
        .does(|t, _, _| about::walk(t)),
    row(Move, "log", "", "List edits and moves in the order they were made", "/log")
        .also(&["history"])
        .bare()
        .does(|t, _, _| Ok(about::log(t))),
    row(Move, "name", "TEXT", "Name the session", "/name the red fox").does(|t, a, _| about::name(t, a.needed_text()?)),
    row(
        Draw,
        "new",
        "[PROMPT | N]",
        "Start a new picture; with a number, draw the prompt with N seeds and take one",
        "/new a cat on a beach",
    )
    .offers(Offers::Text)
    .does(branches::new),
    row(Draw, "stronger", "", "Draw the last edit once more with its windows .2 nearer to freedom", "/stronger")
        .bare()
        .does(|t, a, w| branches::nearer_freedom(t, a.line, 0.2, w)),
    row(Draw, "weaker", "", "Draw the last edit once more with its windows .2 further from freedom", "/weaker")
        .bare()
        .does(|t, a, w| branches::nearer_freedom(t, a.line, -0.2, w)),
    row(
        Draw,
        "in",
        "REGION EDIT",
        "Make an edit, and only there: a word of the prompt, a text in quotes, x,y,width,height or the file of a mask",
        "/in hair make it red",
    )
    .offers(Offers::Words)
    .does(methods::carry_out),
    row(
        Draw,
        "sdedit",
        "STRENGTH [PROMPT] [with FILE [at X,Y]] [seed N]",
        "Put noise on the picture, or on it with a small one laid on, and draw from there",
        "/sdedit .6 in the snow",
    )
    .offers(Offers::Text)
    .does(methods::carry_out),
    row(
        Draw,
        "paint",
        "[PROMPT] in REGION [STRENGTH] [seed N]",
        "Draw one region again, and keep the picture outside it at every step",
        "/paint make it red in hair",
    )
    .offers(Offers::Text)
    .does(methods::carry_out),
    row(
        Draw,
        "mix",
        "PROMPT [KMIN KMAX NU] [seed N]",
        "Draw something else in the layout of the picture",
        "/mix a bowl of fruit",
    )
    .offers(Offers::Text)
    .does(methods::carry_out),
    row(
        Draw,
        "diffedit",
        "PROMPT [STRENGTH] [seed N]",
        "Find where the new words ask for something else, and draw that again",
        "/diffedit blond -> red",
    )
    .offers(Offers::Text)
    .does(methods::carry_out),
    row(
        Draw,
        "imagic",
        "PROMPT [STRENGTH] [seed N]",
        "Let the model learn the picture, and draw between that and the words; without a strength, a sheet of several",
        "/imagic blond -> red .7",
    )
    .offers(Offers::Text)
    .does(learning::carry_out),
    row(
        Draw,
        "unitune",
        "PROMPT [STRENGTH] [seed N]",
        "Let the model learn the picture under a rare word, and draw from its noised self; without a strength, a sheet",
        "/unitune blond -> red .8",
    )
    .offers(Offers::Text)
    .does(learning::carry_out),
    row(
        Draw,
        "region",
        "[REGION | off]",
        "Let the next edits change the picture there alone: a word, x,y,width,height or the file of a mask",
        "/region 20,20,40,40",
    )
    .offers(Offers::Words)
    .does(|t, a, _| region::region(t, a)),
    row(Draw, "seed", "N", "Draw the branch again from the noise of seed N", "/seed 7").does(branches::seed),
    row(Draw, "again", "", "Draw the branch again from the next seed", "/again")
        .bare()
        .does(|t, _, w| branches::again(t, w)),
    row(Draw, "vary", "", "Draw the branch again from a far seed, made from the present one", "/vary")
        .bare()
        .does(|t, _, w| branches::vary(t, w)),
    row(Draw, "pick", "ID", "Apply another node's edit here", "/pick #5")
        .offers(Offers::Nodes(""))
        .does(|t, a, w| branches::pick(t, a.line, a.one()?, w)),
    row(Draw, "rebase", "ID", "Replay the edits of this branch on another root", "/rebase #8")
        .offers(Offers::Nodes(""))
        .does(|t, a, w| branches::rebase(t, a.one()?, w)),
    row(Draw, "collapse", "", "Draw the edits since the root as one edit", "/collapse")
        .does(|t, a, w| branches::collapse(t, a.line, w)),
    row(
        Draw,
        "cycle",
        "[ID] [--in-one]",
        "Edit back to an ancestor, the root if not given, and compare with it",
        "/cycle #1",
    )
    .offers(Offers::Nodes("--in-one"))
    .does(cycle::cycle),
    row(
        Draw,
        "sweep",
        "SPEC... [gif] [csv]",
        "Draw the last edit under a grid of settings",
        "/sweep k=0,.3,.6 cross=.2,.8",
    )
    .offers(Offers::Axes)
    .does(sweep::sweep),
    row(Look, "show", "[ID... | path]", "Show pictures again, or say where the present one is saved", "/show #1 #4")
        .offers(Offers::Nodes("path"))
        .does(show::show),
    row(Look, "compare", "A B", "Show two pictures side by side", "/compare #1 #4").offers(Offers::Nodes("")).does(
        |t, a, _| {
            a.at_most(2)?;
            show::compare(t, a.needed(0)?, a.needed(1)?)
        },
    ),
    row(Look, "sheet", "", "Show the whole branch as a sheet", "/sheet").does(|t, _, _| show::sheet(t)),
    row(Look, "maps", "[WORD]", "Draw where the words attend, or one word", "/maps hair")
        .also(&["map"])
        .offers(Offers::Words)
        .does(|t, a, _| maps::maps(t, a.text())),
    row(
        Look,
        "mask",
        "[k | TEXT]",
        "Draw the edited region, with threshold k, or where a text is",
        "/mask \"the hair\"",
    )
    .offers(Offers::Text)
    .does(maps::mask_of),
    row(Look, "explain", "EDIT", "Say what an edit would do; draw nothing", "/explain make her hair red")
        .offers(Offers::Text)
        .does(|t, a, _| explain::in_talk(t, a.line, a.needed_text()?)),
    row(Settings, "set", "[NAME VALUE]", "Set a setting for the next turns; alone, list them", "/set cross .6")
        .offers(Offers::Settings)
        .does(settings::set),
    row(Settings, "preset", "NAME", "Take a set of settings: p2p, literature, clp2p, pie", "/preset p2p")
        .offers(Offers::Presets)
        .does(|t, a, _| settings::preset(t, a.one()?)),
    row(Settings, "freedom", "X", "Keep everything (0) up to keep only the seed (1)", "/freedom .7").does(|t, a, _| {
        a.one()?;
        settings::freedom(t, a.share()?.unwrap_or_default())
    }),
    row(
        Settings,
        "negative",
        "[TEXT]",
        "Say what the next new picture should not be; alone, show it",
        "/negative blurry",
    )
    .offers(Offers::Text)
    .does(|t, a, _| settings::negative(t, a.text())),
    row(Settings, "model", "[NAME]", "Take a model for the next new picture; alone, show it", "/model ./my-model")
        .offers(Offers::Models)
        .does(|t, a, w| settings::model(t, a.text(), w)),
    row(Files, "save", "[NAME]", "Save the session under a name", "/save fox").does(|t, a, _| files::save(t, a.text())),
    row(
        Files,
        "open",
        "FILE [CAPTION]",
        "Open a session, a picture that carries one, or a photograph that shows what its caption says",
        "/open cat.jpg \"a cat on a bench\"",
    )
    .offers(Offers::Sessions)
    .does(|t, a, w| files::open(t, a.line, a.needed_text()?, w)),
    row(Files, "sessions", "", "List the saved sessions", "/sessions").does(|t, _, _| files::sessions(t)),
    row(
        Files,
        "export",
        "png|gif|html|json [FILE]",
        "Write the picture, the branch as a GIF, a page or data",
        "/export gif fox.gif",
    )
    .offers(Offers::Exports)
    .does(export::export),
    row(Files, "replay", "FILE", "Draw a session file again from its beginning", "/replay fox.jsonl")
        .offers(Offers::Sessions)
        .does(|t, a, w| files::replay(t, a.needed_text()?, w)),
    row(Help, "words", "[KIND]", "List the words that the model knows, by kind", "/words colour")
        .offers(Offers::Kinds)
        .does(|t, a, _| about::words(t, a.text())),
    row(Help, "help", "[COMMAND | all]", "Name the commands, or explain one", "/help undo")
        .also(&["?"])
        .bare()
        .offers(Offers::Commands)
        .does(|_, a, _| help::help(a)),
    row(Help, "about", "", "Say what this is and what it runs on", "/about")
        .also(&["version"])
        .does(|t, _, _| about::about(t)),
    row(Help, "quit", "", "Leave, and say what is kept", "/quit")
        .also(&["exit", "q"])
        .bare()
        .does(|_, _, _| Ok(Reply::Quit)),
];

/// A row that does nothing yet, and so is no entry.
struct Row(Entry);

const fn row(
    group: Group,
    name: &'static str,
    signature: &'static str,
    help: &'static str,
    example: &'static str,
) -> Row {
    let (aliases, bare, offers): (&[&str], _, _) = (&[], false, Offers::Nothing);
    Row(Entry { name, aliases, signature, help, example, bare, group, offers, run: |_, _, _| Ok(Reply::Nothing) })
}

impl Row {
    const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self(Entry { aliases, ..self.0 })
    }

    const fn bare(self) -> Self {
        Self(Entry { bare: true, ..self.0 })
    }

    const fn offers(self, offers: Offers) -> Self {
        Self(Entry { offers, ..self.0 })
    }

    const fn does(self, run: Run) -> Entry {
        Entry { run, ..self.0 }
    }
}
