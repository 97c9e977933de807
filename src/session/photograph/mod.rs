//! A photograph as the first picture of a tree.
//!
//! [`read`] makes pixels of a file, [`fit`] brings them to the shape of the tree's pictures, `invert` finds the latents that
//! lead to them, and `render` makes of all that what any first picture leaves: latents, maps, and a picture, which is
//! the photograph itself. [`paste`] lays its pixels around the region that an edit changed. What stands here decides
//! nothing about words: the caption is a prompt like any other.

#[cfg(feature = "embedded")]
mod caption;
pub mod fit;
pub(super) mod invert;
pub mod paste;
pub mod read;
mod render;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use image::RgbImage;

use super::file::Hinted;
use super::renderer::Watch;
use super::{Session, TurnResult};
#[cfg(feature = "embedded")]
use crate::engine::{Picture, judge::Judge};
#[cfg(feature = "embedded")]
use crate::model::{embedded, is_embedded};
use crate::plan::inversion::InversionName;
use crate::plan::photograph::Photograph;
use crate::plan::redraw::DrawnBy;
use crate::turn::Edit;

/// A picture from a file, brought to the shape of the next first picture.
#[derive(Debug)]
pub struct FittedPhotograph {
    /// The photograph.
    pub photograph: Arc<Photograph>,
    /// What was done to it on the way, a sentence each.
    pub notes: Vec<String>,
}

impl Session {
    /// Reads a picture from a file and brings it to the shape that the next first picture will have.
    ///
    /// # Errors
    /// Fails if there is no such picture or it cannot be read, or the model cannot be loaded.
    pub fn photograph(&mut self, path: &Path) -> Result<FittedPhotograph> {
        let found = read::read(path)?;
        let shown = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let (picture, done) = self.fitted(&found.picture)?;
        let mut notes = vec![format!("`{shown}` is {}", done)];
        notes.extend(found.notes.iter().map(|note| format!("`{shown}` {note}")));
        let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned()).to_string_lossy().into_owned();
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let photograph = Photograph::new(width, height, picture.into_raw(), Some(whole))?;
        Ok(FittedPhotograph { photograph: Arc::new(photograph), notes })
    }

    /// A picture in the shape that the next first picture will have, and what was done to it.
    pub(crate) fn fitted(&mut self, picture: &RgbImage) -> Result<(RgbImage, String)> {
        let (name, precision) = self.model_of_root(&self.settings.root);
        let recipe = self.models.get(&name, precision)?.recipe(&self.settings.root)?;
        Ok(fit::fit(picture, self.settings.root.fit, (recipe.width as u32, recipe.height as u32)))
    }

    /// A caption in the words of the embedded model, if it is the model of the next first picture: of all that it can draw, what
    /// looks most like a picture from a file. `None` for other models, which are not loaded for that.
    ///
    /// # Errors
    /// Fails if the model cannot be loaded, or what is compiled in is damaged.
    pub fn proposed_caption(&mut self, picture: &RgbImage) -> Result<Option<String>> {
        #[cfg(feature = "embedded")]
        if is_embedded(&self.model_of_root(&self.settings.root).0) {
            let (weights, about) = embedded::judge();
            let (shown, _) = self.fitted(picture)?;
            return caption::caption(&Judge::read(weights, about)?.look(&Picture::from(shown))?).map(Some);
        }
        let _ = picture;
        Ok(None)
    }

    /// Begins a tree with a photograph, whose caption is the prompt of `edit`. `None` if it was stopped; then nothing has
    /// grown. One that is there already is gone to.
    ///
    /// # Errors
    /// As [`edit`](Self::edit).
    pub fn open_photograph(
        &mut self,
        line: &str,
        photograph: Arc<Photograph>,
        edit: &Edit,
        watch: Watch<'_>,
    ) -> Result<Option<TurnResult>> {
        let mut settings = self.settings.clone();
        settings.root.photograph = Some(photograph);
        self.edit_under(&settings, (None, line), edit, &DrawnBy::Words, watch)
    }

    /// How many latents come about when a photograph becomes a first picture under the settings in force.
    ///
    /// # Errors
    /// Fails if the model cannot be loaded, or cannot invert photographs under these settings.
    pub fn latents_of_photograph(&mut self, photograph: &Arc<Photograph>) -> Result<usize> {
        let mut root = self.settings.root.clone();
        root.photograph = Some(photograph.clone());
        let (name, precision) = self.model_of_root(&root);
        Ok(self.models.get(&name, precision)?.recipe(&root)?.latents_of_root())
    }

    /// That the tree of a node can be drawn from other noise.
    ///
    /// # Errors
    /// Fails if it grew from a photograph whose inversion has no noise of its own.
    pub fn ensure_noise(&self, node: u32) -> Result<()> {
        let inverted = self.tree[node].recipe.photograph().map(|(_, inversion)| inversion);
        ensure!(
            inverted.is_none_or(|inversion| inversion == InversionName::EditFriendly),
            Hinted::new(
                format!("#{node} grew from a photograph, which has no other noise to be drawn from"),
                "`/set inversion edit-friendly` inverts with noise of a seed, from the next photograph on"
            )
        );
        Ok(())
    }

    /// Sentences about photographs whose files are gone: their pixels are in the session.
    pub(super) fn note_gone_photographs(&mut self) {
        self.notes.extend(gone(&self.tree));
    }
}

/// A sentence for each photograph of a tree that is no longer where its file was.
pub(super) fn gone(tree: &crate::history::Tree) -> Vec<String> {
    let roots = tree.roots().iter().filter_map(|root| tree[*root].recipe.photograph());
    let mut all: Vec<String> = Vec::new();
    for (photograph, _) in roots {
        let Some(file) = photograph.file().map(Path::new).filter(|file| file.is_absolute() && !file.exists()) else {
            continue;
        };
        let note = format!("`{}` is gone; its pixels are in the session and are used", file.display());
        if !all.contains(&note) {
            all.push(note);
        }
    }
    all
}
