//! What a picture carries of the session it grew in: the rows of a node and its ancestors, as the session's file has them.
//!
//! They are read like any file from elsewhere, by the same reader. Pictures of the first format, which carried values as
//! they were in memory then, are put into rows first ([`from_first_format`]).

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use super::rows::{GrowRow, PictureRow, Row};
use super::scan::{Contents, Trust, fresh_header};
use super::{DrawnRow, columns};
use crate::history::Node;
use crate::plan::{Columns, Stretch};

/// Version of what pictures carry. Larger ones are not opened.
const LINEAGE_FORMAT: u64 = 2;

/// The most nodes that a picture may bring.
const MOST_NODES: usize = 10_000;

/// The rows of `nodes`, each the parent of the next, the root first; `drawn` says what came out of a node, if that is known.
///
/// # Errors
/// Fails if a value cannot be written as JSON: one that is no number, say.
pub fn write_lineage(nodes: &[&Node], drawn: &dyn Fn(&Node) -> Option<DrawnRow>) -> Result<Value> {
    let rows = nodes.iter().zip(1..).map(|(node, number)| {
        let picture = drawn(node).as_ref().map(PictureRow::from);
        Ok(serde_json::to_value(GrowRow::in_lineage(node, number, picture)?)?)
    });
    let rows: Vec<Value> = rows.collect::<Result<_>>().context("BUG: a lineage cannot be written as JSON")?;
    Ok(json!({ "format": LINEAGE_FORMAT, "program": env!("CARGO_PKG_VERSION"), "nodes": rows }))
}

/// The tree that a lineage describes, and what is to be said of it.
///
/// # Errors
/// Fails if it is of another format, or says anything that cannot be true of a picture.
pub fn read_lineage(lineage: &Value) -> Result<Contents> {
    let converted;
    let nodes = match lineage.get("format").and_then(Value::as_u64) {
        Some(LINEAGE_FORMAT) => lineage.get("nodes").and_then(Value::as_array),
        Some(1) => {
            converted = from_first_format(lineage).context("its lineage cannot be read")?;
            Some(&converted)
        }
        _ => {
            let format = lineage.get("format").unwrap_or(&Value::Null);
            anyhow::bail!("its lineage has format {format}, but this program reads format {LINEAGE_FORMAT}")
        }
    };
    let nodes = nodes.filter(|nodes| !nodes.is_empty()).context("its lineage has no nodes")?;
    ensure!(nodes.len() <= MOST_NODES, "its lineage has more than {MOST_NODES} nodes");
    let mut contents = Contents::new(fresh_header());
    for (node, number) in nodes.iter().zip(1..) {
        let named = || format!("its picture #{number} cannot be");
        let mut row: GrowRow = serde_json::from_value(node.clone()).with_context(named)?;
        let drawn = row.picture.take().map(DrawnRow::from);
        contents.take((Row::Grow(Box::new(row)), drawn), Trust::Imported, number).with_context(named)?;
    }
    Ok(contents)
}

/// The rows of a lineage of format 1.
fn from_first_format(lineage: &Value) -> Result<Vec<Value>> {
    let mut recipe = object(lineage, "recipe")?.clone();
    let origin = recipe.shift_remove("origin");
    ensure!(origin == Some(json!("noise")), "it grew from another picture, which it does not carry");
    let nodes = lineage.get("nodes").and_then(Value::as_array).context("it has no nodes")?;
    nodes.iter().zip(1..).map(|(node, number)| row_of_first_format(node, number, &recipe)).collect()
}

fn row_of_first_format(node: &Value, number: usize, recipe: &Map<String, Value>) -> Result<Value> {
    let plan = object(node, "plan")?;
    let part = |name: &str| plan.get(name).cloned().with_context(|| format!("a plan lacks `{name}`"));
    let changes = node.get("changes").and_then(Value::as_array).context("a picture has no changes")?;
    let mut row = json!({
        "node": number,
        "id": node.get("id"),
        "line": node.get("line"),
        "changes": changes.iter().map(change).collect::<Result<Vec<_>>>()?,
        "prompt": part("prompt")?,
        "spans": part("spans")?.as_array().context("spans are no list")?.iter().map(span).collect::<Result<Vec<_>>>()?,
        "weights": part("weights")?,
        "columns": columns_text(&part("columns")?)?,
        "region": part("region")?,
        "settings": settings(part("settings")?)?,
    });
    if number == 1 {
        row["recipe"] = Value::Object(recipe.clone());
    } else {
        row["parent"] = json!(number - 1);
    }
    Ok(row)
}

fn object<'a>(value: &'a Value, name: &str) -> Result<&'a Map<String, Value>> {
    value.get(name).and_then(Value::as_object).with_context(|| format!("it lacks `{name}`"))
}

/// `{"kind":"swap","from":…}` to `{"swap":{"from":…}}`.
fn change(change: &Value) -> Result<Value> {
    let mut parts = change.as_object().context("a change is no object")?.clone();
    let kind = parts.shift_remove("kind");
    let kind = kind.as_ref().and_then(Value::as_str).context("a change has no kind")?;
    Ok(json!({ kind: parts }))
}

/// `{"source":{"start":1,"end":2},"target":…}` to `[1,2,…]`.
fn span(span: &Value) -> Result<Value> {
    let ends = ["/source/start", "/source/end", "/target/start", "/target/end"].map(|at| span.pointer(at).cloned());
    let ends: Option<Vec<Value>> = ends.into_iter().collect();
    Ok(Value::Array(ends.context("a span lacks an end")?))
}

/// A list of `"own"` and `{"from":{"up":1,"tokens":[[4,1.0]]}}` to the text that rows have.
fn columns_text(list: &Value) -> Result<String> {
    let small = |value: Option<&Value>| value.and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let one = |column: &Value| -> Option<Stretch> {
        if column == "own" {
            return Some(Stretch::Own(1));
        }
        let from = column.get("from")?;
        let token = |pair: &Value| Some((small(pair.get(0))?, pair.get(1)?.as_f64()? as f32));
        let tokens = from.get("tokens")?.as_array()?.iter().map(token).collect::<Option<_>>()?;
        Some(Stretch::Sum { up: small(from.get("up"))?, tokens })
    };
    let stretches: Option<Vec<Stretch>> = list.as_array().and_then(|list| list.iter().map(one).collect());
    Ok(columns::write(Columns::of(stretches.context("a column says no source")?).stretches()))
}

/// Windows `{"from":0,"to":.4}` to `[0,.4]`; all else has the same form.
fn settings(mut settings: Value) -> Result<Value> {
    let pair = |window: &mut Value| -> Result<()> {
        let ends = ["from", "to"].map(|end| window.get(end).cloned());
        let ends: Option<Vec<Value>> = ends.into_iter().collect();
        *window = Value::Array(ends.context("a window lacks an end")?);
        Ok(())
    };
    let parts = settings.as_object_mut().context("settings are no object")?;
    for name in ["cross_replace_steps", "self_replace_steps", "v_replace_steps"] {
        pair(parts.get_mut(name).with_context(|| format!("settings lack `{name}`"))?)?;
    }
    let words = parts.get_mut("cross_words").and_then(Value::as_object_mut).context("settings lack `cross_words`")?;
    words.values_mut().try_for_each(pair)?;
    Ok(settings)
}
