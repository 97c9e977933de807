//! A turn while it runs, for the person who waits: what was understood, the bar, the picture forming, and Ctrl-C.

use std::io::Write;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use candle_core::Tensor;
use image::RgbImage;

use super::fold::fold;
use super::stop::Stop;
use super::talk::Watcher;
use crate::preview::form::{Latent, LatentColours};
use crate::preview::live::{Live, enlarge};
use crate::preview::progress::{Manner, spoken, time_left};
use crate::preview::size::Size;
use crate::preview::terminal::Screen;
use crate::safe::{cells, cut, printable, printable_line};
use crate::turn::Change;

/// Turns longer than this are announced.
const LONG: Duration = Duration::from_secs(60);

/// Pixels of the picture per cell of the latent, across and down.
const PIXELS_PER_CELL: u32 = 8;

/// Maps from latents to colours, for the models that we have one for.
pub struct LatentPreview {
    embedded: Option<LatentColours>,
    stable_diffusion: LatentColours,
}

impl Default for LatentPreview {
    fn default() -> Self {
        let embedded: Option<LatentColours> = serde_json::from_str(include_str!("../../assets/latent_rgb.json")).ok();
        Self { embedded: embedded.map(from_unit), stable_diffusion: LatentColours::stable_diffusion_1() }
    }
}

/// A map whose colours lie between 0 and 1, as one whose colours lie between -1 and 1.
fn from_unit(mut map: LatentColours) -> LatentColours {
    map.weights.iter_mut().flatten().for_each(|w| *w *= 2.0);
    map.bias.iter_mut().for_each(|b| *b = 2.0 * *b - 1.0);
    map
}

impl LatentPreview {
    /// The picture that a latent `[height, width, channels]` is on its way to, a pixel a cell; `None` if no map fits.
    #[must_use]
    pub fn picture(&self, latent: &Tensor) -> Option<RgbImage> {
        let (height, width, channels) = latent.dims3().ok()?;
        let maps = [self.embedded.as_ref(), Some(&self.stable_diffusion)];
        let map = maps.into_iter().flatten().find(|map| map.weights.len() == channels)?;
        let values = latent.permute((2, 0, 1)).ok()?.flatten_all().ok()?.to_vec1::<f32>().ok()?;
        map.picture(Latent { values: &values, width, height }).ok()
    }
}

/// Watches a turn and shows it.
pub struct TurnView<'a> {
    out: &'a mut dyn Write,
    screen: &'a Screen,
    manner: Manner,
    forming: &'a LatentPreview,
    stop: &'a Stop,
    /// How long a turn took before, if any did.
    expected: Option<Duration>,
    begun: Instant,
    first_step: Option<Instant>,
    announced: bool,
    live: Option<Live>,
    /// Whether a line about a fetch stands on the screen.
    fetching: bool,
    /// How large the window is by now; `None` where it stays as it is.
    size: Option<fn() -> Size>,
    /// Whether what was understood is told even where it is a new picture: not at the first, which was just typed.
    tells_start: bool,
    /// Steps of a lesson that were made before.
    learned_before: Option<usize>,
    /// How often the program had been stopped and gone on with when something was last drawn.
    resumed: u32,
}

impl<'a> TurnView<'a> {
    /// A view of the turn that begins now. `expected` is how long the last one took.
    pub fn new(
        out: &'a mut dyn Write,
        (screen, manner): (&'a Screen, Manner),
        forming: &'a LatentPreview,
        stop: &'a Stop,
        expected: Option<Duration>,
        tells_start: bool,
    ) -> Self {
        let begun = Instant::now();
        Self {
            out,
            screen,
            manner,
            forming,
            stop,
            expected,
            begun,
            first_step: None,
            announced: false,
            live: None,
            fetching: false,
            size: None,
            tells_start,
            learned_before: None,
            resumed: stop.resumed(),
        }
    }

    /// The same in a window whose size may change; `size` says what it is.
    #[must_use]
    pub fn following(mut self, size: fn() -> Size) -> Self {
        self.size = Some(size);
        self
    }

    /// Takes bar and picture off the screen.
    pub fn finish(mut self) {
        self.begin_anew();
        if let Some(mut live) = self.live.take() {
            if let Some(size) = self.size {
                let _ = live.resize(self.out, size());
            }
            let _ = live.finish(self.out);
        }
        if (self.fetching || self.stop.is_asked()) && self.manner == Manner::Bar {
            let _ = self.out.write_all(b"\r\x1b[K").and_then(|()| self.out.flush());
        }
    }

    /// After the program was stopped and gone on with, nothing of what was drawn before is touched: a shell has been there.
    fn begin_anew(&mut self) {
        let resumed = self.stop.resumed();
        if std::mem::replace(&mut self.resumed, resumed) != resumed
            && let Some(live) = &mut self.live
        {
            live.begin_anew();
        }
    }

    fn announce(&mut self, time: Duration) {
        self.announced = true;
        let _ = writeln!(self.out, "  this takes about {} · Ctrl-C stops it", spoken(time));
        let _ = self.out.flush();
    }
}

impl Watcher for TurnView<'_> {
    fn understood(&mut self, changes: &[Change]) {
        let starts = matches!(changes, [Change::Start { .. }]);
        if !starts || self.tells_start {
            for line in understood_lines(changes, self.screen.size.columns) {
                let _ = writeln!(self.out, "{line}");
            }
        }
        if let Some(time) = self.expected.filter(|time| *time >= LONG) {
            self.announce(time);
        }
        let _ = self.out.flush();
        self.begun = Instant::now();
    }

    fn predicted(&mut self, text: &str) {
        let _ = writeln!(self.out, "{}", printable(text)).and_then(|()| self.out.flush());
        self.begun = Instant::now();
    }

    fn fetching(&mut self, line: &str) -> ControlFlow<()> {
        let room = usize::from(self.screen.size.columns).saturating_sub(1);
        let line = format!("  {line}");
        let line = cut(&line, room);
        // A progress that cannot be shown is no reason to stop.
        let _ = match self.manner {
            Manner::Bar => write!(self.out, "\r{line}\x1b[K").and_then(|()| self.out.flush()),
            Manner::Line if !self.fetching => writeln!(self.out, "{line}"),
            Manner::Line | Manner::Silent => Ok(()),
        };
        self.fetching = true;
        if self.stop.is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn learning(&mut self, done: usize, all: usize, _error: f64) -> ControlFlow<()> {
        if self.stop.is_asked() {
            return ControlFlow::Break(());
        }
        self.begin_anew();
        // Those that were made before say nothing of the pace.
        let before = *self.learned_before.get_or_insert(done.saturating_sub(1));
        let (screen, manner, begun) = (self.screen, self.manner, self.begun);
        let live = self.live.get_or_insert_with(|| Live::start(screen, "learning", manner, begun));
        if let Some(size) = self.size {
            let _ = live.resize(self.out, size());
        }
        let _ = live.step(self.out, done - before, all - before, None, Instant::now());
        if done == all {
            // What follows is drawn, and has a bar of its own.
            let live = self.live.take();
            let _ = live.map(|live| live.finish(self.out));
            (self.begun, self.announced) = (Instant::now(), false);
        }
        ControlFlow::Continue(())
    }

    fn step(&mut self, done: usize, all: usize, latent: &Tensor) -> ControlFlow<()> {
        if self.stop.is_asked() {
            return ControlFlow::Break(());
        }
        self.begin_anew();
        let now = Instant::now();
        match self.first_step {
            None => self.first_step = Some(now),
            // The first step may have waited for weights or ancestors; the second tells how long one takes.
            Some(first) if !self.announced => {
                self.announced = true;
                let left = time_left(done.saturating_sub(1), all.saturating_sub(1), now - first);
                if let Some(left) = left.filter(|left| *left >= LONG) {
                    if let Some(live) = self.live.take() {
                        let _ = live.finish(self.out);
                    }
                    self.announce(left);
                }
            }
            Some(_) => {}
        }
        let (screen, manner, begun) = (self.screen, self.manner, self.begun);
        let live = self.live.get_or_insert_with(|| Live::start(screen, "drawing", manner, begun));
        if let Some(size) = self.size {
            let _ = live.resize(self.out, size());
        }
        let picture = if live.wants_picture(now) { self.forming.picture(latent) } else { None };
        let picture = picture.map(|p| enlarge(&p, p.width() * PIXELS_PER_CELL, p.height() * PIXELS_PER_CELL));
        let _ = live.step(self.out, done, all, picture.as_ref(), now);
        ControlFlow::Continue(())
    }
}

/// Changes as they are told before they are drawn: `  swap   blond → red`, side by side where they fit.
#[must_use]
pub fn understood_lines(changes: &[Change], columns: u16) -> Vec<String> {
    let told: Vec<String> = changes.iter().map(|change| printable_line(&one(change))).collect();
    let line = format!("  {}", told.join("   ·   "));
    if cells(&line) < usize::from(columns) {
        return vec![line];
    }
    told.into_iter()
        .flat_map(|one| fold(&format!("  {one}"), columns, 7).lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

fn one(change: &Change) -> String {
    match change {
        Change::Start { prompt } => format!("new    {prompt}"),
        Change::Swap { from, to } => format!("swap   {from} → {to}"),
        Change::Add { text } => format!("add    \"{text}\""),
        Change::Remove { text } => format!("remove \"{text}\""),
        Change::Weigh { word, factor, absolute: false } => format!("weigh  {word} × {factor}"),
        Change::Weigh { word, factor, absolute: true } => format!("weigh  {word} = {factor}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preview::terminal::Protocol;
    use candle_core::Device;

    fn latent(channels: usize) -> Tensor {
        Tensor::zeros((4, 6, channels), candle_core::DType::F32, &Device::Cpu).unwrap()
    }

    #[test]
    fn there_is_a_map_for_the_embedded_model_and_for_four_channels_and_no_other() {
        let forming = LatentPreview::default();
        assert_eq!(forming.picture(&latent(8)).unwrap().dimensions(), (6, 4));
        assert_eq!(forming.picture(&latent(4)).unwrap().dimensions(), (6, 4));
        assert!(forming.picture(&latent(16)).is_none());
    }

    #[test]
    fn a_latent_of_zeros_has_the_mean_colour_that_the_embedded_map_was_fitted_with() {
        let picture = LatentPreview::default().picture(&latent(8)).unwrap();
        assert_eq!(picture.get_pixel(0, 0).0, [147, 117, 113]); // .57598, .45885, .4439 of 255
    }

    #[test]
    fn changes_stand_side_by_side_where_they_fit_and_below_each_other_where_not() {
        let changes = [
            Change::Weigh { word: "long".into(), factor: 0.75, absolute: false },
            Change::Swap { from: "round glasses".into(), to: "sunglasses".into() },
        ];
        assert_eq!(understood_lines(&changes, 80), ["  weigh  long × 0.75   ·   swap   round glasses → sunglasses"]);
        assert_eq!(understood_lines(&changes, 40), ["  weigh  long × 0.75", "  swap   round glasses → sunglasses"]);
    }

    #[test]
    fn control_characters_of_a_prompt_are_written_out() {
        let changes = [Change::Add { text: "\u{1b}[31mred".into() }];
        assert_eq!(understood_lines(&changes, 80), ["  add    \"\\u001b[31mred\""]);
    }

    fn watch(expected: Option<Duration>, changes: &[Change], tells_start: bool) -> String {
        let mut out = Vec::new();
        let screen = Screen::new(Protocol::None, Size::new(80, 24));
        let (forming, stop) = (LatentPreview::default(), Stop::default());
        let mut eyes = TurnView::new(&mut out, (&screen, Manner::Line), &forming, &stop, expected, tells_start);
        eyes.understood(changes);
        assert!(eyes.step(1, 2, &latent(8)).is_continue());
        eyes.finish();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_turn_that_will_be_long_is_announced_and_a_short_one_is_not() {
        let swap = [Change::Swap { from: "a".into(), to: "b".into() }];
        let long = watch(Some(Duration::from_secs(200)), &swap, true);
        assert_eq!(long, "  swap   a → b\n  this takes about 3 min 20 s · Ctrl-C stops it\n");
        assert_eq!(watch(Some(Duration::from_secs(2)), &swap, true), "  swap   a → b\n");
    }

    #[test]
    fn the_first_prompt_is_not_repeated_and_a_later_new_picture_is_told() {
        let start = [Change::Start { prompt: "a cat".into() }];
        assert_eq!(watch(None, &start, false), "");
        assert_eq!(watch(None, &start, true), "  new    a cat\n");
    }

    #[test]
    fn a_fetch_is_told_on_a_line_that_goes_away_and_once_where_nothing_is_drawn_over() {
        let screen = Screen::new(Protocol::None, Size::new(24, 24));
        let (forming, stop) = (LatentPreview::default(), Stop::default());
        let fetch = |manner: Manner| {
            let mut out = Vec::new();
            let mut eyes = TurnView::new(&mut out, (&screen, manner), &forming, &stop, None, true);
            for done in 1..4 {
                assert!(eyes.fetching(&format!("fetching unet/model.safetensors {done}")).is_continue());
            }
            eyes.finish();
            String::from_utf8(out).unwrap()
        };
        let bar = fetch(Manner::Bar);
        assert!(bar.starts_with("\r  fetching unet/model.s\x1b[K\r") && bar.ends_with("\r\x1b[K"), "{bar:?}");
        assert!(!bar.contains('\n'), "{bar:?}");
        assert_eq!(fetch(Manner::Line).lines().count(), 1);
        assert_eq!(fetch(Manner::Silent), "");
    }

    #[test]
    fn a_stop_stops_a_fetch() {
        let (screen, mut out) = (Screen::new(Protocol::None, Size::new(80, 24)), Vec::new());
        let (forming, stop) = (LatentPreview::default(), Stop::default());
        let mut eyes = TurnView::new(&mut out, (&screen, Manner::Bar), &forming, &stop, None, true);
        assert!(eyes.fetching("fetching a").is_continue());
        assert!(!stop.again());
        assert!(eyes.fetching("fetching a").is_break());
    }
}
