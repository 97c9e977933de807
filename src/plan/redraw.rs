//! How an edit is asked to be drawn, before it is planned.

use super::area::Area;

/// How an edit is asked to be drawn.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum DrawnBy {
    /// By its words: ancestors' attention laid under the new ones.
    #[default]
    Words,
    /// The same, and only there may the picture change.
    Within(Area),
}

impl DrawnBy {
    /// Where a person said that the picture may change.
    #[must_use]
    pub fn area(&self) -> Option<&Area> {
        match self {
            Self::Words => None,
            Self::Within(area) => Some(area),
        }
    }

    /// The same in another area; what has none stays as it is.
    #[must_use]
    pub fn in_area(self, area: Area) -> Self {
        match self {
            Self::Words => self,
            Self::Within(_) => Self::Within(area),
        }
    }
}
