use super::samples::{changed, edit_of, first, next, photograph};
use super::*;
use crate::plan::area::{Area, PixelMask};
use crate::plan::inversion::InversionName;
use crate::plan::sampler::SamplerName;
use crate::plan::settings::{Precision, TurnSettings, Window};
use crate::plan::{Columns, Origin, PlanParts, Region, Stretch};
use crate::turn::{Change, Replaced};
use std::sync::Arc;

/// A session as it is lived: every proposal is applied, and kept for replay.
#[derive(Default)]
struct Life {
    tree: Tree,
    events: Vec<Event>,
}

impl Life {
    fn take(&mut self, event: Event) -> u32 {
        self.events.push(event.clone());
        self.tree.apply(event).unwrap();
        self.tree.here().unwrap_or(0)
    }

    fn root(&mut self, prompt: &str) -> u32 {
        self.take(self.tree.grow_root(prompt, vec![], first(prompt), recipe(1)))
    }

    /// Swaps in `word`: the same word at the same node is the same edit.
    fn edit(&mut self, word: &str) -> u32 {
        let changes = vec![Change::Swap { from: "cat".to_owned(), to: word.to_owned() }];
        let here = self.tree.here().unwrap();
        let event = self.tree.grow(here, word, changes, next(&self.tree[here].plan, word)).unwrap();
        self.take(event)
    }

    fn undo(&mut self, n: usize) -> u32 {
        self.take(self.tree.undo(n).unwrap())
    }

    fn redo(&mut self, n: usize) -> u32 {
        self.take(self.tree.redo(n).unwrap())
    }

    fn back(&mut self, n: usize) -> u32 {
        self.take(self.tree.back(n).unwrap())
    }

    fn go(&mut self, typed: &str) -> u32 {
        self.take(self.tree.go(typed).unwrap())
    }

    fn replayed(&self) -> Tree {
        let mut tree = Tree::new();
        self.events.iter().for_each(|event| tree.apply(event.clone()).unwrap());
        tree
    }
}

/// #1 a cat -> #2 dog -> #3 fox, and #4 hen beside #3.
fn four_nodes() -> Life {
    let mut life = Life::default();
    life.root("a cat");
    life.edit("dog");
    life.edit("fox");
    life.undo(1);
    life.edit("hen");
    life
}

fn said(error: &HistoryError) -> String {
    format!("{error} | {}", error.hint())
}

#[test]
fn undo_at_the_root_moves_nothing() {
    let mut life = Life::default();
    assert_eq!(life.tree.undo(1).unwrap_err(), HistoryError::Empty);
    life.root("a cat");
    let error = life.tree.undo(1).unwrap_err();
    assert_eq!(error, HistoryError::AtRoot { here: 1 });
    assert!(said(&error).contains("#1 is a first picture"), "{}", said(&error));
    assert_eq!(life.tree.here(), Some(1));
}

#[test]
fn undo_goes_to_the_nth_ancestor_and_says_how_many_there_are() {
    let mut life = four_nodes();
    assert_eq!(life.tree.undo(3).unwrap_err(), HistoryError::TooFar { verb: "undo", asked: 3, possible: 2 });
    assert_eq!(life.undo(2), 1);
    assert_eq!(life.tree.undo(0).unwrap_err(), HistoryError::ByNothing { verb: "undo" });
}

#[test]
fn redo_retraces_the_branch_that_was_undone_not_the_newest_one() {
    let mut life = four_nodes();
    assert_eq!(life.go("#3"), 3);
    assert_eq!(life.undo(1), 2);
    assert_eq!(life.redo(1), 3, "#4 is newer, but #3 was undone");
    assert_eq!(life.undo(2), 1);
    assert_eq!(life.redo(2), 3);
    assert_eq!(life.tree.redo(1).unwrap_err(), HistoryError::NothingToRedo { here: 3 });
}

#[test]
fn redo_stops_where_nothing_was_left() {
    let mut life = four_nodes();
    life.undo(2);
    assert_eq!(life.tree.redo(3).unwrap_err(), HistoryError::TooFar { verb: "redo", asked: 3, possible: 2 });
    assert_eq!(life.tree.here(), Some(1));
}

#[test]
fn a_jump_to_another_root_remembers_the_branch_it_left() {
    let mut life = four_nodes();
    life.go("#3");
    assert_eq!(life.root("a house"), 5);
    life.go("#1");
    assert_eq!(life.redo(2), 3);
}

#[test]
fn a_jump_across_a_fork_leaves_the_branch_it_came_from() {
    let mut life = four_nodes();
    life.go("#3"); // from #4, over #2
    assert_eq!(life.tree.last_left(2), Some(4));
    life.go("#2");
    assert_eq!(life.redo(1), 3);
}

#[test]
fn a_new_edit_after_undo_keeps_the_branch_that_was_undone() {
    let mut life = four_nodes();
    life.undo(2);
    assert_eq!(life.edit("owl"), 5);
    assert_eq!(life.tree.children(1), [2, 5]);
    assert_eq!(life.undo(1), 1);
    assert_eq!(life.redo(1), 5);
}

#[test]
fn back_goes_to_where_we_were_in_time_even_on_another_root() {
    let mut life = four_nodes(); // been at 1 2 3 2 4
    life.root("a house");
    assert_eq!(life.back(1), 4);
    assert_eq!(life.back(1), 5, "going back is a move like any other");
    assert_eq!(life.back(4), 2);
    let mut fresh = Life::default();
    fresh.root("a cat");
    assert_eq!(fresh.tree.back(1).unwrap_err(), HistoryError::NowhereBefore);
    fresh.edit("dog");
    assert_eq!(fresh.tree.back(2).unwrap_err(), HistoryError::TooFar { verb: "back", asked: 2, possible: 1 });
}

#[test]
fn going_where_we_are_is_not_a_step_back_in_time() {
    let mut life = four_nodes();
    life.go("#4");
    assert_eq!(life.back(1), 2);
}

#[test]
fn repeating_an_edit_moves_to_the_node_it_made() {
    let mut life = four_nodes();
    life.undo(1);
    assert_eq!(life.edit("fox"), 3);
    assert_eq!(life.root("a cat"), 1);
    assert_eq!(life.tree.len(), 4);
    let plan = next(&life.tree[2].plan, "fox");
    let again = life.tree.grow(2, "turn the cat into a fox", vec![], plan).unwrap();
    assert_eq!(again, Event::Move { to: 3 }, "what was typed does not matter");
}

#[test]
fn a_node_is_found_by_number_name_and_beginning_of_its_id() {
    let mut life = four_nodes();
    life.take(life.tree.name(3, "red-fox").unwrap());
    let hex = life.tree[3].id.hex();
    for typed in ["#3", "3", " #3 ", "red-fox", &hex, &hex[..8], &hex[..4], &hex[..6].to_uppercase()] {
        assert_eq!(life.tree.resolve(typed), Ok(3), "{typed}");
    }
    for typed in ["#9", "0", "#0", "-1", &hex[..3], "", "#", "99999999999"] {
        assert!(matches!(life.tree.resolve(typed), Err(HistoryError::Unknown { last: 4, .. })), "{typed}");
    }
    let error = life.tree.resolve("red-fix").unwrap_err();
    assert_eq!(said(&error), "no node is called `red-fix` | did you mean `red-fox`?");
    let error = life.tree.resolve("#7").unwrap_err();
    assert_eq!(said(&error), "no node is called `#7` | ids go from #1 to #4; `/tree` lists them");
}

#[test]
fn a_prefix_of_two_ids_is_ambiguous_and_a_longer_one_is_not() {
    let mut life = Life::default();
    life.root("a cat");
    // 2000 edits are far more than the 256 or so at which two of 65536 beginnings are likely to meet.
    for word in 0..2000 {
        life.edit(&word.to_string());
        life.undo(1);
    }
    let hexes: Vec<String> = life.tree.by_id().keys().map(NodeId::hex).collect();
    // Digits alone would be read as a number.
    let meet = |pair: &&[String]| pair[0][..4] == pair[1][..4] && pair[0][..4].contains(|c: char| !c.is_ascii_digit());
    let [one, other] = hexes.windows(2).find(meet).unwrap() else { panic!("windows of two") };
    let error = life.tree.resolve(&one[..4]).unwrap_err();
    assert!(matches!(&error, HistoryError::Ambiguous { numbers, .. } if numbers.len() >= 2), "{error:?}");
    assert!(error.hint().starts_with("type more digits, or one of #"), "{}", error.hint());
    assert_ne!(life.tree.resolve(one), life.tree.resolve(other));
}

#[test]
fn a_name_belongs_to_one_node_and_never_looks_like_a_number() {
    let mut life = four_nodes();
    life.take(life.tree.name(3, "good").unwrap());
    assert_eq!(life.tree.name(4, "good").unwrap_err(), HistoryError::NameTaken { name: "good".to_owned(), number: 3 });
    assert!(life.tree.name(3, "good").is_ok());
    for bad in ["", "12", "#3", "a b", "a\u{1b}[0m", "a\u{202e}b", "/x", "-x", &"x".repeat(61)] {
        assert!(matches!(life.tree.name(3, bad), Err(HistoryError::BadName { .. })), "{bad:?}");
    }
    assert!(matches!(life.tree.name(9, "good"), Err(HistoryError::Unknown { .. })));
}

#[test]
fn the_latest_value_of_a_setting_stands_and_stands_last() {
    let mut life = four_nodes();
    for (name, value) in [("cross", ".8"), ("k", "0"), ("cross", ".2")] {
        life.take(Event::Set { name: name.to_owned(), value: value.to_owned() });
    }
    let settings: Vec<String> = life.tree.settings().iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(settings, ["k=0", "cross=.2"]);
}

#[test]
fn ancestors_come_nearest_first_and_forks_have_one_common_ancestor() {
    let mut life = four_nodes();
    let numbers = |nodes: Vec<&Node>| nodes.iter().map(|node| node.number).collect::<Vec<_>>();
    assert_eq!(numbers(life.tree.ancestors(4).collect()), [2, 1]);
    assert_eq!(numbers(life.tree.path_to_root(4)), [4, 2, 1]);
    assert_eq!(life.tree.common_ancestor(3, 4), Some(2));
    assert_eq!(life.tree.common_ancestor(1, 4), Some(1));
    assert_eq!(life.tree.common_ancestor(4, 4), Some(4));
    life.root("a house");
    assert_eq!(life.tree.common_ancestor(5, 4), None);
}

#[test]
fn an_event_that_does_not_fit_leaves_the_tree_as_it_was() {
    let life = four_nodes();
    let mut node = life.tree[3].clone();
    node.number = 7;
    let mut twin = life.tree[3].clone();
    twin.number = 5;
    let mut orphan = life.tree[3].clone();
    (orphan.number, orphan.parent, orphan.id) = (5, Some(9), NodeId([0; 32]));
    for node in [node, twin, orphan] {
        let mut tree = life.tree.clone();
        assert!(matches!(tree.apply(Event::Grow(Box::new(node))), Err(HistoryError::Misfit { .. })));
        assert_eq!(tree, life.tree);
    }
    let mut tree = life.tree.clone();
    for event in [Event::Move { to: 0 }, Event::Move { to: 5 }, Event::Name { node: 5, name: "x".to_owned() }] {
        assert!(tree.apply(event).is_err());
    }
    assert_eq!(tree, life.tree);
}

#[test]
fn the_tree_is_drawn_as_the_conversation_shows_it() {
    let mut life = Life::default();
    let swap = |from: &str, to: &str| Change::Swap { from: from.to_owned(), to: to.to_owned() };
    let weigh = |word: &str, factor| Change::Weigh { word: word.to_owned(), factor, absolute: false };
    let mut grow = |at: u32, changes: Vec<Change>| {
        let prompt = format!("{changes:?}");
        let event = match at {
            0 => life.tree.grow_root("", changes, first("a woman's face with long wavy blond hair"), recipe(1)),
            _ => life.tree.grow(at, "", changes, next(&life.tree[at].plan, &prompt)).unwrap(),
        };
        life.take(event);
    };
    grow(0, vec![Change::Start { prompt: String::new() }]);
    grow(1, vec![swap("blond", "red")]);
    grow(2, vec![swap("red", "black")]);
    grow(3, vec![Change::Add { text: "with round glasses".to_owned() }]);
    grow(4, vec![weigh("wavy", 1.5)]);
    grow(4, vec![weigh("long", 0.75), swap("round glasses", "sunglasses")]);
    grow(3, vec![Change::Remove { text: "wa\u{1b}vy".to_owned() }]);
    life.root("a house");
    life.take(life.tree.name(5, "curls").unwrap());
    life.go("#6");
    let expected = "  \
  #1 a woman's face with long wavy blond hair
  └─#2 blond → red
     └─#3 red → black
        ├─#4 + \"with round glasses\"
        │  ├─#5 wavy × 1.5  [curls]
        │  └─#6 long × 0.75, round glasses → sunglasses      ← here
        └─#7 - \"wa\\u001bvy\"
  #8 a house
";
    assert_eq!(life.tree.draw_tree(), expected);
}

#[test]
fn a_chain_of_edits_is_drawn_in_lines_of_bounded_length() {
    let mut life = Life::default();
    life.root("a cat");
    (0..100).for_each(|n| {
        life.edit(&format!("w{n}"));
    });
    let drawn = life.tree.draw_tree();
    assert!(drawn.lines().all(|line| line.chars().count() <= 90), "{drawn}");
    assert!((1..=101).all(|n| drawn.contains(&format!("#{n} "))), "{drawn}");
    assert_eq!(drawn.matches("← here").count(), 1);
    assert!(drawn.contains("\n  … #21 cat → w19\n  └─#22 "), "{drawn}");
}

#[test]
fn the_log_tells_everything_in_time() {
    let mut life = four_nodes();
    life.take(life.tree.name(4, "good").unwrap());
    life.take(Event::Set { name: "cross".to_owned(), value: ".\u{1b}6".to_owned() });
    let expected = "#1  a cat\n#2 ← #1  cat → dog\n#3 ← #2  cat → fox\nat #2\n#4 ← #2  cat → hen\n#4 is [good]\n\
                    cross = .\\u001b6\n";
    assert_eq!(life.tree.draw_log(), expected);
}

/// Changes here mean that no session file of before can be opened any more: raise `ID_FORMAT` and say so.
#[test]
fn ids_are_the_same_on_every_machine_and_in_every_version() {
    let root = NodeId::of(None, &first("a cat"), &recipe(1));
    let rich = changed(&next(&first("a cat"), "a red hat"), |parts| {
        parts.weights = vec![1.0, -1.5, 0.1];
        let settings = Arc::make_mut(&mut parts.settings);
        settings.cross_words.insert("hat".to_owned(), Window { from: 0.1, to: 0.9 });
        settings.self_max = Some(256);
        let edit = edit_of(parts);
        edit.spans = vec![Replaced { source: 1..2, target: 1..3 }];
        let sum = Stretch::Sum { up: 2, tokens: [(3, 0.5), (4, 0.1)].into() };
        edit.columns = Columns::of([Stretch::Own(1), sum, Stretch::Same { up: 1, from: 2, count: 3 }]);
        edit.region = Region::Words { source: vec![1], target: vec![1, 2], source_out: vec![], target_out: vec![7] };
    });
    let child = NodeId::of(Some(root), &rich, &recipe(1));
    assert_eq!(root.hex(), "6af8aaee96be6dfc724190c05b7cc5800bf742d761bcfe0b2a01b70f7aa55359");
    assert_eq!(child.hex(), "c7d372e2f75d1bf1bafc011175eece4463b4eabe4a49bde1ba17c37fd9f0de76");
}

#[test]
fn every_part_of_a_plan_and_a_recipe_but_the_models_name_changes_the_id() {
    let (root, plan) = (first("a cat"), next(&first("a cat"), "a hen"));
    let base = NodeId::of(None, &plan, &recipe(1));
    let mut ids = vec![base, NodeId::of(Some(base), &plan, &recipe(1)), NodeId::of(None, &root, &recipe(1))];
    fn from(parts: &mut PlanParts, third: Stretch) {
        let rest = |from, count| Stretch::Same { up: 1, from, count };
        edit_of(parts).columns = Columns::of([rest(0, 3), third, rest(4, 28)]);
    }
    fn sum(tokens: &[(u32, f32)]) -> Stretch {
        Stretch::Sum { up: 1, tokens: tokens.into() }
    }
    type Change = Box<dyn Fn(&mut PlanParts)>;
    let plans: Vec<Change> = vec![
        Box::new(|p| p.prompt.push('s')),
        Box::new(|p| edit_of(p).spans.push(Replaced { source: 0..0, target: 0..1 })),
        Box::new(|p| p.weights[0] = 1.5),
        Box::new(|p| p.weights.push(1.0)),
        Box::new(|p| from(p, Stretch::Own(1))),
        Box::new(|p| from(p, Stretch::Same { up: 2, from: 3, count: 1 })),
        Box::new(|p| from(p, sum(&[(4, 1.0)]))),
        Box::new(|p| from(p, sum(&[(3, 0.5)]))),
        Box::new(|p| from(p, sum(&[]))),
        Box::new(|p| edit_of(p).region = Region::As { up: 1 }),
        Box::new(|p| edit_of(p).region = Region::Given(Area::Words { tokens: vec![1] })),
        Box::new(|p| edit_of(p).region = Region::Given(Area::Rectangle { x: 1, y: 2, width: 3, height: 4 })),
        Box::new(|p| edit_of(p).region = Region::Given(Area::Rectangle { x: 1, y: 2, width: 4, height: 3 })),
        Box::new(|p| edit_of(p).region = Region::Given(Area::Mask(PixelMask::read("128x128 1 2 16381").unwrap()))),
        Box::new(|p| edit_of(p).region = Region::Given(Area::Mask(PixelMask::read("128x128 1 3 16380").unwrap()))),
    ];
    for change in plans {
        ids.push(NodeId::of(None, &changed(&plan, change), &recipe(1)));
    }
    let settings: Vec<fn(&mut TurnSettings)> = vec![
        |s| s.cross_replace_steps.from = 0.1,
        |s| s.cross_replace_steps.to = 0.1,
        |s| s.cross_words.extend([("a".to_owned(), Window::until(0.4))]),
        |s| s.self_replace_steps.to = 0.1,
        |s| s.self_max = Some(0),
        |s| s.k = 0.0,
        |s| s.blend_words.push("a".to_owned()),
        |s| s.substruct_words.push("a".to_owned()),
        |s| s.substruct_k = 0.1,
        |s| s.start_blend = 0.1,
        |s| s.v_replace_steps.to = 0.1,
        |s| s.v_mix = 0.1,
        |s| s.v_layers = crate::plan::settings::VLayers::Both,
        |s| s.weight_window = crate::plan::settings::WeightWindow::Inside,
        |s| s.alignment = crate::plan::settings::Alignment::Published,
        |s| s.blend_maps = crate::plan::settings::BlendMaps::Used,
        |s| s.blend_arithmetic = crate::plan::settings::BlendArithmetic::Mix,
        |s| s.window_rounding = crate::plan::settings::Rounding::Published,
        |s| s.renormalize = true,
        |s| s.outside = crate::plan::settings::Outside::Model,
        |s| s.region_from = crate::plan::settings::RegionFrom::Spread,
        |s| s.region_from = crate::plan::settings::RegionFrom::Text,
    ];
    for change in settings {
        let changed = changed(&plan, |p| change(Arc::make_mut(&mut p.settings)));
        ids.push(NodeId::of(None, &changed, &recipe(1)));
    }
    let recipes: Vec<fn(&mut crate::plan::Recipe)> = vec![
        |r| r.model_digest.push('0'),
        |r| r.seed = 2,
        |r| r.steps = 5,
        |r| r.guidance = 1.0,
        |r| r.width = 64,
        |r| r.height = 64,
        |r| r.negative.push('x'),
        |r| r.scheduler = SamplerName::Dpm,
        |r| r.precision = Precision::Bf16,
        |r| r.map_precision = Precision::F32,
        |r| r.origin = Origin::Photograph { picture: photograph(0), inversion: InversionName::Ddim },
        |r| r.origin = Origin::Photograph { picture: photograph(0), inversion: InversionName::NullText },
        |r| r.origin = Origin::Photograph { picture: photograph(1), inversion: InversionName::Ddim },
    ];
    for change in recipes {
        let mut changed = recipe(1);
        change(&mut changed);
        ids.push(NodeId::of(None, &plan, &changed));
    }
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all);

    let mut moved = recipe(1);
    moved.model = "/another/folder".to_owned();
    assert_eq!(NodeId::of(None, &plan, &moved), base);
    let start = |share| changed(&plan, |p| Arc::make_mut(&mut p.settings).start_blend = share);
    let (zero, minus_zero) = (start(0.0), start(-0.0));
    assert_eq!(NodeId::of(None, &zero, &recipe(1)), NodeId::of(None, &minus_zero, &recipe(1)));
}

/// A small generator for reproducible tests (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// Lives `steps` random steps and checks after each what must hold whatever was done before.
fn live(seed: u64, steps: usize) -> Life {
    let mut dice = Dice(seed * 2 + 1);
    let mut life = Life::default();
    life.root("a cat");
    // The simplest model of time: a list of everywhere we have been.
    let mut been = vec![1];
    for _ in 0..steps {
        let before = life.tree.here().unwrap();
        let nodes = life.tree.len();
        let n = 1 + dice.roll(3);
        let proposal = match dice.roll(7) {
            0 => life.tree.undo(n),
            1 => life.tree.redo(n),
            2 => life.tree.back(n),
            3 => life.tree.go(&format!("#{}", 1 + dice.roll(nodes))),
            4 => Ok(life.tree.grow_root("", vec![], first(["a cat", "a house", "a tree"][dice.roll(3)]), recipe(1))),
            _ => {
                let plan = next(&life.tree[before].plan, ["dog", "fox", "hen"][dice.roll(3)]);
                life.tree.grow(before, "", vec![], plan)
            }
        };
        let Ok(event) = proposal else {
            assert_eq!(life.tree.here(), Some(before), "a refused proposal moved something");
            continue;
        };
        let after = life.take(event);
        if after != before {
            been.push(after);
        }
        assert_eq!(life.tree.trail(), been);
        if let Some(parent) = life.tree[after].parent {
            let mut copy = Life { tree: life.tree.clone(), events: vec![] };
            assert_eq!(copy.undo(1), parent);
            assert_eq!(copy.redo(1), after, "redo after undo returns");
            assert_eq!(copy.undo(copy.tree.depth(after)), life.tree.path_to_root(after).last().unwrap().number);
            assert_eq!(copy.redo(life.tree.depth(after)), after, "redo n after undo n returns");
        }
        for number in 1..=life.tree.next_number() - 1 {
            if let Some(child) = life.tree.last_left(number) {
                assert!(life.tree.children(number).contains(&child), "redo leads to a child");
            }
        }
    }
    life
}

#[test]
fn whatever_happens_the_fold_of_the_events_is_the_living_tree() {
    for seed in 0..60 {
        let life = live(seed, 60);
        assert_eq!(life.replayed(), life.tree, "seed {seed}");
        let grown = life.events.iter().filter(|event| matches!(event, Event::Grow(_))).count();
        assert_eq!(grown, life.tree.len(), "nothing is lost");
        assert_eq!(life.tree.draw_tree().lines().count(), life.tree.len());
    }
}
