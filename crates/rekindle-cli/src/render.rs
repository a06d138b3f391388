//! Records in, lines for people out: what changed field by field, aligned and coloured.
//!
//! Pure: the time of day and the width of the terminal are arguments. Styles are always written;
//! [`output`](crate::output) drops them where nobody would see them.

use std::fmt::Write as _;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use crate::record::Record;
use crate::text::{clip, count, fill, from_difference, milliseconds, printable, width};

pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default();
const FILE: Style = AnsiColor::Cyan.on_default();

/// How many fields of one change are listed.
const FIELDS: usize = 24;
/// Where the fields begin: below the name of what changed.
const INDENT: usize = 25;
/// The widest that a value is shown where no terminal says how wide it is.
const UNBOUNDED: usize = 240;
/// What stands in place of a value that is not there.
const ABSENT: &str = "(none)";

/// Shows records.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Renderer {
    /// Columns of the terminal, if there is one.
    pub(crate) width: Option<usize>,
}

impl Renderer {
    /// The lines of a record, or none for what another record says as well.
    pub(crate) fn lines(self, record: &Record, time: &str) -> String {
        match record {
            // Says nothing that the change before it did not.
            Record::ReloadCompleted { .. } => String::new(),
            Record::ConfigChanged { config_name, generation, changed, old_value, new_value, duration_us } => {
                let after = milliseconds(Duration::from_micros(*duration_us));
                let told = format!(
                    "{BOLD}{}{BOLD:#}, generation {generation}, visible after {after}",
                    printable(config_name)
                );
                line(time, GOOD, "reloaded", &told) + &self.fields(changed, old_value, new_value)
            }
            other => {
                let (style, word, told) = plain(other);
                line(time, style, word, &told)
            }
        }
    }

    /// What differs, one field a line: pointer, old value, new value.
    fn fields(self, changed: &[String], old: &Value, new: &Value) -> String {
        let rows = rows(changed, old, new);
        let shown = &rows[..rows.len().min(FIELDS)];
        let mut lines = side_by_side(shown, INDENT, self.width);
        if rows.len() > FIELDS {
            // Writing to a String cannot fail.
            let _ok =
                writeln!(lines, "{:INDENT$}{DIM}and {}{DIM:#}", "", count(rows.len() - FIELDS, "more field"));
        }
        lines
    }
}

/// Changes, each with its pointer and what was there before and after, one a line.
pub(crate) fn changes(
    changes: Vec<(String, Option<Value>, Option<Value>)>,
    indent: usize,
    width: Option<usize>,
) -> String {
    let rows = changes.into_iter().map(|(pointer, from, to)| Row {
        pointer: pointer_shown(&pointer),
        old: value_shown(from.as_ref()),
        new: value_shown(to.as_ref()),
    });
    side_by_side(&rows.collect::<Vec<_>>(), indent, width)
}

fn side_by_side(rows: &[Row], indent: usize, width: Option<usize>) -> String {
    let columns = Columns::of(rows, indent, width);
    rows.iter().map(|row| columns.line(row)).collect()
}

fn pointer_shown(pointer: &str) -> String {
    printable(if pointer.is_empty() { "(all of it)" } else { pointer }).into_owned()
}

fn value_shown(value: Option<&Value>) -> String {
    value.map_or_else(|| ABSENT.to_owned(), |value| printable(&value.to_string()).into_owned())
}

/// One line: when, what kind of news, and the news.
pub(crate) fn line(time: &str, style: Style, word: &str, told: &str) -> String {
    format!("{DIM}{time}{DIM:#}  {style}{word:<9}{style:#}  {told}\n")
}

/// Style, word and text of the records that are one line.
pub(crate) fn plain(record: &Record) -> (Style, &'static str, String) {
    match record {
        Record::Ready { root, watched_dirs } => {
            (DIM, "watching", format!("{} ({})", printable(root), directories(*watched_dirs)))
        }
        Record::FileChanged { path, change_type, from, kind } => {
            let from = from.as_deref().map(|from| format!("{} -> ", printable(from))).unwrap_or_default();
            (FILE, change_type, format!("{from}{}  {DIM}{kind}{DIM:#}", printable(path)))
        }
        Record::ValidationFailed { config_name, error, .. } => {
            (BAD, "refused", format!("{BOLD}{}{BOLD:#}: {}", printable(config_name), printable(error)))
        }
        Record::Recovered { config_name } => {
            let what = config_name.as_deref().unwrap_or("everything is watched again");
            (GOOD, "recovered", printable(what).into_owned())
        }
        Record::HandlerFailed { handler, error } => (BAD, "handler", both(handler, error)),
        Record::RolledBack { from, to, config_names, reason, .. } => {
            let (names, reason) = (config_names.join(", "), printable(reason));
            let names = printable(&names).into_owned();
            (BAD, "undone", format!("{BOLD}{names}{BOLD:#}, generation {from} back to {to}: {reason}"))
        }
        Record::Confirmed { generation, config_names } => {
            let names = config_names.join(", ");
            (GOOD, "confirmed", format!("{BOLD}{}{BOLD:#}, generation {generation}", printable(&names)))
        }
        Record::FellBack { config_name, revision, reason } => (
            BAD,
            "fell back",
            format!("{} to revision {revision}: {}", printable(config_name), printable(reason)),
        ),
        Record::HistoryFailed { error } => (WARNING, "history", printable(error).into_owned()),
        Record::Degraded { reason } => (WARNING, "degraded", printable(reason).into_owned()),
        Record::Rescanned { reason, found } => {
            (WARNING, "rescanned", format!("{}; {} differed", printable(reason), count(*found, "file")))
        }
        Record::ConfigShadowed { config_name, used, ignored } => {
            (WARNING, "shadowed", both(config_name, &format!("{ignored} is ignored, {used} is used")))
        }
        Record::BackupFailed { path, error } => (BAD, "backup", format!("failed for {}", both(path, error))),
        Record::Lagged { missed } => (
            WARNING,
            "lagged",
            format!(
                "{} left out: the output was too slow",
                count(usize::try_from(*missed).unwrap_or(usize::MAX), "event")
            ),
        ),
        Record::Unknown { text } => (DIM, "told", printable(text).into_owned()),
        // Shown by `lines` itself.
        Record::ConfigChanged { .. } | Record::ReloadCompleted { .. } => (DIM, "", String::new()),
    }
}

fn directories(number: usize) -> String {
    if number == 1 { "1 directory".into() } else { format!("{number} directories") }
}

fn both(what: &str, said: &str) -> String {
    format!("{}: {}", printable(what), printable(said))
}

/// The pointers to list. A change of the whole is listed by its top level, as far as there is one.
fn leaves(changed: &[String], old: &Value, new: &Value) -> Vec<String> {
    let whole = changed.iter().any(String::is_empty);
    let (Value::Null | Value::Object(_), Value::Object(table)) = (old, new) else { return changed.to_vec() };
    if !whole || table.is_empty() {
        return changed.to_vec();
    }
    table.keys().map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1"))).collect()
}

/// What differs between two values that are masked already, as it is shown.
pub(crate) fn rows(changed: &[String], old: &Value, new: &Value) -> Vec<Row> {
    leaves(changed, old, new).iter().map(|pointer| Row::new(pointer, old, new)).collect()
}

/// One field, as text that cannot steer the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) pointer: String,
    pub(crate) old: String,
    pub(crate) new: String,
}

impl Row {
    fn new(pointer: &str, old: &Value, new: &Value) -> Self {
        // The whole of what was not there is nothing, not a null.
        let before = old.pointer(pointer).filter(|value| !(pointer.is_empty() && value.is_null()));
        Self::of(pointer, before, new.pointer(pointer))
    }

    /// Of a pointer, and what is there before and after.
    pub(crate) fn of(pointer: &str, old: Option<&Value>, new: Option<&Value>) -> Self {
        Self { pointer: pointer_shown(pointer), old: value_shown(old), new: value_shown(new) }
    }
}

/// Where the three columns begin, and how wide they are.
struct Columns {
    indent: usize,
    pointer: usize,
    old: usize,
    new: usize,
}

impl Columns {
    /// As wide as the widest cell, as far as the terminal goes: long values share what is left.
    fn of(rows: &[Row], indent: usize, terminal: Option<usize>) -> Self {
        let widest = |cell: fn(&Row) -> &String| rows.iter().map(|row| width(cell(row))).max().unwrap_or(0);
        let (pointer, old, new) =
            (widest(|row| &row.pointer), widest(|row| &row.old), widest(|row| &row.new));
        // Two blanks after the pointer, an arrow with a blank on either side.
        let room = terminal.map_or(UNBOUNDED, |columns| columns.saturating_sub(indent + 6)).max(24);
        let pointer = pointer.min(room / 2);
        let rest = room - pointer;
        let old = old.min((rest / 2).max(rest.saturating_sub(new)));
        Self { indent, pointer, old, new: rest - old }
    }

    fn line(&self, row: &Row) -> String {
        let too_wide = width(&row.old) > self.old || width(&row.new) > self.new;
        let whole = || (row.old.as_str().into(), row.new.as_str().into());
        let (old, new) = if too_wide { from_difference(&row.old, &row.new) } else { whole() };
        let (pointer, old, new) =
            (clip(&row.pointer, self.pointer), clip(&old, self.old), clip(&new, self.new));
        let (gap, blanks) = (fill(&pointer, self.pointer), fill(&old, self.old));
        let style = |value: &str, style: Style| if value == ABSENT { DIM } else { style };
        let (old_style, new_style) = (style(&old, BAD), style(&new, GOOD));
        let indent = " ".repeat(self.indent);
        format!(
            "{indent}{pointer}{gap}  {old_style}{old}{old_style:#}{blanks} {DIM}->{DIM:#} {new_style}{new}{new_style:#}\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(record: &Record, width: Option<usize>) -> String {
        anstream::adapter::strip_str(&Renderer { width }.lines(record, "12:00:00.000")).to_string()
    }

    fn change(old_value: Value, new_value: Value, changed: &[&str]) -> Record {
        let changed = changed.iter().map(ToString::to_string).collect();
        Record::ConfigChanged {
            config_name: "app".into(),
            generation: 7,
            changed,
            old_value,
            new_value,
            duration_us: 1900,
        }
    }

    #[test]
    fn fields_stand_below_each_other() {
        let old = json!({"port": 80, "log": {"level": "information"}, "gone": true});
        let new = json!({"port": 8080, "log": {"level": "warn"}, "new": [1, 2]});
        let expected = "\
12:00:00.000  reloaded   app, generation 7, visible after 1.90 ms
                         /gone       true          -> (none)
                         /log/level  \"information\" -> \"warn\"
                         /new        (none)        -> [1,2]
                         /port       80            -> 8080
";
        assert_eq!(shown(&change(old, new, &["/gone", "/log/level", "/new", "/port"]), None), expected);
    }

    #[test]
    fn a_new_configuration_is_listed_by_its_top_level() {
        let expected = "\
12:00:00.000  reloaded   app, generation 7, visible after 1.90 ms
                         /a    (none) -> 1
                         /b~1  (none) -> {\"c\":2}
";
        assert_eq!(shown(&change(Value::Null, json!({"a": 1, "b/": {"c": 2}}), &[""]), None), expected);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let old = json!({"a": "x".repeat(300), "b": 1});
        let new = json!({"a": "日".repeat(300), "b": {"deep": "y".repeat(90)}});
        for columns in [66, 80, 120] {
            let shown = shown(&change(old.clone(), new.clone(), &["/a", "/b"]), Some(columns));
            assert!(shown.lines().all(|line| width(line) <= columns), "{columns}:\n{shown}");
        }
    }

    #[test]
    fn many_fields_are_cut_short() {
        let table = |value: i32| Value::Object((0..40).map(|n| (format!("k{n:02}"), json!(value))).collect());
        let changed: Vec<String> = (0..40).map(|n| format!("/k{n:02}")).collect();
        let changed: Vec<&str> = changed.iter().map(String::as_str).collect();
        let shown = shown(&change(table(1), table(2), &changed), None);
        assert!(
            shown.ends_with("and 16 fields more\n") || shown.ends_with("and 16 more fields\n"),
            "{shown}"
        );
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        let path = "static/\u{1b}[2J.css".to_owned();
        let record = Record::FileChanged { path, change_type: "created", from: None, kind: "asset" };
        assert!(shown(&record, None).contains("static/\\u{1b}[2J.css"));
    }
}
