//! What the program says of its command line, made from the table of verbs: help, the manual page, completion for shells.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::builder::StyledStr;
use clap::{Arg, Command};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::{Args, verbs};
use crate::plan::settings::TABLE;
use crate::repl::commands::{COMMANDS, Group};
use crate::repl::fold::fold;
use crate::repl::help::WORDS;

/// Options that the first help page names; a verb's own help names all of its.
const FIRST: [&str; 4] = ["model", "set", "out", "device"];

/// A page of help fits a screen of 24 lines with the next prompt below.
const LINES: usize = 23;

/// The table, with the options of every verb in every verb.
fn built() -> Command {
    let mut tree = verbs::tree();
    tree.build();
    tree
}

/// `--help`, or that of a verb; each fits a screen of 80 x 24.
pub(super) fn help(verb: &str) -> String {
    let tree = built();
    tree.find_subcommand(verb).map_or_else(|| page(&tree), one)
}

fn page(tree: &Command) -> String {
    let about = text(tree.get_about());
    let mut lines = vec![format!("wordbrush: {about}. Alone: a conversation")];
    for verb in tree.get_subcommands() {
        let typed = usage(verb);
        let about = text(verb.get_about());
        lines.push(format!("  {:<34} {about}", typed.trim_start_matches("wordbrush ")));
    }
    lines.push(String::new());
    lines.extend(FIRST.iter().filter_map(|name| tree.get_arguments().find(|arg| arg.get_id() == name)).map(line));
    lines.push("`wordbrush VERB --help` says more. Exit status: 0 well, 1 not, 2 could not start".to_owned());
    lines.join("\n")
}

fn one(verb: &Command) -> String {
    let options = verb.get_arguments().filter(|arg| arg.get_long().is_some() && arg.get_id() != "help");
    let (everywhere, own): (Vec<&Arg>, Vec<&Arg>) = options.partition(|arg| arg.is_global_set());
    let own: Vec<String> = own.into_iter().map(line).collect();
    let whole = with_options(verb, &[own.clone(), everywhere.iter().map(|arg| line(arg)).collect()].concat());
    if whole.lines().count() <= LINES {
        return whole;
    }
    with_options(verb, &[own, vec![in_one_line(&everywhere)]].concat())
}

fn with_options(verb: &Command, options: &[String]) -> String {
    let example = text(verb.get_after_help());
    let said = fold(&format!("  {}", said_of(verb)), 79, 0);
    format!("{}\n\n{said}\n\n{}\n\nexample: {example}", usage(verb), options.join("\n"))
}

/// Options that every verb takes, by their names alone.
fn in_one_line(everywhere: &[&Arg]) -> String {
    let names: Vec<String> =
        everywhere.iter().filter_map(|arg| arg.get_long()).map(|name| format!("--{name}")).collect();
    format!("  as every verb: {}", names.join(", "))
}

/// `wordbrush run SCRIPT [--json]`.
fn usage(command: &Command) -> String {
    text(command.get_overridden_usage())
}

/// What a verb does, and what else there is to know.
fn said_of(verb: &Command) -> String {
    let more = text(verb.get_long_about());
    format!("{}. {more}", capital(&text(verb.get_about())))
}

/// `--out DIR`.
fn typed(option: &Arg) -> String {
    let value = option.get_value_names().filter(|_| option.get_action().takes_values());
    let value = value.and_then(|names| names.first()).map(|name| format!(" {name}")).unwrap_or_default();
    let short = option.get_short().map(|letter| format!("-{letter}, ")).unwrap_or_default();
    format!("{short}--{}{value}", option.get_long().unwrap_or_default())
}

fn line(option: &Arg) -> String {
    let about = text(option.get_help());
    format!("  {:<18} {about}", typed(option))
}

fn text(said: Option<&StyledStr>) -> String {
    said.map(ToString::to_string).unwrap_or_default()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// `wordbrush completions SHELL`.
///
/// # Errors
/// Fails if it cannot be written.
pub(super) fn completions(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    out.write_all(&script(*args.needed("SHELL")?))?;
    Ok(ExitCode::SUCCESS)
}

fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut verbs::tree(), "wordbrush", &mut script);
    script
}

/// `wordbrush man`.
///
/// # Errors
/// Fails if it cannot be written.
pub(super) fn manual(_: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    write!(out, "{}", page_of_manual()?)?;
    Ok(ExitCode::SUCCESS)
}

/// The manual page in roff, from the tables of verbs, options, commands and settings.
fn page_of_manual() -> Result<String> {
    let tree = built();
    let mut page = Vec::new();
    // A date of nothing is not written, and what follows would be taken for it.
    Man::new(of_all_verbs(&tree)).title("WORDBRUSH").date(" ").manual("User Commands").render(&mut page)?;
    let mut rest = Roff::new();
    rest.control("SH", ["VERBS"]);
    for verb in tree.get_subcommands() {
        item(&mut rest, &usage(verb), &said_of(verb));
        let own = verb.get_arguments().filter(|arg| arg.get_long().is_some() && !arg.is_global_set());
        let own: Vec<String> = own.map(typed).collect();
        if !own.is_empty() {
            rest.text([roman(format!("Options: {}.", own.join(", ")))]).control("br", []);
        }
        rest.text([roman(format!("Example: {}", text(verb.get_after_help())))]);
    }
    rest.control("SH", ["WHAT MAY BE TYPED"]);
    for (typed, meaning) in WORDS.lines().filter_map(|line| line.trim_start().split_once("  ")) {
        item(&mut rest, typed, &format!("{}.", capital(meaning.trim_start())));
    }
    for group in Group::ALL {
        rest.control("SS", [group.title()]);
        for entry in COMMANDS.iter().filter(|entry| entry.group == group) {
            let typed = format!("/{} {}", entry.name, entry.signature);
            item(&mut rest, typed.trim_end(), &format!("{}. Example: {}", entry.help, entry.example));
        }
    }
    rest.control("SH", ["SETTINGS"]).text([roman("For /set, --set, the configuration file and sweeps.")]);
    for setting in TABLE {
        let alias = if setting.alias.is_empty() { String::new() } else { format!(" ({})", setting.alias) };
        item(&mut rest, &format!("{}{alias}", setting.name), &format!("{}: {}", setting.values, setting.meaning));
    }
    for (title, rows) in [("FILES", FILES), ("ENVIRONMENT", ENVIRONMENT), ("EXIT STATUS", STATUS)] {
        rest.control("SH", [title]);
        rows.iter().for_each(|(term, meaning)| item(&mut rest, term, meaning));
    }
    Ok(String::from_utf8(page)? + &rest.render())
}

/// One command that takes the options of every verb, in the forms of all: what the first sections of the manual tell.
fn of_all_verbs(tree: &Command) -> Command {
    let usages: Vec<String> = std::iter::once(tree).chain(tree.get_subcommands()).map(usage).collect();
    let mut all = Command::new("wordbrush").override_usage(usages.join("\n")).version(env!("CARGO_PKG_VERSION"));
    all = all.disable_help_flag(true).disable_version_flag(true);
    all = all.about(text(tree.get_about())).long_about(text(tree.get_long_about()));
    for arg in std::iter::once(tree).chain(tree.get_subcommands()).flat_map(Command::get_arguments) {
        if arg.get_long().is_some() && all.get_arguments().all(|known| known.get_id() != arg.get_id()) {
            let about = capital(&text(arg.get_help()));
            let everywhere = if arg.is_global_set() { " Every verb takes it." } else { "" };
            all = all.arg(arg.clone().help(format!("{about}.{everywhere}")).required(false));
        }
    }
    all
}

/// A term and what it means.
fn item(page: &mut Roff, term: &str, meaning: &str) {
    // The three dots in one are no character of ASCII, in which a manual page is written.
    page.control("TP", []).text([bold(term)]).text([roman(meaning.replace('…', "..."))]);
}

const FILES: &[(&str, &str)] = &[
    ("~/.local/share/wordbrush/sessions/", "Sessions, unless WORDBRUSH_HOME or XDG_DATA_HOME says otherwise."),
    ("~/.config/wordbrush/config.toml", "Settings to begin with, preview, plain, cache_ram and cache_disk."),
];

const ENVIRONMENT: &[(&str, &str)] = &[
    ("WORDBRUSH_HOME", "The folder of the sessions."),
    ("RAYON_NUM_THREADS", "Threads of the kernels; the pictures are the same."),
    ("WORDBRUSH_KERNELS", "Kernels to use instead of the best ones: plain, avx2, avx512f, avx512 or amx."),
    ("HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE", "For models fetched by name."),
    ("NO_COLOR", "No colours."),
    ("PAGER", "What shows texts that are longer than the screen, less if it is not set; nothing if it is empty."),
    ("VISUAL, EDITOR", "What Ctrl-X Ctrl-E opens on the line."),
    ("INPUTRC", "Where readline is set to the keys of vi, if it is; ~/.inputrc otherwise."),
    ("TZ", "Where you are, for the dates of sessions."),
    ("SSL_CERT_FILE, SSL_CERT_DIR", "Certificates that are believed in place of those in the program."),
];

const STATUS: &[(&str, &str)] = &[
    ("0", "All went well."),
    ("1", "A line ended in an error or an open question, a comparison differs, or a sweep was stopped."),
    ("2", "It could not start: a wrong option or setting, or a file or model that cannot be read."),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The first page's command, and every verb's.
    fn everyone() -> Vec<Command> {
        let tree = built();
        std::iter::once(tree.clone()).chain(tree.get_subcommands().cloned()).collect()
    }

    fn options(command: &Command) -> impl Iterator<Item = &Arg> {
        command.get_arguments().filter(|arg| arg.get_long().is_some())
    }

    #[test]
    fn every_page_of_help_fits_a_screen_with_the_next_prompt_below() {
        for verb in everyone() {
            let page = help(verb.get_name());
            let lines: Vec<&str> = page.lines().collect();
            assert!(lines.len() <= LINES, "`{}` has {} lines", verb.get_name(), lines.len());
            let wide = lines.iter().find(|line| line.chars().count() > 80);
            assert_eq!(wide, None, "`{}`", verb.get_name());
        }
    }

    #[test]
    fn the_first_page_names_every_verb_and_a_verbs_page_every_option_it_takes() {
        for verb in &everyone()[1..] {
            let page = help(verb.get_name());
            assert!(help("").contains(&format!("  {}", verb.get_name())), "{}", verb.get_name());
            for option in options(verb).filter(|option| option.get_id() != "help") {
                let about = text(option.get_help());
                let by_name = option.is_global_set() && page.contains("  as every verb: ");
                let told = if by_name { format!(" --{}", option.get_long().unwrap()) } else { line(option) };
                assert!(!about.is_empty() && page.contains(&told), "{} {}", verb.get_name(), typed(option));
            }
        }
    }

    #[test]
    fn every_row_says_what_it_does_and_its_example_can_be_read() {
        for verb in &everyone()[1..] {
            let about = text(verb.get_about());
            assert!(!about.is_empty() && usage(verb).starts_with(&format!("wordbrush {}", verb.get_name())));
            let example = text(verb.get_after_help());
            let Some(words) = example.strip_prefix("wordbrush ").map(|rest| rest.split(" > ").next().unwrap_or(rest))
            else {
                continue; // what a shell reads in its own way
            };
            let words: Vec<&str> = words.split('"').enumerate().flat_map(|(i, part)| words_of(i, part)).collect();
            let read = verbs::tree().try_get_matches_from(std::iter::once("wordbrush").chain(words));
            assert!(read.is_ok(), "{example}: {:?}", read.err());
        }
    }

    /// Words outside quotes; what is inside is one.
    fn words_of(part: usize, text: &str) -> Vec<&str> {
        if part % 2 == 1 { vec![text] } else { text.split_whitespace().collect() }
    }

    #[test]
    fn the_manual_names_every_verb_option_command_and_setting() {
        let page = page_of_manual().unwrap();
        let has = |term: &str| assert!(page.contains(&term.replace('-', "\\-")), "the manual lacks {term}");
        for command in everyone() {
            has(&format!("\n\\fBwordbrush\\fR{}\n", usage(&command).trim_start_matches("wordbrush")));
            options(&command).for_each(|option| has(&format!("\\fB--{}\\fR", option.get_long().unwrap())));
        }
        COMMANDS.iter().for_each(|entry| has(&format!("\n\\fB/{}", entry.name)));
        TABLE.iter().for_each(|setting| has(&format!("\n\\fB{}", setting.name)));
        assert!(page.contains("\n.TH WORDBRUSH 1 \" \" \"wordbrush "));
        assert!(page.contains(".SH NAME\nwordbrush \\- ")); // what `apropos` reads
    }

    #[test]
    #[cfg(unix)]
    fn groff_formats_the_manual_without_a_warning() {
        use std::process::{Command, Stdio};
        let mut command = Command::new("groff");
        command.args(["-man", "-ww", "-Tascii"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let Ok(mut groff) = command.spawn() else { return }; // no groff here
        let page = page_of_manual().unwrap();
        assert!(page.is_ascii());
        let mut input = groff.stdin.take().unwrap();
        let writer = std::thread::spawn(move || input.write_all(page.as_bytes()));
        let output = groff.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert!(String::from_utf8_lossy(&output.stdout).contains("WORDBRUSH(1)"));
    }

    #[test]
    fn every_verb_and_option_is_in_every_script() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = String::from_utf8(script(shell)).unwrap();
            for command in everyone() {
                assert!(script.contains(command.get_name()), "{shell} lacks {}", command.get_name());
                for option in options(&command).filter_map(Arg::get_long) {
                    let dashed = if shell == Shell::Fish { format!("-l {option}") } else { format!("--{option}") };
                    assert!(script.contains(&dashed), "{shell} lacks {option}");
                }
            }
        }
    }

    #[test]
    #[cfg(unix)]
    fn bash_takes_the_script_and_completes_a_verb_an_option_and_its_value() {
        let mut program = String::from_utf8(script(Shell::Bash)).unwrap();
        for (words, before, word) in [
            ("wordbrush", "wordbrush", "expl"),
            ("wordbrush run", "run", "--js"),
            ("wordbrush --preview", "--preview", "si"),
        ] {
            let count = words.split(' ').count();
            program.push_str(&format!(
                "\nCOMP_WORDS=({words} {word}); COMP_CWORD={count}; _wordbrush wordbrush '{word}' '{before}'; \
                 echo \"${{COMPREPLY[@]}}\"\n"
            ));
        }
        let Ok(output) = std::process::Command::new("bash").args(["--norc", "-c", &program]).output() else {
            return; // no bash here
        };
        assert_eq!(String::from_utf8_lossy(&output.stdout), "explain\n--json\nsixel\n");
    }
}
