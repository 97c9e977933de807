//! Lines said in a conversation, and what must come of them.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly anywhere")]

use wordbrush::repl::reply::{Reply, TurnReport, tell};
use wordbrush::repl::talk::{Talk, Unwatched};
use wordbrush::session::run_node::RunResult;

#[track_caller]
pub fn drew(talk: &mut Talk, line: &str) -> Box<TurnReport> {
    match talk.line(line, &mut Unwatched) {
        Ok(Reply::Drew(report)) => report,
        Ok(_) => panic!("`{line}` drew nothing"),
        Err(error) => panic!("`{line}`: {error:#}"),
    }
}

#[track_caller]
pub fn refused(talk: &mut Talk, line: &str, why: &str) {
    let nodes = talk.session.tree().len();
    let Err(error) = talk.line(line, &mut Unwatched) else { panic!("`{line}` was carried out") };
    let told = tell(&error);
    assert!(told.message.contains(why), "`{line}`: {}", told.message);
    assert!(told.hint.is_some(), "`{line}`: `{}` gives nothing to try", told.message);
    assert_eq!(talk.session.tree().len(), nodes, "`{line}` grew a node");
}

pub fn bits(left: &RunResult) -> Vec<Vec<u32>> {
    let latents = left.trajectory.latents().iter();
    latents.map(|l| l.flatten_all().unwrap().to_vec1::<f32>().unwrap().iter().map(|x| x.to_bits()).collect()).collect()
}
