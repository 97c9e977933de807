//! How large a picture is shown.

/// The room that a terminal has, in cells, and how large one cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Cells across.
    pub columns: u16,
    /// Cells down.
    pub rows: u16,
    /// One cell in pixels, width and height: from the window's pixels where the terminal tells them, else as it answers when
    /// asked. `None` where it does neither; then 6 x 12 is assumed, which is small, so that a picture takes fewer lines than
    /// planned for, never more.
    pub cell: Option<(u16, u16)>,
}

/// The place a picture takes, in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fit {
    /// Cells across.
    pub columns: u16,
    /// Cells down.
    pub rows: u16,
}

/// Terminals narrower than this are treated as if they were as wide; the prompt would not fit either.
pub const NARROWEST: u16 = 20;
/// On wider terminals pictures do not grow any more.
pub const WIDEST: u16 = 200;
/// A picture takes at most so many lines, so that two turns fit on a large screen.
pub const TALLEST: u16 = 32;
/// Lines kept free for the prompt, the report and the bar.
const KEPT_FREE: u16 = 4;

impl Size {
    /// A terminal of `columns` x `rows` cells of unknown size.
    #[must_use]
    pub fn new(columns: u16, rows: u16) -> Self {
        Self { columns, rows, cell: None }
    }

    /// The size of the terminal on standard output, standard error or standard input; 80 x 24 if there is none.
    #[must_use]
    pub fn of_terminal() -> Self {
        window().unwrap_or_else(|| Self::new(80, 24))
    }

    /// A window of `cells` across and down that is `pixels` wide and high, where either may be 0 for "not told": `None`
    /// without cells. Pixels that cannot be those of so many cells count as not told.
    #[must_use]
    pub fn of_window(cells: (u16, u16), pixels: (u16, u16)) -> Option<Self> {
        let (columns, rows) = cells;
        if columns == 0 || rows == 0 {
            return None;
        }
        // A border of a few pixels may be counted in; it is less than a pixel a cell.
        let cell = (pixels.0 / columns, pixels.1 / rows);
        let can_be = (3..=200).contains(&cell.0) && (5..=400).contains(&cell.1);
        Some(Self { cell: can_be.then_some(cell), ..Self::new(columns, rows) })
    }

    /// One cell in pixels, 6 x 12 if unknown.
    #[must_use]
    pub fn cell_pixels(&self) -> (u32, u32) {
        let (width, height) = self.cell.unwrap_or((6, 12));
        (u32::from(width.max(1)), u32::from(height.max(1)))
    }

    /// The place for a picture of `width` x `height` pixels shown by half blocks: one pixel a column, two a line.
    ///
    /// Keeps the aspect; never more columns than the picture has pixels.
    #[must_use]
    pub fn fit_blocks(&self, width: u32, height: u32) -> Fit {
        self.fit(f64::from(width), f64::from(height) / 2.0, 1.0)
    }

    /// The place for a picture of `width` x `height` pixels shown by a graphics protocol.
    ///
    /// Keeps the aspect. A picture under 256 pixels may be shown at twice its size, since a cell is a few pixels wide
    /// and 128 pixels would be a stamp; no other is enlarged.
    #[must_use]
    pub fn fit_pixels(&self, width: u32, height: u32) -> Fit {
        let (cell_width, cell_height) = self.cell_pixels();
        let cells = (f64::from(width) / f64::from(cell_width), f64::from(height) / f64::from(cell_height));
        self.fit(cells.0, cells.1, zoom(width, height))
    }

    /// Scales `columns` x `rows` by at most `zoom` so that it fits, and rounds up to whole cells.
    fn fit(&self, columns: f64, rows: f64, zoom: f64) -> Fit {
        if !(columns > 0.0 && rows > 0.0) {
            return Fit { columns: 1, rows: 1 };
        }
        // The last column stays free: some terminals wrap after writing it, others do not.
        let widest = f64::from(self.columns.clamp(NARROWEST, WIDEST) - 1);
        let tallest = f64::from(self.rows.saturating_sub(KEPT_FREE).clamp(4, TALLEST));
        let scale = zoom.min(widest / columns).min(tallest / rows);
        let whole = |cells: f64, most: f64| (cells * scale - 1e-9).ceil().clamp(1.0, most) as u16;
        Fit { columns: whole(columns, widest), rows: whole(rows, tallest) }
    }
}

/// The window of the first of standard output, standard error and standard input that is a terminal.
#[cfg(unix)]
fn window() -> Option<Size> {
    let ends = [rustix::stdio::stdout(), rustix::stdio::stderr(), rustix::stdio::stdin()];
    ends.into_iter().find_map(|end| {
        let size = rustix::termios::tcgetwinsize(end).ok()?;
        Size::of_window((size.ws_col, size.ws_row), (size.ws_xpixel, size.ws_ypixel))
    })
}

#[cfg(not(unix))]
fn window() -> Option<Size> {
    let (width, height) = terminal_size::terminal_size()?;
    Size::of_window((width.0, height.0), (0, 0))
}

/// How many times its size a picture is enlarged at most by a graphics protocol.
pub(crate) fn zoom(width: u32, height: u32) -> f64 {
    if width.max(height) < 256 { 2.0 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn blocks(size: Size, picture: (u32, u32), expected: (u16, u16)) {
        let fit = size.fit_blocks(picture.0, picture.1);
        assert_eq!((fit.columns, fit.rows), expected, "{size:?} {picture:?}");
    }

    #[test]
    fn a_square_picture_is_twice_as_many_columns_as_lines() {
        blocks(Size::new(40, 40), (128, 128), (39, 20));
        blocks(Size::new(80, 24), (128, 128), (40, 20));
        blocks(Size::new(80, 50), (128, 128), (64, 32));
        blocks(Size::new(200, 60), (128, 128), (64, 32));
    }

    #[test]
    fn a_wide_sheet_uses_the_width() {
        blocks(Size::new(40, 24), (640, 128), (39, 4));
        blocks(Size::new(80, 24), (640, 128), (79, 8));
        blocks(Size::new(200, 60), (640, 128), (199, 20));
        blocks(Size::new(400, 60), (640, 128), (199, 20));
    }

    #[test]
    fn a_small_picture_is_not_enlarged_by_blocks() {
        blocks(Size::new(200, 60), (16, 10), (16, 5));
        blocks(Size::new(200, 60), (1, 1), (1, 1));
    }

    #[test]
    fn a_sliver_keeps_at_least_one_cell() {
        blocks(Size::new(40, 24), (4000, 1), (39, 1));
        blocks(Size::new(40, 24), (1, 4000), (1, 20));
        blocks(Size::new(40, 24), (0, 0), (1, 1));
    }

    #[test]
    fn a_known_cell_decides_how_many_cells_a_picture_needs() {
        let size = Size { cell: Some((8, 16)), ..Size::new(80, 50) };
        assert_eq!(size.fit_pixels(128, 128), Fit { columns: 32, rows: 16 });
        assert_eq!(size.fit_pixels(256, 256), Fit { columns: 32, rows: 16 });
        assert_eq!(size.fit_pixels(512, 512), Fit { columns: 64, rows: 32 });
        assert_eq!(size.fit_pixels(4096, 512), Fit { columns: 79, rows: 5 });
    }

    #[test]
    fn a_cell_is_as_large_as_the_windows_pixels_say() {
        let cell = |pixels| Size::of_window((100, 40), pixels).unwrap().cell;
        assert_eq!(cell((1204, 924)), Some((12, 23)), "with a border of two pixels");
        for nothing in [(0, 0), (1200, 0), (100, 40), (65_535, 40)] {
            assert_eq!(cell(nothing), None, "{nothing:?}");
        }
        assert_eq!(Size::of_window((0, 40), (800, 600)), None);
        // The picture of 128 pixels, shown at twice its size, in the font of the case: as many rows as it really takes.
        let size = Size::of_window((100, 60), (1204, 1384)).unwrap();
        assert_eq!(size.fit_pixels(128, 128), Fit { columns: 22, rows: 12 });
    }

    #[test]
    fn nothing_is_wider_or_taller_than_the_terminal() {
        for columns in [40, 80, 120, 200] {
            for rows in [10, 24, 60] {
                for picture in [(128, 128), (512, 512), (1000, 100), (100, 1000), (37, 91)] {
                    let size = Size::new(columns, rows);
                    for fit in [size.fit_blocks(picture.0, picture.1), size.fit_pixels(picture.0, picture.1)] {
                        assert!(fit.columns < columns && fit.rows < rows, "{size:?} {picture:?} {fit:?}");
                    }
                }
            }
        }
    }
}
