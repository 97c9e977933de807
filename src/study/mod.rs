//! Questions asked many times.
//!
//! [`parity`] asks whether we compute what was published.


pub mod parity;
