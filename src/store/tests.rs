use super::codec::Blob;
use super::disk::RealDisk;
use super::disk::faulty::{ERRORS, Fault, FaultyDisk};
use super::*;
use std::fs;
use std::path::PathBuf;

fn key(n: u8) -> Key {
    Key::new(NodeId([n; 32]), ValueKind::Latents, usize::from(n))
}

/// `length` bytes that no other `n` has.
fn blob(n: u8, length: usize) -> Blob {
    let byte = |i: usize| u8::try_from((i * (usize::from(n) + 1) + i / 251) % 256).unwrap();
    Blob::from_u8(&[length], (0..length).map(byte).collect()).unwrap()
}

const SMALL: usize = 100;
const LARGE: usize = 40_000;

struct Shelf(tempfile::TempDir);

impl Shelf {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("fox.store")
    }

    fn open(&self) -> Store {
        self.open_as("kernels 1", 1 << 30)
    }

    fn open_as(&self, maker: &str, disk: u64) -> Store {
        Store::open(&self.folder(), maker, &Limits { ram: 1 << 20, disk }, Arc::new(RealDisk))
    }

    fn files(&self) -> Vec<PathBuf> {
        files_in(&self.folder().join("values"))
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] }).collect()
}

/// A shelf on which value 1 is small and value 2 large.
fn filled() -> Shelf {
    let shelf = Shelf::new();
    let store = shelf.open();
    store.put(key(1), blob(1, SMALL));
    store.put(key(2), blob(2, LARGE));
    store.flush();
    assert_eq!(store.take_warnings(), [""; 0]);
    shelf
}

#[test]
fn what_was_put_is_there_after_reopening_bit_for_bit() {
    let shelf = filled();
    let store = shelf.open();
    assert!(store.has(key(1)) && store.has(key(2)) && !store.has(key(3)));
    assert_eq!(store.get(key(1)).as_deref(), Some(&blob(1, SMALL)));
    assert_eq!(store.get(key(2)).as_deref(), Some(&blob(2, LARGE)));
    assert_eq!(store.get(key(2).at_layer(1)), None);
    assert_eq!(store.get(key(3)), None);
    let stats = store.stats();
    assert_eq!((stats.from_disk, stats.from_ram, stats.missing, stats.damaged), (2, 0, 2, 0));
    assert!(store.get(key(2)).is_some());
    assert_eq!(store.stats().from_ram, 1);
    assert_eq!(shelf.files().len(), 1, "small values need no file");
}

#[test]
fn keys_survive_their_bytes_and_sort_by_node_kind_step_and_layer() {
    let mut keys = Vec::new();
    for node in [0, 255] {
        for kind in ValueKind::ALL {
            keys.extend([0, 1, 256].map(|step| Key::new(NodeId([node; 32]), kind, step).at_layer(step)));
        }
    }
    assert!(keys.is_sorted());
    assert!(keys.iter().map(Key::bytes).is_sorted());
    assert!(keys.iter().all(|key| Key::from_bytes(&key.bytes()) == Some(*key)));
    assert_eq!(Key::from_bytes(&[0; 40]), None);
    assert_eq!(Key::from_bytes(&[9; 41]), None, "there is no kind 9");
}

#[test]
fn a_flipped_byte_anywhere_in_a_file_counts_as_missing_and_once() {
    let shelf = filled();
    let file = shelf.files().remove(0);
    let sound = fs::read(&file).unwrap();
    for at in [0, 4, 5, 6, 13, 14, sound.len() / 2, sound.len() - 1] {
        let store = shelf.open();
        store.put(key(2), blob(2, LARGE));
        store.flush();
        store.forget_memory();
        let mut flipped = sound.clone();
        flipped[at] ^= 0x10;
        fs::write(&file, flipped).unwrap();
        assert_eq!(store.get(key(2)), None, "byte {at}");
        assert_eq!(store.get(key(2)), None);
        assert_eq!(store.stats().damaged, 1);
        assert!(!file.exists() && !store.has(key(2)), "nothing keeps it from being made again");
        store.put(key(2), blob(2, LARGE));
        store.forget_memory();
        assert_eq!(store.get(key(2)).as_deref(), Some(&blob(2, LARGE)));
    }
    for wrong in [&sound[..100], &[], &[&sound[..], b"more"].concat()] {
        let store = shelf.open();
        fs::write(&file, wrong).unwrap();
        assert_eq!((store.get(key(2)), store.stats().damaged), (None, 1));
        store.put(key(2), blob(2, LARGE));
    }
}

#[test]
fn a_flipped_byte_anywhere_in_the_index_never_shows_a_wrong_value() {
    let shelf = filled();
    let index = shelf.folder().join("index");
    let sound: Vec<(PathBuf, Vec<u8>)> =
        files_in(&index).into_iter().map(|f| (f.clone(), fs::read(f).unwrap())).collect();
    let values: Vec<(PathBuf, Vec<u8>)> =
        shelf.files().into_iter().map(|f| (f.clone(), fs::read(f).unwrap())).collect();
    let (mut tried, mut found) = (0, 0);
    for (file, bytes) in &sound {
        // Most of a database file is padding: try where something is written, a few hundred places.
        let written: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
        for at in written.iter().step_by(written.len().div_ceil(60)) {
            fs::remove_dir_all(shelf.folder()).unwrap();
            for (file, bytes) in sound.iter().chain(&values) {
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, bytes).unwrap();
            }
            let mut flipped = bytes.clone();
            flipped[*at] ^= 0x04;
            fs::write(file, flipped).unwrap();
            let store = shelf.open();
            for (n, length) in [(1, SMALL), (2, LARGE)] {
                let got = store.get(key(n));
                assert!(got.is_none() || got.as_deref() == Some(&blob(n, length)), "byte {at} of {}", file.display());
                found += u32::from(got.is_some());
                store.put(key(n), blob(n, length));
                assert_eq!(store.get(key(n)).as_deref(), Some(&blob(n, length)));
            }
            tried += 1;
        }
    }
    assert!(tried >= 60 && found > 0, "{tried} flips, {found} values found");
}

#[test]
fn a_snapshot_of_the_index_left_unfinished_by_a_killed_process_loses_no_value() {
    for (name, bytes) in
        [("snap.00000000000C3C0C.generating", ""), ("snap.FFFFFFFFFFFFFFFF.generating", "half of a sna")]
    {
        let shelf = filled();
        fs::write(shelf.folder().join("index").join(name), bytes).unwrap();
        let store = shelf.open();
        assert_eq!(store.take_warnings(), [""; 0]);
        for (n, length) in [(1, SMALL), (2, LARGE)] {
            assert_eq!(store.get(key(n)).as_deref(), Some(&blob(n, length)), "{name}");
        }
    }
}

#[test]
fn values_of_another_kernel_family_count_as_missing_but_not_as_damaged() {
    let shelf = filled();
    let store = shelf.open_as("kernels 2", 1 << 30);
    assert!(!store.has(key(1)) && store.get(key(1)).is_none() && store.get(key(2)).is_none());
    assert_eq!(store.stats().damaged, 0);
    store.put(key(1), blob(7, SMALL));
    store.put(key(2), blob(2, LARGE));
    store.flush();
    drop(store);
    let store = shelf.open_as("kernels 2", 1 << 30);
    assert_eq!(store.get(key(1)).as_deref(), Some(&blob(7, SMALL)));
    assert_eq!(store.get(key(2)).as_deref(), Some(&blob(2, LARGE)));
}

#[test]
fn equal_values_share_one_file_until_the_last_of_them_goes() {
    let shelf = Shelf::new();
    let store = shelf.open();
    let before = store.stats().disk_bytes;
    for n in 1..=5 {
        store.put(key(n), blob(9, LARGE));
    }
    assert_eq!(shelf.files().len(), 1);
    assert!(store.stats().disk_bytes - before < 2 * LARGE as u64);
    for n in 1..=4 {
        store.put(key(n), blob(n, LARGE));
    }
    store.forget_memory();
    assert_eq!(store.get(key(5)).as_deref(), Some(&blob(9, LARGE)));
    store.put(key(5), blob(5, LARGE));
    assert_eq!(shelf.files().len(), 5, "the shared file is gone");
}

#[test]
fn over_its_disk_budget_maps_go_before_latents_and_old_before_new() {
    let shelf = Shelf::new();
    let map = |n: u8| Key::new(NodeId([n; 32]), ValueKind::Cross, 0);
    {
        let store = shelf.open_as("k", 3 * LARGE as u64 + 1000);
        store.put(key(1), blob(1, LARGE));
        store.put(map(2), blob(2, LARGE));
        store.put(map(3), blob(3, LARGE));
        assert!(store.get(map(2)).is_some(), "used just now");
        store.put(key(4), blob(4, LARGE));
        store.forget_memory();
        let there = [key(1), map(2), map(3), key(4)].map(|key| store.get(key).is_some());
        assert_eq!(there, [true, true, false, true]);
        assert_eq!(shelf.files().len(), 3);
        store.flush();
    }
    let store = shelf.open_as("k", LARGE as u64 + 1000);
    store.put(key(5), blob(5, LARGE));
    assert_eq!(shelf.files().len(), 1, "a smaller budget holds for what was there before");
    assert!(store.stats().disk_bytes <= LARGE as u64 + 1000);
    store.put(key(6), blob(6, 2 * LARGE));
    assert!(store.get(key(6)).is_some(), "in memory at least");
    assert_eq!(shelf.files().len(), 1, "what is larger than the budget is not written");
}

#[test]
fn over_its_memory_budget_values_come_from_disk() {
    let shelf = Shelf::new();
    let limits = Limits { ram: 2 * LARGE as u64 + 1000, disk: 1 << 30 };
    let store = Store::open(&shelf.folder(), "k", &limits, Arc::new(RealDisk));
    (1..=5).for_each(|n| store.put(key(n), blob(n, LARGE)));
    assert!(store.stats().ram_bytes <= limits.ram);
    (1..=5).for_each(|n| assert_eq!(store.get(key(n)).as_deref(), Some(&blob(n, LARGE))));
    assert!(store.stats().from_disk >= 3 && store.stats().missing == 0);
    let memory = Store::in_memory(&limits);
    (1..=5).for_each(|n| memory.put(key(n), blob(n, LARGE)));
    assert_eq!([1, 2, 3, 4, 5].map(|n| memory.get(key(n)).is_some()), [false, false, false, true, true]);
}

#[test]
fn deleting_the_folder_under_an_open_store_breaks_nothing() {
    let shelf = filled();
    let store = shelf.open();
    assert!(store.get(key(1)).is_some());
    fs::remove_dir_all(shelf.folder()).unwrap();
    store.forget_memory();
    assert_eq!(store.get(key(2)), None);
    for n in 3..30 {
        store.put(key(n), blob(n, LARGE));
        store.put(key(n).at_layer(1), blob(n, SMALL));
        store.flush();
    }
    for n in 3..30 {
        assert_eq!(store.get(key(n)).as_deref(), Some(&blob(n, LARGE)));
    }
    drop(store);
    let store = shelf.open();
    store.put(key(1), blob(1, LARGE));
    store.flush();
    store.forget_memory();
    assert_eq!(store.get(key(1)).as_deref(), Some(&blob(1, LARGE)), "the next one starts afresh");
}

#[test]
fn deleting_part_of_the_store_loses_that_part_only() {
    let shelf = filled();
    fs::remove_dir_all(shelf.folder().join("values")).unwrap();
    let store = shelf.open();
    assert_eq!(store.get(key(2)), None);
    assert_eq!(store.get(key(1)).as_deref(), Some(&blob(1, SMALL)));
    assert_eq!(store.stats().damaged, 0);
    store.put(key(2), blob(2, LARGE));
    store.flush();
    drop(store);
    fs::remove_dir_all(shelf.folder().join("index")).unwrap();
    let store = shelf.open();
    assert_eq!((store.get(key(1)), store.get(key(2))), (None, None));
    store.put(key(3), blob(3, LARGE));
    assert_eq!(shelf.files().len(), 1, "files that no entry names are removed");
}

#[test]
fn a_second_process_on_the_same_store_works_in_memory_and_says_so_once() {
    let shelf = filled();
    let _first = shelf.open();
    let second = shelf.open();
    let warnings = second.take_warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("kept in memory only") && warnings[0].contains("another process has it"),
        "{warnings:?}"
    );
    second.put(key(5), blob(5, LARGE));
    assert!(second.get(key(5)).is_some() && !second.is_on_disk());
    second.flush();
    assert_eq!(second.take_warnings(), [""; 0]);
}

#[test]
fn a_ruined_database_is_begun_anew_or_left_alone_but_never_ends_the_program() {
    for ruin in [&b"not a database"[..], &[0xff; 5000], &[]] {
        let shelf = filled();
        for file in files_in(&shelf.folder().join("index")) {
            fs::write(file, ruin).unwrap();
        }
        let store = shelf.open();
        assert_eq!(store.get(key(1)), None);
        store.put(key(1), blob(1, SMALL));
        store.put(key(2), blob(2, LARGE));
        store.flush();
        assert_eq!(store.get(key(2)).as_deref(), Some(&blob(2, LARGE)));
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_a_warning() {
    let shelf = Shelf::new();
    fs::write(shelf.folder(), "a file is in the way").unwrap();
    let store = shelf.open();
    assert_eq!(store.take_warnings().len(), 1);
    store.put(key(1), blob(1, SMALL));
    assert!(store.get(key(1)).is_some());
}

#[test]
fn a_disk_that_fails_at_any_operation_costs_one_warning_and_no_value() {
    let faults = [Fault::Refuse, Fault::Half, Fault::HalfForGood];
    for (fault, said) in faults.into_iter().flat_map(|fault| ERRORS.map(|error| (fault, error))) {
        for at in 0.. {
            let shelf = Shelf::new();
            let disk = Arc::new(FaultyDisk::new(at, fault).saying(said));
            let store =
                Store::open(&shelf.folder(), "kernels 1", &Limits::default(), Arc::clone(&disk) as Arc<dyn Disk>);
            (1..=3).for_each(|n| store.put(key(n), blob(n, LARGE)));
            store.flush();
            (1..=3).for_each(|n| assert_eq!(store.get(key(n)).as_deref(), Some(&blob(n, LARGE))));
            let struck = disk.count() > at;
            assert!(store.take_warnings().len() <= 1);
            drop(store);
            let store = shelf.open();
            for n in 1..=3 {
                let got = store.get(key(n));
                assert!(got.is_none() || got.as_deref() == Some(&blob(n, LARGE)));
            }
            assert_eq!((store.stats().damaged, store.take_warnings().len()), (0, 0), "operation {at}, {fault:?}");
            if !struck {
                break;
            }
        }
    }
}

#[test]
fn a_full_disk_stops_writing_but_not_reading() {
    let shelf = filled();
    let store =
        Store::open(&shelf.folder(), "kernels 1", &Limits::default(), Arc::new(FaultyDisk::new(1, Fault::HalfForGood)));
    store.put(key(3), blob(3, LARGE));
    let warnings = store.take_warnings();
    assert!(warnings.len() == 1 && warnings[0].contains("No space left"), "{warnings:?}");
    assert!(!store.is_on_disk());
    assert_eq!(store.get(key(2)).as_deref(), Some(&blob(2, LARGE)));
    assert_eq!(store.get(key(3)).as_deref(), Some(&blob(3, LARGE)));
}

#[test]
fn many_threads_may_put_and_get_at_once() {
    let shelf = Shelf::new();
    let store = &shelf.open();
    std::thread::scope(|scope| {
        for n in 0..8u8 {
            scope.spawn(move || {
                for step in 0..20 {
                    let key = Key::new(NodeId([n; 32]), ValueKind::Cross, step);
                    store.put(key, blob(n, LARGE / 2));
                    assert_eq!(store.get(key).as_deref(), Some(&blob(n, LARGE / 2)));
                }
            });
        }
    });
    assert_eq!(store.take_warnings(), [""; 0]);
}
