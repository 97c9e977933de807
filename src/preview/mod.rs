//! Shows what was drawn.
//!
//! [`terminal`] puts a picture between the lines of a conversation, in whichever way the terminal understands;
//! [`live`] shows one while it forms, above the [`progress`] bar; [`form`] makes that picture from latents. [`sheet`],
//! [`heat`] and [`outline`] make pictures about pictures, and [`png`] writes them with the words that made them.
//!
//! Pictures are `image::RgbImage` and maps are grids of `f32`: nothing here knows a tensor or a session. Everything is
//! written to a `&mut dyn Write` that the caller brings; only detection looks at the terminal itself.

pub mod ascii;
pub mod ask;
pub mod beside;
mod blocks;
#[cfg(test)]
mod decode;
pub mod file;
mod font;
pub mod form;
pub mod gif;
pub mod grid;
pub mod heat;
mod iterm;
mod kitty;
pub mod live;
pub mod outline;
mod palette;
pub mod png;
pub mod progress;
pub mod sheet;
mod sixel;
pub mod size;
pub mod surroundings;
pub mod terminal;
mod tmux;

pub use font::{CELL_HEIGHT, CELL_WIDTH, draw_text};
pub use grid::Grid;
pub use size::{Fit, Size};
pub use surroundings::{PreviewChoice, Protocol};
pub use terminal::Screen;
