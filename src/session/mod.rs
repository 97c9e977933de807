//! The one room that knows them all.

pub mod file;
pub mod home;
pub mod lock;
