use super::*;
use crate::preview::ask::Answers;
use crate::preview::size::Size;
use crate::preview::terminal::Screen;
use image::RgbImage;
use std::path::Path;

fn no_answer(_: bool) -> Answers {
    panic!("the terminal was asked")
}

fn no_tmux() -> bool {
    panic!("tmux was asked")
}

/// What `auto` chooses where nothing may be asked.
#[track_caller]
fn auto(variables: &[(&str, &str)], expected: Protocol) {
    let screen = Screen::choose(
        PreviewChoice::Auto,
        false,
        &Surroundings::terminal(variables),
        Size::new(80, 24),
        no_answer,
        no_tmux,
    );
    assert_eq!(screen.protocol, expected, "{variables:?}");
}

#[test]
fn the_environment_tells_what_a_terminal_can_do() {
    auto(&[("TERM", "xterm-256color")], Protocol::Blocks);
    auto(&[("TERM", "linux")], Protocol::Blocks);
    auto(&[("TERM", "dumb")], Protocol::None);
    auto(&[], Protocol::None);
    auto(&[("TERM", "xterm-kitty"), ("SSH_CONNECTION", "x")], Protocol::Kitty);
    auto(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "ghostty")], Protocol::Kitty);
    auto(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")], Protocol::Iterm);
    auto(&[("TERM", "xterm-256color"), ("LC_TERMINAL", "iTerm2"), ("SSH_CONNECTION", "x")], Protocol::Iterm);
    auto(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "WezTerm")], Protocol::Iterm);
    auto(&[("TERM", "xterm-256color"), ("KONSOLE_VERSION", "250801")], Protocol::Iterm);
    auto(&[("TERM", "foot"), ("SSH_CONNECTION", "x")], Protocol::Sixel);
    auto(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "Apple_Terminal")], Protocol::Blocks);
    auto(&[("TERM", "screen.xterm"), ("STY", "1.x"), ("KITTY_WINDOW_ID", "1")], Protocol::Blocks);
    // An xterm that was started from within kitty.
    auto(
        &[("TERM", "xterm"), ("KITTY_WINDOW_ID", "1"), ("XTERM_VERSION", "XTerm(379)"), ("SSH_CONNECTION", "x")],
        Protocol::Blocks,
    );
}

#[test]
fn what_names_another_terminal_outweighs_a_variable_that_may_be_inherited() {
    let kitty = ("KITTY_WINDOW_ID", "1");
    auto(&[("TERM", "xterm-256color"), kitty], Protocol::Kitty);
    for term in ["alacritty", "alacritty-direct", "st-256color", "rxvt-unicode-256color", "linux", "vt220", "eterm"] {
        auto(&[("TERM", term), kitty], Protocol::Blocks);
        auto(&[("TERM", term), ("KONSOLE_VERSION", "250801")], Protocol::Blocks);
        auto(&[("TERM", term), ("TERM_PROGRAM", "iTerm.app")], Protocol::Blocks);
    }
    for other in [
        ("VTE_VERSION", "7600"),
        ("ALACRITTY_WINDOW_ID", "9"),
        ("KONSOLE_VERSION", "250801"),
        ("WT_SESSION", "x"),
        ("TERMINAL_EMULATOR", "JetBrains-JediTerm"),
        ("TERM_PROGRAM", "vscode"),
        ("TERM_PROGRAM", "Apple_Terminal"),
        ("TERM_PROGRAM", "iTerm.app"),
    ] {
        auto(&[("TERM", "xterm-256color"), kitty, other], Protocol::Blocks);
    }
    // The terminal itself says what it is, whatever it was started from.
    let far = ("SSH_CONNECTION", "x"); // so that it is not asked
    auto(&[("TERM", "xterm-kitty"), ("VTE_VERSION", "7600"), ("KONSOLE_VERSION", "1"), far], Protocol::Kitty);
    auto(&[("TERM", "foot"), kitty, far], Protocol::Sixel);
    auto(&[("TERM", "xterm-256color"), kitty, ("TERM_PROGRAM", "kitty")], Protocol::Kitty);
}

#[test]
fn a_locale_that_is_not_utf_8_gets_no_half_blocks() {
    let term = ("TERM", "xterm-256color");
    for (variables, is_utf8) in [
        (&[term][..], true),
        (&[term, ("LANG", "de_DE.UTF-8")], true),
        (&[term, ("LANG", "C.utf8")], true),
        (&[term, ("LANG", "de_DE.UTF-8"), ("LC_ALL", "C")], false),
        (&[term, ("LANG", "de_DE.ISO-8859-1")], false),
        (&[term, ("LANG", "C"), ("LC_CTYPE", "en_US.UTF-8")], true),
        (&[term, ("LANG", "POSIX")], false),
    ] {
        assert_eq!(Surroundings::terminal(variables).is_utf8(), is_utf8, "{variables:?}");
        auto(variables, if is_utf8 { Protocol::Blocks } else { Protocol::None });
    }
}

#[test]
fn an_xterm_is_asked_and_believed() {
    let surroundings = Surroundings::terminal(&[("TERM", "xterm"), ("XTERM_VERSION", "XTerm(379)")]);
    let answer = Answers { sixel: true, sixel_colours: Some(16), cell: Some((6, 13)) };
    let yes = Screen::choose(PreviewChoice::Auto, false, &surroundings, Size::new(80, 24), |_| answer, no_tmux);
    assert_eq!((yes.protocol, yes.sixel_colours, yes.size.cell), (Protocol::Sixel, 16, Some((6, 13))));
    let silent =
        Screen::choose(PreviewChoice::Auto, false, &surroundings, Size::new(80, 24), |_| Answers::default(), no_tmux);
    assert_eq!((silent.protocol, silent.sixel_colours), (Protocol::Blocks, 256));
}

#[test]
fn inside_tmux_it_is_blocks_unless_kitty_is_let_through() {
    let kitty = [("TERM", "tmux-256color"), ("TMUX", "/tmp/x"), ("KITTY_WINDOW_ID", "1"), ("TERM_PROGRAM", "tmux")];
    for (variables, passthrough, expected) in [
        (&kitty[..], true, (Protocol::Kitty, true)),
        (&kitty, false, (Protocol::Blocks, false)),
        // The client's terminal counts, not what the server's environment was.
        (&[("TERM", "screen-256color"), ("TMUX", "/tmp/x"), ("TERM_PROGRAM", "tmux")], true, (Protocol::Kitty, true)),
        (&[("TERM", "tmux-256color"), ("TMUX", "/tmp/x"), ("LC_TERMINAL", "iTerm2")], false, (Protocol::Blocks, false)),
    ] {
        let surroundings = Surroundings::terminal(variables);
        let screen =
            Screen::choose(PreviewChoice::Auto, false, &surroundings, Size::new(80, 24), no_answer, || passthrough);
        assert_eq!((screen.protocol, screen.tmux), expected, "{variables:?}, passthrough {passthrough}");
    }
}

#[test]
fn a_forced_protocol_is_wrapped_inside_tmux() {
    let surroundings = Surroundings::terminal(&[("TERM", "tmux-256color"), ("TMUX", "/tmp/x")]);
    for (protocol, wrapped) in
        [(Protocol::Kitty, true), (Protocol::Sixel, true), (Protocol::Iterm, true), (Protocol::Blocks, false)]
    {
        let choice = PreviewChoice::Forced(protocol);
        let screen = Screen::choose(choice, false, &surroundings, Size::new(80, 24), no_answer, no_tmux);
        assert_eq!((screen.protocol, screen.tmux), (protocol, wrapped));
    }
}

#[test]
fn into_a_pipe_goes_no_escape_whatever_was_asked_for() {
    for choice in ["auto", "kitty", "iterm", "sixel", "blocks", "none"] {
        let surroundings = Surroundings::terminal(&[("TERM", "xterm-kitty"), ("COLORTERM", "truecolor")]).piped();
        let choice = choice.parse().unwrap();
        let screen = Screen::choose(choice, false, &surroundings, Size::new(80, 24), no_answer, no_tmux);
        let mut out = Vec::new();
        screen.show(&mut out, &RgbImage::new(8, 8), Some(Path::new("out/1.png"))).unwrap();
        assert_eq!(out, b"picture: out/1.png\n");
    }
}

#[test]
fn no_color_and_plain_mean_no_picture_unless_one_is_forced() {
    let kitty = ("TERM", "xterm-kitty");
    let choose = |choice, plain, variables: &[(&str, &str)]| {
        let surroundings = Surroundings::terminal(variables);
        Screen::choose(choice, plain, &surroundings, Size::new(80, 24), |_| Answers::default(), no_tmux).protocol
    };
    assert_eq!(choose(PreviewChoice::Auto, true, &[kitty]), Protocol::None);
    assert_eq!(choose(PreviewChoice::Auto, false, &[kitty, ("NO_COLOR", "1")]), Protocol::None);
    assert_eq!(choose(PreviewChoice::Auto, false, &[kitty, ("NO_COLOR", "")]), Protocol::Kitty);
    assert_eq!(choose(PreviewChoice::Forced(Protocol::Blocks), false, &[kitty, ("NO_COLOR", "1")]), Protocol::Blocks);
}

#[test]
fn true_colour_is_used_only_where_it_is_promised() {
    for (variables, expected) in [
        (&[("COLORTERM", "truecolor")][..], Colours::True),
        (&[("COLORTERM", "24bit")], Colours::True),
        (&[("TERM", "xterm-direct")], Colours::True),
        (&[("COLORTERM", "yes")], Colours::Palette256),
        (&[], Colours::Palette256),
    ] {
        assert_eq!(Surroundings::terminal(variables).colours(), expected, "{variables:?}");
    }
}

#[test]
fn an_unknown_preview_names_the_known_ones() {
    let error = "pixel\x1b".parse::<PreviewChoice>().unwrap_err();
    assert!(error.starts_with("`pixel\\u001b` is not") && error.contains("sixel"), "{error}");
}
