//! `/region`: where the next edits may change the picture, until it is taken back.

use anyhow::Result;

use super::super::commands::Called;
use super::super::reply::Reply;
use super::super::talk::{Talk, text};
use super::super::typed_path;
use crate::plan::area::Area;
use crate::session::area::said;

/// `/region [REGION | off]`. What is given is read at once, so that what cannot be a region is told now; it is read again at
/// each edit, since words are looked up where the edit is made.
pub(in crate::repl) fn region(talk: &mut Talk, a: &Called<'_>) -> Result<Reply> {
    let Some(typed) = a.text() else {
        return Ok(text(match &talk.region {
            Some(typed) => {
                format!("the next edits change the picture in `{typed}` alone; /region off lets the words say where")
            }
            None => "the words of each edit say where the picture may change; /region hair, /region 20,20,40,40 or \
                     /region mask.png names a place"
                .to_owned(),
        }));
    };
    if typed == "off" {
        talk.region = None;
        return Ok(text("the words of each edit say where the picture may change"));
    }
    let here = talk.session.resolve(None)?;
    let area = of(talk, here, typed)?;
    let what = said(&area, &talk.session.generation(here)?.prompt);
    talk.region = Some(typed.to_owned());
    Ok(text(format!("the next edits change the picture in {what} alone; /region off lets the words say where")))
}

/// The area of a node's picture that a text names.
pub(in crate::repl) fn of(talk: &mut Talk, node: u32, typed: &str) -> Result<Area> {
    talk.session.area(node, typed, &typed_path::path(typed))
}
