//! What several tests share.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

pub mod chains;
pub mod dice;
pub mod judge;
pub mod marks;
pub mod talking;

use std::ops::ControlFlow;

use wordbrush::plan::settings::Settings;
use wordbrush::session::home::Home;
use wordbrush::session::{Options, Session, TurnResult};
use wordbrush::store::Limits;
use wordbrush::turn::Turn;

/// A session in memory under these settings.
pub fn session(settings: &[(&str, &str)]) -> Session {
    let overrides = settings.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    Session::open(Options {
        home: Home::find(|_| Some("/nowhere".into())).expect("a home is named"),
        path: None,
        read_only: false,
        settings: Settings::default(),
        overrides,
        limits: Limits { ram: 1 << 30, disk: 0 },
    })
    .expect("the settings can be set")
}

/// Types an edit and draws it.
#[track_caller]
pub fn say(session: &mut Session, line: &str) -> TurnResult {
    let turn = session.read(line).unwrap_or_else(|e| panic!("`{line}`: {e}"));
    let Turn::Edit(edit) = turn else { panic!("`{line}` is no edit: {turn:?}") };
    let turned = session.edit(line, &edit, &mut |_, _| ControlFlow::Continue(()));
    turned.unwrap_or_else(|e| panic!("`{line}`: {e:#}")).expect("nobody stopped it")
}

/// The numbers of a node's final latent, row by row, channels last.
pub fn last_latent(turned: &TurnResult) -> Vec<f32> {
    turned.left.trajectory.last().flatten_all().and_then(|t| t.to_vec1()).expect("a latent has numbers")
}
