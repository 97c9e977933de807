//! The published token mappers, with their odd rules, for studies and for parity.
//!
//! Words are what single spaces separate, punctuation included; positions are found by counting decoded letters. Our own
//! alignment is [`lineage`](super::lineage).

use super::Column;

/// A published alignment.
#[derive(Debug, Clone, PartialEq)]
pub enum Published {
    /// Source share of each target position: `[source][target]`.
    Replace(Vec<Vec<f32>>),
    /// Source position of each target position, -1 where there is none.
    Refine(Vec<i64>),
}

/// Token positions of each space-separated word, counted by the letters of decoded tokens.
///
/// `decoded` holds the text of each token between the marks, without blanks and without `#` at both ends. Positions are
/// not cut at the model's limit.
#[must_use]
pub fn word_positions(text: &str, decoded: &[String]) -> Vec<Vec<usize>> {
    let words: Vec<&str> = text.split(' ').collect();
    let mut positions = vec![Vec::new(); words.len()];
    let (mut letters, mut word) = (0, 0);
    for (i, token) in decoded.iter().enumerate() {
        letters += token.chars().count();
        if let Some(list) = positions.get_mut(word) {
            list.push(i + 1);
        }
        if words.get(word).is_some_and(|w| letters >= w.chars().count()) {
            word += 1;
            letters = 0;
        }
    }
    positions
}

/// Positions of every word that is the same string as `word`.
#[must_use]
pub fn positions_of(word: &str, text: &str, positions: &[Vec<usize>]) -> Vec<usize> {
    text.split(' ').zip(positions).filter(|(w, _)| *w == word).flat_map(|(_, p)| p.iter().copied()).collect()
}

/// The replacement map: words compared one by one, and everything after the last swapped word read from `[j, j]`.
///
/// # Errors
/// Says so if the prompts do not have equally many words.
pub fn replace(
    source: (&str, &[Vec<usize>]),
    target: (&str, &[Vec<usize>]),
    length: usize,
) -> Result<Vec<Vec<f32>>, String> {
    let (x, y): (Vec<&str>, Vec<&str>) = (source.0.split(' ').collect(), target.0.split(' ').collect());
    if x.len() != y.len() {
        return Err(format!(
            "a published word swap needs equally many words, but there are {} and {}",
            x.len(),
            y.len()
        ));
    }
    let swapped: Vec<usize> = (0..x.len()).filter(|i| x[*i] != y[*i]).collect();
    let pairs: Vec<(&[usize], &[usize])> = swapped.iter().map(|w| (&*source.1[*w], &*target.1[*w])).collect();
    let mut map = vec![vec![0.0f32; length]; length];
    let (mut i, mut j, mut current) = (0, 0, 0);
    while i < length && j < length {
        match pairs.get(current) {
            Some((from, to)) if from.first() == Some(&i) => {
                if from.len() == to.len() {
                    for (a, b) in from.iter().zip(*to) {
                        if *a < length && *b < length {
                            map[*a][*b] = 1.0;
                        }
                    }
                } else {
                    let share = 1.0 / to.len() as f64;
                    for b in to.iter().filter(|b| **b < length) {
                        for a in from.iter().filter(|a| **a < length) {
                            map[*a][*b] = share as f32;
                        }
                    }
                }
                current += 1;
                i += from.len();
                j += to.len();
            }
            Some(_) => {
                map[i][j] = 1.0;
                i += 1;
                j += 1;
            }
            None => {
                map[j][j] = 1.0;
                i += 1;
                j += 1;
            }
        }
    }
    Ok(map)
}

/// The refinement map: global alignment of token sequences, markers included; gap 0, match 1, mismatch -1.
#[must_use]
pub fn refine(source: &[u32], target: &[u32], length: usize) -> Vec<i64> {
    let (n, m) = (source.len(), target.len());
    #[derive(Clone, Copy, PartialEq)]
    enum From {
        Left,
        Up,
        Match,
        Stop,
    }
    let mut score = vec![vec![0i64; m + 1]; n + 1];
    let mut trace = vec![vec![From::Stop; m + 1]; n + 1];
    for cell in trace[0].iter_mut().skip(1) {
        *cell = From::Left;
    }
    for row in trace.iter_mut().skip(1) {
        row[0] = From::Up;
    }
    for i in 1..=n {
        for j in 1..=m {
            let left = score[i][j - 1];
            let up = score[i - 1][j];
            let both = score[i - 1][j - 1] + if source[i - 1] == target[j - 1] { 1 } else { -1 };
            let best = left.max(up).max(both);
            score[i][j] = best;
            trace[i][j] = if best == left {
                From::Left
            } else if best == up {
                From::Up
            } else {
                From::Match
            };
        }
    }
    let mut map = vec![-1i64; m];
    let (mut i, mut j) = (n, m);
    while i > 0 || j > 0 {
        match trace[i][j] {
            From::Match => {
                i -= 1;
                j -= 1;
                map[j] = i as i64;
            }
            From::Left => {
                j -= 1;
                map[j] = -1;
            }
            From::Up => i -= 1,
            From::Stop => break,
        }
    }
    map.truncate(length);
    (map.len()..length).for_each(|k| map.push(k as i64));
    map
}

impl Published {
    /// The same map as columns taken from the parent.
    #[must_use]
    pub fn columns(&self) -> Vec<Column> {
        match self {
            Self::Replace(map) => (0..map.len())
                .map(|j| {
                    let tokens = (0..map.len()).filter(|i| map[*i][j] != 0.0).map(|i| (i, map[i][j])).collect();
                    Column::From { up: 1, tokens }
                })
                .collect(),
            Self::Refine(map) => map
                .iter()
                .map(|s| usize::try_from(*s).map_or(Column::Own, |s| Column::From { up: 1, tokens: vec![(s, 1.0)] }))
                .collect(),
        }
    }
}
