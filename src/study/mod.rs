//! Questions asked many times.
//!
//! [`parity`] asks whether we compute what was published, [`sweep`] what an edit looks like under other settings,
//! [`cycles`] how near edits taken back lead home, [`drift`] how far a picture's background moves in many turns,
//! [`methods`] which way to edit serves when, [`photographs`] how much of a photograph stays; [`question`] has those of the study that this
//! program grew from, [`findings`] says what their numbers settle, [`measured`] is what is counted of an edited picture.

pub mod cycles;
pub mod drift;
pub mod findings;
pub mod interval;
pub mod measured;
pub mod methods;
pub mod parity;
pub mod photographs;
pub mod plots;
pub mod question;
pub mod sweep;
pub mod table;
