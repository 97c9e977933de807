//! Questions asked many times.
//!
//! [`measure`] says how far two pictures are apart; [`parity`] whether we compute what was published.

pub mod measure;
pub mod parity;
