//! Generated pages are up to date.

use std::path::Path;

#[test]
fn the_page_of_commands_is_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/commands.md");
    let fresh = wordbrush::repl::commands::markdown();
    if std::env::var_os("WORDBRUSH_WRITE_DOCS").is_some() {
        std::fs::write(&path, &fresh).expect("docs/ can be written");
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == fresh, "docs/commands.md is stale: WORDBRUSH_WRITE_DOCS=1 cargo test --release --test docs");
}

/// All of the sources below a folder, as one text.
fn sources(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push_str(&std::fs::read_to_string(&path).expect("a source"));
        }
    }
}

#[test]
fn every_test_that_a_promise_rests_on_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut code = String::new();
    ["src", "tests"].iter().for_each(|folder| sources(&root.join(folder), &mut code));
    let page = std::fs::read_to_string(root.join("docs/RELIABILITY.md")).expect("the page");
    // Names of tests are sentences; what else stands in backticks has fewer words.
    let named = page.split('`').skip(1).step_by(2).filter(|text| text.matches('_').count() > 2);
    let named: Vec<&str> = named.filter(|text| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')).collect();
    assert!(named.len() > 60, "{}", named.len());
    for name in named {
        assert!(code.contains(&format!("fn {name}()")), "there is no test `{name}`");
    }
}
