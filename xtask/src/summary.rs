//! The table at the end of a run.

use std::time::Duration;

use crate::style::Style;

#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) rows: Vec<Row>,
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) outcome: Outcome,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    Passed(Duration),
    Failed(Duration),
    NotRun,
}

impl Outcome {
    fn took(self) -> Option<Duration> {
        match self {
            Self::Passed(took) | Self::Failed(took) => Some(took),
            Self::NotRun => None,
        }
    }
}

impl Summary {
    pub(crate) fn table(&self, style: Style) -> String {
        let width =
            self.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0).max("total".len());
        let mut lines: Vec<String> = self.rows.iter().map(|row| line(row, width, style)).collect();
        let total = self.rows.iter().filter_map(|row| row.outcome.took()).sum();
        lines.push(format!("{:width$}  {:7}  {:>12}", "total", "", seconds(total)));
        lines.join("\n")
    }
}

/// The padding goes inside the colour: escape sequences would count as width.
fn line(row: &Row, width: usize, style: Style) -> String {
    let status = match row.outcome {
        Outcome::Passed(_) => style.green("ok     "),
        Outcome::Failed(_) => style.red("FAILED "),
        Outcome::NotRun => style.dim("not run"),
    };
    let took = row.outcome.took().map(seconds).unwrap_or_default();
    format!("{:width$}  {status}  {took:>12}", row.name).trim_end().to_owned()
}

/// `0.4 s`, `59.9 s`, `3 min 05 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    let tenths = (duration.as_millis() + 50) / 100;
    if tenths < 600 {
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    let whole = (tenths + 5) / 10;
    format!("{} min {:02} s", whole / 60, whole % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        let shown = |millis| seconds(Duration::from_millis(millis));
        assert_eq!(shown(0), "0.0 s");
        assert_eq!(shown(449), "0.4 s");
        assert_eq!(shown(59_940), "59.9 s");
        assert_eq!(shown(59_960), "1 min 00 s");
        assert_eq!(shown(185_000), "3 min 05 s");
    }

    #[test]
    fn the_table_lines_up() {
        let row = |name: &str, outcome| Row { name: name.to_owned(), outcome };
        let rows = vec![
            row("format", Outcome::Passed(Duration::from_millis(300))),
            row("feature toml", Outcome::Failed(Duration::from_secs(61))),
            row("last", Outcome::NotRun),
        ];
        let expected = "\
format        ok              0.3 s
feature toml  FAILED     1 min 01 s
last          not run
total                    1 min 01 s";
        assert_eq!(Summary { rows }.table(Style::plain()), expected);
    }
}
