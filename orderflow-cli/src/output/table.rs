//! Tables: columns as wide as what is in them, two blanks between.

use super::{Paint, safe};

const GAP: &str = "  ";

/// To which side a column leans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table.
#[derive(Debug)]
pub struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With these columns.
    pub fn new(columns: impl Into<Vec<(&'static str, Align)>>) -> Self {
        Self { columns: columns.into(), rows: Vec::new() }
    }

    /// With one more row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| safe(&cell)).collect());
    }

    /// The lines. `STATUS` and the like are painted by what they say.
    pub fn render(&self, paint: Paint) -> String {
        let widths = self.widths();
        let names = self.columns.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        let mut text = self.line(&names, &widths, |cell| paint.dim(cell));
        for row in &self.rows {
            text.push_str(&self.line(row, &widths, |cell| paint.status(cell)));
        }
        text
    }

    fn widths(&self) -> Vec<usize> {
        let width = |column: usize, name: &str| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.max().unwrap_or(0).max(name.len())
        };
        self.columns.iter().enumerate().map(|(column, (name, _))| width(column, name)).collect()
    }

    fn line(&self, cells: &[String], widths: &[usize], paint: impl Fn(&str) -> String) -> String {
        let mut line = String::new();
        for ((cell, width), (_, align)) in cells.iter().zip(widths).zip(&self.columns) {
            let pad = " ".repeat(width.saturating_sub(cell.chars().count()));
            let painted = paint(cell);
            match align {
                Align::Left => line.push_str(&format!("{painted}{pad}{GAP}")),
                Align::Right => line.push_str(&format!("{pad}{painted}{GAP}")),
            }
        }
        format!("{}\n", line.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let mut table = Table::new([("NAME", Align::Left), ("ON HAND", Align::Right), ("STATUS", Align::Left)]);
        table.row(["Käse".into(), "7".into(), "PAID".into()]);
        table.row(["A longer\nname".into(), "12345678".into(), String::new()]);
        let expected = "NAME            ON HAND  STATUS\n\
                        Käse                  7  PAID\n\
                        A longer\u{fffd}name  12345678\n";
        assert_eq!(table.render(Paint::none()), expected);
    }

    #[test]
    fn an_empty_table_is_its_heading() {
        assert_eq!(Table::new([("A", Align::Left), ("B", Align::Right)]).render(Paint::none()), "A  B\n");
    }
}
