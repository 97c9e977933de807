//! Questions asked many times.
//!
//! [`parity`] asks whether we compute what was published, [`sweep`] what an edit looks like under other settings,
//! [`cycles`] how near edits taken back lead home, [`drift`] how far a picture's background moves in many turns.

pub mod cycles;
pub mod drift;
pub mod parity;
pub mod sweep;
pub mod table;
