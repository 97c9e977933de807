//! Completion of the command line for shells.

use anyhow::Result;

use super::verbs::{COMMON, VERBS, Verb};
use crate::session::file::Hinted;

/// The script for a shell: `bash`, `zsh` or `fish`.
///
/// # Errors
/// Fails for another shell.
pub fn script(shell: &str) -> Result<String> {
    match shell {
        "bash" => Ok(bash()),
        "zsh" => Ok(format!("#compdef wordbrush\nautoload -U +X bashcompinit && bashcompinit\n{}", bash())),
        "fish" => Ok(fish()),
        _ => Err(Hinted::new(format!("there are no completions for `{shell}`"), "bash, zsh or fish").into()),
    }
}

/// The options of a verb, with their dashes.
fn options(verb: &Verb) -> Vec<String> {
    verb.switches.iter().chain(verb.valued).chain(COMMON).map(|o| format!("--{o}")).collect()
}

fn verbs() -> Vec<&'static str> {
    VERBS.iter().map(|v| v.name).filter(|name| !name.is_empty()).collect()
}

/// What follows an option or a verb, if it is one of a few words.
const FIXED: [(&str, &str); 6] = [
    ("--preview", "kitty iterm sixel blocks none auto"),
    ("--precision", "f32 bf16"),
    ("completions", "bash zsh fish"),
    ("export", "png gif html json"),
    ("cache", "clear"),
    ("study", "cycles"),
];

fn bash() -> String {
    let mut out = String::from(
        "# wordbrush completions; put this where your shell looks for them, or: source <(wordbrush completions bash)\n\
         _wordbrush() {\n\
         \x20   local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]} options\n\
         \x20   COMPREPLY=()\n\
         \x20   case $before in\n",
    );
    for (after, words) in FIXED {
        out.push_str(&format!("        {after}) COMPREPLY=($(compgen -W '{words}' -- \"$word\")); return ;;\n"));
    }
    out.push_str("    esac\n    case $verb in\n");
    for verb in VERBS.iter().filter(|v| !v.name.is_empty()) {
        out.push_str(&format!("        {}) options='{}' ;;\n", verb.name, options(verb).join(" ")));
    }
    let start = VERBS.first().map(options).unwrap_or_default().join(" ");
    out.push_str(&format!("        *) options='{start}' ;;\n    esac\n"));
    out.push_str("    if [[ $word == -* ]]; then COMPREPLY=($(compgen -W \"$options\" -- \"$word\")); return; fi\n");
    out.push_str("    if [[ $COMP_CWORD == 1 ]]; then COMPREPLY=($(compgen -W '");
    out.push_str(&verbs().join(" "));
    out.push_str("' -- \"$word\")); return; fi\n");
    out.push_str("    COMPREPLY=($(compgen -f -- \"$word\"))\n}\ncomplete -o filenames -F _wordbrush wordbrush\n");
    out
}

fn fish() -> String {
    let mut out = String::from("# wordbrush completions; put this into ~/.config/fish/completions/wordbrush.fish\n");
    let names = verbs().join(" ");
    out.push_str(&format!("complete -c wordbrush -n 'not __fish_seen_subcommand_from {names}' -f -a '{names}'\n"));
    for verb in VERBS {
        let when = match verb.name {
            "" => format!("not __fish_seen_subcommand_from {names}"),
            name => format!("__fish_seen_subcommand_from {name}"),
        };
        for switch in verb.switches {
            out.push_str(&format!("complete -c wordbrush -n '{when}' -l {switch}\n"));
        }
        for valued in verb.valued.iter().chain(COMMON) {
            let fixed = FIXED.iter().find(|f| f.0 == format!("--{valued}"));
            let words = fixed.map_or(String::new(), |f| format!(" -f -a '{}'", f.1));
            out.push_str(&format!("complete -c wordbrush -n '{when}' -l {valued} -r{words}\n"));
        }
        if let Some((_, words)) = FIXED.iter().find(|f| f.0 == verb.name) {
            out.push_str(&format!("complete -c wordbrush -n '{when}' -f -a '{words}'\n"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_and_option_is_in_every_script() {
        for shell in ["bash", "zsh", "fish"] {
            let script = script(shell).unwrap();
            for verb in VERBS {
                assert!(script.contains(verb.name), "{shell} lacks {}", verb.name);
                for option in verb.switches.iter().chain(verb.valued).chain(COMMON) {
                    let dashed = if shell == "fish" { format!("-l {option}") } else { format!("--{option}") };
                    assert!(script.contains(&dashed), "{shell} lacks {option}");
                }
            }
        }
        assert!(script("tcsh").is_err());
    }

    #[test]
    #[cfg(unix)]
    fn bash_takes_the_script_and_completes_a_verb_and_an_option() {
        let program = format!(
            "{}\nCOMP_WORDS=(wordbrush expl); COMP_CWORD=1; _wordbrush; echo \"${{COMPREPLY[@]}}\"\n\
             COMP_WORDS=(wordbrush run --js); COMP_CWORD=2; _wordbrush; echo \"${{COMPREPLY[@]}}\"\n\
             COMP_WORDS=(wordbrush --preview si); COMP_CWORD=2; _wordbrush; echo \"${{COMPREPLY[@]}}\"\n",
            script("bash").unwrap()
        );
        let Ok(output) = std::process::Command::new("bash").args(["--norc", "-c", &program]).output() else {
            return; // no bash here
        };
        assert_eq!(String::from_utf8_lossy(&output.stdout), "explain\n--json\nsixel\n");
    }
}
