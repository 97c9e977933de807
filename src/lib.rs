//! wordbrush: a conversation in the terminal that edits pictures by rewording their prompts.

pub mod attention;
pub mod engine;
pub mod history;
pub mod measure;
pub mod model;
pub mod plan;
pub mod preview;
pub mod prompt;
pub mod repl;
pub mod safe;
pub mod session;
pub mod store;
pub mod study;

pub use wordbrush_turn as turn;
