//! What a line came to, before it is shown.

use std::path::PathBuf;

use anyhow::Error;
use image::RgbImage;

use crate::engine::segment::SegmentError;
use crate::history::HistoryError;
use crate::model::{ModelError, NoEmbedded};
use crate::plan::device::DeviceError;
use crate::plan::resolve::PlanError;
use crate::plan::settings::SettingError;
use crate::session::cycle::StepBack;
use crate::session::cycle::regenerated::CycleMethod;
use crate::session::file::Hinted;
use crate::session::{Session, TurnResult};
use crate::turn::{Change, Misread, Question};

/// What a line came to.
pub enum Reply {
    /// A blank line or a remark.
    Nothing,
    /// A picture was drawn, or an edit led to one that exists.
    Drew(Box<TurnReport>),
    /// We are elsewhere in the tree.
    Moved(u32),
    /// A way back was tried.
    Cycled(Box<Cycled>),
    /// Something to read, and perhaps to look at.
    Text(Shown),
    /// A near-tie: one of several readings, to be picked by its number.
    Asked(Question),
    /// The turn was stopped; no node has grown.
    Stopped,
    /// Another session is to be gone on with; whoever holds the talk installs it.
    Switched(Box<Session>),
    /// The tree is to be walked through by keys.
    Walk,
    /// Leave.
    Quit,
}

/// A picture drawn, with everything a report may name.
pub struct TurnReport {
    /// What the session says.
    pub turned: TurnResult,
    /// What was understood.
    pub changes: Vec<Change>,
    /// PSNR against the parent, in dB; `None` for a root.
    pub psnr: Option<f64>,
    /// SSIM against the parent.
    pub ssim: Option<f64>,
    /// PSNR outside the edited words' region; `None` also if nothing lies outside.
    pub outside_psnr: Option<f64>,
    /// PSNR against the root of the tree, outside the regions of all edits since; `None` for a root and its children.
    pub outside_psnr_root: Option<f64>,
    /// Where its PNG is.
    pub image: Option<PathBuf>,
}

/// A way back, measured.
pub struct Cycled {
    /// Where it began.
    pub from: u32,
    /// Where it led.
    pub to: u32,
    /// How it was drawn.
    pub method: CycleMethod,
    /// The edits taken back, with the numbers of each.
    pub steps: Vec<(StepBack, f64, Option<f64>)>,
}

impl Cycled {
    /// Measures a way back that was gone, step by step.
    #[must_use]
    pub fn measured((from, to): (u32, u32), method: CycleMethod, steps: Vec<StepBack>) -> Self {
        let measured = steps.into_iter().map(|step| {
            let (psnr, ssim) = step.likeness();
            (step, psnr, ssim)
        });
        Self { from, to, method, steps: measured.collect() }
    }
}

/// Something to read, and perhaps to look at.
#[derive(Default)]
pub struct Shown {
    /// The text, without a last newline.
    pub text: String,
    /// Pictures, each with the file it is in, if it is in one.
    pub pictures: Vec<(RgbImage, Option<PathBuf>)>,
    /// Whether the text is the tree, which a terminal may draw with its pictures.
    pub is_tree: bool,
}

impl Shown {
    /// Text alone.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// An error in its parts: what is the case, one thing to try, and the place in the line.
pub struct Told {
    /// What is the case.
    pub message: String,
    /// One thing to try.
    pub hint: Option<String>,
    /// Bytes of the line.
    pub span: Option<(usize, usize)>,
}

/// Takes an error apart, whichever room it comes from.
#[must_use]
pub fn tell(error: &Error) -> Told {
    let mut told = Told { message: format!("{error:#}"), hint: None, span: None };
    for cause in error.chain() {
        if let Some(e) = cause.downcast_ref::<Misread>() {
            told.hint = e.hint().map(str::to_owned);
            told.span = e.span.map(|s| (s.from, s.to));
        } else if let Some(e) = cause.downcast_ref::<SettingError>() {
            told.hint = Some(e.hint().to_owned());
        } else if let Some(e) = cause.downcast_ref::<DeviceError>() {
            told.hint = Some(e.hint().to_owned());
        } else if let Some(e) = cause.downcast_ref::<PlanError>() {
            told.hint = Some(e.hint().to_owned());
        } else if let Some(e) = cause.downcast_ref::<HistoryError>() {
            told.hint = Some(e.hint().to_string());
        } else if let Some(e) = cause.downcast_ref::<Hinted>() {
            told.hint = Some(e.hint().to_owned());
        } else if let Some(e) = cause.downcast_ref::<ModelError>() {
            told.hint = Some(e.hint().to_owned());
        }
        if let Some(e) = cause.downcast_ref::<SegmentError>() {
            told.hint = Some(e.hint().to_owned());
        }
        if let Some(e) = cause.downcast_ref::<NoEmbedded>() {
            told.hint = Some(e.hint().to_owned());
        }
        #[cfg(feature = "hub")]
        if let Some(e) = cause.downcast_ref::<crate::model::hub::HubError>() {
            told.hint = Some(e.hint().to_owned());
        }
    }
    told
}
