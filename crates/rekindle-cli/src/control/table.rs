//! Rows in, lines with aligned columns out.

use std::borrow::Cow;

use anstyle::Style;

use crate::text::{clip, fill, printable, width};

/// The widest that a column is where no terminal says how wide it is.
const UNBOUNDED: usize = 120;

/// A piece of a row.
pub(crate) struct Cell(Style, String);

/// A cell as it is: what is not printable is escaped.
pub(crate) fn cell(style: Style, text: &str) -> Cell {
    Cell(style, printable(text).into_owned())
}

/// Lines that begin with `indent` blanks. A column is as wide as its widest cell, but at most half of the
/// terminal; the last one is cut where the terminal ends.
pub(crate) fn lines(rows: &[Vec<Cell>], indent: usize, terminal: Option<usize>) -> String {
    let most = terminal.map_or(UNBOUNDED, |columns| columns / 2).max(12);
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| {
        // What a shorter row ends with has the rest of the line.
        let aligned = |row: &&Vec<Cell>| row.len() == columns || column + 1 < row.len();
        let cells = rows.iter().filter(aligned).filter_map(|row| row.get(column));
        cells.map(|cell| width(&cell.1)).max().unwrap_or(0).min(most)
    };
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    rows.iter().map(|row| line(row, &widths, indent, terminal)).collect()
}

fn line(row: &[Cell], widths: &[usize], indent: usize, terminal: Option<usize>) -> String {
    let (mut line, mut at) = (" ".repeat(indent), indent);
    let last = row.iter().rposition(|cell| !cell.1.is_empty());
    for (column, Cell(style, text)) in row.iter().enumerate().take(last.map_or(0, |last| last + 1)) {
        let is_last = Some(column) == last;
        let room = match (is_last, terminal) {
            (false, _) => widths[column],
            (true, Some(columns)) => columns.saturating_sub(at).max(12),
            (true, None) => usize::MAX,
        };
        let text: Cow<'_, str> = if room == usize::MAX { text.into() } else { clip(text, room) };
        line += &format!("{style}{text}{style:#}");
        if !is_last {
            line += &fill(&text, widths[column] + 2);
            at += widths[column] + 2;
        }
    }
    line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::DIM;

    fn shown(rows: &[&[&str]], terminal: Option<usize>) -> String {
        let rows: Vec<Vec<Cell>> =
            rows.iter().map(|row| row.iter().map(|text| cell(DIM, text)).collect()).collect();
        anstream::adapter::strip_str(&lines(&rows, 2, terminal)).to_string()
    }

    #[test]
    fn columns_stand_below_each_other() {
        let expected = "  /port  81  config/app.toml:1:8\n         80, and more of it\n  /größe\n";
        assert_eq!(
            shown(&[&["/port", "81", "config/app.toml:1:8"], &["", "80, and more of it"], &["/größe"]], None),
            expected
        );
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let long = "x".repeat(200);
        let shown = shown(&[&["/a", &long, "config/app.toml"], &["/b", "1", &long]], Some(80));
        assert!(shown.lines().all(|line| width(line) <= 80), "{shown}");
    }
}
