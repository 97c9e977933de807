//! Tries a target with its corpus and with what mutation makes of it, on any toolchain and without coverage.
//!
//! `fuzz-drive TARGET CORPUS [--seconds N] [--inputs N] [--seed N]`. What ends a run is a panic, an input that takes longer
//! than a second of work, or more memory than a gibibyte; the input is then left in `fuzz/found`, to be tried again by itself.

use std::collections::HashSet;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use wordbrush_fuzz_targets::{Outcome, TARGETS, Target, target};

/// The longest that an input may take.
const LONGEST: Duration = Duration::from_secs(1);
/// The most memory that the process may have taken.
const MOST_MEMORY: u64 = 1 << 30;
/// The longest input, in bytes.
const MOST_BYTES: usize = 1 << 16;
/// The most inputs that are kept because something new came of them.
const MOST_KEPT: usize = 4096;

/// A generator of pseudo-random numbers (xorshift64*), the same on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// Numbers that are often one too many.
const NUMBERS: [&str; 14] = [
    "0",
    "1",
    "-1",
    "2",
    "255",
    "256",
    "65536",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551616",
    "1e999",
    "-0.0",
    "0.00001",
];

/// Changes an input in one to five places.
fn mutate(input: &mut Vec<u8>, kept: &[Vec<u8>], words: &[&str], dice: &mut Dice) {
    for _ in 0..=dice.below(5) {
        let at = dice.below(input.len() + 1);
        let length = 1 + dice.below(16).min(dice.below(64));
        let end = (at + length).min(input.len());
        match dice.below(12) {
            0 if at < input.len() => input[at] ^= 1 << dice.below(8),
            1 if at < input.len() => input[at] = dice.next() as u8,
            2 => drop(
                input.splice(at..at, std::iter::repeat_with(|| dice.next() as u8).take(length).collect::<Vec<_>>()),
            ),
            3 => drop(input.drain(at..end)),
            4 => {
                // Something said twice, or many times.
                let part = input[at..end].to_vec();
                let times = if dice.below(8) == 0 { 1 + dice.below(200) } else { 1 };
                input.splice(at..at, part.repeat(times));
            }
            5 | 6 if !words.is_empty() => {
                let word = words[dice.below(words.len())].bytes();
                let over = if dice.below(2) == 0 { at..at } else { at..end };
                input.splice(over, word);
            }
            7 | 8 => {
                // A piece of another input.
                let other = &kept[dice.below(kept.len())];
                let from = dice.below(other.len() + 1);
                let to = (from + 1 + dice.below(200)).min(other.len());
                input.splice(at..end, other[from..to].iter().copied());
            }
            9 => {
                // A number in place of a number.
                let digits = |from: usize| input[from..].iter().position(u8::is_ascii_digit).map(|n| from + n);
                if let Some(begin) = digits(at).or_else(|| digits(0)) {
                    let end =
                        input[begin..].iter().position(|b| !b.is_ascii_digit()).map_or(input.len(), |n| begin + n);
                    input.splice(begin..end, NUMBERS[dice.below(NUMBERS.len())].bytes());
                }
            }
            10 => input.truncate(at),
            11 if at < input.len() => {
                // Two parts change places.
                let other = dice.below(input.len());
                input.swap(at, other);
            }
            _ => {}
        }
    }
    input.truncate(MOST_BYTES);
}

/// What ended a run.
struct Fault {
    what: String,
    input: Vec<u8>,
}

struct Run<'a> {
    target: &'a Target,
    /// The input that is being tried, for whoever watches.
    current: Arc<Mutex<(Instant, Vec<u8>)>>,
    longest: Duration,
}

impl Run<'_> {
    fn try_one(&mut self, input: &[u8]) -> Result<Outcome, Fault> {
        self.try_again(input, 0)
    }

    fn try_again(&mut self, input: &[u8], again: u32) -> Result<Outcome, Fault> {
        let (begun, worked) = (Instant::now(), if again > 0 { work() } else { None });
        if let Ok(mut current) = self.current.lock() {
            current.0 = begun;
            current.1.clear();
            current.1.extend_from_slice(input);
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.target.run)(input)));
        let worked = worked.and_then(|before| Some(work()?.saturating_sub(before)));
        let took = worked.unwrap_or_else(|| begun.elapsed());
        if took <= LONGEST {
            self.longest = self.longest.max(took);
        }
        let fault = |what: String| Fault { what, input: input.to_vec() };
        match outcome {
            Err(_) => Err(fault("it panics".to_owned())),
            // A machine that is busy with other things makes anything slow: once more, and what is worked is counted.
            Ok(_) if took > LONGEST && again < 2 => self.try_again(input, again + 1),
            Ok(_) if took > LONGEST => Err(fault(format!("it takes {:.1} s", took.as_secs_f64()))),
            Ok(outcome) => Ok(outcome),
        }
    }
}

/// The time that this thread was at work, where the system tells.
fn work() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// The most memory that this process has had, in bytes, where the system tells.
fn memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

fn corpus(folder: &Path) -> std::io::Result<Vec<Vec<u8>>> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    paths.sort();
    paths.into_iter().map(std::fs::read).collect()
}

/// How long, how many, and from which number.
struct Limits {
    seconds: Option<u64>,
    inputs: Option<u64>,
    seed: u64,
}

fn drive(target: &Target, folder: &Path, limits: &Limits) -> Result<String, Fault> {
    let nothing = |error: std::io::Error| Fault { what: format!("{}: {error}", folder.display()), input: Vec::new() };
    let mut kept = corpus(folder).map_err(nothing)?;
    let mut run = Run { target, current: Arc::new(Mutex::new((Instant::now(), Vec::new()))), longest: Duration::ZERO };
    watch(target, &run.current);
    let mut seen: HashSet<Outcome> = HashSet::new();
    for input in &kept {
        seen.insert(run.try_one(input)?);
    }
    let files = kept.len() as u64;
    let (begun, mut tried) = (Instant::now(), 0u64);
    let mut dice = Dice(limits.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let goes_on = |tried: u64| match (limits.seconds, limits.inputs) {
        (None, None) => false,
        (seconds, inputs) => {
            seconds.is_none_or(|seconds| begun.elapsed() < Duration::from_secs(seconds))
                && inputs.is_none_or(|inputs| tried < inputs)
        }
    };
    while goes_on(tried) {
        let mut input = kept[dice.below(kept.len())].clone();
        mutate(&mut input, &kept, target.words, &mut dice);
        let outcome = run.try_one(&input)?;
        tried += 1;
        if seen.insert(outcome) && kept.len() < MOST_KEPT && input.len() < MOST_BYTES / 4 {
            kept.push(input);
        }
        if tried.is_multiple_of(1024) && memory().is_some_and(|bytes| bytes > MOST_MEMORY) {
            return Err(Fault { what: "it takes more than 1 GiB".to_owned(), input: Vec::new() });
        }
    }
    Ok(format!(
        "{}: {files} files and {tried} inputs in {:.0} s, {} outcomes, longest {} ms, {} MiB",
        target.name,
        begun.elapsed().as_secs_f64(),
        seen.len(),
        run.longest.as_millis(),
        memory().unwrap_or(0) >> 20
    ))
}

/// Ends the process where one input takes for ever.
fn watch(target: &Target, current: &Arc<Mutex<(Instant, Vec<u8>)>>) {
    let (name, current) = (target.name, Arc::clone(current));
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let Ok(now) = current.lock() else { return };
            if now.0.elapsed() > 10 * LONGEST && !now.1.is_empty() {
                let fault = Fault { what: "it does not end".to_owned(), input: now.1.clone() };
                let _ = writeln!(std::io::stderr(), "{}", told(name, &fault));
                std::process::exit(1);
            }
        }
    });
}

/// What is said of a fault, once its input is kept.
fn told(name: &str, fault: &Fault) -> String {
    if fault.input.is_empty() {
        return format!("{name}: {}", fault.what);
    }
    let sum =
        fault.input.iter().fold(0xcbf2_9ce4_8422_2325u64, |sum, b| (sum ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../found");
    let path = folder.join(format!("{name}-{sum:016x}"));
    let kept = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, &fault.input));
    match kept {
        Ok(()) => format!("{name}: {}; the input is in {}", fault.what, path.display()),
        Err(error) => format!("{name}: {}; the input cannot be kept: {error}", fault.what),
    }
}

fn main() -> ExitCode {
    let mut out = std::io::stdout();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1)?.parse::<u64>().ok()
    };
    let (Some(name), Some(folder)) = (words.first(), words.get(1)) else {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        let _ = writeln!(
            out,
            "fuzz-drive TARGET CORPUS [--seconds N] [--inputs N] [--seed N]\ntargets: {}",
            names.join(" ")
        );
        return ExitCode::from(2);
    };
    let Some(target) = target(name) else {
        let _ = writeln!(std::io::stderr(), "error: there is no target `{name}`");
        return ExitCode::from(2);
    };
    let limits =
        Limits { seconds: number("--seconds"), inputs: number("--inputs"), seed: number("--seed").unwrap_or(1) };
    match drive(target, Path::new(folder), &limits) {
        Ok(text) => {
            let _ = writeln!(out, "{text}");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            let _ = writeln!(std::io::stderr(), "{}", told(target.name, &fault));
            ExitCode::FAILURE
        }
    }
}
