//! Where in a node's picture is what a text names, by the network that the settings say.

use std::sync::Arc;

use anyhow::Result;

use super::Session;
use super::file::Hinted;
use crate::engine::layers::Backend;
use crate::engine::segment::Segmenter;
use crate::model::text_masks;
use crate::plan::settings::Precision;

/// From so much of 255 on a place belongs to what a text names.
const BELONGS: u8 = 128;

/// What of a picture a text names.
#[derive(Debug, Clone)]
pub struct FoundParts {
    /// The picture's pixels, row by row.
    pub inside: Vec<bool>,
    /// Who found it, in words for people.
    pub by: String,
}

impl Session {
    /// Where a text is in a node's picture; the picture is drawn again if the store lacks it.
    ///
    /// # Errors
    /// Fails if the network cannot be had, the text names nothing that it knows, or nothing of that is in the picture.
    pub fn found(&mut self, node: u32, text: &str) -> Result<FoundParts> {
        if !text.contains(char::is_alphanumeric) {
            let message = "there is no text between the quotes".to_owned();
            return Err(Hinted::new(message, "say what of the picture is meant: \"the hair\"").into());
        }
        let name = self.segmenter_name(node)?;
        let network = self.segmenter(&name)?;
        let picture = self.picture(node)?;
        let mask = network.mask(&picture, text)?;
        let inside: Vec<bool> = mask.iter().map(|byte| *byte >= BELONGS).collect();
        if !inside.contains(&true) {
            let message = format!("`{text}` was not found in #{node}");
            return Err(
                Hinted::new(message, "name something that can be seen, or give a rectangle: 20,20,40,40").into()
            );
        }
        let by = if crate::model::is_embedded(&name) { "the network in the program".to_owned() } else { name };
        Ok(FoundParts { inside, by })
    }

    /// Which network finds what a text names in a node's picture.
    fn segmenter_name(&self, node: u32) -> Result<String> {
        if let Some(name) = &self.settings.segmenter {
            return Ok(name.clone());
        }
        let model = &self.tree()[node].recipe.model;
        if crate::model::is_embedded(model) {
            return Ok("embedded".to_owned());
        }
        let message = format!("nothing here finds a text in pictures of `{}`", crate::safe::printable_line(model));
        Err(Hinted::new(message, "name a CLIPSeg: /set segmenter CIDAS/clipseg-rd64-refined").into())
    }

    /// The network of this name, loaded once.
    fn segmenter(&mut self, name: &str) -> Result<Arc<Segmenter>> {
        let device = self.device();
        if let Some((_, _, network)) = self.segmenter.as_ref().filter(|(n, d, _)| n == name && *d == device) {
            return Ok(network.clone());
        }
        let backend = Backend::on(device, Precision::F32)?;
        let network = Arc::new(Segmenter::load(&*text_masks::find(name)?, &backend)?);
        self.segmenter = Some((name.to_owned(), device, network.clone()));
        Ok(network)
    }
}
