//! LoRAs named in the prompt of a first picture, as other programs write them: `<lora:NAME:SCALE>`.

use std::path::{Path, PathBuf};

use crate::session::file::Hinted;

/// Where a LoRA that is named without its folder is looked for.
const FOLDERS: [&str; 3] = ["", "lora", "loras"];

/// A line without its tags, and the LoRAs that they name.
#[derive(Debug, PartialEq)]
pub(super) struct Tagged {
    /// What is left of the line.
    pub(super) line: String,
    /// As they are named, each with its scale.
    pub(super) loras: Vec<(String, f64)>,
}

/// Takes the tags out of a line; `None` if there are none.
///
/// # Errors
/// Fails if a tag has no name, a scale that is none, or is of a kind that is not built here.
pub(super) fn read(line: &str) -> Result<Option<Tagged>, Hinted> {
    let mut tagged = Tagged { line: String::new(), loras: Vec::new() };
    let mut rest = line;
    let mut found = false;
    while let Some((before, tag, after)) = next(rest) {
        let (kind, named) = tag.split_once(':').unwrap_or((tag, ""));
        if !kind.eq_ignore_ascii_case("lora") {
            let message = format!("`<{tag}>` is not built here: of what other programs write in prompts, LoRAs are");
            return Err(Hinted::new(message, "<lora:NAME:0.8>"));
        }
        tagged.loras.push(one(tag, named)?);
        tagged.line.push_str(before);
        // A tag in a list takes one of its commas along.
        if tagged.line.trim_end().ends_with(',') || tagged.line.trim().is_empty() {
            rest = after.trim_start().strip_prefix(',').unwrap_or(after);
        } else {
            rest = after;
        }
        found = true;
    }
    if !found {
        return Ok(None);
    }
    tagged.line.push_str(rest);
    let words: Vec<&str> = tagged.line.split_whitespace().collect();
    tagged.line = words.join(" ").trim_end_matches([',', ' ']).to_owned();
    Ok(Some(tagged))
}

/// What stands before the next tag, inside it, and after it.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    const KINDS: [&str; 4] = ["lora:", "lyco:", "hypernet:", "lora>"];
    let mut from = 0;
    while let Some(open) = text[from..].find('<').map(|at| from + at) {
        let inside = &text[open + 1..];
        let is_tag = |kind: &&str| inside.get(..kind.len()).is_some_and(|head| head.eq_ignore_ascii_case(kind));
        if KINDS.iter().any(is_tag)
            && let Some(close) = inside.find('>')
        {
            return Some((&text[..open], &inside[..close], &inside[close + 1..]));
        }
        from = open + 1;
    }
    None
}

/// `NAME[:SCALE]`, or with a second scale, for the text encoder, which has to be the same.
fn one(tag: &str, named: &str) -> Result<(String, f64), Hinted> {
    let hint = || "<lora:NAME:0.8>, with a scale between -10 and 10";
    let mut pieces: Vec<&str> = named.split(':').map(str::trim).collect();
    let mut scales = Vec::new();
    while pieces.len() > 1
        && scales.len() < 2
        && let Some(scale) = pieces.last().and_then(|piece| piece.parse::<f64>().ok())
    {
        scales.push(scale);
        pieces.pop();
    }
    let name = pieces.join(":");
    if name.is_empty() {
        return Err(Hinted::new(format!("`<{tag}>` names no LoRA"), hint()));
    }
    let scale = scales.last().copied().unwrap_or(1.0);
    if let Some(other) = scales.iter().find(|other| **other != scale) {
        let message =
            format!("`<{tag}>` has scales {scale} and {other}; a LoRA has one scale here, for all that it changes");
        return Err(Hinted::new(message, format!("<lora:{name}:{scale}>")));
    }
    if !(-10.0..=10.0).contains(&scale) {
        return Err(Hinted::new(format!("`<{tag}>` has the scale {scale}"), hint()));
    }
    Ok((name, scale))
}

/// The file of a LoRA by the name that a tag gives it: as it stands, with `.safetensors` after it, here or in a folder `lora` or
/// `loras` here or in `also`.
///
/// # Errors
/// Fails if there is none; the message says where it was looked for.
pub(super) fn file(name: &str, also: Option<&Path>) -> Result<PathBuf, Hinted> {
    let named = super::typed_path::path(name);
    let here = FOLDERS.map(PathBuf::from);
    // Beside a model, only a folder of their own counts.
    let beside = also.into_iter().flat_map(|base| FOLDERS[1..].iter().map(|folder| base.join(folder)));
    let places: Vec<PathBuf> = here.into_iter().chain(beside).collect();
    let with_ending = PathBuf::from(format!("{}.safetensors", named.display()));
    let found =
        places.iter().flat_map(|place| [place.join(&named), place.join(&with_ending)]).find(|path| path.is_file());
    found.ok_or_else(|| {
        let looked: Vec<String> = places
            .iter()
            .map(|place| if place.as_os_str().is_empty() { "here".to_owned() } else { place.display().to_string() })
            .collect();
        let message =
            format!("there is no LoRA `{name}`: {} was looked for in {}", with_ending.display(), looked.join(", "));
        Hinted::new(message, "write its path between the colons, or /set lora FILE:0.8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, left: &str, loras: &[(&str, f64)]) {
        let loras = loras.iter().map(|(name, scale)| ((*name).to_owned(), *scale)).collect();
        assert_eq!(read(line).unwrap(), Some(Tagged { line: left.to_owned(), loras }), "{line}");
    }

    #[test]
    fn tags_are_taken_out_of_a_line_with_the_comma_that_parted_them() {
        check("a cat <lora:ink:0.8>", "a cat", &[("ink", 0.8)]);
        check("<lora:ink> a cat", "a cat", &[("ink", 1.0)]);
        check("a cat, <lora:ink:.5>, at night", "a cat, at night", &[("ink", 0.5)]);
        check(
            "<LoRA:ink:1>, a cat, <lora:more/detail.safetensors:-0.5>",
            "a cat",
            &[("ink", 1.0), ("more/detail.safetensors", -0.5)],
        );
        check("a <lora:c:\\x:0.5:0.5> cat", "a cat", &[("c:\\x", 0.5)]);
        for line in ["a cat", "a <b> c", "3 < 4 <toy>", "<lora:open", "a < lora:x >"] {
            assert_eq!(read(line).unwrap(), None, "{line}");
        }
    }

    #[test]
    fn a_tag_that_says_nothing_that_is_built_here_is_named() {
        for (line, said) in [
            ("a <lora:> b", "`<lora:>` names no LoRA"),
            ("a <lora> b", "`<lora>` names no LoRA"),
            ("<hypernet:x:1> b", "`<hypernet:x:1>` is not built here"),
            ("<lora:x:0.5:0.7>", "has scales 0.5 and 0.7"),
            ("<lora:x:99>", "has the scale 99"),
        ] {
            let error = read(line).expect_err(line).to_string();
            assert!(error.contains(said), "{line}: {error}");
        }
    }

    #[test]
    fn a_lora_is_found_by_its_name_in_the_folders_that_are_for_them() {
        let folder = tempfile::tempdir().unwrap();
        let loras = folder.path().join("loras");
        std::fs::create_dir(&loras).unwrap();
        std::fs::write(loras.join("ink.safetensors"), b"").unwrap();
        std::fs::write(folder.path().join("beside.safetensors"), b"").unwrap();
        let also = Some(folder.path());
        assert_eq!(file("ink", also).unwrap(), loras.join("ink.safetensors"));
        assert_eq!(file("ink.safetensors", also).unwrap(), loras.join("ink.safetensors"));
        let whole = folder.path().join("beside").display().to_string();
        assert_eq!(file(&whole, None).unwrap(), folder.path().join("beside.safetensors"));
        let error = file("beside", also).unwrap_err().to_string();
        assert!(error.contains("`beside`") && error.contains("loras"), "{error}");
    }
}
