//! Replies as JSON: one object on one line, for programs.

use anyhow::Error;
use serde_json::{Map, Value, json};

use super::reply::{Cycled, Reply, TurnReport, tell};
use crate::history::Node;
use crate::plan::Region;
use crate::plan::area::Area;
use crate::plan::redraw::{Patch, Redraw, RedrawMethod, Tuning};
use crate::safe::printable;
use crate::session::Session;
use crate::session::cycle::predict::Foretold;
use crate::turn::{Change, Edit, Question, words};

/// A number, or null where it is infinite or undefined.
fn number(x: f64) -> Value {
    serde_json::Number::from_f64(x).map_or(Value::Null, Value::Number)
}

/// One change.
#[must_use]
pub fn change(change: &Change) -> Value {
    match change {
        Change::Start { prompt } => json!({"kind": "start", "to": prompt}),
        Change::Swap { from, to } => json!({"kind": "swap", "from": from, "to": to}),
        Change::Add { text } => json!({"kind": "add", "to": text}),
        Change::Remove { text } => json!({"kind": "remove", "from": text}),
        Change::Weigh { word, factor, .. } => json!({"kind": "weigh", "word": word, "factor": number(*factor)}),
    }
}

/// Names of a text's words: `cat`, or `cat#2` where a word stands there more than once.
#[must_use]
pub fn word_names(text: &str) -> Vec<String> {
    let items = words::split(text);
    let low: Vec<String> = items.iter().map(|w| w.text.to_lowercase()).collect();
    (0..items.len())
        .map(|i| {
            let before = low[..i].iter().filter(|w| **w == low[i]).count();
            let all = low.iter().filter(|w| **w == low[i]).count();
            if all > 1 { format!("{}#{}", items[i].text, before + 1) } else { items[i].text.to_owned() }
        })
        .collect()
}

/// The weights that are not 1, by word.
#[must_use]
pub fn weights(prompt: &str, weights: &[f64]) -> Value {
    let named = word_names(prompt).into_iter().zip(weights).filter(|(_, w)| **w != 1.0);
    Value::Object(named.map(|(name, w)| (name, number(*w))).collect())
}

fn label(node: u32) -> Value {
    Value::String(format!("#{node}"))
}

fn place(object: &mut Map<String, Value>, node: &Node) {
    object.insert("node".into(), label(node.number));
    object.insert("parent".into(), node.parent.map_or(Value::Null, label));
    object.insert("prompt".into(), node.plan.prompt.clone().into());
}

/// How a picture was drawn again: the command, its numbers, and what its noise was drawn from.
fn method(redraw: &Redraw) -> Value {
    let mut object = json!({"name": redraw.method.command(), "seed": redraw.seed});
    let mut say = |name: &str, value: Value| object[name] = value;
    match &redraw.method {
        RedrawMethod::SdEdit { strength, patch } => {
            say("strength", number(*strength));
            if let Some(Patch { x, y, width, height, .. }) = patch {
                say("patch", json!([x, y, width, height]));
            }
        }
        RedrawMethod::BlendedDiffusion { strength } => say("strength", number(*strength)),
        RedrawMethod::MagicMix { kmin, kmax, nu } => {
            [("kmin", kmin), ("kmax", kmax), ("nu", nu)].into_iter().for_each(|(name, x)| say(name, number(*x)));
        }
        RedrawMethod::DiffEdit { strength, mask_strength, ratio, maps } => {
            [("strength", strength), ("mask_strength", mask_strength), ("ratio", ratio)]
                .into_iter()
                .for_each(|(name, x)| say(name, number(*x)));
            say("maps", (*maps).into());
        }
        RedrawMethod::Imagic { strength, embedding, model } => {
            say("strength", number(*strength));
            say("embedding", tuning(*embedding));
            say("model", tuning(*model));
        }
        RedrawMethod::UniTune { strength, rare, model } => {
            say("strength", number(*strength));
            say("rare", rare.clone().into());
            say("model", tuning(*model));
        }
    }
    object
}

fn tuning(tuning: Tuning) -> Value {
    json!({"steps": tuning.steps, "rate": number(tuning.rate)})
}

/// Where a person said that the picture may change.
fn region(area: &Area) -> Value {
    match area {
        Area::Mask(mask) => json!({"mask": mask.digest(), "pixels": mask.count()}),
        Area::Rectangle { x, y, width, height } => json!({"rectangle": [x, y, width, height]}),
        Area::Words { tokens } => json!({"tokens": tokens}),
    }
}

fn drew(object: &mut Map<String, Value>, drew: &TurnReport, session: &Session) {
    let turned = &drew.turned;
    let node = &session.tree()[turned.node];
    place(object, node);
    object.insert("edit".into(), drew.changes.iter().map(change).collect());
    object.insert("weights".into(), weights(&node.plan.prompt, &node.plan.weights));
    if let Some(redraw) = node.plan.redraw() {
        object.insert("method".into(), method(redraw));
    }
    if let Region::Given(area) = node.plan.region() {
        object.insert("region".into(), region(area));
    }
    object.insert("seconds".into(), number(turned.seconds));
    object.insert("evaluations".into(), turned.evaluations.into());
    if let Some(image) = &drew.image {
        object.insert("image".into(), image.display().to_string().into());
    }
    if turned.parent.is_some() {
        let or_null = |x: Option<f64>| x.map_or(Value::Null, number);
        object.insert("psnr".into(), or_null(drew.psnr));
        object.insert("ssim".into(), or_null(drew.ssim));
        object.insert("outside_psnr".into(), or_null(drew.outside_psnr));
    }
    object.insert("warnings".into(), turned.warnings.clone().into());
}

/// What was told of a way back before it was gone.
#[must_use]
pub fn predicted(predicted: &Foretold) -> Value {
    match predicted {
        Foretold::Exact => json!({"exact": true}),
        Foretold::Not(why) => {
            json!({"exact": false, "step": why.step, "site": why.site, "reason": why.reason, "hint": why.hint})
        }
    }
}

/// A way back: each step's numbers, and those of the whole way.
pub fn cycled(object: &mut Map<String, Value>, cycled: &Cycled) {
    let or_null = |x: Option<f64>| x.map_or(Value::Null, number);
    let steps: Vec<Value> = cycled
        .steps
        .iter()
        .map(|(step, psnr, ssim)| {
            let mut one = json!({
                "to": label(step.to),
                "edit": step.changes.iter().map(change).collect::<Vec<_>>(),
                "max_abs": number(step.max_abs),
                "psnr": number(*psnr),
                "ssim": or_null(*ssim),
                "identical": step.identical,
                "seconds": number(step.seconds),
                "evaluations": step.evaluations,
            });
            if let Some(told) = &step.predicted {
                one["predicted"] = predicted(told);
            }
            one
        })
        .collect();
    let Some((last, psnr, ssim)) = cycled.steps.last() else { return };
    object.insert("node".into(), label(cycled.from));
    object.insert("to".into(), label(cycled.to));
    object.insert("method".into(), cycled.method.name().into());
    if let Some(told) = &last.predicted {
        object.insert("predicted".into(), predicted(told));
    }
    object.insert("max_abs".into(), number(last.max_abs));
    object.insert("psnr".into(), number(*psnr));
    object.insert("ssim".into(), or_null(*ssim));
    object.insert("identical".into(), last.identical.into());
    object.insert("evaluations".into(), cycled.steps.iter().map(|s| s.0.evaluations).sum::<u64>().into());
    object.insert("steps".into(), steps.into());
}

/// An error object: `message`, and `hint` and `span` where there are any.
#[must_use]
pub fn error(error: &Error) -> Value {
    let told = tell(error);
    let mut object = Map::new();
    object.insert("message".into(), told.message.into());
    if let Some(hint) = told.hint {
        object.insert("hint".into(), hint.into());
    }
    if let Some((from, to)) = told.span {
        object.insert("span".into(), json!([from, to]));
    }
    Value::Object(object)
}

/// A question object: its text and choices.
#[must_use]
pub fn question(question: &Question) -> Value {
    let choices: Vec<&str> = question.choices.iter().map(|c| c.label.as_str()).collect();
    json!({"text": question.text, "choices": choices})
}

/// A line's reply; `None` for a line that prints nothing.
#[must_use]
pub fn line(line: usize, reply: &Result<Reply, Error>, session: &Session, seconds: f64) -> Option<Value> {
    let mut object = Map::new();
    object.insert("line".into(), line.into());
    match reply {
        Err(e) => {
            object.insert("error".into(), error(e));
        }
        Ok(Reply::Nothing | Reply::Walk) => return None,
        Ok(Reply::Asked(asked)) => {
            object.insert("question".into(), question(asked));
        }
        Ok(Reply::Drew(d)) => drew(&mut object, d, session),
        Ok(Reply::Moved(node)) => {
            let node = &session.tree()[*node];
            place(&mut object, node);
            object.insert("weights".into(), weights(&node.plan.prompt, &node.plan.weights));
            object.insert("seconds".into(), number(seconds));
            object.insert("evaluations".into(), 0.into());
        }
        Ok(Reply::Cycled(c)) => {
            cycled(&mut object, c);
            object.insert("seconds".into(), number(seconds));
        }
        Ok(Reply::Text(shown)) => {
            object.insert("text".into(), shown.text.clone().into());
        }
        Ok(Reply::Stopped) => {
            object.insert("error".into(), json!({"message": "stopped; no picture was added"}));
        }
        Ok(Reply::Switched(other)) => {
            object.insert("text".into(), super::opened_text(other).into());
        }
        Ok(Reply::Quit) => {
            object.insert("text".into(), "".into());
        }
    }
    Some(Value::Object(object))
}

/// What an edit would do, without drawing it.
#[must_use]
pub fn explained(edit: &Edit, weights: Value, warnings: &[String]) -> Value {
    json!({
        "prompt": edit.prompt,
        "edits": edit.changes.iter().map(change).collect::<Vec<_>>(),
        "weights": weights,
        "warnings": warnings,
    })
}

/// A value as a line of output that is safe for a terminal: control and bidi characters are written as `\uXXXX`.
#[must_use]
pub fn written(value: &Value) -> String {
    printable(&value.to_string())
}
