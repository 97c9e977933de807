//! Takes lines, one after another, and carries them out.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use candle_core::Tensor;

use super::commands::{self, Line};
use super::look::export::{Format, check_place};
use super::look::photograph::AwaitedCaption;
use super::reply::{Reply, Shown, TurnReport};
use super::tagged::{self, Tagged};
use super::typed_path;
use crate::history::Event;
use crate::measure::{psnr, psnr_where, ssim};
use crate::plan::redraw::DrawnBy;
use crate::plan::resolve::Resolved;
use crate::plan::{Recipe, Region};
use crate::preview::png;
use crate::session::file::Hinted;
use crate::session::home::pictures_of;
use crate::session::{Session, TurnResult, to_image};
use crate::turn::{Change, Edit, Misread, Question, Turn};

/// Sees a turn as it goes: latents done, latents in all, the newest latent. May stop it.
pub trait Watcher {
    /// A line was understood as these changes; they are about to be drawn.
    fn understood(&mut self, _changes: &[Change]) {}

    /// `text` is foretold before the work begins: how exact a way back will be, or what a picture will take.
    fn predicted(&mut self, _text: &str) {}

    /// A model is being fetched; `line` says how far it is. `Break` stops that, and what has come is kept.
    fn fetching(&mut self, _line: &str) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// A model learns from a picture: steps done, steps in all, the error before the last. `Break` stops that, and what was learned
    /// is kept.
    fn learning(&mut self, _done: usize, _all: usize, _error: f64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// A latent is done. `Break` stops the turn.
    fn step(&mut self, done: usize, all: usize, latent: &Tensor) -> ControlFlow<()>;
}

/// Watches nothing.
pub struct Unwatched;

impl Watcher for Unwatched {
    fn step(&mut self, _done: usize, _all: usize, _latent: &Tensor) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// A conversation: a session, the question that may be open, and where pictures go.
pub struct Talk {
    /// The session.
    pub session: Session,
    pub(super) open: Option<(String, Question)>,
    pub(super) out: Option<PathBuf>,
    /// Files that were exported in this conversation, and may be written again.
    pub(super) exported: HashSet<PathBuf>,
    /// Whether the next line that is no command begins a new picture.
    awaits_prompt: bool,
    /// Where edits may change the picture, as it was typed; `None` lets their words say it.
    pub(super) region: Option<String>,
    /// The photograph whose caption the next line that is no command is.
    awaits_caption: Option<AwaitedCaption>,
    /// Whether there is a person with a screen and keys, who can walk through the tree.
    pub(super) walks: bool,
    /// Whether a picture whose PNG cannot be written is told as a warning instead of an error.
    forgives: bool,
}

impl Talk {
    /// A conversation about a session; every picture drawn is written into `out` as a PNG, which is made if it is not there.
    #[must_use]
    pub fn new(session: Session, out: Option<PathBuf>) -> Self {
        Self {
            session,
            open: None,
            out,
            exported: HashSet::new(),
            awaits_prompt: false,
            awaits_caption: None,
            region: None,
            walks: false,
            forgives: false,
        }
    }

    /// The same, where a PNG that cannot be written is a warning: the picture is in the session and on the screen.
    #[must_use]
    pub fn forgiving(mut self) -> Self {
        self.forgives = true;
        self
    }

    /// The same for a person at a terminal that can be drawn over.
    #[must_use]
    pub fn walking(mut self, walks: bool) -> Self {
        self.walks = walks;
        self
    }

    /// Goes on with another session, whose pictures go to `out`.
    pub fn switch_to(&mut self, session: Session, out: Option<PathBuf>) {
        *self = Self { forgives: self.forgives, walks: self.walks, ..Self::new(session, out) };
    }

    /// Gives a session that has no file yet another path for it, and its pictures the folder beside it.
    pub fn move_to(&mut self, path: PathBuf) {
        let beside = self.session.path().map(pictures_of);
        if self.out.is_some() && self.out == beside {
            self.out = Some(pictures_of(&path));
        }
        self.session.move_to(path);
    }

    /// Carries a line out.
    ///
    /// # Errors
    /// Fails if the line cannot be carried out; what was there before is still there.
    pub fn line(&mut self, line: &str, watcher: &mut dyn Watcher) -> Result<Reply> {
        self.take(line, commands::read(line), watcher)
    }

    /// Carries out a line that was read.
    ///
    /// # Errors
    /// As [`line`](Self::line).
    pub fn take(&mut self, line: &str, read: Result<Line<'_>, Misread>, watcher: &mut dyn Watcher) -> Result<Reply> {
        if !matches!(read, Ok(Line::Command(_)))
            && let Some(file) = typed_path::dropped(line)
        {
            return super::look::files::open(self, line, &file.to_string_lossy(), watcher);
        }
        if !matches!(read, Ok(Line::Command(_))) && super::look::photograph::is_dropped_with_caption(line) {
            return super::look::files::open(self, line, line, watcher);
        }
        let asked = self.open.take();
        let awaited = self.awaits_caption.take();
        let is_remark = line.trim().is_empty() || line.trim_start().starts_with("# ");
        let begins = !is_remark && std::mem::take(&mut self.awaits_prompt);
        if let Line::Command(called) = read? {
            return called.carry_out(self, watcher);
        }
        let number = line.trim();
        if let Some((asked, question)) = asked
            && let Ok(number) = number.parse::<usize>()
            && let Some(choice) = number.checked_sub(1).and_then(|i| question.choices.into_iter().nth(i))
        {
            return self.edit(&asked, &choice.edit, watcher);
        }
        if let Some(AwaitedCaption { file, proposed }) = awaited {
            let caption = if line.trim().is_empty() { proposed.as_deref() } else { Some(line.trim()) };
            return match caption {
                Some(caption) => super::look::photograph::begin(self, line, (&file, caption), watcher),
                None => Ok(text(format!("`{}` is left as it is", file.display()))),
            };
        }
        if begins {
            return self.begin(line, 0, watcher);
        }
        if !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()) {
            let message = format!("`{number}` answers no question");
            return Err(Hinted::new(message, format!("#{number} goes to picture {number}")).into());
        }
        if number.starts_with('#') && number.len() > 1 && !number.contains(char::is_whitespace) {
            return self.go(self.session.tree().go(number)?);
        }
        if let Some(tagged) = tagged::read(line)? {
            return self.first_with(line, &tagged, watcher);
        }
        match self.session.read(line)? {
            Turn::Nothing => Ok(Reply::Nothing),
            Turn::Question(question) => {
                self.open = Some((line.to_owned(), question.clone()));
                Ok(Reply::Asked(question))
            }
            Turn::Edit(edit) => self.edit(line, &edit, watcher),
        }
    }

    /// Whether somebody types here who can be asked.
    #[must_use]
    pub(super) fn asks(&self) -> bool {
        self.forgives
    }

    /// Takes the next line that is no command as what a photograph shows.
    /// Whether a question was asked that Enter alone answers.
    pub(super) fn awaits_answer(&self) -> bool {
        self.awaits_caption.is_some()
    }

    pub(super) fn await_caption(&mut self, awaited: AwaitedCaption) {
        self.awaits_caption = Some(awaited);
    }

    /// Takes the next line that is no command as the prompt of a new picture.
    pub(super) fn expect_new(&mut self) -> Reply {
        self.awaits_prompt = true;
        text("describe the new picture; it begins a tree of its own")
    }

    /// Begins a new picture with what stands in a line from a byte on.
    pub(super) fn begin(&mut self, line: &str, from: usize, watcher: &mut dyn Watcher) -> Result<Reply> {
        if let Some(tagged) = tagged::read(&line[from..])? {
            return self.under(&tagged.loras, |talk| talk.begin(&tagged.line, 0, watcher));
        }
        let read = self.session.read_root(&line[from..]).map_err(|error| match error.downcast::<Misread>() {
            Ok(misread) => misread.moved(from).into(),
            Err(error) => error,
        });
        match read? {
            Turn::Edit(edit) => self.edit(line, &edit, watcher),
            Turn::Nothing | Turn::Question(_) => Ok(Reply::Nothing),
        }
    }

    /// Begins a picture with LoRAs that its line names.
    fn first_with(&mut self, line: &str, tagged: &Tagged, watcher: &mut dyn Watcher) -> Result<Reply> {
        let is_first = self.session.tree().here().is_none();
        if !is_first && !matches!(self.session.read(&tagged.line)?, Turn::Edit(edit) if edit.is_root) {
            let message = "`<lora:…>` belongs to the prompt of a first picture: this one was drawn with other weights";
            return Err(Hinted::new(message, format!("/new {}", line.trim())).into());
        }
        self.under(&tagged.loras, |talk| talk.begin(&tagged.line, 0, watcher))
    }

    /// Does something with these LoRAs over the model of a first picture, beside those that are set.
    fn under(&mut self, loras: &[(String, f64)], act: impl FnOnce(&mut Self) -> Result<Reply>) -> Result<Reply> {
        let mut root = self.session.settings().root.clone();
        let model = root.model.as_deref().map(typed_path::path);
        let beside = model.as_deref().and_then(|model| if model.is_file() { model.parent() } else { Some(model) });
        for (name, scale) in loras {
            let file = tagged::file(name, beside)?;
            root.lora.push((file.to_string_lossy().into_owned(), *scale));
        }
        let before = self.session.exchange_root(root);
        let reply = act(self);
        self.session.exchange_root(before);
        reply
    }

    /// Goes where a move leads.
    pub(super) fn go(&mut self, event: Event) -> Result<Reply> {
        self.session.go(event).map(Reply::Moved)
    }

    pub(super) fn edit(&mut self, line: &str, edit: &Edit, watcher: &mut dyn Watcher) -> Result<Reply> {
        let mut planned = self.session.plan(edit)?;
        // Words that come back bring back where they let the picture change.
        let is_back = matches!(planned.1.plan.region(), Region::As { .. });
        let here = self.session.tree().here().filter(|_| !edit.is_root && !is_back);
        if let (Some(here), Some(typed)) = (here, self.region.clone()) {
            let area = super::look::region::of(self, here, &typed)?;
            planned = self.session.plan_by(here, edit, &DrawnBy::Within(area))?;
        }
        self.planned(line, edit, planned, watcher)
    }

    /// Carries out an edit that was planned where we are.
    pub(super) fn planned(
        &mut self,
        line: &str,
        edit: &Edit,
        planned: (Recipe, Resolved),
        watcher: &mut dyn Watcher,
    ) -> Result<Reply> {
        let here = self.session.tree().here();
        let all = planned.0.steps;
        watcher.understood(&edit.changes);
        if let Some(here) = here.filter(|_| !edit.is_root)
            && let Some(stopped) = super::look::learning::ahead(self, here, &planned.1.plan, watcher)?
        {
            return Ok(stopped);
        }
        if here.is_none() || edit.is_root {
            self.session.slowness(&planned.0)?.iter().for_each(|said| watcher.predicted(said));
        }
        let mut watch = |step: usize, latent: &Tensor| watcher.step(step + 1, all, latent);
        let turned = self.session.edit_planned((here, line), edit, planned, &mut watch)?;
        let Some(turned) = turned else {
            return Ok(Reply::Stopped);
        };
        let mut drew = self.measured(turned)?;
        drew.changes.clone_from(&edit.changes);
        Ok(Reply::Drew(Box::new(drew)))
    }

    /// A turn with its numbers, and its picture written to where pictures go.
    pub(super) fn measured(&mut self, mut turned: TurnResult) -> Result<TurnReport> {
        let picture = to_image(&turned.left.picture);
        let parent = turned.parent_left.as_ref().map(|l| to_image(&l.picture));
        let image = match self.write_picture(turned.node) {
            Err(error) if self.forgives => {
                turned.warnings.push(format!("{error:#}"));
                None
            }
            written => written?,
        };
        let outside = turned.outside.as_deref();
        let outside_psnr = parent.as_ref().zip(outside).and_then(|(p, o)| psnr_where(&picture, p, o));
        // Against the root of the tree: only where no edit since then was to change anything.
        let tree = self.session.tree();
        let far = turned.parent.is_some_and(|parent| tree[parent].parent.is_some());
        let root = tree.path_to_root(turned.node).iter().find(|n| n.is_root()).map(|n| n.number);
        let outside_psnr_root = match root.filter(|_| far) {
            Some(root) => {
                let root = to_image(&self.session.picture(root)?);
                self.session.outside_all(turned.node)?.and_then(|all| psnr_where(&picture, &root, &all))
            }
            None => None,
        };
        Ok(TurnReport {
            changes: self.session.tree()[turned.node].changes.clone(),
            psnr: parent.as_ref().and_then(|p| psnr(&picture, p)),
            ssim: parent.as_ref().and_then(|p| ssim(&picture, p)),
            outside_psnr,
            outside_psnr_root,
            image,
            turned,
        })
    }

    /// Where a node's PNG is or would be, if pictures go anywhere.
    #[must_use]
    pub fn image_path(&self, node: u32) -> Option<PathBuf> {
        Some(self.out.as_ref()?.join(format!("{node:04}.png")))
    }

    /// Writes a node's PNG, with its settings and whole lineage inside, unless it is there.
    ///
    /// # Errors
    /// Fails if the folder or the file cannot be written.
    pub fn write_picture(&mut self, node: u32) -> Result<Option<PathBuf>> {
        let Some(path) = self.image_path(node) else { return Ok(None) };
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        self.save_png(node, &path)?;
        Ok(Some(path))
    }

    /// Writes a node's picture to a file, in place of one that was drawn here, if any.
    ///
    /// # Errors
    /// Fails if the file cannot be written, or is there and none of ours.
    pub fn save_png(&mut self, node: u32, path: &Path) -> Result<()> {
        check_place(path, Format::Png)?;
        let picture = to_image(&self.session.picture(node)?);
        let notes = super::notes::of(&self.session, node)?;
        png::save(path, &picture, &notes).with_context(|| format!("cannot write {}", path.display()))
    }
}

pub(super) fn text(text: impl Into<String>) -> Reply {
    Reply::Text(Shown::text(text))
}
