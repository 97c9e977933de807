//! The sources of a prompt's tokens, as stretches that say the same of several.
//!
//! Almost every prompt is two or three stretches long, where a list has 77 entries; a session of ten thousand pictures
//! keeps one of these for each.

/// Where a token's column of a cross-attention map comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// The run itself.
    Own,
    /// The sum of an ancestor's columns, each times a share; an empty list is a column of zeros.
    From {
        /// Generations up: 1 is the parent.
        up: usize,
        /// Token position in that ancestor, and its share.
        tokens: Vec<(usize, f32)>,
    },
}

/// Tokens that follow each other and have the same kind of source.
#[derive(Debug, Clone, PartialEq)]
pub enum Stretch {
    /// This many tokens with their own columns.
    Own(u32),
    /// As many tokens from tokens of one ancestor that follow each other there, one from one, whole.
    Same {
        /// Generations up.
        up: u32,
        /// The first token there.
        from: u32,
        /// How many.
        count: u32,
    },
    /// One token from a sum.
    Sum {
        /// Generations up.
        up: u32,
        /// Token positions there, and their shares; none is a column of zeros.
        tokens: Box<[(u32, f32)]>,
    },
}

impl Stretch {
    /// How many tokens it speaks of.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Own(count) | Self::Same { count, .. } => *count as usize,
            Self::Sum { .. } => 1,
        }
    }

    /// Whether it speaks of none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The source of its token number `at`.
    fn column(&self, at: usize) -> Column {
        match self {
            Self::Own(_) => Column::Own,
            Self::Same { up, from, .. } => Column::From { up: *up as usize, tokens: vec![(*from as usize + at, 1.0)] },
            Self::Sum { up, tokens } => {
                let tokens = tokens.iter().map(|(token, share)| (*token as usize, *share)).collect();
                Column::From { up: *up as usize, tokens }
            }
        }
    }
}

/// The source of every token of a prompt, in as few stretches as can be: equal sources are equal values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Columns(Box<[Stretch]>);

impl Columns {
    /// The columns of these stretches.
    #[must_use]
    pub fn of(stretches: impl IntoIterator<Item = Stretch>) -> Self {
        let mut joined: Vec<Stretch> = Vec::new();
        for next in stretches {
            let next = match next {
                Stretch::Sum { up, tokens } => match *tokens {
                    [(from, share)] if share.to_bits() == 1f32.to_bits() => Stretch::Same { up, from, count: 1 },
                    _ => Stretch::Sum { up, tokens },
                },
                other => other,
            };
            match (joined.last_mut(), &next) {
                _ if next.is_empty() => {}
                (Some(Stretch::Own(count)), Stretch::Own(more)) => *count += more,
                (Some(Stretch::Same { up, from, count }), Stretch::Same { up: other, from: then, count: more })
                    if up == other && from.checked_add(*count) == Some(*then) =>
                {
                    *count += more;
                }
                _ => joined.push(next),
            }
        }
        Self(joined.into())
    }

    /// The stretches, in the order of the tokens.
    #[must_use]
    pub fn stretches(&self) -> &[Stretch] {
        &self.0
    }

    /// How many tokens there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(Stretch::len).sum()
    }

    /// Whether there are no tokens.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each token's source.
    pub fn iter(&self) -> impl Iterator<Item = Column> {
        self.0.iter().flat_map(|stretch| (0..stretch.len()).map(|at| stretch.column(at)))
    }
}

impl FromIterator<Column> for Columns {
    fn from_iter<T: IntoIterator<Item = Column>>(columns: T) -> Self {
        // Positions and generations are far below what 32 bits hold; what is not is no position that anything has.
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self::of(columns.into_iter().map(|column| match column {
            Column::Own => Stretch::Own(1),
            Column::From { up, tokens } => {
                let tokens = tokens.iter().map(|(token, share)| (small(*token), *share)).collect();
                Stretch::Sum { up: small(up), tokens }
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(up: usize, tokens: &[(usize, f32)]) -> Column {
        Column::From { up, tokens: tokens.to_vec() }
    }

    #[track_caller]
    fn check(columns: &[Column], stretches: usize) {
        let packed: Columns = columns.iter().cloned().collect();
        assert_eq!((packed.len(), packed.stretches().len()), (columns.len(), stretches), "{packed:?}");
        assert_eq!(packed.iter().collect::<Vec<_>>(), columns);
    }

    #[test]
    fn packed_columns_are_the_same_columns_in_fewer_pieces() {
        check(&[], 0);
        check(&[Column::Own, Column::Own, from(1, &[(4, 1.0)]), from(1, &[(5, 1.0)])], 2);
        check(&[from(1, &[(4, 1.0)]), from(1, &[(4, 1.0)]), from(2, &[(5, 1.0)])], 3);
        check(&[from(1, &[]), from(1, &[]), from(3, &[(0, 0.1), (7, 1.0)]), from(3, &[(1, 0.5)])], 4);
    }

    #[test]
    fn stretches_that_say_the_same_are_the_same_value() {
        let same = |from, count| Stretch::Same { up: 1, from, count };
        let one = Stretch::Sum { up: 1, tokens: [(6, 1.0)].into() };
        assert_eq!(Columns::of([same(4, 3)]), Columns::of([same(4, 1), Stretch::Own(0), same(5, 1), one]));
        assert_ne!(Columns::of([same(4, 2)]), Columns::of([same(4, 1), same(6, 1)]));
    }
}
