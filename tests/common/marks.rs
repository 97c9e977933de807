//! Parts of the docs that are written by the program that measures them: `<!-- measured NAME DIGEST -->`, the part,
//! `<!-- end -->`. The digest is that of the model's files; training/adopt.sh gives it, to know what it has measured.

use std::path::Path;

/// Writes a part of a page anew.
pub fn write_marked(page: &str, name: &str, part: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{page}: {e}"));
    let mark = format!("<!-- measured {name} ");
    let (before, rest) = text.split_once(&mark).unwrap_or_else(|| panic!("{page} has no `{mark}`"));
    let (_, after) = rest.split_once("<!-- end -->").unwrap_or_else(|| panic!("`{mark}` of {page} has no end"));
    let digest = std::env::var("WORDBRUSH_MODEL").unwrap_or_else(|_| "by-hand".to_owned());
    let text = format!("{before}{mark}{digest} -->\n\n{}\n\n<!-- end -->{after}", part.trim());
    std::fs::write(&path, text).expect("docs can be written");
}
