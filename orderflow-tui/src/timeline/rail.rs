//! The rail beside a branch: where an order turns, everything that follows from that, and its end.

use orderflow_client::saga_view::Row;

/// What stands beside a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rail {
    /// Nothing: the branch has not begun, or is over.
    None,
    /// Here the order turns.
    Begin,
    /// This follows from it.
    Within,
    /// This does not, but more that does comes after it.
    Beside,
    /// This is the last that follows.
    End,
    /// All of the branch.
    Only,
}

impl Rail {
    /// One column.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::None => " ",
            Self::Begin => "╭",
            Self::Within => "│",
            Self::Beside => "┊",
            Self::End => "╰",
            Self::Only => "╶",
        }
    }
}

/// What stands beside each row.
pub fn of(rows: &[Row]) -> Vec<Rail> {
    let first = rows.iter().position(|row| row.in_branch);
    let last = rows.iter().rposition(|row| row.in_branch);
    let rail = |(index, row): (usize, &Row)| match first.zip(last) {
        Some((first, last)) if index == first && index == last => Rail::Only,
        Some((first, _)) if index == first => Rail::Begin,
        Some((_, last)) if index == last => Rail::End,
        Some((first, last)) if index > first && index < last => {
            if row.in_branch {
                Rail::Within
            } else {
                Rail::Beside
            }
        }
        _ => Rail::None,
    };
    rows.iter().enumerate().map(rail).collect()
}
