//! The conversation: what a person sees who types.
//!
//! [`open`] begins it. Lines come from [`lines`](super::lines), a [`Talk`] carries them out, [`watcher`](super::watcher)
//! shows a turn while it runs, and what came of it is shown here.

use std::io::{IsTerminal, Read as _, Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Error, Result};
use image::RgbImage;

use super::batch::{self, home};
use super::clock::Zone;
use super::command_line::Args;
use super::commands::{self, Line};
use super::config::Config;
use super::files::open_path;
use super::fold::{error_below, fold};
use super::helper::{Known, KnownWords};
use super::lines::{Lines, Typed};
use super::look;
use super::reply::{Reply, Shown, TurnReport, tell};
use super::stop::Stop;
use super::talk::Talk;
use super::tips;
use super::walk::{self, Keyboard};
use super::watcher::{LatentPreview, TurnView};
use super::{ahead, inputrc, lent, opened_text, report};
use crate::model::words_of;
use crate::plan::settings::name_of;
use crate::preview::ascii;
use crate::preview::png;
use crate::preview::progress::Manner;
use crate::preview::size::Size;
use crate::preview::terminal::{PreviewChoice, Screen};
use crate::safe::{cells, printable, printable_line};
use crate::session::file::{Hinted, Kept};
use crate::session::home::{Home, pictures_of};
use crate::session::model::computed_in;
use crate::session::{Options, Session, to_image};
use crate::store::disk::RealDisk;

/// A picture that took longer to draw is not drawn again only to be looked at after a move.
const QUICK: f64 = 5.0;

/// How long a model may be waited for without a word.
const PATIENCE: Duration = Duration::from_millis(300);

/// The file of typed lines, beside the sessions.
const HISTORY: &str = "history";

/// `wordbrush`. Where standard input is no terminal, its lines are taken as a script.
///
/// # Errors
/// Fails if it cannot start: the session cannot be opened, or an option or the configuration is wrong.
pub fn open(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let goes_on = args.has("continue");
    if goes_on && args.path("session").is_some() {
        let message = "`--session` names a session, and `-c` goes on with the last one";
        return Err(Hinted::new(message, "leave one of them out").into());
    }
    converse(args, goes_on, out)
}

/// `wordbrush open [NAME]`: a session, or the one that was worked on last.
///
/// # Errors
/// As [`open`]; also if there is no session yet.
pub fn go_on(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    converse(args, args.value("NAME").is_none(), out)
}

fn converse(args: &Args, with_last: bool, out: &mut dyn Write) -> Result<ExitCode> {
    ahead::fetch(args, &mut std::io::stderr())?;
    let home = home();
    let config = Config::read(home.config())?;
    let is_typed = std::io::stdin().is_terminal();
    let last = if with_last { Some(home.last(&RealDisk)?) } else { None };
    let photograph = if with_last { None } else { photograph_line(args) };
    let name = last.as_deref().or_else(|| args.value("NAME")).filter(|_| photograph.is_none());
    let (session, named_by_date) = begin((args, name), &home, &config, (is_typed, photograph.is_some()))?;
    if !is_typed {
        let talk = Talk::new(session, args.path("out"));
        let first = photograph.map(|line| line + "\n").unwrap_or_default();
        return batch::lines(talk, std::io::Cursor::new(first).chain(std::io::stdin().lock()), false, out);
    }
    let choice = match args.value("preview") {
        Some(name) => PreviewChoice::from_str(name).map_err(|error| Hinted::new(error, "--preview auto"))?,
        None => config.preview.unwrap_or_default(),
    };
    let plain = args.has("plain") || config.plain;
    let manner = Manner::detect(plain);
    let edits = manner == Manner::Bar;
    let history = home.check().is_ok().then(|| home.sessions().join(HISTORY));
    let stop = Stop::listen(edits)?;
    let is_vi = inputrc::is_vi(|name| std::env::var_os(name));
    let lines = if edits { Lines::editor(history.as_deref(), ascii::is_wanted(), is_vi, &stop)? } else { Lines::Plain };
    let keeps_pictures = !args.has("read-only");
    let mut room = Room {
        talk: talk_of(session, args.path("out"), keeps_pictures).walking(edits),
        screen: Screen::detect(choice, plain),
        manner,
        forming: LatentPreview::default(),
        stop,
        vocabulary: KnownWords::default(),
        turns: tips::turns_so_far(&home),
        keeps_pictures,
        named_by_date,
        paints: edits && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        is_ascii: ascii::is_wanted(),
        out: ascii::output(stdout()),
        home,
    };
    room.learn_words();
    room.greet()?;
    if let Some(line) = photograph {
        let prompt = room.prompt();
        room.take(&line, &prompt)?;
    }
    room.converse(lines)?;
    room.leave()?;
    Ok(ExitCode::SUCCESS)
}

/// A talk whose pictures lie beside the session's file, unless they are to lie elsewhere or nowhere.
fn talk_of(session: Session, out: Option<PathBuf>, keeps_pictures: bool) -> Talk {
    let out = out.or_else(|| session.path().map(pictures_of)).filter(|_| keeps_pictures);
    Talk::new(session, out).forgiving()
}

/// The line that opens the photograph which the command line names, if it names one.
fn photograph_line(args: &Args) -> Option<String> {
    let name = args.value("NAME")?;
    let words: Vec<&str> = args.all::<String>("CAPTION").map(String::as_str).collect();
    let path = std::path::Path::new(name);
    let is_meant = if words.is_empty() { look::photograph::is_photograph(path) } else { path.is_file() };
    let whole = || path.canonicalize().unwrap_or_else(|_| path.to_owned()).display().to_string();
    is_meant.then(|| format!("/open {} {}", whole(), words.join(" ")).trim_end().to_owned())
}

/// The session, and whether it has the first free name of the day. One that cannot be kept is begun all the same, and
/// says so. A photograph, whether somebody types or not, begins a session of its own.
fn begin(
    (args, name): (&Args, Option<&str>),
    home: &Home,
    config: &Config,
    (is_typed, is_photograph): (bool, bool),
) -> Result<(Session, bool)> {
    let by_date = (is_typed || is_photograph) && args.path("session").is_none() && name.is_none();
    let kept = if by_date { home.check() } else { Ok(()) };
    let path = match args.path("session") {
        None if by_date && kept.is_ok() => Some(home.file(&home.new_name(&today()))?),
        path => path,
    };
    let options = Options {
        home: home.clone(),
        path,
        read_only: args.has("read-only"),
        settings: config.settings.clone(),
        overrides: args.settings(),
        limits: batch::limits(args, config),
    };
    let mut session = match name {
        Some(name) => open_path(name, options)?,
        None => Session::open(options)?,
    };
    if let Err(error) = &kept {
        let told = tell(error);
        let hint = told.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
        session.note(format!("{}{hint}; this session is in memory alone and gone when you leave", told.message));
    }
    Ok((session, by_date && kept.is_ok()))
}

/// Today's date where the person is, `2026-11-23`.
fn today() -> String {
    Zone::of_process().date(SystemTime::now())
}

/// Everything that a conversation needs.
struct Room {
    talk: Talk,
    home: Home,
    screen: Screen,
    manner: Manner,
    forming: LatentPreview,
    stop: Stop,
    vocabulary: KnownWords,
    /// Pictures drawn so far in any session, counted only as far as tips go.
    turns: usize,
    keeps_pictures: bool,
    /// Whether the session has the first free name of the day, which another window may have taken since.
    named_by_date: bool,
    paints: bool,
    /// Whether nothing but ASCII can be shown.
    is_ascii: bool,
    out: Box<dyn Write>,
}

impl Room {
    fn greet(&mut self) -> Result<()> {
        let session = &self.talk.session;
        let (name, precision) = session.model_name();
        let model = if name == "embedded" { "atelier (embedded)" } else { &name };
        let version = concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));
        let is_new = session.tree().is_empty();
        let which = if is_new { format!(" · new session \"{}\"", session.name()) } else { String::new() };
        let device = session.device();
        let precision = name_of(&computed_in(device, precision));
        let line = |model: &str| format!("wordbrush {version} · {model} · {device}, {precision}{which}");
        let model = printable_line(model);
        let full = line(&format!("model {model}"));
        let told = if self.is_one_line(&full) { full } else { line(&model) };
        self.say(&told, 2)?;
        self.tell_notes()?;
        if is_new {
            let keys = if self.manner == Manner::Bar { "Tab completes, Ctrl-D leaves." } else { "Ctrl-D leaves." };
            let (first, second) =
                ("Describe a picture, then change your mind.", format!("/help lists everything, {keys}\n"));
            let gap = if self.is_one_line(&format!("{first} {second}")) { " " } else { "\n" };
            return self.say(&format!("{first}{gap}{second}"), 0);
        }
        self.show_opened()
    }

    /// Whether a text needs no second line here.
    fn is_one_line(&self, text: &str) -> bool {
        cells(text.trim_end()) < usize::from(self.screen.size.columns)
    }

    /// Says which session this is and where we are, with the picture.
    fn show_opened(&mut self) -> Result<()> {
        if let Some(here) = self.talk.session.tree().here() {
            self.show_node(here)?;
        }
        self.say(&printable(&opened_text(&self.talk.session)), 2)?;
        Ok(writeln!(self.out)?)
    }

    fn converse(&mut self, mut lines: Lines) -> Result<()> {
        let mut begun = String::new();
        loop {
            if let Some(note) = lines.take_note() {
                self.murmur(&format!("  note: {}", printable(&note)))?;
            }
            self.screen.follow_size();
            let prompt = self.prompt();
            let room = usize::from(self.screen.size.columns).saturating_sub(cells(&prompt));
            let known = Known::of(&self.talk.session, &self.home, &self.vocabulary, room);
            match lines.read(&prompt, known, &std::mem::take(&mut begun))? {
                Typed::Ended => return Ok(()),
                Typed::Flip(line) => {
                    self.flip()?;
                    begun = line;
                }
                Typed::Edit(line) => match lent::edit(&line, &self.stop, |name| std::env::var_os(name)) {
                    Ok(edited) if edited.contains('\n') => {
                        for line in edited.lines() {
                            if !self.take(line, &prompt)? {
                                return Ok(());
                            }
                        }
                    }
                    Ok(edited) => begun = edited,
                    Err(error) => {
                        self.show_error(&error, "", &prompt)?;
                        begun = line;
                    }
                },
                Typed::Interrupted if self.stop.again() => return Ok(()),
                Typed::Interrupted => self.say("Ctrl-C again leaves, and so does Ctrl-D", 0)?,
                Typed::NoText => {
                    let error = Hinted::new("that is no text in UTF-8", "set the terminal to UTF-8");
                    self.show_error(&error.into(), "", &prompt)?;
                }
                Typed::Line(text) => {
                    // Enter alone answers a question that says so, and is nothing else.
                    let lines =
                        if text.is_empty() && self.talk.awaits_answer() { vec![""] } else { text.lines().collect() };
                    for line in lines {
                        if !self.take(line, &prompt)? {
                            return Ok(());
                        }
                    }
                }
            }
        }
    }

    fn prompt(&self) -> String {
        let sign = if self.manner == Manner::Bar && !self.is_ascii { "›" } else { ">" };
        match self.talk.session.tree().here() {
            Some(here) => format!("{here} {sign} "),
            None => format!("{sign} "),
        }
    }

    /// Carries a line out and shows what came of it. False: leave.
    fn take(&mut self, line: &str, prompt: &str) -> Result<bool> {
        self.screen.follow_size();
        self.keep_name_free()?;
        let expected = self.seconds_of_a_turn();
        let is_first = self.talk.session.tree().is_empty();
        self.stop.begin();
        let read = commands::read(line);
        // Most commands need no model, and those that do wait by themselves.
        let reply = if !matches!(read, Ok(Line::Text)) || self.wait_for_model()? {
            let mut eyes = TurnView::new(
                &mut *self.out,
                (&self.screen, self.manner),
                &self.forming,
                &self.stop,
                expected,
                !is_first,
            )
            .following(Size::of_terminal);
            let reply = self.talk.take(line, read, &mut eyes);
            eyes.finish();
            reply
        } else {
            Ok(Reply::Stopped)
        };
        self.stop.end();
        let goes_on = self.show(reply, line, prompt)?;
        self.tell_notes()?;
        self.out.flush()?;
        Ok(goes_on)
    }

    /// Two windows that are opened before either has a picture have one name. The second to draw takes the next one.
    fn keep_name_free(&mut self) -> Result<()> {
        let session = &mut self.talk.session;
        let old = session.name();
        if !self.named_by_date || session.has_file() || self.home.is_free(&old) {
            return Ok(());
        }
        let new = self.home.new_name(&today());
        let path = self.home.file(&new)?;
        self.talk.move_to(path);
        self.murmur(&format!("  note: another window has taken \"{old}\"; this session is \"{new}\""))
    }

    /// How long the last picture of this tree took.
    fn seconds_of_a_turn(&self) -> Option<Duration> {
        let drawn = self.talk.session.drawn(self.talk.session.tree().here()?)?;
        Duration::try_from_secs_f64(drawn.seconds).ok()
    }

    /// Waits until the model is there, and says so if that takes a while. False: stopped.
    fn wait_for_model(&mut self) -> Result<bool> {
        let begun = Instant::now();
        let mut said = false;
        while !self.talk.session.model_is_ready() && !self.stop.is_asked() {
            if !said && begun.elapsed() > PATIENCE {
                said = true;
                let name = printable_line(&self.talk.session.model_name().0);
                let end = if self.manner == Manner::Bar { "" } else { "\n" };
                write!(self.out, "  loading the model {name} …{end}")?;
                self.out.flush()?;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        if (said || self.stop.is_asked()) && self.manner == Manner::Bar {
            write!(self.out, "\r\x1b[K")?;
        }
        Ok(!self.stop.is_asked())
    }

    fn show(&mut self, reply: Result<Reply, Error>, line: &str, prompt: &str) -> Result<bool> {
        match reply {
            Err(error) => self.show_error(&error, line, prompt)?,
            Ok(Reply::Nothing) => {}
            Ok(Reply::Quit) => return Ok(false),
            Ok(Reply::Walk) => {
                if let Some(node) = self.walk()? {
                    let moved = self.talk.session.tree().go(&format!("#{node}")).map_err(Error::from);
                    let reply = moved.and_then(|event| self.talk.go(event));
                    return self.show(reply, line, prompt);
                }
            }
            Ok(Reply::Stopped) => self.say("  stopped; no picture was added", 2)?,
            Ok(Reply::Asked(question)) => {
                self.say(&printable(&question.text), 2)?;
                for (i, choice) in question.choices.iter().enumerate() {
                    self.say(&format!("  {} {}", i + 1, printable(&choice.label)), 4)?;
                }
                self.murmur("  its number picks one; any other line is taken instead")?;
            }
            Ok(Reply::Drew(drew)) => self.show_drew(&drew)?,
            Ok(Reply::Moved(node)) => {
                self.show_node(node)?;
                let tree = self.talk.session.tree();
                let redo = tree.last_left(node).map(|to| format!("   (redo returns to #{to})")).unwrap_or_default();
                let text = format!("  at #{node}  {}{redo}", printable(&tree[node].plan.prompt));
                self.say(&text, 2)?;
            }
            Ok(Reply::Cycled(cycled)) => self.say(&printable(&report::cycled(&cycled)), 4)?,
            Ok(Reply::Text(Shown { is_tree: true, .. })) => self.show_tree()?,
            Ok(Reply::Text(Shown { text, pictures, .. })) => {
                for (picture, path) in &pictures {
                    self.screen.show(&mut *self.out, picture, path.as_deref())?;
                }
                if !text.is_empty() {
                    self.say_or_page(printable(&text).trim_end_matches('\n'), 4)?;
                }
            }
            Ok(Reply::Switched(session)) => {
                // What is left behind is told of, unless it is kept or just what is gone on with.
                let is_left = self.talk.session.path() != session.path();
                if let Some(text) =
                    farewell(&self.talk, &self.home).filter(|text| is_left && !text.starts_with(ALL_KEPT))
                {
                    self.say(&printable(&text), 2)?;
                }
                self.named_by_date = false;
                self.talk = talk_of(*session, None, self.keeps_pictures).walking(self.manner == Manner::Bar);
                self.learn_words();
                self.tell_notes()?;
                self.show_opened()?;
            }
        }
        Ok(true)
    }

    fn show_drew(&mut self, drew: &TurnReport) -> Result<()> {
        let picture = to_image(&drew.turned.left.picture);
        self.screen.show(&mut *self.out, &picture, drew.image.as_deref())?;
        let text = format!("  {}", printable(&report::drew(drew, &self.talk.session)));
        self.say(&text, 2)?;
        for warning in &drew.turned.warnings {
            self.murmur(&format!("  note: {}", printable(warning)))?;
        }
        if !drew.turned.existed {
            let model = self.talk.session.model()?;
            let lexicon = model.lexicon();
            let prompt = self.talk.session.tree()[drew.turned.node].plan.prompt.clone();
            if let Some(tip) = tips::after(self.turns, &prompt, &lexicon) {
                self.murmur(&format!("  tip: {}", printable(&tip)))?;
            }
            self.turns += 1;
        }
        Ok(())
    }

    /// Shows a node's picture, if that takes no long drawing.
    fn show_node(&mut self, node: u32) -> Result<()> {
        let path = self.talk.image_path(node).filter(|path| path.is_file());
        let picture = match path.as_deref().and_then(|path| png::open(path).ok()) {
            Some((picture, _)) => Some(picture),
            None => self.draw_again(node),
        };
        if let Some(picture) = picture {
            self.screen.show(&mut *self.out, &picture, path.as_deref())?;
        }
        Ok(())
    }

    /// The tree, with the pictures that are at hand.
    fn show_tree(&mut self) -> Result<()> {
        let (screen, talk) = (&self.screen, &self.talk);
        if !look::tree::has_pictures(screen, talk.session.tree()) {
            let mut text = Vec::new();
            look::tree::draw(&mut text, screen, talk.session.tree(), &mut |_| None)?;
            return self.write_or_page(&String::from_utf8_lossy(&text));
        }
        let mut picture = |node: u32| at_hand(talk, node);
        Ok(look::tree::draw(&mut *self.out, screen, talk.session.tree(), &mut picture)?)
    }

    /// Before and after in the same place, for as long as a person looks.
    fn flip(&mut self) -> Result<()> {
        let tree = self.talk.session.tree();
        let Some(here) = tree.here() else { return self.say("  there is no picture yet; describe one", 2) };
        if tree[here].parent.is_none() {
            return self.say(&format!("  #{here} is a first picture: nothing comes before it"), 2);
        }
        let (screen, talk, out) = (&self.screen, &self.talk, &mut self.out);
        let looked = self.stop.lend(|| {
            walk::flip(&mut **out, screen, talk.session.tree(), &mut |node| at_hand(talk, node), &mut Keyboard::take()?)
        });
        Ok(looked?)
    }

    /// Through the tree by arrow keys; the node that was chosen.
    fn walk(&mut self) -> Result<Option<u32>> {
        let (screen, talk, out) = (&self.screen, &self.talk, &mut self.out);
        let chosen = self.stop.lend(|| {
            walk::walk(&mut **out, screen, talk.session.tree(), &mut |node| at_hand(talk, node), &mut Keyboard::take()?)
        });
        Ok(chosen?)
    }

    fn draw_again(&mut self, node: u32) -> Option<RgbImage> {
        let is_quick = self.talk.session.drawn(node).is_some_and(|drawn| drawn.seconds < QUICK);
        self.talk.session.picture(node).ok().filter(|_| is_quick).map(|p| to_image(&p))
    }

    fn show_error(&mut self, error: &Error, line: &str, prompt: &str) -> Result<()> {
        let mut text = Vec::new();
        error_below(error, line, prompt, self.screen.size.columns, &mut text)?;
        let text = String::from_utf8_lossy(&text);
        if self.paints {
            self.out.write_all(text.replacen("error:", "\x1b[31merror:\x1b[39m", 1).as_bytes())?;
        } else {
            self.out.write_all(text.as_bytes())?;
        }
        Ok(())
    }

    fn tell_notes(&mut self) -> Result<()> {
        for note in self.talk.session.take_notes() {
            self.murmur(&format!("  note: {}", printable(&note)))?;
        }
        Ok(())
    }

    /// A line or more, broken between words; what is continued hangs in by `hang`.
    fn say(&mut self, text: &str, hang: usize) -> Result<()> {
        Ok(writeln!(self.out, "{}", fold(text, self.screen.size.columns, hang))?)
    }

    /// The same in a pager, if it is longer than the screen.
    fn say_or_page(&mut self, text: &str, hang: usize) -> Result<()> {
        let text = fold(text, self.screen.size.columns, hang);
        self.write_or_page(&format!("{text}\n"))
    }

    fn write_or_page(&mut self, text: &str) -> Result<()> {
        // The next prompt takes a line.
        let is_long = text.lines().count() >= usize::from(self.screen.size.rows);
        self.out.flush()?;
        let text = if self.is_ascii { ascii::ascii(text) } else { text.to_owned() };
        let is_shown =
            is_long && self.manner == Manner::Bar && lent::page(&text, &self.stop, |name| std::env::var_os(name));
        if !is_shown {
            self.out.write_all(text.as_bytes())?;
        }
        Ok(())
    }

    /// The same, faint.
    fn murmur(&mut self, text: &str) -> Result<()> {
        let text = fold(text, self.screen.size.columns, 2);
        if self.manner == Manner::Bar {
            writeln!(self.out, "\x1b[2m{text}\x1b[22m")?;
        } else {
            writeln!(self.out, "{text}")?;
        }
        Ok(())
    }

    /// Takes up the words of the embedded model for completion. A model with a vocabulary of all of English has none worth
    /// offering.
    fn learn_words(&mut self) {
        self.vocabulary = KnownWords::default();
        if self.manner == Manner::Bar
            && let Some(words) = words_of(&self.talk.session.model_name().0)
        {
            let _ = self.vocabulary.set(words.into_iter().map(str::to_owned).collect());
        }
    }

    /// Says what is kept, and how to go on with it.
    fn leave(&mut self) -> Result<()> {
        match farewell(&self.talk, &self.home) {
            Some(text) => self.say(&printable(&text), 2),
            None => Ok(()),
        }
    }
}

/// A node's picture, if it is stored or in its file.
fn at_hand(talk: &Talk, node: u32) -> Option<RgbImage> {
    let stored = talk.session.picture_if_stored(node).map(|p| to_image(&p));
    stored.or_else(|| Some(png::open(&talk.image_path(node)?).ok()?.0))
}

const ALL_KEPT: &str = "everything is kept; go on with: ";

/// What is said to someone who leaves: what of the session is on the disk, what is not, and how to go on. `None` if
/// there is no picture.
fn farewell(talk: &Talk, home: &Home) -> Option<String> {
    let session = &talk.session;
    let here = session.tree().here()?;
    let count = match session.tree().len() {
        1 => "its picture is".to_owned(),
        n => format!("its {n} pictures are"),
    };
    let Some(path) = session.path() else {
        return Some(format!("nothing is kept: this session was in memory alone, and {count} gone with it"));
    };
    let name = session.name();
    let is_at_home = home.file(&name).is_ok_and(|at_home| at_home == path);
    let quoted = |text: &str| if text.contains(' ') { format!("\"{text}\"") } else { text.to_owned() };
    let again = if is_at_home {
        format!("wordbrush open {}", quoted(&name))
    } else {
        format!("wordbrush --session {}", quoted(&path.display().to_string()))
    };
    // A picture carries its whole branch.
    let picture = || {
        let found = talk.image_path(here).filter(|path| path.is_file())?;
        Some(format!(
            "; the branch of #{here} is in its picture: wordbrush open {}",
            quoted(&found.display().to_string())
        ))
    };
    Some(match session.kept() {
        Some(Kept::Gone) => {
            let rest = picture().unwrap_or_default();
            format!("not everything is kept: the file of session \"{name}\" is gone, and {count} not on the disk{rest}")
        }
        Some(Kept::Changed) => {
            let rest = picture().unwrap_or_default();
            format!(
                "not everything is kept: another program has changed the file of session \"{name}\"; what it holds now: \
                 {again}{rest}"
            )
        }
        Some(Kept::Whole) if !session.unwritten().is_empty() => {
            let lines: Vec<String> = session.unwritten().iter().map(|line| format!("`{}`", line.trim())).collect();
            format!("everything is kept but {}, which could not be written; go on with: {again}", lines.join(", "))
        }
        _ => format!("{ALL_KEPT}{again}"),
    })
}
