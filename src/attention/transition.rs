//! How far a thing reaches: maps of words spread along self-attention.
//!
//! A word looks at a few places of a thing, not at all of it. In self-attention places of one thing look at each other, so a walk
//! along it from where a word looks stays on the thing and ends at its edges. The walk is a matrix between places; a map is
//! spread by multiplying it a few times.

use super::record::MaskLayers;

/// How often a map is multiplied: each time values go one look further.
pub const WALK: usize = 3;

/// From each place to all others: what it looks at, as shares of 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// `[places, places]`; every row sums to 1.
    rows: Vec<f32>,
    places: usize,
}

impl Transition {
    /// The mean of attention maps over heads and layers, each share squared, rows scaled back to a sum of 1: what a place looks
    /// at strongly counts, and not the many places that it hardly looks at.
    ///
    /// `maps` are `[heads, places, places]`, one after the other. `None` if there are none.
    #[must_use]
    pub fn of(maps: &[Vec<f32>], places: usize) -> Option<Self> {
        let size = places * places;
        let mut rows = vec![0.0f32; size];
        for map in maps.iter().flat_map(|layer| layer.chunks_exact(size.max(1))) {
            rows.iter_mut().zip(map).for_each(|(sum, share)| *sum += share);
        }
        for row in rows.chunks_exact_mut(places.max(1)) {
            let total: f32 = row.iter().map(|share| share * share).sum();
            if total == 0.0 || !total.is_finite() {
                return None;
            }
            row.iter_mut().for_each(|share| *share = *share * *share / total);
        }
        (!rows.is_empty() && !maps.is_empty()).then_some(Self { rows, places })
    }

    /// A map after a walk: each place has the mean of what it looks at, [`WALK`] times.
    #[must_use]
    pub fn spread(&self, map: &[f32]) -> Vec<f32> {
        let mean = |map: &[f32], row: &[f32]| row.iter().zip(map).map(|(share, value)| share * value).sum();
        let walk = |map: Vec<f32>, _| self.rows.chunks_exact(self.places).map(|row| mean(&map, row)).collect();
        (0..WALK).fold(map.to_vec(), walk)
    }
}

/// Where in a picture words were, as shares of certainty: 0 for surely not, 1 for surely.
#[derive(Debug, Clone, PartialEq)]
pub struct WordPlaces {
    /// Row by row.
    pub shares: Vec<f32>,
    /// Height and width.
    pub grid: (usize, usize),
}

impl WordPlaces {
    /// Words' summed map on the grid of the mask layers, spread, between its least and its greatest value; without a transition
    /// as it is.
    #[must_use]
    pub fn spread(map: &[f32], transition: Option<&Transition>, layers: MaskLayers) -> Self {
        let map = transition.map_or_else(|| map.to_vec(), |transition| transition.spread(map));
        let least = map.iter().copied().fold(f32::INFINITY, f32::min);
        let most = map.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        // What differs by rounding alone says nothing.
        let range = if most - least > most.abs() * 1e-5 { most - least } else { f32::INFINITY };
        Self { shares: map.iter().map(|value| (value - least) / range).collect(), grid: layers.grid }
    }

    /// What a network found, a byte a pixel of a picture `width` across: the mean of each place's pixels, 255 being 1.
    #[must_use]
    pub fn found(pixels: &[u8], width: usize, grid: (usize, usize)) -> Self {
        let height = pixels.len() / width.max(1);
        let mut sums = vec![(0u32, 0u32); grid.0 * grid.1];
        for (at, byte) in pixels.iter().enumerate() {
            let (y, x) = (at / width * grid.0 / height, at % width * grid.1 / width);
            let sum = &mut sums[y * grid.1 + x];
            *sum = (sum.0 + u32::from(*byte), sum.1 + 1);
        }
        let mean = |(sum, count): &(u32, u32)| *sum as f32 / (255.0 * (*count).max(1) as f32);
        Self { shares: sums.iter().map(mean).collect(), grid }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 8;
    const LAYERS: MaskLayers = MaskLayers { grid: (SIDE, SIDE), count: 1 };

    /// Places of a picture of two things with an edge between columns 2 and 3: each looks at its own thing, and a little at the other.
    fn two_things() -> Transition {
        let places = SIDE * SIDE;
        let thing = |place: usize| place % SIDE < 3;
        let look = |from: usize, to: usize| if thing(from) == thing(to) { 1.0 } else { 0.1 };
        let rows = (0..places).flat_map(|from| (0..places).map(move |to| look(from, to))).collect::<Vec<f32>>();
        Transition::of(&[rows.clone(), rows], places).unwrap()
    }

    #[test]
    fn what_a_place_looks_at_is_a_distribution() {
        let transition = two_things();
        for row in transition.rows.chunks_exact(SIDE * SIDE) {
            let sum: f32 = row.iter().sum();
            assert!((sum - 1.0).abs() < 1e-5 && row.iter().all(|share| *share >= 0.0), "a row sums to {sum}");
        }
        // So a map that is the same everywhere stays so, and no value leaves the range that there was.
        let flat = transition.spread(&vec![0.25; SIDE * SIDE]);
        assert!(flat.iter().all(|value| (value - 0.25).abs() < 1e-5), "{flat:?}");
    }

    #[test]
    fn a_spread_map_follows_an_edge_that_the_map_itself_does_not_reach() {
        let mut map = vec![0.0; SIDE * SIDE];
        // A word looks at one place of the left thing.
        map[3 * SIDE] = 1.0;
        let places = WordPlaces::spread(&map, Some(&two_things()), LAYERS);
        for (place, share) in places.shares.iter().enumerate() {
            assert_eq!(*share > 0.3, place % SIDE < 3, "place {place} has {share}");
        }
        let unspread = WordPlaces::spread(&map, None, LAYERS);
        assert_eq!(unspread.shares, map);
    }

    #[test]
    fn a_map_that_says_nothing_is_nowhere() {
        for value in [0.0, 0.3] {
            let places = WordPlaces::spread(&vec![value; SIDE * SIDE], Some(&two_things()), LAYERS);
            assert!(places.shares.iter().all(|share| *share == 0.0), "{:?}", places.shares);
        }
    }

    #[test]
    fn there_is_no_transition_of_no_maps_or_of_one_without_numbers() {
        assert_eq!(Transition::of(&[], 4), None);
        assert_eq!(Transition::of(&[vec![f32::NAN; 16]], 4), None);
        assert_eq!(Transition::of(&[vec![0.0; 16]], 4), None);
    }

    #[test]
    fn what_a_network_found_counts_by_the_pixels_of_a_place() {
        let pixels = [255, 255, 0, 0, 255, 0, 0, 51];
        let found = WordPlaces::found(&pixels, 4, (1, 2));
        assert_eq!(found.shares, [0.75, 0.05]);
    }
}
