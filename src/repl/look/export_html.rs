//! The whole tree as one page: pictures inside, no script, nothing fetched.

use std::fmt::Write as _;

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::super::html::{escaped, head};
use super::super::report::counted;
use super::super::talk::Talk;
use super::{brief, decibels};
use crate::measure::{psnr, psnr_where, ssim};
use crate::plan::settings::{Settings, TABLE, name_of};
use crate::preview::png;
use crate::session::branch::root_settings;
use crate::session::to_image;

/// Levels that are set in further; deeper ones stand below each other.
const LEVELS: usize = 10;

const STYLE: &str = "\
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
article { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1rem 0; padding-left: .8rem; border-left: 2px solid #8888; }
article.root { margin-top: 3rem; }
article.here { border-left-color: #c60; }
img { image-rendering: auto; border-radius: 4px; max-width: 100%; height: auto; }
h2 { font-size: 1.05rem; margin: 0; }
p { margin: .2rem 0; }
div.words { flex: 1 1 16rem; min-width: 0; overflow-wrap: anywhere; }
.quiet { opacity: .7; font-size: .9rem; }
table { border-collapse: collapse; font-size: .85rem; }
td { padding: 0 .8rem 0 0; vertical-align: top; }
code { font-size: .9rem; }";

/// The page.
///
/// # Errors
/// Fails if a picture must be drawn again and cannot be.
pub(super) fn page(talk: &mut Talk) -> Result<String> {
    let session = &talk.session;
    let title = session.title().map_or_else(|| session.name(), str::to_owned);
    let (count, roots) = (session.tree().len(), session.tree().roots().to_vec());
    let mut out = head(&title, STYLE);
    let pictures = counted(count as u64, "picture");
    let _ = writeln!(out, "<p class=\"quiet\">{pictures}, drawn by wordbrush {}</p>", env!("CARGO_PKG_VERSION"));
    for root in roots {
        // Depth first, children in the order of growth.
        let mut waiting = vec![root];
        while let Some(node) = waiting.pop() {
            out.push_str(&article(talk, node)?);
            waiting.extend(talk.session.tree().children(node).iter().rev());
        }
    }
    out.push_str("</body>\n</html>\n");
    Ok(out)
}

fn article(talk: &mut Talk, number: u32) -> Result<String> {
    let session = &mut talk.session;
    let picture = to_image(&session.picture(number)?);
    let node = session.tree()[number].clone();
    let depth = session.tree().depth(number);
    let mut class = String::new();
    if node.is_root() {
        class.push_str(" root");
    }
    if session.tree().here() == Some(number) {
        class.push_str(" here");
    }
    let mut out = format!(
        "<article id=\"n{number}\" class=\"{}\" style=\"margin-left:{}rem\">\n",
        class.trim_start(),
        depth.min(LEVELS) as f64 * 1.5
    );
    let data = BASE64_STANDARD.encode(png::encode(&picture)?);
    let (width, height) = picture.dimensions();
    let _ = writeln!(
        out,
        "<img width=\"{width}\" height=\"{height}\" alt=\"{}\" src=\"data:image/png;base64,{data}\">",
        escaped(&node.plan.prompt)
    );
    let from = node.parent.map(|p| format!(" ← <a href=\"#n{p}\">#{p}</a>")).unwrap_or_default();
    let names: String = session.tree().names_of(number).map(|n| format!(" [{}]", escaped(n))).collect();
    let here = if session.tree().here() == Some(number) { " ← here" } else { "" };
    let label = escaped(&node.label());
    let _ = writeln!(out, "<div class=\"words\">\n<h2>#{number}{from}{names} {label}{here}</h2>");
    // A root is called by its prompt, which is mostly what was typed.
    if node.label() != node.plan.prompt {
        let _ = writeln!(out, "<p>{}</p>", escaped(&node.plan.prompt));
    }
    if node.line != node.plan.prompt {
        let _ = writeln!(out, "<p class=\"quiet\">typed: <code>{}</code></p>", escaped(&node.line));
    }
    let mut numbers = Vec::new();
    if let Some(drawn) = session.drawn(number) {
        numbers.push(format!("{} s", brief(drawn.seconds, 1)));
        numbers.push(counted(drawn.evaluations, "evaluation"));
    }
    if let Some(parent) = node.parent {
        let before = to_image(&session.picture(parent)?);
        let outside = session.look(number)?.2.and_then(|mask| psnr_where(&picture, &before, &mask));
        numbers.push(format!("PSNR {}", decibels(psnr(&picture, &before))));
        numbers.push(format!("SSIM {}", ssim(&picture, &before).map_or_else(|| "-".to_owned(), |s| brief(s, 3))));
        numbers.extend(outside.map(|x| format!("outside the edit {}", decibels(Some(x)))));
    } else {
        numbers.push(format!("seed {}", node.recipe.seed));
        numbers.push(counted(node.recipe.steps as u64, "step"));
    }
    let _ = writeln!(out, "<p class=\"quiet\">{}</p>", escaped(&numbers.join(" · ")));
    let _ = writeln!(out, "<details class=\"quiet\"><summary>settings</summary>\n<table>");
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(out, "<tr><td>{}</td><td>{}</td></tr>", escaped(name), escaped(value));
    };
    row("id", &node.id.to_string());
    let settings =
        Settings { turn: (*node.plan.settings).clone(), root: root_settings(&node.recipe), ..Settings::default() };
    let wanted = |per| TABLE.iter().filter(move |s| s.per == per && s.name != "freedom");
    if node.is_root() {
        wanted(crate::plan::settings::Per::Root).for_each(|s| row(s.name, &settings.get(s.name)));
        row("arithmetic", &name_of(&node.recipe.precision));
    } else {
        wanted(crate::plan::settings::Per::Turn).for_each(|s| row(s.name, &settings.get(s.name)));
    }
    for (word, weight) in session.generation(number)?.prompt.words.iter().zip(&node.plan.weights) {
        if *weight != 1.0 {
            row(&format!("weight of {word}"), &weight.to_string());
        }
    }
    out.push_str("</table></details>\n</div>\n</article>\n");
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        let text = escaped("<script>alert('x')</script> & \"y\"\n\u{202e}");
        assert_eq!(text, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot;\\u000a\\u202e");
    }
}
