use super::*;
use crate::preview::decode;
use image::Rgb;

fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(x * 2) as u8, (y * 2) as u8, (x ^ y) as u8]))
}

fn shown(screen: &Screen, picture: &RgbImage) -> (Vec<u8>, u16) {
    let mut out = Vec::new();
    let lines = screen.show(&mut out, picture, Some(Path::new("out/1.png"))).unwrap();
    (out, lines)
}

fn screen(protocol: Protocol, columns: u16, rows: u16) -> Screen {
    Screen::new(protocol, Size { cell: Some((8, 16)), ..Size::new(columns, rows) })
}

const SIZES: [(u16, u16); 3] = [(40, 24), (80, 24), (200, 60)];

#[test]
fn kitty_sends_every_pixel_and_the_cells_to_fill() {
    for (columns, rows) in SIZES {
        let (screen, picture) = (screen(Protocol::Kitty, columns, rows), picture(128, 128));
        let (out, lines) = shown(&screen, &picture);
        let (keys, seen) = decode::kitty(&out);
        let fit = screen.fit(&picture);
        assert_eq!(seen, picture);
        assert!(keys.starts_with("a=T,f=100,q=2,C=1,i="), "{keys}");
        assert!(keys.contains(&format!(",c={},r={},", fit.columns, fit.rows)), "{keys}");
        assert_eq!(lines, fit.rows);
        assert!(fit.columns < columns && fit.rows < rows);
    }
}

#[test]
fn a_large_picture_comes_in_chunks() {
    let noisy =
        RgbImage::from_fn(200, 200, |x, y| Rgb([(x * 7919 + y * 104_729) as u8, (x * y) as u8, (x * x + y) as u8]));
    let (out, _) = shown(&screen(Protocol::Kitty, 80, 24), &noisy);
    assert!(String::from_utf8_lossy(&out).matches("m=1;").count() > 5);
    assert_eq!(decode::kitty(&out).1, noisy);
}

#[test]
fn two_pictures_have_two_names() {
    let screen = screen(Protocol::Kitty, 80, 24);
    let id = |out: Vec<u8>| decode::kitty(&out).0.split(',').find(|key| key.starts_with("i=")).unwrap().to_owned();
    assert_ne!(id(shown(&screen, &picture(8, 8)).0), id(shown(&screen, &picture(8, 8)).0));
}

#[test]
fn iterm_sends_every_pixel_and_the_cells_to_fill() {
    for (columns, rows) in SIZES {
        let (screen, picture) = (screen(Protocol::Iterm, columns, rows), picture(128, 96));
        let (width, height, seen) = decode::iterm(&shown(&screen, &picture).0);
        let fit = screen.fit(&picture);
        assert_eq!((width, height, seen), (fit.columns, fit.rows, picture));
    }
}

#[test]
fn sixel_is_as_large_as_its_cells_and_close_to_the_picture() {
    for (columns, rows) in SIZES {
        let (screen, picture) = (screen(Protocol::Sixel, columns, rows), picture(128, 128));
        let (seen, colours) = decode::sixel(&shown(&screen, &picture).0);
        let fit = screen.fit(&picture);
        assert!(seen.width() <= u32::from(fit.columns) * 8 && seen.height() <= u32::from(fit.rows) * 16);
        assert!(u32::from(fit.rows) * 16 - seen.height() < 16 && u32::from(fit.columns) * 8 - seen.width() < 16);
        assert!(colours <= 256);
        let wanted = resize(&picture, seen.width(), seen.height(), FilterType::CatmullRom);
        let squares: u64 =
            wanted.as_raw().iter().zip(seen.as_raw()).map(|(&a, &b)| u64::from(a.abs_diff(b)).pow(2)).sum();
        let mean = squares as f64 / wanted.as_raw().len() as f64;
        assert!(mean < 130.0, "{columns} columns: mean squared error {mean}");
    }
}

#[test]
fn a_picture_of_few_colours_is_exact_in_sixel_but_for_its_percents() {
    let picture = RgbImage::from_fn(300, 301, |x, y| Rgb([(x / 50 * 40) as u8, (y / 50 * 35) as u8, 77]));
    let screen = screen(Protocol::Sixel, 200, 100);
    let (seen, colours) = decode::sixel(&shown(&screen, &picture).0);
    assert_eq!((seen.dimensions(), colours), ((300, 301), 42));
    let worst = picture.as_raw().iter().zip(seen.as_raw()).map(|(&a, &b)| a.abs_diff(b)).max().unwrap();
    assert!(worst <= 2, "a channel is off by {worst}");
}

#[test]
fn sixel_uses_no_more_colours_than_the_terminal_has() {
    let screen = Screen { sixel_colours: 16, ..screen(Protocol::Sixel, 80, 24) };
    assert_eq!(decode::sixel(&shown(&screen, &picture(128, 128)).0).1, 16);
}

#[test]
fn blocks_show_the_picture_at_the_size_that_fits() {
    for (columns, rows) in SIZES {
        let (screen, picture) = (screen(Protocol::Blocks, columns, rows), picture(128, 128));
        let (out, lines) = shown(&screen, &picture);
        let seen = decode::blocks(&out);
        let fit = screen.fit(&picture);
        assert_eq!(seen.dimensions(), (u32::from(fit.columns), u32::from(fit.rows) * 2));
        assert_eq!((lines, String::from_utf8(out).unwrap().lines().count()), (fit.rows, usize::from(fit.rows)));
        assert_eq!(seen, resize(&picture, seen.width(), seen.height(), FilterType::Triangle));
    }
}

#[test]
fn a_picture_that_fits_exactly_is_shown_pixel_for_pixel() {
    let picture = picture(30, 20);
    assert_eq!(decode::blocks(&shown(&screen(Protocol::Blocks, 80, 24), &picture).0), picture);
}

#[test]
fn tmux_gets_iterm_and_sixel_wrapped_and_unwrapping_gives_them_back() {
    for protocol in [Protocol::Iterm, Protocol::Sixel] {
        let plain = screen(protocol, 80, 24);
        let wrapped = Screen { tmux: true, ..plain.clone() };
        let (out, _) = shown(&wrapped, &picture(64, 64));
        assert!(decode::find(&out, b"\x1bPtmux;\x1b\x1b").is_some());
        let unwrapped = decode::unwrap_tmux(&out);
        match protocol {
            Protocol::Iterm => assert_eq!(decode::iterm(&unwrapped).2, picture(64, 64)),
            _ => assert_eq!(decode::sixel(&unwrapped), decode::sixel(&shown(&plain, &picture(64, 64)).0)),
        }
    }
}

#[test]
fn kitty_inside_tmux_is_sent_past_it_and_placed_as_text() {
    let screen = Screen { tmux: true, ..screen(Protocol::Kitty, 80, 24) };
    let noisy = RgbImage::from_fn(100, 100, |x, y| Rgb([(x * 7919 + y * 104_729) as u8, (x * y) as u8, (x + y) as u8]));
    let (out, lines) = shown(&screen, &noisy);
    let (keys, seen) = decode::kitty(&decode::unwrap_tmux(&out));
    assert_eq!(seen, noisy);
    assert!(keys.contains("U=1"), "{keys}");
    let id: u32 = keys.split(",i=").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    // What is left without the wrapped part is text: one line a row, one placeholder a cell, the id in the colour.
    let text = String::from_utf8(out).unwrap();
    let text = &text[text.rfind("\x1b\\").unwrap() + 2..];
    let fit = screen.fit(&noisy);
    assert_eq!((text.lines().count(), lines), (usize::from(fit.rows), fit.rows));
    let colour = format!("\x1b[38;2;{};{};{}m", id >> 16, id >> 8 & 255, id & 255);
    for (row, line) in text.lines().enumerate() {
        let cells = line.strip_prefix(&colour).unwrap().strip_suffix("\x1b[39m").unwrap();
        assert_eq!(cells.chars().filter(|&c| c == kitty::PLACEHOLDER).count(), usize::from(fit.columns));
        assert_eq!(cells.chars().nth(1), Some(kitty::ROW_MARKS[row]));
    }
}

#[test]
fn without_a_protocol_only_the_path_is_written() {
    let screen = screen(Protocol::None, 80, 24);
    assert_eq!(shown(&screen, &picture(8, 8)), (b"picture: out/1.png\n".to_vec(), 1));
    let mut out = Vec::new();
    assert_eq!(screen.show(&mut out, &picture(8, 8), None).unwrap(), 0);
    screen.show(&mut out, &picture(8, 8), Some(Path::new("a\x1b[2J\nb.png"))).unwrap();
    assert_eq!(out, b"picture: a\\u001b[2J\\u000ab.png\n");
}

#[test]
fn tmux_tells_a_kitty_by_what_its_client_calls_itself() {
    for client in ["xterm-kitty", "xterm-256color kitty(0.35.2)", "xterm-ghostty ghostty 1.0.1", "xterm ghostty 1.1"] {
        assert!(is_kitty(client), "{client}");
    }
    for client in ["", "xterm-256color", "xterm-256color xterm(379)", "alacritty", "tmux-256color kittyless(1)"] {
        assert!(!is_kitty(client), "{client}");
    }
}

#[test]
fn a_picture_without_pixels_is_no_panic() {
    for protocol in [Protocol::Blocks, Protocol::Sixel, Protocol::Kitty, Protocol::Iterm] {
        let _ = screen(protocol, 80, 24).show(&mut Vec::new(), &RgbImage::new(0, 0), None);
    }
}

#[test]
fn the_size_of_a_cell_comes_from_the_windows_pixels_first_is_asked_second_and_guessed_last() {
    let xterm = Surroundings::terminal(&[("TERM", "xterm-256color"), ("XTERM_VERSION", "XTerm(390)")]);
    let told = Size::of_window((100, 40), (1200, 920)).unwrap();
    let untold = Size::of_window((100, 40), (0, 0)).unwrap();
    let cell = |size: Size, answer: Option<(u16, u16)>| {
        let ask = |_| Answers { sixel: true, sixel_colours: None, cell: answer };
        let screen = Screen::choose(PreviewChoice::Auto, false, &xterm, size, ask, || false);
        assert_eq!(screen.protocol, Protocol::Sixel);
        screen.size.cell_pixels()
    };
    assert_eq!(cell(told, Some((6, 13))), (12, 23));
    assert_eq!(cell(told, None), (12, 23));
    assert_eq!(cell(untold, Some((6, 13))), (6, 13));
    assert_eq!(cell(untold, None), (6, 12));
}

#[test]
fn a_change_of_the_font_is_followed_with_the_next_picture() {
    let xterm = Surroundings::terminal(&[("TERM", "xterm-256color"), ("XTERM_VERSION", "XTerm(390)")]);
    let size = |cells, pixels| Size::of_window(cells, pixels).unwrap();
    let ask = |_| Answers { sixel: true, sixel_colours: None, cell: Some((6, 13)) };
    let mut screen = Screen::choose(PreviewChoice::Auto, false, &xterm, size((100, 40), (0, 0)), ask, || false);
    // A window that tells its pixels is not asked.
    screen.follow(size((50, 20), (1200, 920)), || panic!("asked"));
    assert_eq!(screen.size.cell, Some((24, 46)));
    // One that does not is asked when its cells are other ones, and only then.
    screen.follow(size((50, 20), (0, 0)), || panic!("asked"));
    assert_eq!(screen.size.cell, Some((24, 46)));
    screen.follow(size((60, 24), (0, 0)), || Some((20, 40)));
    assert_eq!(screen.size.cell, Some((20, 40)));
    screen.follow(size((61, 24), (0, 0)), || None);
    assert_eq!(screen.size.cell, Some((20, 40)), "no answer changes nothing");
    // A terminal that is not known to answer is never asked.
    let mut plain = Screen::new(Protocol::Sixel, size((100, 40), (0, 0)));
    plain.follow(size((50, 20), (0, 0)), || panic!("asked"));
}
