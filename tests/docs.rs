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
