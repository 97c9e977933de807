//! What the program says of its command line: the help page, a verb's help, and the manual page.

use super::fold::fold;
use super::help::WORDS;
use super::verbs::{COMMON, Choice, OPTIONS, VERBS, Verb, option, verb};
use crate::plan::settings::TABLE;
use crate::repl::commands::{COMMANDS, Group};

/// Options that the first help page names; a verb's own help names all of its.
const FIRST: [&str; 5] = ["model", "set", "out", "preview", "plain"];

/// `--help`, or that of a verb; each fits a screen of 80 x 24.
#[must_use]
pub fn help(name: &str) -> String {
    if name.is_empty() { page() } else { one(verb(name)) }
}

fn page() -> String {
    let mut lines =
        vec!["wordbrush: edit pictures by rewording their prompts. Alone: a conversation".to_owned(), String::new()];
    for verb in VERBS.iter().filter(|verb| !verb.name.is_empty()) {
        lines.push(format!("  {:<34} {}", format!("{} {}", verb.name, verb.usage).trim_end(), verb.about));
    }
    lines.push(String::new());
    lines.extend(FIRST.iter().filter_map(|name| option(name)).map(option_line));
    lines.push("`wordbrush VERB --help` says more. Exit status: 0 well, 1 not, 2 could not start".to_owned());
    lines.join("\n")
}

fn option_line(option: &Choice) -> String {
    format!("  {:<18} {}", option.typed(), option.about)
}

fn one(verb: &Verb) -> String {
    let mut lines = vec![verb.synopsis(), String::new()];
    let about = format!("{}. {}", capital(verb.about), verb.more);
    let about = about.split_whitespace().collect::<Vec<_>>().join(" ");
    lines.push(fold(&format!("  {about}"), 79, 0));
    lines.push(String::new());
    lines.extend(verb.own_options().filter(|option| option.name != "help").map(option_line));
    lines.extend(COMMON.iter().filter_map(|name| option(name)).map(option_line));
    lines.push(format!("\nexample: {}", verb.example));
    lines.join("\n")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Text as roff has it: no character of it is taken for markup, and a minus stays one.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-").replace('…', "...");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

/// A term and what it means.
fn item(term: &str, meaning: &str) -> String {
    format!(".TP\n\\fB{}\\fR\n{}\n", roff(term), roff(meaning))
}

/// The manual page in roff, from the tables of verbs, options, commands and settings.
#[must_use]
pub fn man() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut out = format!(".TH WORDBRUSH 1 \"\" \"wordbrush {version}\" \"User Commands\"\n.nh\n");
    out.push_str(".SH NAME\nwordbrush \\- edit pictures by rewording their prompts\n.SH SYNOPSIS\n");
    for verb in VERBS {
        out.push_str(&format!(".B {}\n.br\n", roff(&verb.synopsis())));
    }
    out.push_str(
        ".SH DESCRIPTION\nDraws a picture from words, and when the words change it changes the picture where they changed and keeps the \
         rest.\nEvery picture stays in a tree: one can go back, branch off and compare.\nAn edit taken back by words gives back the same \
         picture, bit for bit.\n",
    );
    out.push_str(".SH VERBS\n");
    for verb in VERBS {
        let own: Vec<String> = verb.own_options().map(Choice::typed).collect();
        out.push_str(&item(&verb.synopsis(), &format!("{}. {}", capital(verb.about), verb.more)));
        out.push_str(&format!("Options: {}.\n.br\nExample: {}\n", roff(&own.join(", ")), roff(verb.example)));
    }
    out.push_str(".SH OPTIONS\n");
    for option in OPTIONS {
        let everywhere = if COMMON.contains(&option.name) { " Every verb takes it." } else { "" };
        out.push_str(&item(&option.typed(), &format!("{}.{everywhere}", capital(option.about))));
    }
    out.push_str(".SH WHAT MAY BE TYPED\n");
    for (typed, meaning) in WORDS.lines().filter_map(|line| line.trim_start().split_once("  ")) {
        out.push_str(&item(typed, &format!("{}.", capital(meaning.trim_start()))));
    }
    for group in Group::ALL {
        out.push_str(&format!(".SS {}\n", roff(group.title())));
        for entry in COMMANDS.iter().filter(|entry| entry.group == group) {
            let typed = format!("/{} {}", entry.name, entry.signature);
            out.push_str(&item(typed.trim_end(), &format!("{}. Example: {}", entry.help, entry.example)));
        }
    }
    out.push_str(".SH SETTINGS\nFor /set, \\-\\-set, the configuration file and sweeps.\n");
    for setting in TABLE {
        let alias = if setting.alias.is_empty() { String::new() } else { format!(" ({})", setting.alias) };
        out.push_str(&item(&format!("{}{alias}", setting.name), &format!("{}: {}", setting.values, setting.meaning)));
    }
    for (title, rows) in [("FILES", FILES), ("ENVIRONMENT", ENVIRONMENT), ("EXIT STATUS", STATUS)] {
        out.push_str(&format!(".SH {title}\n"));
        rows.iter().for_each(|(term, meaning)| out.push_str(&item(term, meaning)));
    }
    out
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
];

const STATUS: &[(&str, &str)] = &[
    ("0", "All went well."),
    ("1", "A line ended in an error or an open question, a comparison differs, or a sweep was stopped."),
    ("2", "It could not start: a wrong option or setting, or a file or model that cannot be read."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_of_help_fits_a_screen_with_the_next_prompt_below() {
        for verb in VERBS {
            let page = help(verb.name);
            let lines: Vec<&str> = page.lines().collect();
            assert!(lines.len() <= 23, "`{}` has {} lines", verb.name, lines.len());
            let wide = lines.iter().find(|line| line.chars().count() > 80);
            assert_eq!(wide, None, "`{}`", verb.name);
        }
    }

    #[test]
    fn the_first_page_names_every_verb_and_a_verbs_page_every_option_it_takes() {
        for verb in VERBS {
            assert!(help("").contains(&format!("  {}", verb.name)), "{}", verb.name);
            let own = verb.valued.iter().chain(verb.switches).chain(COMMON);
            for name in own.filter(|name| !["help", "version"].contains(name)) {
                let option = option(name).unwrap_or_else(|| panic!("`--{name}` has no line in the table"));
                assert_eq!(verb.valued.contains(name) || COMMON.contains(name), !option.value.is_empty(), "{name}");
                assert!(verb.name.is_empty() || help(verb.name).contains(&option.typed()), "{} {name}", verb.name);
            }
        }
        for option in OPTIONS {
            let taken = |verb: &Verb| verb.own_options().any(|own| own.name == option.name);
            assert!(COMMON.contains(&option.name) || VERBS.iter().any(taken), "nobody takes `--{}`", option.name);
        }
    }

    #[test]
    fn the_manual_names_every_verb_option_command_and_setting() {
        let page = man();
        let has = |term: &str| assert!(page.contains(&format!("\n\\fB{}", roff(term))), "the manual lacks {term}");
        VERBS.iter().for_each(|verb| has(&verb.synopsis()));
        OPTIONS.iter().for_each(|option| has(&option.typed()));
        COMMANDS.iter().for_each(|entry| has(&format!("/{}", entry.name)));
        TABLE.iter().for_each(|setting| has(setting.name));
    }

    #[test]
    fn every_line_of_the_manual_is_text_or_one_of_the_few_requests() {
        let page = man();
        assert!(page.starts_with(".TH WORDBRUSH 1 "));
        for (number, line) in page.lines().enumerate() {
            let request = line.split(' ').next().unwrap_or_default();
            let is_text = !line.starts_with(['.', '\'']);
            assert!(is_text || [".TH", ".nh", ".SH", ".SS", ".TP", ".B", ".br"].contains(&request), "{number}: {line}");
            assert!(!line.is_empty() && line.is_ascii(), "{number}: {line}");
            assert_eq!(line.matches("\\fB").count(), line.matches("\\fR").count(), "{number}: {line}");
            let escapes = line.match_indices('\\').map(|(at, _)| line[at + 1..].chars().next());
            let known = |c: Option<char>| c.is_some_and(|c| "fe-&".contains(c));
            assert!(escapes.into_iter().all(known), "{number}: {line}");
        }
        assert!(page.contains(".SH NAME\nwordbrush \\- ")); // what `apropos` reads
    }

    #[test]
    #[cfg(unix)]
    fn groff_formats_the_manual_without_a_warning() {
        use std::io::Write;
        use std::process::{Command, Stdio};
        let mut command = Command::new("groff");
        command.args(["-man", "-ww", "-Tascii"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let Ok(mut groff) = command.spawn() else { return }; // no groff here
        let page = man();
        let mut input = groff.stdin.take().unwrap();
        let writer = std::thread::spawn(move || input.write_all(page.as_bytes()));
        let output = groff.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert!(String::from_utf8_lossy(&output.stdout).contains("WORDBRUSH(1)"));
    }
}
