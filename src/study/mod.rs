//! Questions asked many times.
//!
//! [`parity`] asks whether we compute what was published, [`sweep`] what an edit looks like under other settings,
//! [`cycles`] how near edits taken back lead home, [`drift`] how far a picture's background moves in many turns,
//! [`photographs`] how much of a photograph stays.

pub mod cycles;
pub mod drift;
pub mod parity;
pub mod photographs;
pub mod sweep;
pub mod table;
