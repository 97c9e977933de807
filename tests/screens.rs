//! Real screens: xterm with Sixel, tmux with half blocks, a page in a browser; what they show is compared with the file.
//!
//! These tests need other programs, so they are ignored; `.ci/screens` installs those and runs them, and says which it
//! had to leave out.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly anywhere")]
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use image::imageops::{FilterType, resize};
use image::{Rgb, RgbImage};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_wordbrush");

/// The longest that anything waited for may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A home with the session `fox`: a picture and an edit of it.
struct Home {
    folder: TempDir,
}

impl Home {
    fn new(lines: &[&str]) -> Self {
        let home = Self { folder: tempfile::tempdir().unwrap() };
        let mut command = Command::new(PROGRAM);
        command.args(["run", "-", "--set", "steps=4", "--session"]).arg(home.at("fox.jsonl"));
        command.arg("--out").arg(home.at("fox.pictures")).current_dir(home.folder.path());
        command.env("WORDBRUSH_HOME", home.folder.path()).env("XDG_CONFIG_HOME", home.at("config"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        home
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn picture(&self, node: u32) -> RgbImage {
        image::open(self.at(&format!("fox.pictures/{node:04}.png"))).unwrap().to_rgb8()
    }
}

/// A child that does not outlive its test.
struct Kept(Child);

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks again and again until there is an answer.
#[track_caller]
fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} did not come about");
        std::thread::sleep(Duration::from_millis(250));
    }
}

/// The best place of `part` in `whole`, and how near it is there, in dB.
fn find(whole: &RgbImage, part: &RgbImage) -> ((u32, u32), f64) {
    let (width, height) = part.dimensions();
    if whole.width() < width || whole.height() < height {
        return ((0, 0), 0.0);
    }
    let off = |x: u32, y: u32, (dx, dy): (u32, u32)| -> u64 {
        let (a, b) = (whole.get_pixel(x + dx, y + dy).0, part.get_pixel(dx, dy).0);
        a.iter().zip(b).map(|(&p, q)| u64::from(p.abs_diff(q)).pow(2)).sum()
    };
    // A few points tell most places apart; whoever is not worse than the best so far is measured whole.
    let points: Vec<(u32, u32)> =
        (0..8).flat_map(|i| (0..8).map(move |j| ((2 * i + 1) * width / 16, (2 * j + 1) * height / 16))).collect();
    let mut best = ((0, 0), u64::MAX);
    for y in 0..=whole.height() - height {
        for x in 0..=whole.width() - width {
            let mut sum = 0;
            for point in &points {
                sum += off(x, y, *point);
                if sum >= best.1 {
                    break;
                }
            }
            if sum < best.1 {
                best = ((x, y), sum);
            }
        }
    }
    let (x, y) = best.0;
    let all: u64 = (0..height).flat_map(|dy| (0..width).map(move |dx| (dx, dy))).map(|p| off(x, y, p)).sum();
    let mean = all as f64 / f64::from(width * height * 3);
    (best.0, 10.0 * (255.0f64.powi(2) / mean.max(1e-9)).log10())
}

/// A virtual X server, whose picture lies in a file.
struct Server {
    _server: Kept,
    display: String,
    folder: TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("Xvfb");
        command
            .args(["-displayfd", "1", "-screen", "0", "900x900x24", "-nolisten", "tcp", "-fbdir"])
            .arg(folder.path());
        let mut server = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("Xvfb is installed");
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Self { _server: Kept(server), display: format!(":{}", number.trim()), folder }
    }

    /// What is on the screen.
    fn shot(&self) -> RgbImage {
        let bytes = std::fs::read(self.folder.path().join("Xvfb_screen0")).unwrap();
        let word = |n: usize| u32::from_be_bytes(bytes[4 * n..4 * n + 4].try_into().unwrap()) as usize;
        // The X window dump: length of the header, …, width, height, …, bits of a pixel, bytes of a line, …, colours.
        let (header, width, height, bits, line, colours) = (word(0), word(4), word(5), word(11), word(12), word(19));
        assert_eq!(bits, 32);
        let data = &bytes[header + 12 * colours..];
        RgbImage::from_fn(width as u32, height as u32, |x, y| {
            let at = y as usize * line + 4 * x as usize;
            Rgb([data[at + 2], data[at + 1], data[at]])
        })
    }

    fn type_line(&self, line: &str) {
        let xdotool = |args: &[&str]| {
            assert!(Command::new("xdotool").args(args).env("DISPLAY", &self.display).status().unwrap().success());
        };
        xdotool(&["mousemove", "200", "200"]);
        xdotool(&["type", "--delay", "30", line]);
        xdotool(&["key", "Return"]);
    }
}

fn in_xterm(server: &Server, home: &Home, args: &[&str]) -> Kept {
    let mut command = Command::new("xterm");
    command.args(["-ti", "vt340", "-geometry", "100x60+0+0", "-bg", "black", "-fg", "white", "-e", PROGRAM]).args(args);
    command.env("DISPLAY", &server.display).env("WORDBRUSH_HOME", home.folder.path());
    command.env("XDG_CONFIG_HOME", home.at("config")).env_remove("NO_COLOR").env_remove("TMUX").env_remove("STY");
    for name in ["SSH_CONNECTION", "KITTY_WINDOW_ID", "TERM_PROGRAM", "LC_TERMINAL", "KONSOLE_VERSION"] {
        command.env_remove(name);
    }
    Kept(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("xterm is installed"))
}

#[test]
#[ignore = "needs xterm, Xvfb and xdotool: .ci/screens"]
fn xterm_shows_the_picture_and_the_thumbnails_of_the_tree_by_sixel() {
    let home = Home::new(&["a woman's face with long blond hair", "blond -> red"]);
    let server = Server::start();
    let _xterm = in_xterm(&server, &home, &["open", "fox"]);
    // Nothing is forced: the program asks xterm whether it knows Sixel.
    let large = resize(&home.picture(2), 256, 256, FilterType::CatmullRom);
    let psnr = wait_for("the picture", || Some(find(&server.shot(), &large).1).filter(|psnr| *psnr > 30.0));
    writeln!(std::io::stderr(), "xterm shows the picture with a PSNR of {psnr:.1} dB").unwrap();

    server.type_line("/tree");
    // Six lines of twelve pixels, which is assumed where the terminal does not say, or of the thirteen of its usual font.
    // The picture of the parent stands nowhere else.
    let sized = |side: u32| resize(&home.picture(1), side, side, FilterType::CatmullRom);
    let small = [sized(72), sized(78)];
    let found = wait_for("a thumbnail", || {
        let shot = server.shot();
        let (place, psnr) = small.iter().map(|s| find(&shot, s)).max_by(|a, b| a.1.total_cmp(&b.1))?;
        (psnr > 28.0).then_some((place, psnr, shot))
    });
    let ((x, y), psnr, shot) = found;
    writeln!(std::io::stderr(), "xterm shows the tree's thumbnail at {x}, {y} with a PSNR of {psnr:.1} dB").unwrap();
    // To its right stands text, white on black.
    let bright = |x: u32, y: u32| shot.get_pixel(x, y).0.iter().all(|c| *c > 150);
    assert!((x + 80..x + 400).any(|x| (y..y + 13).any(|y| bright(x, y))), "no text beside the thumbnail");
    keep(&shot, "xterm-tree.png");
}

/// Keeps a screenshot for people, if the environment names a folder for them.
fn keep(shot: &RgbImage, name: &str) {
    if let Some(folder) = std::env::var_os("WORDBRUSH_SHOTS") {
        shot.save(Path::new(&folder).join(name)).unwrap();
    }
}

/// A tmux server of its own with one window.
struct Tmux {
    socket: PathBuf,
    _folder: TempDir,
}

impl Tmux {
    fn start(home: &Home, (columns, rows): (u16, u16), args: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tmux = Self { socket: folder.path().join("tmux"), _folder: folder };
        let command = format!("exec {PROGRAM} {args}");
        let size = (columns.to_string(), rows.to_string());
        let mut start = tmux.command();
        start.args(["-f", "/dev/null", "new-session", "-d", "-x", &size.0, "-y", &size.1, &command]);
        start.env("WORDBRUSH_HOME", home.folder.path()).env("XDG_CONFIG_HOME", home.at("config"));
        start.env("PAGER", "cat").env("COLORTERM", "truecolor").env("TERM", "xterm-256color").env_remove("NO_COLOR");
        for name in ["TERM_PROGRAM", "LC_TERMINAL", "KITTY_WINDOW_ID", "GHOSTTY_RESOURCES_DIR", "STY", "TMUX"] {
            start.env_remove(name);
        }
        assert!(start.status().expect("tmux is installed").success());
        tmux
    }

    fn command(&self) -> Command {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(&self.socket);
        command
    }

    fn type_line(&self, line: &str) {
        assert!(self.command().args(["send-keys", "-l", line]).status().unwrap().success());
        assert!(self.command().args(["send-keys", "Enter"]).status().unwrap().success());
    }

    /// The window's text, from the beginning, with colours as escape sequences if asked for.
    fn text(&self, coloured: bool) -> String {
        let mut command = self.command();
        command.args(["capture-pane", "-p", "-S", "-"]);
        if coloured {
            command.arg("-e");
        }
        String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned()
    }

    #[track_caller]
    fn sees(&self, wanted: &str) -> String {
        wait_for(wanted, || Some(self.text(false)).filter(|text| text.contains(wanted)))
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = self.command().arg("kill-server").status();
    }
}

/// The pixels of the half blocks of coloured lines: two for each cell, one above the other.
fn pixels(text: &str) -> Vec<Vec<([u8; 3], [u8; 3])>> {
    let mut rows = Vec::new();
    let (mut above, mut below) = ([0; 3], [0; 3]);
    for line in text.lines() {
        let mut row = Vec::new();
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("\u{1b}[") {
                let end = after.find(|c: char| c.is_ascii_alphabetic()).unwrap();
                let codes: Vec<u8> = after[..end].split([';', ':']).map(|n| n.parse().unwrap_or(0)).collect();
                let mut at = 0;
                while at < codes.len() {
                    match codes[at..] {
                        [38, 2, r, g, b, ..] => (above, at) = ([r, g, b], at + 4),
                        [48, 2, r, g, b, ..] => (below, at) = ([r, g, b], at + 4),
                        _ => {}
                    }
                    at += 1;
                }
                rest = &after[end + 1..];
                continue;
            }
            match c {
                '▀' => row.push((above, below)),
                '▄' => row.push((below, above)),
                _ => {}
            }
            rest = &rest[c.len_utf8()..];
        }
        if !row.is_empty() {
            rows.push(row);
        }
    }
    rows
}

#[test]
#[ignore = "needs tmux: .ci/screens"]
fn tmux_shows_the_half_blocks_of_the_picture_in_its_colours() {
    let home = Home::new(&["a woman's face with long blond hair"]);
    for (columns, rows) in [(40, 30), (80, 24), (120, 40), (200, 60)] {
        // As it is found out, by viuer; and by our own encoder, which shows every pixel as it is.
        for (args, exact) in [("open fox", false), ("open fox --preview blocks", true)] {
            let tmux = Tmux::start(&home, (columns, rows), args);
            tmux.sees("\n1 ›");
            let seen = pixels(&tmux.text(true));
            assert!(!seen.is_empty(), "no blocks:\n{}", tmux.text(false));
            let (width, height) = (seen[0].len() as u32, 2 * seen.len() as u32);
            let wanted = resize(&home.picture(1), width, height, FilterType::Triangle);
            assert!(width.abs_diff(height) <= 1, "{columns} x {rows}: a square picture is square");
            assert!(width < u32::from(columns) && height / 2 < u32::from(rows) && width >= 39, "{width} x {height}");
            let mut squares = 0.0;
            for (y, row) in seen.iter().enumerate() {
                for (x, (above, below)) in row.iter().enumerate() {
                    let at = |down: u32| wanted.get_pixel(x as u32, 2 * y as u32 + down).0;
                    assert!(!exact || (*above, *below) == (at(0), at(1)), "{columns} x {rows}, cell {x}, {y}");
                    let off = |a: &[u8; 3], b: [u8; 3]| -> f64 {
                        a.iter().zip(b).map(|(p, q)| f64::from(p.abs_diff(q)).powi(2)).sum()
                    };
                    squares += off(above, at(0)) + off(below, at(1));
                }
            }
            let psnr = 10.0 * (255.0f64.powi(2) / (squares / f64::from(3 * width * height)).max(1e-9)).log10();
            assert!(psnr > 28.0, "{columns} x {rows}: {psnr:.1} dB");
            tmux.type_line("/quit");
        }
    }
}

#[test]
#[ignore = "needs tmux: .ci/screens"]
fn in_tmux_a_tree_stands_beside_its_thumbnails_and_no_line_wraps_at_any_width() {
    let lines = ["a woman's face with long blond hair", "blond -> red", "+ with round glasses", "#2", "+ at night"];
    let home = Home::new(&lines);
    for columns in [40, 80, 120, 200] {
        let tmux = Tmux::start(&home, (columns, 40), "open fox");
        tmux.sees("\n4 ›");
        tmux.type_line("/tree");
        let text = wait_for("the tree", || {
            Some(tmux.text(false)).filter(|t| t.split("← here").nth(1).is_some_and(|rest| rest.contains("\n4 ›")))
        });
        let tree = &text[text.rfind("/tree").unwrap()..];
        for label in ["▀ #1 a woman's face", "└─▀", "▀ #2 blond → red", "├─▀", "▀ #3 + \"with", "▀ #4 + \"at night\""]
        {
            assert!(tree.contains(label), "{columns}: `{label}` is missing:\n{tree}");
        }
        // A line that wrapped would begin with blocks that nothing ties to the tree.
        assert!(!tree.lines().any(|line| line.starts_with('▀')), "{columns}:\n{tree}");
        let blocks = tree.lines().filter(|line| line.contains('▀')).count();
        assert_eq!(blocks % 4, 0, "{columns}: four nodes of equal height:\n{tree}");
        tmux.type_line("/help");
        let help = tmux.sees("/help all");
        assert!(help[help.rfind("/help\n").unwrap_or(0)..].contains("/compare"), "{help}");
        tmux.type_line("/quit");
    }
}

#[test]
#[ignore = "needs tmux: .ci/screens"]
fn plain_mode_in_tmux_is_text_alone() {
    let home = Home::new(&["a cat on a beach", "cat -> dog"]);
    let tmux = Tmux::start(&home, (60, 24), "open fox --plain");
    tmux.sees("\n2 >");
    tmux.type_line("/tree");
    let text = tmux.sees("← here");
    assert!(text.contains("  #1 a cat on a beach\n  └─#2 cat → dog      ← here"), "{text}");
    assert!(text.contains("picture: ") && !text.contains('▀'), "{text}");
    tmux.type_line("/quit");
}

#[test]
#[ignore = "needs chromium: .ci/screens"]
fn a_browser_shows_every_picture_of_the_exported_page_and_none_of_its_text_as_markup() {
    let lines = [
        "/name <b>Two</b> cats",
        "a cat on a beach",
        "cat -> <i>dog</i>",
        "#1",
        "+ at night",
        "/export html tree.html",
    ];
    let home = Home::new(&lines);
    let shot = home.at("page.png");
    let mut command = Command::new("chromium");
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=900,900"]);
    command.args(["--host-resolver-rules=MAP * ~NOTFOUND", "--force-color-profile=srgb"]);
    command.arg(format!("--user-data-dir={}", home.at("browser").display()));
    command.arg(format!("--screenshot={}", shot.display())).arg(format!("file://{}", home.at("tree.html").display()));
    let output = command.output().expect("chromium is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shot = image::open(&shot).unwrap().to_rgb8();
    keep(&shot, "page.png");
    let mut tops = Vec::new();
    for node in 1..=3 {
        // Its corners are round.
        let inner = image::imageops::crop_imm(&home.picture(node), 4, 4, 120, 120).to_image();
        let ((x, y), psnr) = find(&shot, &inner);
        assert!(psnr > 60.0, "#{node} is not on the page: {psnr:.1} dB at best");
        tops.push((y, x));
    }
    assert!(tops.is_sorted() && tops[1].1 > tops[0].1 && tops[2].1 == tops[1].1, "the tree is set in: {tops:?}");
    let dom = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
        .arg(format!("--user-data-dir={}", home.at("browser").display()))
        .arg(format!("file://{}", home.at("tree.html").display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&dom.stdout).into_owned();
    assert_eq!((dom.matches("<article ").count(), dom.matches("<img ").count()), (3, 3));
    assert!(dom.contains("&lt;i&gt;dog&lt;/i&gt;") && !dom.contains("<i>") && !dom.contains("<b>"), "{dom}");
    assert!(!dom.contains("http://") && !dom.contains("https://"), "nothing leads outside");
}
