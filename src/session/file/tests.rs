use super::*;
use crate::history::{changed, edit_of, first, first_of, next, recipe};
use crate::plan::inversion::InversionName;
use crate::plan::photograph::Photograph;
use crate::plan::settings::{RegionFrom, Window};
use crate::plan::{Columns, Origin, Plan, Recipe, Region, Stretch};
use crate::store::disk::RealDisk;
use crate::store::disk::faulty::{ERRORS, Fault, FaultyDisk};
use crate::turn::{Change, Replaced};
use std::io::Write;

/// What a node looked like.
pub(super) fn drawn(seed: u8) -> DrawnRow {
    DrawnRow {
        digest: format!("{seed:02x}").repeat(32),
        thumbprint: (0..768).map(|n| seed.wrapping_add(u8::try_from(n % 256).unwrap())).collect(),
        kernels: "portable 1".to_owned(),
        seconds: 0.1 + f64::from(seed),
        evaluations: 60,
    }
}

/// A plan whose numbers are hard to write in decimal, and whose texts are hard to write in JSON.
fn hard_plan(parent: &Plan) -> Plan {
    changed(&next(parent, "a \"red\"\n\u{1b}[31m hat \u{202e} 猫 \\"), |hard| {
        let hard_numbers =
            [0.1 + 0.2, -100.0, 1.0 / 3.0, 5e-324, 2.225_073_858_507_201e-308, 0.1f64.powi(7), 99.999_999_999_999_99];
        let count = hard.weights.len();
        hard.weights = hard_numbers.into_iter().cycle().take(count).collect();
        let settings = Arc::make_mut(&mut hard.settings);
        settings.cross_words.insert("hat".to_owned(), Window { from: 0.1, to: 0.7 + 0.1 });
        settings.blend_words = vec!["a".to_owned(), "\u{7}".to_owned()];
        settings.self_max = Some(256);
        settings.region_from = RegionFrom::Text;
        let edit = edit_of(hard);
        edit.spans = vec![Replaced { source: 0..1, target: 0..2 }, Replaced { source: 2..2, target: 3..count }];
        let sum = Stretch::Sum { up: 1, tokens: [(1, 1.0 / 3.0), (2, f32::MIN_POSITIVE)].into() };
        edit.columns = Columns::of([Stretch::Own(3), sum, Stretch::Same { up: 1, from: 4, count: 28 }]);
        edit.region = Region::Words { source: vec![1], target: vec![1, 2], source_out: vec![], target_out: vec![9] };
    })
}

fn hard_recipe() -> Recipe {
    let (width, height) = (recipe(0).width, recipe(0).height);
    // Of one colour: some tests cut this line at every byte.
    let bytes = vec![7; width * height * 3];
    let picture = Photograph::new(width, height, bytes, Some("/a/b \u{1b}.png".to_owned())).unwrap();
    let origin = Origin::Photograph { picture: Arc::new(picture), inversion: InversionName::NullText };
    Recipe { seed: u64::MAX, guidance: 7.3, negative: "blur\t".to_owned(), origin, ..recipe(0) }
}

fn changes() -> Vec<Change> {
    let text = |text: &str| text.to_owned();
    vec![
        Change::Start { prompt: text("a cat") },
        Change::Swap { from: text("a"), to: text("b") },
        Change::Add { text: text("x") },
        Change::Remove { text: text("y") },
        Change::Weigh { word: text("z"), factor: 0.1 + 0.7, absolute: true },
    ]
}

struct Desk {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { path: folder.path().join("fox.jsonl"), _folder: folder }
    }

    fn begin(&self) -> (SessionFile, Tree) {
        (SessionFile::create(&self.path, Some("A fox"), Arc::new(RealDisk)).unwrap(), Tree::new())
    }

    fn open(&self) -> Result<Opened> {
        SessionFile::open(&self.path, Arc::new(RealDisk))
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(&self.path).unwrap()
    }

    /// The lines as they are, newlines included.
    fn lines(&self) -> Vec<String> {
        String::from_utf8(self.bytes()).unwrap().split_inclusive('\n').map(str::to_owned).collect()
    }

    fn write(&self, bytes: impl AsRef<[u8]>) {
        fs::write(&self.path, bytes).unwrap();
    }
}

/// One event of every kind, and two nodes.
fn live(file: &mut SessionFile, tree: &mut Tree) {
    let root = tree.grow_root("a cat", changes(), first("a cat"), hard_recipe());
    file.commit(tree, root, Some(&drawn(1))).unwrap();
    let child = tree.grow(1, "a line\n\u{0}", changes(), hard_plan(&tree[1].plan)).unwrap();
    file.commit(tree, child, None).unwrap();
    let name = tree.name(2, "good").unwrap();
    file.commit(tree, name, None).unwrap();
    file.commit(tree, Event::Set { name: "k".to_owned(), value: ".5".to_owned() }, None).unwrap();
    let undo = tree.undo(1).unwrap();
    file.commit(tree, undo, None).unwrap();
}

/// A file with all kinds of events, no longer open.
fn lived() -> (Desk, Tree) {
    let desk = Desk::new();
    let (mut file, mut tree) = desk.begin();
    live(&mut file, &mut tree);
    (desk, tree)
}

#[test]
fn reopening_a_session_gives_the_same_tree_bit_for_bit() {
    let (desk, tree) = lived();
    let Opened { mut file, contents } = desk.open().unwrap();
    assert_eq!(contents.tree, tree);
    assert_eq!(contents.drawn, [Some(drawn(1)), None]);
    assert_eq!(contents.notes, [""; 0]);
    assert_eq!(contents.header.title.as_deref(), Some("A fox"));
    let (old, new) = (&tree[2].plan, &contents.tree[2].plan);
    let bits = |plan: &Plan| plan.weights.iter().map(|w| w.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(old), bits(new));
    let mut tree = contents.tree;
    let redo = tree.redo(1).unwrap();
    file.commit(&mut tree, redo, None).unwrap();
    assert_eq!(desk.open().unwrap().contents.tree, tree);
}

#[test]
fn numbers_of_any_size_come_back_with_the_same_bits() {
    let desk = Desk::new();
    let (mut file, mut tree) = desk.begin();
    let mut state = 88_172_645_463_325_252u64;
    let mut weights = Vec::new();
    for _ in 0..500 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        weights.extend([f64::from_bits(state), f64::from_bits(state >> 12), (state % 20_001) as f64 / 100.0 - 100.0]);
    }
    weights.retain(|w| w.abs() <= 100.0);
    assert!(weights.len() > 1000, "{}", weights.len());
    let named = first(&"x ".repeat(weights.len()));
    let root = tree.grow_root("", vec![], changed(&named, |p| p.weights.clone_from(&weights)), recipe(1));
    file.commit(&mut tree, root, None).unwrap();
    let again = desk.open().unwrap().contents.tree[1].plan.weights.clone();
    assert!(weights.iter().zip(&again).all(|(a, b)| a.to_bits() == b.to_bits()));
}

#[test]
fn a_weight_that_is_no_number_never_reaches_the_file() {
    let (desk, mut tree) = lived();
    let mut file = desk.open().unwrap().file;
    let before = desk.bytes();
    for weight in [f64::NAN, f64::INFINITY] {
        let plan = changed(&next(&tree[1].plan, "x"), |p| p.weights = vec![weight]);
        let event = tree.grow(1, "", vec![], plan).unwrap();
        assert!(file.commit(&mut tree, event, None).is_err());
    }
    assert_eq!(desk.bytes(), before);
}

#[test]
fn the_file_is_lines_of_ascii_safe_json_that_a_person_can_read() {
    let (desk, _) = lived();
    let lines = desk.lines();
    assert_eq!(lines.len(), 6);
    assert_eq!(
        lines[0],
        format!("{{\"wordbrush\":1,\"program\":\"{}\",\"title\":\"A fox\"}}\n", env!("CARGO_PKG_VERSION"))
    );
    assert!(lines[1].starts_with("{\"grow\":{\"node\":1,\"id\":\""), "{}", lines[1]);
    assert!(lines[2].starts_with("{\"grow\":{\"node\":2,\"parent\":1,\"id\":\""), "{}", lines[2]);
    assert_eq!(
        lines[3..],
        [
            "{\"name\":{\"node\":2,\"name\":\"good\"}}\n",
            "{\"set\":{\"name\":\"k\",\"value\":\".5\"}}\n",
            "{\"move\":{\"to\":1}}\n"
        ]
    );
    assert!(lines.iter().all(|line| line.chars().all(|c| c == '\n' || crate::safe::is_printable(c))), "{lines:?}");
}

#[test]
fn a_last_line_cut_off_anywhere_is_set_aside_and_the_rest_is_whole() {
    let (desk, _) = lived();
    let lines = desk.lines();
    let before: String = lines[..2].concat();
    let root = {
        desk.write(&before);
        desk.open().unwrap().contents.tree
    };
    let last = lines[2].as_bytes();
    for cut in (1..last.len() - 1).step_by(7).chain([last.len() - 2]) {
        let aside = desk.path.with_file_name("fox.jsonl.broken-1");
        desk.write([before.as_bytes(), &last[..cut]].concat());
        let read_only = read(&desk.path, &RealDisk, Trust::Own).unwrap();
        assert!(read_only.notes[0].contains("the last line was cut off"), "{:?}", read_only.notes);
        assert!(!aside.exists(), "reading changes nothing");
        let Opened { mut file, contents } = desk.open().unwrap();
        assert_eq!(contents.tree, root, "cut at {cut}");
        assert!(contents.notes[0].contains("fox.jsonl.broken-1"), "{:?}", contents.notes);
        assert_eq!(fs::read(&aside).unwrap(), &last[..cut]);
        assert_eq!(desk.bytes(), before.as_bytes());
        let mut tree = contents.tree;
        let event = tree.grow(1, "again", vec![], hard_plan(&tree[1].plan)).unwrap();
        file.commit(&mut tree, event, None).unwrap();
        assert_eq!(desk.open().unwrap().contents.tree, tree);
        fs::remove_file(aside).unwrap();
    }
}

#[test]
fn a_last_line_that_only_lacks_its_newline_is_kept() {
    let (desk, tree) = lived();
    let whole = desk.bytes();
    desk.write(&whole[..whole.len() - 1]);
    assert_eq!(read(&desk.path, &RealDisk, Trust::Own).unwrap().tree, tree);
    let opened = desk.open().unwrap();
    assert_eq!((opened.contents.tree, opened.contents.notes), (tree, vec![]));
    assert_eq!(desk.bytes(), whole);
}

#[test]
fn each_broken_line_gets_a_file_of_its_own() {
    let (desk, _) = lived();
    for n in 1..=3 {
        let mut file = fs::OpenOptions::new().append(true).open(&desk.path).unwrap();
        write!(file, "junk {n}\0\0").unwrap();
        desk.open().unwrap();
        assert_eq!(fs::read_to_string(beside(&desk.path, &format!("broken-{n}"))).unwrap(), format!("junk {n}\0\0"));
    }
}

#[test]
fn a_damaged_line_further_up_is_named_and_the_file_can_be_read_up_to_it() {
    let (desk, _) = lived();
    let lines = desk.lines();
    let with = |at: usize, line: &str| {
        let mut lines = lines.clone();
        lines[at] = line.to_owned();
        desk.write(lines.concat());
        let before = desk.bytes();
        let error = desk.open().err().expect("a damaged file was opened for writing");
        let hint = error.downcast_ref::<Hinted>().unwrap().hint().to_owned();
        assert!(hint.contains("wordbrush open fox --read-only"), "{hint}");
        let contents = read(&desk.path, &RealDisk, Trust::Own).unwrap();
        assert_eq!(contents.tree.log().len(), at - 1);
        assert!(contents.notes[0].contains(&format!("line {} is damaged", at + 1)), "{:?}", contents.notes);
        assert_eq!(desk.bytes(), before, "neither changes anything");
        error.to_string()
    };
    let said = with(2, "{\"grow\":{\"no\n");
    assert!(said.starts_with("line 3 of session `fox` is damaged: EOF while parsing"), "{said}");
    let said = with(3, "{\"move\":{\"to\":7}}\n");
    assert!(said.starts_with("line 4 of session `fox` is damaged: there is no node #7 here"), "{said}");
    let said = with(2, &lines[1]);
    assert!(said.contains("line 3 of session `fox` is damaged: node #1 follows #1"), "{said}");
    let said = with(2, &lines[2].replacen("\"k\":0.3", "\"k\":0.4", 1));
    assert!(said.contains("line 3 of session `fox` is damaged: its id is "), "{said}");
    let said = with(1, &lines[1].replacen("\"steps\":4", "\"steps\":5", 1));
    assert!(said.contains("but what it says has the id "), "{said}");
    let said = with(2, &lines[2].replacen("\"parent\":1", "\"parent\":9", 1));
    assert!(said.contains("its parent #9 is not there"), "{said}");
    let said = with(2, &lines[2].replacen("\"parent\":1,", "", 1));
    assert!(said.contains("it has neither a parent nor a recipe"), "{said}");
    let said = with(2, &lines[2].replacen("\"renormalize\":false", "\"renormalize\":false,\"more\":1", 1));
    assert!(said.contains("unknown field `more`"), "{said}");
    let said = with(1, &lines[1].replacen("\"thumbprint\":\"01", "\"thumbprint\":\"0", 1));
    assert!(said.contains("thumbprint"), "{said}");
    let said = with(4, "no event\n");
    assert!(said.contains("line 5"), "{said}");
}

#[test]
fn blank_lines_and_a_byte_order_mark_mean_nothing() {
    let (desk, tree) = lived();
    let lines = desk.lines();
    let mark = "\u{feff}";
    let files = [
        format!("{mark}{}", lines.concat()),
        format!("{}\n\n", lines.concat()),
        format!("{}\n   \t\n ", lines.concat()),
        format!("\n{}", lines.concat()),
        lines.join("\n"),
        lines.concat().replace('\n', "\r\n"),
    ];
    for file in files {
        desk.write(&file);
        assert_eq!(summary(&desk.path, &RealDisk).unwrap().nodes, 2, "{file:?}");
        let found = read(&desk.path, &RealDisk, Trust::Own).unwrap();
        assert_eq!((found.tree, found.notes), (tree.clone(), vec![]), "{file:?}");
        let mut opened = desk.open().unwrap();
        let redo = opened.contents.tree.redo(1).unwrap();
        opened.file.commit(&mut opened.contents.tree, redo, None).unwrap();
        assert!(desk.bytes().starts_with(file.as_bytes()), "what was there stays as it was");
        assert_eq!(desk.open().unwrap().contents.tree, opened.contents.tree);
    }
    for nothing in ["\n", mark, "  "] {
        desk.write(nothing);
        let mut opened = desk.open().unwrap();
        live(&mut opened.file, &mut opened.contents.tree);
        assert_eq!(desk.open().unwrap().contents.tree, opened.contents.tree, "{nothing:?}");
    }
}

#[test]
fn a_broken_last_line_is_set_aside_with_the_blank_lines_below_it() {
    let (desk, tree) = lived();
    let before = desk.bytes();
    desk.write([&before[..], b"{\"gro\n\n\n"].concat());
    let opened = desk.open().unwrap();
    assert!(opened.contents.notes[0].contains("cannot be read"), "{:?}", opened.contents.notes);
    assert_eq!((opened.contents.tree, desk.bytes()), (tree, before));
    assert_eq!(fs::read(beside(&desk.path, "broken-1")).unwrap(), b"{\"gro\n\n\n");
}

#[test]
fn any_bit_of_a_plan_that_flips_on_disk_is_noticed() {
    let (desk, tree) = lived();
    let whole = desk.bytes();
    let lines = desk.lines();
    let start = lines[0].len() + lines[1].len();
    let from = start + lines[2].rfind("\"prompt\"").unwrap();
    let to = start + lines[2].len() - 1;
    for at in from..to {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        desk.write(&flipped);
        // A flip that changes no meaning (`0.10` for `0.1`, say) may pass; one that changes the tree may not.
        if let Ok(opened) = desk.open() {
            assert_eq!(opened.contents.tree, tree, "byte {at}");
        }
    }
}

#[test]
fn shorter_ids_written_by_hand_are_checked_as_far_as_they_go() {
    let (desk, tree) = lived();
    let hex = tree[2].id.hex();
    let text = String::from_utf8(desk.bytes()).unwrap();
    desk.write(text.replace(&hex, &hex[..8]));
    assert_eq!(desk.open().unwrap().contents.tree, tree);
    desk.write(text.replace(&hex, &hex[..7]));
    assert!(desk.open().is_err());
}

#[test]
fn a_sampler_that_is_not_known_is_a_damaged_line() {
    let (desk, _) = lived();
    let text = String::from_utf8(desk.bytes()).unwrap();
    desk.write(text.replace(r#""scheduler":"ddim""#, r#""scheduler":"other""#));
    let error = format!("{:#}", desk.open().err().expect("it cannot be opened"));
    assert!(error.contains("`other` is no sampler"), "{error}");
}

#[test]
fn a_file_that_is_no_session_or_of_a_newer_version_says_so() {
    let desk = Desk::new();
    desk.write("hello\n");
    assert_eq!(desk.open().err().unwrap().to_string(), "`fox` is not a session of wordbrush");
    desk.write("{\"wordbrush\":2,\"program\":\"9.0\\u001b\"}\n{\"new\":{}}\n");
    let error = desk.open().err().unwrap();
    assert_eq!(error.to_string(), "session `fox` has format 2, but this program reads format 1");
    assert_eq!(error.downcast_ref::<Hinted>().unwrap().hint(), "it was begun by wordbrush 9.0\\u001b");
    desk.write([0u8; 5000]);
    assert!(desk.open().is_err());
    assert!(SessionFile::open(Path::new("/nowhere/x.jsonl"), Arc::new(RealDisk)).is_err());
    assert!(SessionFile::open(desk.path.parent().unwrap(), Arc::new(RealDisk)).is_err(), "a folder");
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_without_end_and_a_place_that_takes_none_are_errors() {
    for endless in ["/dev/full", "/dev/zero"] {
        assert!(SessionFile::open(Path::new(endless), Arc::new(RealDisk)).is_err(), "{endless}");
    }
    let error = SessionFile::create(Path::new("/proc/fox.jsonl"), None, Arc::new(RealDisk)).err().unwrap();
    assert!(error.to_string().starts_with("cannot write session `fox`: "), "{error}");
    assert!(error.downcast_ref::<Hinted>().is_some());
}

#[test]
fn an_empty_file_is_begun_and_an_existing_one_is_never_overwritten() {
    let desk = Desk::new();
    desk.write("");
    let mut opened = desk.open().unwrap();
    live(&mut opened.file, &mut opened.contents.tree);
    assert_eq!(desk.open().unwrap().contents.tree, opened.contents.tree);
    let error = SessionFile::create(&desk.path, None, Arc::new(RealDisk)).err().unwrap();
    assert_eq!(error.to_string(), "session `fox` exists already");
    assert_eq!(desk.open().unwrap().contents.tree, opened.contents.tree);
}

#[test]
fn a_line_without_end_uses_bounded_memory_and_is_set_aside() {
    let (desk, tree) = lived();
    let mut file = fs::OpenOptions::new().append(true).open(&desk.path).unwrap();
    file.write_all(&vec![b'x'; LONGEST_LINE * 2]).unwrap();
    let opened = desk.open().unwrap();
    assert_eq!(opened.contents.tree, tree);
    let said = format!("it has more than {LONGEST_LINE} bytes");
    assert!(opened.contents.notes[0].contains(&said), "{:?}", opened.contents.notes);
}

#[test]
fn a_turn_too_long_for_a_line_is_refused_and_the_file_stays_as_it_was() {
    let (desk, mut tree) = lived();
    let before = desk.bytes();
    let mut file = desk.open().unwrap().file;
    let event = tree.grow(1, &"x".repeat(LONGEST_LINE), vec![], next(&tree[1].plan, "y")).unwrap();
    let error = file.commit(&mut tree, event, None).unwrap_err();
    assert_eq!(error.to_string(), "the turn is too long for a session's file");
    assert_eq!(desk.bytes(), before);
}

#[test]
fn an_imported_file_cannot_name_a_path_outside_its_folder() {
    for model in ["/etc", "../../x", "a/../../x", "~/models", "c:\\x", "\\\\host\\x", "ok/../.."] {
        let desk = Desk::new();
        let (mut file, mut tree) = desk.begin();
        let root = tree.grow_root("", vec![], first("a cat"), Recipe { model: model.to_owned(), ..recipe(1) });
        file.commit(&mut tree, root, None).unwrap();
        file.commit(&mut tree, Event::Set { name: "model".to_owned(), value: model.to_owned() }, None).unwrap();
        assert_eq!(desk.open().unwrap().contents.tree, tree, "one's own file keeps it");
        let imported = read(&desk.path, &RealDisk, Trust::Imported).unwrap();
        let named = &imported.tree[1].recipe.model;
        assert!(!named.contains(['/', '\\', '~']) && !named.contains(".."), "{model} became {named}");
        assert_eq!(imported.tree[1].id, tree[1].id);
        assert!(imported.tree.settings().is_empty());
        assert_eq!((imported.outside.len(), imported.notes.len()), (2, 0));
    }
    let desk = Desk::new();
    let (mut file, mut tree) = desk.begin();
    let root = tree.grow_root("", vec![], first("a cat"), Recipe { model: "owner/name@main".to_owned(), ..recipe(1) });
    file.commit(&mut tree, root, None).unwrap();
    assert_eq!(read(&desk.path, &RealDisk, Trust::Imported).unwrap().tree, tree);
}

#[test]
fn a_disk_that_fails_at_any_operation_leaves_file_and_tree_as_they_were() {
    let faults = [Fault::Refuse, Fault::Half].into_iter().flat_map(|fault| ERRORS.map(|error| (fault, error)));
    for (fault, said) in faults {
        let mut struck = 0;
        for at in 0.. {
            let (desk, mut tree) = lived();
            let (bytes, before) = (desk.bytes(), tree.clone());
            let disk = Arc::new(FaultyDisk::new(at, fault).saying(said));
            let mut file = SessionFile::open(&desk.path, Arc::clone(&disk) as Arc<dyn Disk>).unwrap().file;
            let event = tree.grow(1, "", vec![], next(&tree[1].plan, "a hen")).unwrap();
            let first = file.commit(&mut tree, event.clone(), Some(&drawn(3)));
            if first.is_ok() {
                assert!(disk.count() <= at, "a fault at operation {at} was not reported");
                break;
            }
            struck += 1;
            let error = first.unwrap_err();
            let why = plainly(&std::io::Error::from_raw_os_error(said));
            assert_eq!(error.to_string(), format!("cannot write session `fox`: {why}"));
            assert!(error.downcast_ref::<Hinted>().is_some());
            assert_eq!(tree, before);
            assert_eq!(desk.bytes(), bytes, "operation {at}");
            file.commit(&mut tree, event, Some(&drawn(3))).unwrap();
            assert_eq!(desk.open().unwrap().contents.tree, tree, "the same turn goes through afterwards");
        }
        assert_eq!(struck, 2, "append and sync");
    }
}

#[test]
fn what_could_not_be_taken_back_is_taken_back_before_the_next_turn() {
    let (desk, mut tree) = lived();
    let before = desk.bytes();
    let event = tree.grow(1, "", vec![], next(&tree[1].plan, "a hen")).unwrap();
    let bad = Arc::new(FaultyDisk::new(0, Fault::HalfForGood));
    let mut file = SessionFile::open(&desk.path, bad).unwrap().file;
    assert!(file.commit(&mut tree, event.clone(), None).is_err());
    assert!(desk.bytes().len() > before.len(), "half a line is there");
    assert!(file.commit(&mut tree, event.clone(), None).is_err(), "and stays while the disk fails");
    file.disk = Arc::new(RealDisk);
    file.commit(&mut tree, event, None).unwrap();
    let opened = desk.open().unwrap();
    assert_eq!((opened.contents.tree, opened.contents.notes), (tree, vec![]));
}

#[test]
fn beginning_and_setting_aside_survive_a_fault_at_any_operation() {
    for at in 0..10 {
        let desk = Desk::new();
        let made = SessionFile::create(&desk.path, None, Arc::new(FaultyDisk::new(at, Fault::Half)));
        if made.is_err() && desk.path.exists() {
            assert!(desk.open().unwrap().contents.tree.is_empty(), "the file is whole");
        } else if made.is_err() {
            assert!(SessionFile::create(&desk.path, None, Arc::new(RealDisk)).is_ok(), "nothing is in the way");
        }
        let (desk, tree) = lived();
        let broken = [&desk.bytes()[..], b"{\"gro"].concat();
        desk.write(&broken);
        let opened = SessionFile::open(&desk.path, Arc::new(FaultyDisk::new(at, Fault::Half)));
        assert_eq!(opened.is_ok(), at >= 4, "operation {at}");
        assert_eq!(desk.open().unwrap().contents.tree, tree);
    }
}

#[test]
fn what_another_program_made_of_the_file_stays_as_it_is_and_nothing_more_is_written() {
    let (whole, half) = (lived().0.bytes(), |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec());
    let appended = [&whole[..], b"{\"move\":{\"to\":2}}\n"].concat();
    let mut altered = whole.clone();
    let at = altered.len() - 4;
    altered[at] = b'2'; // it now says that we are elsewhere
    for (what, theirs) in [
        ("emptied", vec![]),
        ("cut off", half(&whole)),
        ("appended to", appended),
        ("something else", b"hello\n".to_vec()),
        ("as long as before", altered),
    ] {
        let (desk, mut tree) = lived();
        let before = tree.clone();
        let mut file = desk.open().unwrap().file;
        std::thread::sleep(std::time::Duration::from_millis(20)); // for disks with a slow clock
        desk.write(&theirs);
        let mut said = Vec::new();
        for _ in 0..3 {
            let redo = tree.redo(1).unwrap();
            let error = file.commit(&mut tree, redo, None).err().unwrap_or_else(|| panic!("{what}: written"));
            let hint = error.downcast_ref::<Hinted>().unwrap().hint();
            assert!(hint.contains("/save NAME") && hint.contains("/open fox"), "{what}: {hint}");
            said.push(error.to_string());
            assert_eq!((desk.bytes(), &tree), (theirs.clone(), &before), "{what}");
            assert_eq!(file.kept(&tree), Kept::Changed, "{what}");
        }
        assert!(said[0].contains("another program has changed the file"), "{what}: {}", said[0]);
        assert!(said[1] == said[2] && said[1] != said[0], "it is said in full once: {said:?}");
    }
}

#[test]
fn a_file_in_the_place_of_ours_is_not_written_even_if_it_says_the_same() {
    let (desk, mut tree) = lived();
    let mut file = desk.open().unwrap().file;
    let copy = desk.path.with_file_name("copy");
    fs::write(&copy, desk.bytes()).unwrap();
    fs::rename(&copy, &desk.path).unwrap();
    let redo = tree.redo(1).unwrap();
    let before = desk.bytes();
    assert_eq!(file.commit(&mut tree, redo.clone(), None).is_err(), cfg!(unix));
    assert!(!cfg!(unix) || desk.bytes() == before);
    let mut again = desk.open().unwrap();
    again.file.commit(&mut again.contents.tree, redo, None).unwrap();
}

#[test]
fn a_file_that_was_only_touched_is_written_on() {
    let (desk, mut tree) = lived();
    let mut file = desk.open().unwrap().file;
    std::thread::sleep(std::time::Duration::from_millis(20));
    desk.write(desk.bytes()); // truncated and written anew, byte for byte
    assert_eq!(file.kept(&tree), Kept::Whole);
    let redo = tree.redo(1).unwrap();
    file.commit(&mut tree, redo, None).unwrap();
    assert_eq!(desk.open().unwrap().contents.tree, tree);
}

#[test]
fn a_file_that_is_gone_is_not_made_anew_and_one_that_comes_back_is_written_on() {
    let (desk, mut tree) = lived();
    let mut file = desk.open().unwrap().file;
    let away = desk.path.with_file_name("away");
    fs::rename(&desk.path, &away).unwrap();
    let redo = tree.redo(1).unwrap();
    let error = file.commit(&mut tree, redo.clone(), None).unwrap_err();
    assert!(error.downcast_ref::<Hinted>().unwrap().hint().contains("/save NAME"), "{error}");
    assert!(!desk.path.exists());
    assert_eq!(file.kept(&tree), Kept::Gone);
    fs::rename(&away, &desk.path).unwrap();
    file.commit(&mut tree, redo, None).unwrap();
    assert_eq!((desk.open().unwrap().contents.tree, file.kept(&tree)), (tree, Kept::Whole));
}

#[test]
fn what_others_wrote_behind_half_a_line_of_ours_is_not_cut_off() {
    for theirs in [&b"{}\n"[..], b"x"] {
        let (desk, mut tree) = lived();
        let event = tree.grow(1, "", vec![], next(&tree[1].plan, "a hen")).unwrap();
        let bad = Arc::new(FaultyDisk::new(0, Fault::HalfForGood));
        let mut file = SessionFile::open(&desk.path, bad).unwrap().file;
        assert!(file.commit(&mut tree, event.clone(), None).is_err());
        assert_eq!(file.kept(&tree), Kept::Whole, "half a line of ours does no harm");
        fs::OpenOptions::new().append(true).open(&desk.path).unwrap().write_all(theirs).unwrap();
        let before = desk.bytes();
        file.disk = Arc::new(RealDisk);
        let error = file.commit(&mut tree, event, None).unwrap_err();
        assert!(error.to_string().contains("another program has changed the file"), "{error}");
        assert_eq!(desk.bytes(), before);
    }
}

#[test]
fn a_summary_tells_title_nodes_and_the_newest_prompt() {
    let (desk, tree) = lived();
    let found = summary(&desk.path, &RealDisk).unwrap();
    let last_prompt = Some(tree[2].plan.prompt.clone());
    assert_eq!(found, Summary { title: Some("A fox".to_owned()), last_prompt, nodes: 2 });
}

/// The real disk, but for waiting: tests that write thousands of lines have nothing to fear from a power cut.
struct Hasty;

impl Disk for Hasty {
    fn open(&self, path: &Path) -> std::io::Result<Box<dyn std::io::Read + Send>> {
        RealDisk.open(path)
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        RealDisk.create(path, bytes)
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        RealDisk.append(path, bytes)
    }

    fn sync(&self, _: &Path) -> std::io::Result<()> {
        Ok(())
    }

    fn truncate(&self, path: &Path, length: u64) -> std::io::Result<()> {
        RealDisk.truncate(path, length)
    }

    fn rename(&self, from: &Path, to: &Path) -> std::io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> std::io::Result<()> {
        RealDisk.remove(path)
    }

    fn make_folder(&self, path: &Path) -> std::io::Result<()> {
        RealDisk.make_folder(path)
    }
}

/// Seconds that this thread has computed, where the system says so: on a busy machine it waits most of the time.
fn computed() -> f64 {
    let said = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    said.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).map_or(0.0, |ns| ns / 1e9)
}

/// `cargo test --release -- --ignored ten_thousand --nocapture` prints the numbers.
#[test]
#[ignore = "measures time: run it alone, with --release"]
fn a_session_of_ten_thousand_nodes_opens_in_a_fifth_of_a_second_and_undoes_in_ten_milliseconds() {
    let best = |times: [f64; 5]| times.into_iter().fold(f64::INFINITY, f64::min);
    for chain in [true, false] {
        let desk = Desk::new();
        let mut file = SessionFile::create(&desk.path, None, Arc::new(Hasty)).unwrap();
        let mut tree = Tree::new();
        for n in 0..10_000u32 {
            let prompt = format!("a woman's face with long wavy blond hair {n}");
            // A chain, or a bush in which every node has been edited about once.
            let parent = if chain { n } else { 1 + n.wrapping_mul(2_654_435_761) % n.max(1) };
            let event = match n {
                0 => tree.grow_root("", vec![], first_of(&prompt, 77), recipe(1)),
                _ => {
                    let plan = next(&tree[parent].plan, &prompt);
                    tree.grow(parent, "blond -> red", changes(), plan).unwrap()
                }
            };
            file.commit(&mut tree, event, Some(&drawn(7))).unwrap();
        }
        let mut computing = f64::INFINITY;
        let opening = best([(); 5].map(|()| {
            let (clock, before) = (std::time::Instant::now(), computed());
            let opened = desk.open().unwrap();
            let seconds = clock.elapsed().as_secs_f64();
            computing = computing.min(computed() - before);
            assert_eq!(opened.contents.tree.len(), 10_000);
            seconds
        }));
        let mut opened = desk.open().unwrap();
        let undoing = best([(); 5].map(|()| {
            let clock = std::time::Instant::now();
            let undo = opened.contents.tree.undo(1).unwrap();
            opened.file.commit(&mut opened.contents.tree, undo, None).unwrap();
            clock.elapsed().as_secs_f64()
        }));
        let said = format!(
            "chain {chain}: opened in {:.0} ms ({:.0} ms of them computing here), undone in {:.2} ms\n",
            opening * 1e3,
            computing * 1e3,
            undoing * 1e3
        );
        std::io::stderr().write_all(said.as_bytes()).unwrap();
        assert!(opening <= 0.2 && undoing <= 0.01, "{said}");
    }
}
