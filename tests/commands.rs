//! Commands, typed into the real program: each does what the help says of it.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly anywhere")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use wordbrush::preview::png;

/// A home of its own, a folder for pictures, and scripts run in it with two steps a picture.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wordbrush"));
        command.current_dir(self.folder.path()).args(args);
        command.env("WORDBRUSH_HOME", self.at("home")).env("XDG_CONFIG_HOME", self.at("config"));
        command.output().unwrap()
    }

    /// Runs lines; one object for each.
    #[track_caller]
    fn run(&self, lines: &[&str]) -> Vec<Value> {
        self.run_in("home/first.jsonl", lines)
    }

    #[track_caller]
    fn run_in(&self, session: &str, lines: &[&str]) -> Vec<Value> {
        std::fs::write(self.at("script"), lines.join("\n")).unwrap();
        let args = ["run", "script", "--json", "--session", session, "--out", "pictures", "--set", "steps=2"];
        let output = self.program(&args);
        assert_ne!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let objects: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(objects.len(), lines.len(), "{text}");
        objects
    }
}

#[track_caller]
fn text(object: &Value) -> &str {
    object["text"].as_str().unwrap_or_else(|| panic!("no text: {object}"))
}

#[track_caller]
fn error(object: &Value) -> &str {
    object["error"]["message"].as_str().unwrap_or_else(|| panic!("no error: {object}"))
}

fn is_png(path: &Path) -> bool {
    png::open(path).is_ok()
}

const FACE: &str = "a woman's face with long blond hair";

#[test]
fn pictures_are_shown_compared_and_laid_out_with_their_numbers() {
    let desk = Desk::new();
    let lines = [
        FACE,
        "blond -> red",
        "+ with round glasses",
        "/show #1 #2",
        "/show path",
        "/compare #1 #3",
        "/sheet",
        "/compare #1 #1",
        "/show #9",
    ];
    let out = desk.run(&lines);
    assert!(
        text(&out[3]).contains("#1  a woman's face with long blond hair") && text(&out[3]).contains("#2  "),
        "{}",
        out[3]
    );
    assert!(is_png(Path::new(text(&out[4]))), "{}", out[4]);
    let compared = text(&out[5]);
    assert!(compared.contains("blond → red · + \"with round glasses\""), "{compared}");
    assert!(compared.contains("psnr ") && compared.contains("ssim 0.") && compared.contains("outside "), "{compared}");
    assert!(text(&out[6]).contains("#2 blond → red\n#3 + \"with round glasses\""), "{}", out[6]);
    let same = text(&out[7]);
    assert!(same.contains("the same words") && same.contains("psnr equal") && same.contains("ssim 1 "), "{same}");
    assert!(error(&out[8]).contains("#9"));
    for name in ["compare-0001-0003.png", "sheet-0003.png"] {
        assert!(is_png(&desk.at("pictures").join(name)), "{name}");
    }
}

#[test]
fn maps_and_masks_come_from_what_is_stored_and_a_higher_threshold_marks_less() {
    let desk = Desk::new();
    let out = desk.run(&[
        FACE,
        "/mask",
        "blond -> red",
        "/maps hair",
        "/maps",
        "/maps womann",
        "/mask",
        "/mask .1",
        "/mask .9",
    ]);
    assert!(error(&out[1]).contains("first picture"));
    assert!(text(&out[3]).contains("% of the picture"));
    for word in ["woman", "face", "red", "hair"] {
        assert!(text(&out[4]).contains(word), "{}", out[4]);
    }
    assert_eq!(out[5]["error"]["hint"], "did you mean `woman`?");
    let share = |o: &Value| text(o).split(": ").nth(1).unwrap().split(' ').next().unwrap().parse::<f64>().unwrap();
    assert!(share(&out[7]) > share(&out[6]) && share(&out[6]) > share(&out[8]), "{} {} {}", out[7], out[6], out[8]);
    assert!(text(&out[8]).contains("drawn with k 0.3"), "{}", out[8]);
    assert!(out[6..9].iter().all(|o| text(o).contains("may change · 0 evaluations")), "the UNet was run for a mask");
    assert!(is_png(&desk.at("pictures/mask-0002-k0.9.png")) && is_png(&desk.at("pictures/maps-0002-hair.png")));
}

#[test]
fn a_text_is_found_in_the_picture_itself_and_an_edit_there_may_change_no_more() {
    let desk = Desk::new();
    std::fs::create_dir(desk.at("empty")).unwrap();
    let out = desk.run(&[
        "/set steps 6",
        FACE,
        "/mask \"the background\"",
        "/mask the harr",
        "/mask \"\"",
        "/in \"the background\" blond -> red",
        "/set segmenter empty",
        "/set segmenter no/such/network",
        "/set segmenter",
    ]);
    assert!(text(&out[2]).contains("`the background`: "), "{}", out[2]);
    assert!(is_png(&desk.at("pictures/mask-0001-the-background.png")));
    assert_eq!(out[3]["error"]["hint"], "did you mean `hair`?");
    assert!(error(&out[4]).contains("no text between the quotes"), "{}", out[4]);
    assert_eq!(out[5]["node"], "#2", "{}", out[5]);
    assert!(out[5]["outside_psnr"].as_f64().is_none_or(|decibels| decibels > 25.0), "{}", out[5]);
    let row = std::fs::read_to_string(desk.at("home/first.jsonl")).unwrap();
    assert!(row.contains(r#""given":{"mask":"128x128 "#), "what was found is not kept");
    assert!(error(&out[6]).contains("config.json is missing"), "{}", out[6]);
    assert!(error(&out[7]).contains("no/such/network"), "{}", out[7]);
    assert!(text(&out[8]).contains("auto"), "{}", out[8]);
}

#[test]
fn several_seeds_are_roots_of_their_own_and_leave_us_where_we_were() {
    let desk = Desk::new();
    let out = desk.run(&[FACE, "blond -> red", "/new 3", "/tree", "#5", "/new", "a cat", "/log"]);
    let said = text(&out[2]);
    assert!(
        said.contains("#3    seed 888") && said.contains("#5    seed 890") && said.contains("still at #2"),
        "{said}"
    );
    let tree = text(&out[3]);
    assert_eq!(tree.matches("a woman's face with long red hair").count(), 3, "{tree}");
    assert!(tree.lines().any(|l| l.contains("blond → red") && l.contains("here")), "{tree}");
    assert_eq!((&out[4]["node"], &out[4]["parent"]), (&"#5".into(), &Value::Null));
    assert_eq!((out[6]["prompt"].as_str(), &out[6]["parent"]), (Some("a cat"), &Value::Null));
}

#[test]
fn other_noise_replays_the_whole_branch_and_never_a_seed_twice() {
    let desk = Desk::new();
    let out =
        desk.run(&[FACE, "blond -> red", "hair*2", "/again", "#3", "try again", "/seed 7", "/vary", "#3", "/vary"]);
    for (at, node) in [(3, "#6"), (5, "#9"), (6, "#12"), (7, "#15"), (9, "#18")] {
        assert_eq!(out[at]["node"], node, "{}", out[at]);
        assert_eq!(out[at]["prompt"], "a woman's face with long red hair");
        assert_eq!(out[at]["weights"]["hair"], 2.0);
    }
    // Three pictures of two steps, from nothing.
    assert_eq!(out[3]["evaluations"], 6);
    assert!(out[5]["warnings"].to_string().contains("seed 890"), "{}", out[5]);
    assert!(out[6]["warnings"].to_string().contains("seed 7"));
}

#[test]
fn stronger_and_weaker_make_siblings_whose_windows_differ() {
    let desk = Desk::new();
    let out = desk.run(&[
        FACE,
        "/stronger",
        "blond -> red",
        "stronger",
        "weaker",
        "weaker",
        "/stronger",
        "/stronger",
        "/stronger",
    ]);
    assert!(error(&out[1]).contains("first picture"));
    assert_eq!((&out[3]["node"], &out[3]["parent"]), (&"#3".into(), &"#1".into()));
    assert!(out[3]["warnings"].to_string().contains("cross 0.2 (was 0.4), self 0.4 (was 0.6)"), "{}", out[3]);
    assert_eq!(out[4]["node"], "#2", "weaker than stronger is what it was");
    assert_eq!((&out[5]["node"], &out[5]["parent"]), (&"#4".into(), &"#1".into()));
    assert_eq!((out[6]["node"].as_str(), out[7]["node"].as_str()), (Some("#2"), Some("#3")));
    assert_eq!(out[8]["node"], "#5");
}

#[test]
fn an_edit_is_picked_and_a_branch_is_rebased_where_their_words_are() {
    let desk = Desk::new();
    let lines = [
        FACE,                                      // 1
        "blond -> red",                            // 2
        "+ with glasses",                          // 3
        "long*2",                                  // 4
        "/new a man's face with short blond hair", // 5
        "/pick #2",                                // 6
        "/pick #4",                                // no `long` here
        "#5",
        "/pick #1",
        "#3",
        "/rebase #5", // 7, 8 on 5: the first is 6 again
        "/rebase #5",
        "/new a cat",
        "#3",
        "/rebase #8",
    ];
    let out = desk.run(&lines);
    assert_eq!(out[5]["prompt"], "a man's face with short red hair");
    assert!(error(&out[6]).contains("#4") && error(&out[6]).contains("long"), "{}", out[6]);
    assert!(error(&out[8]).contains("first picture"));
    assert_eq!(out[10]["prompt"], "a man's face with short red hair with glasses");
    assert_eq!(out[10]["parent"], "#6", "the same edit of the same picture is the same node");
    assert!(error(&out[11]).contains("in this branch"));
    assert!(error(&out[14]).contains("blond"), "{}", out[14]);
}

#[test]
fn a_chain_collapses_into_one_edit_of_the_root() {
    let desk = Desk::new();
    let lines = [
        FACE,
        "/collapse",
        "blond -> red",
        "red -> black",
        "+ with glasses",
        "hair*1.5",
        "/collapse",
        "#1",
        "blond -> red",
        "red -> blond",
        "/collapse",
    ];
    let out = desk.run(&lines);
    assert!(error(&out[1]).contains("first picture"));
    let folded = &out[6];
    assert_eq!(
        (&folded["parent"], folded["prompt"].as_str()),
        (&"#1".into(), Some("a woman's face with long black hair with glasses"))
    );
    assert_eq!(folded["weights"]["hair"], 1.5);
    let kinds: Vec<String> =
        folded["edit"].as_array().unwrap().iter().map(|e| format!("{} {} {}", e["kind"], e["from"], e["to"])).collect();
    assert_eq!(kinds[0], r#""swap" "blond" "black""#, "what came in between is left out");
    assert_eq!(kinds.len(), 3);
    assert!(text(&out[10]).contains("undo each other"), "{}", out[10]);
}

#[test]
fn a_picture_opens_as_the_tree_it_came_from_with_the_same_ids() {
    let desk = Desk::new();
    desk.run(&[FACE, "blond -> red", "#1", "blond -> black", "+ with glasses", "/export png out.png"]);
    let (_, notes) = png::open(&desk.at("out.png")).unwrap();
    let told: Vec<String> = notes.wordbrush.unwrap()["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told.len(), 3, "the path from the root alone");

    let out = desk.run_in(
        "home/second.jsonl",
        &["/open out.png", "/tree", "/show path", "undo", "/export json lineage.json", "- glasses"],
    );
    assert!(text(&out[0]).contains("3 pictures"), "{}", out[0]);
    let tree = text(&out[1]);
    assert!(tree.contains("blond → black") && tree.contains("+ \"with glasses\"") && !tree.contains("red"), "{tree}");
    let (drawn, _) = png::open(Path::new(text(&out[2]))).unwrap();
    let (original, _) = png::open(&desk.at("out.png")).unwrap();
    assert!(drawn == original, "the picture is another when drawn again");
    let lineage: Value = serde_json::from_slice(&std::fs::read(desk.at("lineage.json")).unwrap()).unwrap();
    let again: Vec<&str> = lineage["nodes"].as_array().unwrap().iter().map(|n| n["id"].as_str().unwrap()).collect();
    assert_eq!(again, &told[..2]);
    assert!(desk.at("home/from-out-a.jsonl").exists(), "the opened picture is a session of its own");
}

#[test]
fn a_picture_whose_lineage_was_changed_or_that_has_none_is_not_opened() {
    let desk = Desk::new();
    desk.run(&[FACE, "blond -> red", "/export png out.png"]);
    let (picture, mut notes) = png::open(&desk.at("out.png")).unwrap();
    let value = notes.wordbrush.as_mut().unwrap();
    value["nodes"][1]["weights"] = serde_json::json!([1e300]);
    png::save(&desk.at("bad.png"), &picture, &notes).unwrap();
    png::save(&desk.at("bare.png"), &picture, &png::Notes { wordbrush: None, ..notes }).unwrap();
    std::fs::write(desk.at("text.png"), "no picture").unwrap();
    // A name that nothing else in the folder above can have.
    let outside = format!("/open ../not-{}", desk.folder.path().file_name().unwrap().display());
    let out = desk
        .run_in("home/second.jsonl", &["/open bad.png", "/open bare.png", "/open text.png", "/open nothing", &outside]);
    assert!(error(&out[0]).contains("cannot be"), "{}", out[0]);
    assert!(out[1]["error"]["hint"].as_str().unwrap().contains("say what it shows: /open bare.png"), "{}", out[1]);
    for object in &out[2..] {
        error(object);
    }
    assert!(!desk.at("home/from-bad-a.jsonl").exists());
}

#[test]
fn a_page_embeds_every_picture_and_no_text_of_it_is_markup() {
    let desk = Desk::new();
    let out = desk.run(&[
        "/name <script>alert('name')</script>",
        "a cat <script>alert(1)</script> \"><img src=x onerror=alert(2)>",
        "cat -> dog",
        "#1",
        "cat -> <b>fox</b>",
        "/export html tree.html",
    ]);
    assert!(text(&out[5]).contains("3 pictures"), "{}", out[5]);
    let page = std::fs::read_to_string(desk.at("tree.html")).unwrap();
    assert_eq!(page.matches("<img ").count(), 3);
    assert_eq!(page.matches("src=\"data:image/png;base64,").count(), 3);
    assert_eq!(page.matches("src=\"").count(), 3, "nothing is fetched");
    for bad in ["<script", "<b>", "onerror=alert(2)>", "<img src=x", "javascript:", "href=\"http"] {
        assert!(!page.contains(bad), "{bad}");
    }
    assert!(
        page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && page.contains("PSNR") && page.contains("seed 888")
    );
    // Every tag that is opened is closed.
    for tag in ["article", "div", "h2", "details", "table", "tr", "td", "p", "code"] {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn exports_never_take_a_name_that_is_taken_and_say_where_they_are() {
    let desk = Desk::new();
    let out = desk.run(&[
        FACE,
        "blond -> red",
        "/export png",
        "/export png",
        "/export gif",
        "/export json",
        "/export gif a.gif",
        "/export gif a.gif",
    ]);
    for name in ["first-0002.png", "first-0002-2.png", "first-0002.gif", "first-0002.json"] {
        assert!(desk.at("pictures").join(name).exists(), "{name}");
    }
    assert!(text(&out[3]).contains("first-0002-2.png"));
    assert!(!text(&out[6]).contains("in place of") && text(&out[7]).contains("in place of the file"), "{}", out[7]);
    assert_eq!(&std::fs::read(desk.at("a.gif")).unwrap()[..6], b"GIF89a");
}

#[test]
fn a_saved_copy_has_the_same_tree_and_opens_by_its_name() {
    let desk = Desk::new();
    let lines = [
        FACE,
        "blond -> red",
        "/branch red",
        "/save",
        "/save copy",
        "/save copy",
        "/save ../out",
        "/sessions",
        "blond -> black",
        "/open copy",
        "/tree",
        "/name my copy",
    ];
    let out = desk.run(&lines);
    assert!(text(&out[3]).contains("first.jsonl"));
    assert!(text(&out[4]).contains("2 pictures"), "{}", out[4]);
    assert!(error(&out[5]).contains("exists already"));
    assert!(error(&out[6]).contains("cannot be a session's name"));
    let listed = text(&out[7]);
    assert!(
        listed.contains("copy") && listed.lines().any(|l| l.starts_with("first") && l.contains("here")),
        "{listed}"
    );
    error(&out[8]);
    assert!(text(&out[10]).contains("[red]"), "{}", out[10]);
    let list = String::from_utf8(desk.program(&["sessions"]).stdout).unwrap();
    assert!(list.contains("\"my copy\""), "{list}");
    let reopened = desk.run_in("home/copy.jsonl", &["/about"]);
    assert!(text(&reopened[0]).contains("\"my copy\""), "{}", reopened[0]);
}

#[test]
fn a_sweep_draws_every_cell_and_adds_nothing_to_the_tree() {
    let desk = Desk::new();
    let out = desk.run(&[
        FACE,
        "/sweep k=0",
        "blond -> red",
        "/sweep k=0,.3 cross=0,1 gif csv",
        "/tree",
        "/sweep seed=1,2",
        "/sweep k=3",
        "/sweep gif",
    ]);
    assert!(error(&out[1]).contains("first picture"));
    let said = text(&out[3]);
    assert!(said.contains("under 4 settings") && said.contains("psnr") && said.contains("evaluations"), "{said}");
    assert_eq!(text(&out[4]).lines().count(), 2, "{}", out[4]);
    assert!(error(&out[5]).contains("first picture") && error(&out[6]).contains('3'));
    error(&out[7]);
    assert!(is_png(&desk.at("pictures/sweep-0002.png")));
    let csv = std::fs::read_to_string(desk.at("pictures/sweep-0002.csv")).unwrap();
    let rows: Vec<Vec<&str>> = csv.lines().map(|l| l.split(',').collect()).collect();
    assert_eq!(rows.len(), 5, "{csv}");
    assert_eq!(rows[0][..3], ["k", "cross_replace_steps", "psnr"]);
    // The cell with the settings of the turn itself has its numbers.
    let wider = |a: usize, b: usize| assert_ne!(rows[a][2], rows[b][2], "these settings make no difference: {csv}");
    wider(1, 2);
    assert!(std::fs::read(desk.at("pictures/sweep-0002.gif")).unwrap().starts_with(b"GIF89a"));
}

#[test]
fn the_program_says_what_it_knows_of_itself() {
    let desk = Desk::new();
    let out = desk.run(&[
        "/words colour",
        "/words",
        "/words colur",
        "/about",
        "/model",
        "/model ./nowhere",
        "/negative",
        "/negative blurry",
        "/negative",
        "/save",
    ]);
    assert!(text(&out[0]).contains("blond") && text(&out[0]).contains("red"));
    assert!(text(&out[1]).lines().count() > 10);
    assert_eq!(out[2]["error"]["hint"], "did you mean `colour`?");
    for part in ["wordbrush 0.1", "embedded", "engine-", "store", "first.jsonl"] {
        assert!(text(&out[3]).contains(part), "{part}: {}", out[3]);
    }
    assert!(text(&out[4]).contains("embedded"));
    error(&out[5]);
    assert!(text(&out[6]).contains("nothing") && text(&out[8]).contains("\"blurry\""));
    assert!(!desk.at("home/first.jsonl").exists(), "looking leaves no session behind");
}

#[test]
fn sessions_are_replayed_exported_and_removed_from_the_command_line() {
    let desk = Desk::new();
    let out = desk.run(&[FACE, "blond -> red", "/replay home/first.jsonl"]);
    assert!(text(&out[2]).contains("2 pictures, 0 differ"), "{}", out[2]);
    let said = |args: &[&str]| {
        let output = desk.program(args);
        (output.status.code(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = said(&["export", "html", "first", "page.html"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(std::fs::read_to_string(desk.at("page.html")).unwrap().contains("<article"));
    assert_eq!(said(&["export", "html", "nobody"]).0, Some(2));
    assert_eq!(said(&["export", "pdf", "first"]).0, Some(2));
    assert!(desk.at("home/first.store").exists());
    let (code, text) = said(&["cache", "clear"]);
    assert!(code == Some(0) && text.contains("removed 1 store") && !desk.at("home/first.store").exists(), "{text}");
    let (code, text) = said(&["sessions"]);
    assert!(code == Some(0) && text.contains("first"), "{text}");
    assert_eq!(said(&["sessions", "rm", "nobody"]).0, Some(2));
    assert_eq!(said(&["sessions", "rm", "first"]).0, Some(0));
    assert!(!desk.at("home/first.jsonl").exists());
}

impl Desk {
    /// Draws a sweep's file with two steps a picture; one object for each picture drawn, then the summary.
    #[track_caller]
    fn sweep(&self, file: &str, more: &[&str]) -> (Vec<Value>, Value) {
        std::fs::write(self.at("faces.toml"), file).unwrap();
        let output = self.program(&[&["sweep", "faces.toml", "--json"], more].concat());
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
        let mut objects: Vec<Value> = said.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let summary = objects.pop().unwrap();
        (objects, summary)
    }
}

const SWEEP: &str = "prompt = \"a woman's face with long blond hair\"\nedits = ['blond -> red', ['blond -> red', '+ with glasses']]\n\
                     seeds = [21, 22]\nsteps = 4\n[grid]\nk = [0, 0.3]\ncross = [0.25, 0.5]\n";

#[test]
fn a_sweep_file_draws_every_combination_once_and_says_what_that_saved() {
    let desk = Desk::new();
    let (drawn, summary) = desk.sweep(SWEEP, &[]);
    assert_eq!((drawn.len(), &summary["runs"], &summary["done"]), (16, &16.into(), &16.into()));
    let evaluations: u64 = drawn.iter().map(|run| run["evaluations"].as_u64().unwrap()).sum();
    // Two first pictures, and `red` under each, are drawn once: four pictures of four steps.
    let started = 4 * 4;
    assert_eq!(summary["evaluations"], evaluations + started, "{summary}");
    // On their own, 8 runs would have drawn one picture before, and 8 two.
    assert_eq!(summary["saved_by_shared_starts"], (8 + 16) * 4 - started);
    let shared: u64 = drawn.iter().map(|run| run["shared_steps"].as_u64().unwrap()).sum();
    assert!(shared > 0 && summary["saved_by_shared_steps"] == shared, "{summary}");
    for run in &drawn {
        assert!(run["ssim"].is_number() && run["change_outside"].is_number(), "{run}");
        assert_eq!(run["prompt"], FACE);
        // The PNG carries the whole way to it, as any other does.
        let (_, notes) = png::open(&desk.at(run["image"].as_str().unwrap())).unwrap();
        let nodes = notes.wordbrush.unwrap()["nodes"].as_array().unwrap().len();
        assert_eq!(nodes, if run["edit"] == "blond -> red" { 2 } else { 3 });
    }
    assert_eq!(summary["files"], serde_json::json!(["faces/sheet.png", "faces/sweep.gif", "faces/sweep.csv"]));
    let csv = std::fs::read_to_string(desk.at("faces/sweep.csv")).unwrap();
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows.len(), 17);
    assert!(rows[0].starts_with("prompt,seed,edit,k,cross_replace_steps,psnr,ssim,inside,outside,change_inside,"));
    assert!(rows[1].starts_with(&format!("{FACE},21,blond -> red,0,0.25,")), "{csv}");
    assert!(rows[16].starts_with(&format!("{FACE},22,blond -> red; + with glasses,0.3,0.5,")), "{csv}");
    assert!(is_png(&desk.at("faces/sheet.png")));
    assert!(std::fs::read(desk.at("faces/sweep.gif")).unwrap().starts_with(b"GIF89a"));
}

#[test]
fn a_sweep_goes_on_where_it_was_and_draws_only_what_is_new() {
    let desk = Desk::new();
    let (_, first) = desk.sweep(SWEEP, &[]);
    let csv = std::fs::read(desk.at("faces/sweep.csv")).unwrap();
    let (drawn, summary) = desk.sweep(SWEEP, &[]);
    assert_eq!((drawn.len(), &summary["evaluations"], &summary["done"]), (0, &0.into(), &16.into()));
    assert_eq!(std::fs::read(desk.at("faces/sweep.csv")).unwrap(), csv);
    // In another order, with one value more and one seed less: only the new value is drawn.
    let changed = SWEEP.replace("[21, 22]", "22").replace("[0, 0.3]", "[0.3, 0.6, 0]");
    let (drawn, summary) = desk.sweep(&changed, &[]);
    assert_eq!((drawn.len(), &summary["runs"]), (4, &12.into()));
    assert!(drawn.iter().all(|run| run["k"] == "0.6" && run["seed"] == "22"));
    let evaluations: u64 = drawn.iter().map(|run| run["evaluations"].as_u64().unwrap()).sum();
    assert_eq!(summary["evaluations"], evaluations, "what runs start from is still there");
    assert_eq!(std::fs::read_to_string(desk.at("faces/sweep.csv")).unwrap().lines().count(), 13);
    // What was lost is drawn again, to the same bits.
    let row = std::fs::read_to_string(desk.at("faces/sweep.csv")).unwrap();
    let picture = desk.at("faces").join(row.lines().nth(1).unwrap().rsplit(',').next().unwrap());
    let before = png::open(&picture).unwrap().0;
    std::fs::remove_file(&picture).unwrap();
    let (drawn, _) = desk.sweep(&changed, &[]);
    assert_eq!(drawn.len(), 1);
    assert!(png::open(&picture).unwrap().0 == before);
    // Other settings of all runs make other pictures; another folder has none.
    assert_eq!(desk.sweep(&changed.replace("steps = 4", "steps = 2"), &[]).0.len(), 12);
    assert_eq!(desk.sweep(SWEEP, &["--out", "elsewhere"]).1["evaluations"], first["evaluations"]);
}

#[test]
fn a_sweep_cell_is_the_picture_that_a_conversation_draws() {
    let desk = Desk::new();
    let (drawn, _) = desk.sweep(SWEEP, &[]);
    let wanted = drawn.iter().find(|r| {
        r["edit"] != "blond -> red" && r["seed"] == "22" && r["k"] == "0" && r["cross_replace_steps"] == "0.5"
    });
    let wanted = png::open(&desk.at(wanted.unwrap()["image"].as_str().unwrap())).unwrap().0;
    let script = ["/set steps 4", "/set seed 22", FACE, "blond -> red", "/set k 0", "/set cross .5", "+ with glasses"];
    std::fs::write(desk.at("script"), script.join("\n")).unwrap();
    let output = desk.program(&["run", "script", "--out", "pictures"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(png::open(&desk.at("pictures/0003.png")).unwrap().0 == wanted);
}

#[test]
fn first_pictures_alone_can_be_swept_and_their_settings_too() {
    let desk = Desk::new();
    let file = "prompts = ['a cat', 'a dog']\n[grid]\nsteps = [1, 2]\nguidance = [1, 4]\n";
    let (drawn, summary) = desk.sweep(file, &[]);
    assert_eq!(drawn.len(), 8);
    // Without guidance a step is one evaluation.
    assert_eq!(summary["evaluations"], 2 * (1 + 2) * (1 + 2));
    assert!(drawn.iter().all(|run| run["psnr"].is_null() && is_png(&desk.at(run["image"].as_str().unwrap()))));
}

#[test]
fn a_sweep_that_cannot_be_says_so_before_it_draws() {
    let desk = Desk::new();
    for (file, message, hint) in [
        (
            "prompt = 'a cat'\nedit = 'dog -> fox'",
            "the edit `dog -> fox` of `a cat`: `dog` is not in the prompt",
            "cat",
        ),
        ("prompt = 'a cat'\nedit = '/tree'", "the edit `/tree` of `a cat` is no edit", "edit = "),
        ("prompt = 'a cat'\nedit = 'cat -> dog'\n[grid]\nk = [0, 3]", "faces.toml: `k` is `3`", "k"),
        ("prompt = 'a cat'\nstep = 3", "faces.toml: there is no key `step`", "did you mean `steps`?"),
        ("prompt = 'a cat'\nsize = 72", "`size` is 72x72, but this model's pictures", ""),
    ] {
        std::fs::write(desk.at("faces.toml"), file).unwrap();
        let output = desk.program(&["sweep", "faces.toml"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{file}: {said}");
        assert!(said.starts_with("error: ") && said.contains(message) && said.contains(hint), "{file}: {said}");
        assert!(output.stdout.is_empty() && !desk.at("faces/pictures").exists(), "{file}");
    }
    for args in [&["sweep"][..], &["sweep", "nothing.toml"], &["sweep", "a", "b"]] {
        assert_eq!(desk.program(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
#[cfg(unix)]
fn a_sweep_that_is_interrupted_keeps_what_was_finished_and_goes_on() {
    let desk = Desk::new();
    let file = "prompt = 'a cat'\nedit = 'cat -> dog'\nsteps = 20\nseeds = [1, 2, 3, 4, 5, 6, 7, 8]\n";
    std::fs::write(desk.at("faces.toml"), file).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_wordbrush"));
    command.current_dir(desk.folder.path()).args(["sweep", "faces.toml", "--json"]);
    command.env("WORDBRUSH_HOME", desk.at("home")).env("XDG_CONFIG_HOME", desk.at("config"));
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut said = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let first: Value = serde_json::from_str(&said.next().unwrap().unwrap()).unwrap();
    let number = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &number]).status().unwrap().success());
    let rest: Vec<String> = said.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let summary: Value = serde_json::from_str(rest.last().unwrap()).unwrap();
    let done = summary["done"].as_u64().unwrap();
    assert!((1..8).contains(&done), "{summary}");
    assert!(is_png(&desk.at("faces/sheet.png")), "what there is can be looked at");
    let (drawn, summary) = desk.sweep(file, &[]);
    assert_eq!((drawn.len() as u64, &summary["done"]), (8 - done, &8.into()));
    assert!(drawn.iter().all(|run| run["id"] != first["id"]));
}

#[test]
fn help_and_the_manual_come_from_the_program() {
    let desk = Desk::new();
    let said = |args: &[&str]| String::from_utf8(desk.program(args).stdout).unwrap();
    assert!(said(&["--help"]).lines().count() <= 23);
    assert!(said(&["sweep", "--help"]).contains("wordbrush sweep FILE.toml"));
    assert!(said(&["man"]).contains("\n.TH WORDBRUSH 1 "));
}
