//! A table: what is printed, what is written to the results, and what the plots and the README are made of.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// Figures of several cases, in groups that are compared within themselves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) title: String,
    /// What the figures are, and how they were got.
    pub(crate) about: String,
    /// What the groups are.
    pub(crate) group: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// One case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) group: String,
    pub(crate) case: String,
    /// As the columns are; `None` where there is no such figure.
    pub(crate) values: Vec<Option<f64>>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) note: Option<String>,
}

impl Row {
    pub(crate) fn new(group: impl Into<String>, case: impl Into<String>, values: Vec<Option<f64>>) -> Self {
        Self { group: group.into(), case: case.into(), values, note: None }
    }

    /// A case that has no figures, and why.
    pub(crate) fn failed(group: impl Into<String>, case: impl Into<String>, why: impl Into<String>) -> Self {
        Self { group: group.into(), case: case.into(), values: Vec::new(), note: Some(why.into()) }
    }
}

impl Table {
    pub(crate) fn new(title: &str, about: &str, group: &str, columns: &[&str]) -> Self {
        Self {
            title: title.into(),
            about: about.into(),
            group: group.into(),
            columns: columns.iter().map(|&column| column.into()).collect(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn value(&self, row: &Row, column: &str) -> Option<f64> {
        let index = self.columns.iter().position(|name| name == column)?;
        *row.values.get(index)?
    }

    /// Adds a column: each row's figure by that of `base` in the same group.
    pub(crate) fn add_ratio(&mut self, name: &str, column: &str, base: &str) {
        self.add_quotient(name, column, |row, other| other.group == row.group && other.case == base);
    }

    /// Adds a column: each row's figure by that of the same case in the group `base`.
    pub(crate) fn add_growth(&mut self, name: &str, column: &str, base: &str) {
        self.add_quotient(name, column, |row, other| other.case == row.case && other.group == base);
    }

    /// Adds a column: each row's figure by that of the first row that is a base to it.
    fn add_quotient(&mut self, name: &str, column: &str, is_base: impl Fn(&Row, &Row) -> bool) {
        let quotient = |row: &Row| {
            let base = self.rows.iter().find(|other| is_base(row, other))?;
            Some(self.value(row, column)? / self.value(base, column)?)
        };
        let quotients = self.rows.iter().map(quotient).collect();
        self.push_column(name, quotients);
    }

    fn push_column(&mut self, name: &str, values: Vec<Option<f64>>) {
        let width = self.columns.len();
        self.columns.push(name.into());
        for (row, value) in self.rows.iter_mut().zip(values) {
            row.values.resize(width, None);
            row.values.push(value.filter(|value| value.is_finite()));
        }
    }

    /// For a terminal.
    pub(crate) fn text(&self) -> String {
        let lines = self.cells();
        let widths: Vec<usize> = (0..lines[0].len())
            .map(|column| {
                lines
                    .iter()
                    .filter_map(|line| line.get(column))
                    .map(|cell| cell.chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let names = widths.len() - self.columns.len();
        let mut text = format!("\n{}\n{}\n\n", self.title, self.about);
        for line in lines {
            for (column, cell) in line.iter().enumerate() {
                // Names to the left, figures to the right.
                let width = widths[column];
                let _ = if column < names {
                    write!(text, "{cell:<width$}  ")
                } else {
                    write!(text, "{cell:>width$}  ")
                };
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        self.notes().fold(text, |text, note| text + "\n" + &note + "\n")
    }

    /// Why there are figures missing.
    fn notes(&self) -> impl Iterator<Item = String> {
        self.rows
            .iter()
            .filter_map(|row| Some(format!("{}, {}: {}.", row.case, row.group, row.note.as_ref()?)))
    }

    /// For the README.
    pub(crate) fn markdown(&self) -> String {
        let lines = self.cells();
        let mut text = format!("{}\n\n", self.about);
        for (index, line) in lines.iter().enumerate() {
            // `<Arc>` would be taken for HTML.
            let _ = writeln!(text, "| {} |", line.join(" | ").replace('<', "\\<"));
            if index == 0 {
                let names = line.len() - self.columns.len();
                let _ = writeln!(text, "|{}{}", "---|".repeat(names), "---:|".repeat(self.columns.len()));
            }
        }
        self.notes().fold(text, |text, note| text + "\n" + &note + "\n")
    }

    /// The header and the rows, as words.
    fn cells(&self) -> Vec<Vec<String>> {
        let mut header = vec![self.group.clone(), String::new()];
        header.extend(self.columns.iter().cloned());
        let mut last = "";
        let rows = self.rows.iter().map(move |row| {
            // Said once, at the first of its rows.
            let group = if row.group == last { String::new() } else { thousands(&row.group) };
            last = &row.group;
            let mut cells = vec![group, row.case.clone()];
            cells.extend(
                (0..self.columns.len()).map(|index| figure(row.values.get(index).copied().flatten())),
            );
            cells
        });
        let mut lines: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
        if self.rows.iter().all(|row| row.group.is_empty()) {
            lines.iter_mut().for_each(|line| _ = line.remove(0));
        }
        lines
    }
}

/// Three digits that count, and no more.
fn figure(value: Option<f64>) -> String {
    let Some(value) = value else { return "–".into() };
    let digits = match value.abs() {
        whole if whole.fract() == 0.0 => 0,
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    thousands(&format!("{value:.digits$}"))
}

/// `20000` as `20,000`; any other text as it is.
pub(crate) fn thousands(number: &str) -> String {
    if !number.chars().all(|digit| digit.is_ascii_digit()) {
        return number.into();
    }
    let mut grouped = String::new();
    for (index, digit) in number.chars().enumerate() {
        if index > 0 && (number.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_three_digits_that_count() {
        let shown = [0.0, 0.0123, 1.234, 12.34, 123.4, 2_001.4, 20_000.0].map(|value| figure(Some(value)));
        assert_eq!(shown, ["0", "0.012", "1.23", "12.3", "123", "2,001", "20,000"]);
        assert_eq!(figure(None), "–");
    }

    #[test]
    fn a_ratio_is_to_the_base_of_its_own_group_and_growth_to_the_same_case_of_another() {
        let mut table = Table::new("t", "", "group", &["ms"]);
        for (group, case, value) in [("a", "base", 2.0), ("a", "x", 6.0), ("b", "base", 1.0), ("b", "x", 4.0)]
        {
            table.rows.push(Row::new(group, case, vec![Some(value)]));
        }
        table.rows.push(Row::failed("b", "y", "cannot"));
        table.add_ratio("times", "ms", "base");
        let ratios: Vec<_> = table.rows.iter().map(|row| table.value(row, "times")).collect();
        assert_eq!(ratios, [Some(1.0), Some(3.0), Some(1.0), Some(4.0), None]);
        table.add_growth("growth", "ms", "a");
        let growths: Vec<_> = table.rows.iter().map(|row| table.value(row, "growth")).collect();
        assert_eq!(growths, [Some(1.0), Some(1.0), Some(0.5), Some(4.0 / 6.0), None]);
    }
}
