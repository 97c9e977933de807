//! wordbrush: a conversation in the terminal that edits pictures by rewording their prompts.
//!
//! A walk through the rooms, on the model in the program: a line is read, planned and drawn, the picture is a node with an
//! id, and an edit taken back by words leads to the very picture it began with. `docs/ARCHITECTURE.md` is the map.
//!
//! ```
//! use std::ops::ControlFlow;
//! use wordbrush::plan::settings::Settings;
//! use wordbrush::session::{Options, Session, home::Home};
//! use wordbrush::store::Limits;
//! use wordbrush::turn::Turn;
//!
//! // Open: a session in memory, two steps a picture.
//! let mut session = Session::open(Options {
//!     home: Home::find(|_| Some("/nowhere".into()))?,
//!     path: None,
//!     read_only: false,
//!     settings: Settings::default(),
//!     overrides: vec![("steps".to_owned(), "2".to_owned())],
//!     limits: Limits { ram: 1 << 28, disk: 0 },
//! })?;
//!
//! // Edit: what a line means is known before anything is drawn.
//! for line in ["a cat on a beach", "make it a dog"] {
//!     let Turn::Edit(edit) = session.read(line)? else { panic!("`{line}` is an edit") };
//!     session.edit(line, &edit, &mut |_step, _latent| ControlFlow::Continue(()))?;
//! }
//!
//! // Read the id: a digest of all that decides the picture.
//! let dog = session.tree().current().expect("a picture was drawn");
//! assert_eq!((dog.number, dog.plan.prompt.as_str()), (2, "a dog on a beach"));
//! assert_eq!(dog.id.hex().len(), 64);
//!
//! // Cycle back: `dog -> cat`, drawn anew from what the dog's run left.
//! let way = session.cycle(1, false, &mut |_turn, _step, _latent| ControlFlow::Continue(()))?;
//! assert!(way.expect("nobody stopped it")[0].identical);
//! # Ok::<(), anyhow::Error>(())
//! ```

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
