//! A map over a picture as plain numbers.

/// A map over a picture: `width` x `height` values, row by row, of any scale.
#[derive(Debug, Clone, Copy)]
pub struct Grid<'a> {
    /// Cells across.
    pub width: usize,
    /// Cells down.
    pub height: usize,
    /// The values; a missing one counts as 0, as does one that is not finite.
    pub values: &'a [f32],
}

impl Grid<'_> {
    /// The value of a cell, 0 outside the grid and where it is not finite.
    fn at(&self, column: usize, row: usize) -> f32 {
        let value = self.values.get(row * self.width + column).copied().unwrap_or(0.0);
        if value.is_finite() { value } else { 0.0 }
    }

    /// The largest value, at least 0.
    #[must_use]
    pub fn largest(&self) -> f32 {
        self.values.iter().copied().filter(|value| value.is_finite()).fold(0.0, f32::max)
    }

    /// The value at pixel `x`, `y` of a picture of size `pixels`, between cell centres by straight lines.
    pub(crate) fn sample(&self, x: u32, y: u32, pixels: (u32, u32)) -> f32 {
        if self.width == 0 || self.height == 0 {
            return 0.0;
        }
        let axis = |at: u32, cells: usize, length: u32| {
            let place = (at as f32 + 0.5) * cells as f32 / length as f32 - 0.5;
            let place = place.clamp(0.0, (cells - 1) as f32);
            let low = place as usize;
            (low, (low + 1).min(cells - 1), place - low as f32)
        };
        let (left, right, across) = axis(x, self.width, pixels.0);
        let (top, bottom, down) = axis(y, self.height, pixels.1);
        let row = |row: usize| self.at(left, row) * (1.0 - across) + self.at(right, row) * across;
        row(top) * (1.0 - down) + row(bottom) * down
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sampled_map_hits_its_cells_at_their_centres() {
        let values = [0.0, 1.0, 2.0, 3.0];
        let map = Grid { width: 2, height: 2, values: &values };
        // A 6x6 picture: cell centres are at pixels 1 and 4.
        for (x, y, expected) in [(1, 1, 0.0), (4, 1, 1.0), (1, 4, 2.0), (4, 4, 3.0), (0, 0, 0.0), (5, 5, 3.0)] {
            assert!((map.sample(x, y, (6, 6)) - expected).abs() < 1e-6, "at {x}, {y}");
        }
    }
}
