//! Edits to TOML.
//!
//! A file is a list of statements: headers, and keys with a value. `toml_edit` says where each of them
//! stands; the text between and around them is never written anew, as an encoder would do, which
//! knows one kind of line break and gathers what belongs together.

mod inline;
mod render;
mod statement;

use serde_json::Value;
use toml_edit::Document;

use super::FileLayer;
use super::pointer::{self, Change, Edit};
use super::splice::{Splice, begins_line, is_blank, line_break, line_start, next_line, splice};
use crate::error::Result;
use crate::load::Span;
use render::{inline, key, key_path};
use statement::{Kind, Statement, statements};

/// The text with all edits made to it.
pub(super) fn edited(layer: &FileLayer<'_>, text: &str, edits: &[Edit], wanted: &Value) -> Result<String> {
    let edits = &whole_lists(text, edits, wanted).unwrap_or_else(|| edits.to_vec())[..];
    for edit in edits {
        if let Change::Set(value) | Change::Append(value) = &edit.change
            && let Some(message) = render::unfit(value)
        {
            return Err(layer.refuse(message).about(pointer::pointer(&edit.steps)));
        }
    }
    let all = replaced_in_place(text, edits);
    let (mut text, rest) = all.unwrap_or_else(|| (text.to_owned(), edits.iter().collect()));
    for edit in rest {
        text = one(&text, edit).ok_or_else(|| layer.not_possible(&edit.steps))?;
    }
    if is_blank(&text) {
        // A file that is empty is one that is still to be written.
        text = format!("# Nothing is set here.{}", line_break(layer.text));
    }
    Ok(text)
}

/// Of a list of tables with sections, an item cannot become something else: the list is then written
/// as a whole.
fn whole_lists(text: &str, edits: &[Edit], wanted: &Value) -> Option<Vec<Edit>> {
    let document = Document::parse(text).ok()?;
    let statements = statements(&document);
    let mut edits = edits.to_vec();
    let section = |edit: &Edit| {
        matches!(edit.change, Change::Set(_)) && statements.iter().any(|one| one.is_header_of(&edit.steps))
    };
    let in_list = |steps: &[String]| matches!(pointer::get(wanted, steps), Some(Value::Array(_)));
    while let Some(list) = edits
        .iter()
        .filter(|edit| section(edit))
        .find_map(|edit| edit.steps.split_last().map(|(_, list)| list.to_vec()).filter(|list| in_list(list)))
    {
        edits.retain(|edit| !edit.steps.starts_with(&list));
        edits.push(Edit { change: Change::Set(pointer::get(wanted, &list)?.clone()), steps: list });
    }
    Some(edits)
}

/// Replaces all values that have a text of their own, and says which edits are left.
fn replaced_in_place<'e>(text: &str, edits: &'e [Edit]) -> Option<(String, Vec<&'e Edit>)> {
    let document = Document::parse(text).ok()?;
    let statements = statements(&document);
    let (mut splices, mut rest) = (Vec::new(), Vec::new());
    for edit in edits {
        match replacement(text, &statements, edit) {
            Some(splice) => splices.push(splice),
            None => rest.push(edit),
        }
    }
    Some((splice(text, splices)?, rest))
}

fn replacement(text: &str, statements: &[Statement<'_>], edit: &Edit) -> Option<Splice> {
    let Change::Set(value) = &edit.change else { return None };
    let (statement, rest) =
        statements.iter().find_map(|statement| Some((statement, statement.holds(&edit.steps)?)))?;
    let Kind::Pair(old) = statement.kind else { return None };
    inline::replace(text, old, rest, value)
}

/// Makes an edit that changes more than the text of one value.
fn one(text: &str, edit: &Edit) -> Option<String> {
    let steps = &edit.steps;
    if let Change::Append(item) = &edit.change {
        return appended(text, steps, item);
    }
    let mut text = text.to_owned();
    while let Some((without, more)) = removed(&text, steps)? {
        text = without;
        if !more {
            break;
        }
    }
    match &edit.change {
        Change::Set(value) => inserted(&text, steps, value),
        _ => kept_parent(text, steps.split_last()?.1),
    }
}

/// The text with one more item in a list.
fn appended(text: &str, steps: &[String], item: &Value) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let statements = statements(&document);
    if let Some((statement, rest)) = statements.iter().find_map(|one| Some((one, one.holds(steps)?))) {
        let Kind::Pair(value) = statement.kind else { return None };
        return splice(text, inline::append(text, value, rest, item)?);
    }
    let place = Place { text, statements: &statements, table: steps };
    item.is_object()
        .then(|| place.sections_after(&Value::Array(vec![item.clone()])))
        .and_then(|new| splice(text, vec![new]))
}

/// A table that a removed key was all there was to say of is still a table.
fn kept_parent(text: String, parent: &[String]) -> Option<String> {
    let document = Document::parse(text.as_str()).ok()?;
    let known = |one: &Statement<'_>| one.is_about(parent) || one.holds(parent).is_some();
    if parent.is_empty() || statements(&document).iter().any(known) {
        return Some(text);
    }
    inserted(&text, parent, &Value::Object(serde_json::Map::new()))
}

/// The text without a piece of what the steps lead to, and whether there may be more of it;
/// `Some(None)` when nothing of it is there.
#[expect(clippy::option_option, reason = "the outer one is whether the text is TOML")]
fn removed(text: &str, steps: &[String]) -> Option<Option<(String, bool)>> {
    let document = Document::parse(text).ok()?;
    let statements = statements(&document);
    if let Some((statement, rest)) = statements.iter().find_map(|one| Some((one, one.holds(steps)?)))
        && !rest.is_empty()
    {
        let Kind::Pair(value) = statement.kind else { return None };
        return match inline::remove(text, value, rest) {
            Some((splices, more)) => splice(text, splices).map(|new| Some((new, more))),
            None => Some(None),
        };
    }
    let lines = removed_lines(text, &statements, steps);
    if lines.is_empty() {
        return Some(None);
    }
    splice(text, lines.into_iter().map(Splice::delete).collect()).map(|new| Some((new, false)))
}

/// The lines of the statements about something. The comments within a table go with it.
fn removed_lines(text: &str, statements: &[Statement<'_>], steps: &[String]) -> Vec<Span> {
    let mut lines = Vec::<Span>::new();
    let mut section = false;
    for statement in statements {
        let about = statement.is_about(steps);
        let header = !matches!(statement.kind, Kind::Pair(_));
        let line = line_start(text, statement.span.start)..next_line(text, statement.span.end);
        match lines.last_mut().filter(|_| about && section && !header) {
            Some(last) => last.end = line.end,
            None if about => lines.push(line),
            None => {}
        }
        section = about && (header || section);
    }
    lines.into_iter().map(|span| with_gap(text, span)).collect()
}

/// A section with the blank lines after it, where there is a gap before it, too.
fn with_gap(text: &str, span: Span) -> Span {
    let header = text[span.start..].trim_start_matches([' ', '\t']).starts_with('[');
    let gap_before = is_blank(&text[line_start(text, span.start.saturating_sub(1))..span.start]);
    if !header || !gap_before {
        return span;
    }
    let mut end = span.end;
    while end < text.len() && is_blank(&text[end..next_line(text, end)]) {
        end = next_line(text, end);
    }
    if end < text.len() {
        return span.start..end;
    }
    // At the end of the file, it is the gap before that has to go.
    let kept = text[..span.start].trim_end_matches(['\r', '\n', ' ', '\t']).len();
    let start = if kept == 0 { 0 } else { next_line(text, kept).min(span.start) };
    start..end
}

/// The text with a new value in it, which nothing speaks of yet.
fn inserted(text: &str, steps: &[String], value: &Value) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let statements = statements(&document);
    if let Some((statement, rest)) = statements.iter().find_map(|one| Some((one, one.holds(steps)?))) {
        let Kind::Pair(container) = statement.kind else { return None };
        return splice(text, inline::insert(text, container, rest, value)?);
    }
    let known = |length: &usize| statements.iter().any(|one| one.is_about(&steps[..*length]));
    let length = (0..steps.len()).rev().find(known).unwrap_or(0);
    let new = pointer::nested(&steps[length + 1..], value.clone());
    let place = Place { text, statements: &statements, table: &steps[..length] };
    let pieces = place.add(&steps[length], &new)?;
    splice(text, vec![pieces])
}

/// A table that lines can be added to.
struct Place<'a> {
    text: &'a str,
    statements: &'a [Statement<'a>],
    table: &'a [String],
}

impl Place<'_> {
    fn add(&self, name: &str, value: &Value) -> Option<Splice> {
        let own_header = self.statements.iter().position(|one| one.is_header_of(self.table));
        let last_pair = self.last_dotted();
        let block = self.table.is_empty() || own_header.is_some() || last_pair.is_none();
        let as_table = value.is_object() || render::is_table_list(value);
        if block && as_table {
            return Some(self.add_sections(name, value));
        }
        match (own_header, last_pair) {
            (Some(header), _) => Some(self.add_pair(self.last_of_section(header), name, value)),
            (None, _) if self.table.is_empty() => Some(self.add_at_top(name, value)),
            (None, Some(pair)) => Some(self.add_pair(pair, name, value)),
            (None, None) => self.add_header(name, value),
        }
    }

    /// The last line that speaks of the table by a dotted key, from the section of a table above it.
    fn last_dotted(&self) -> Option<usize> {
        let mut depth = 0;
        let mut found = None;
        for (at, statement) in self.statements.iter().enumerate() {
            if !statement.is_pair() {
                depth = statement.path.len();
            } else if depth < self.table.len() && statement.is_about(self.table) {
                found = Some(at);
            }
        }
        found
    }

    /// The last statement of the section that a header begins.
    fn last_of_section(&self, header: usize) -> usize {
        let pairs = self.statements[header + 1..].iter().take_while(|one| one.is_pair());
        header + pairs.count()
    }

    /// A line after that of a statement in the same section.
    fn add_pair(&self, after: usize, name: &str, value: &Value) -> Splice {
        let statement = &self.statements[after];
        let header = self.statements[..=after].iter().rev().find(|one| !one.is_pair());
        let dotted = &self.table[header.map_or(0, |header| header.path.len()).min(self.table.len())..];
        let path = key_path(dotted.iter().map(String::as_str).chain([name]));
        let blanks = super::splice::indent(self.text, statement.span.start);
        self.line_after(statement.span.end, &format!("{blanks}{path} = {}", inline(value)))
    }

    /// A line of the top-level table, which comes before all sections.
    fn add_at_top(&self, name: &str, value: &Value) -> Splice {
        let line = format!("{} = {}", key(name), inline(value));
        let pairs = self.statements.iter().take_while(|one| one.is_pair()).count();
        match (pairs.checked_sub(1), self.statements.first()) {
            (Some(last), _) => self.line_after(self.statements[last].span.end, &line),
            (None, Some(header)) => {
                let gap = line_break(self.text);
                Splice::insert(self.above(header.span.start), format!("{line}{gap}{gap}"))
            }
            (None, None) => self.line_after(self.text.len(), &line),
        }
    }

    /// A header for a table that so far is only known from those within it.
    fn add_header(&self, name: &str, value: &Value) -> Option<Splice> {
        let first = self.statements.iter().find(|one| one.is_about(self.table))?;
        let gap = line_break(self.text);
        let header = render::header(self.statements, self.table);
        let line = format!("[{header}]{gap}{} = {}{gap}{gap}", key(name), inline(value));
        Some(Splice::insert(self.above(first.span.start), line))
    }

    /// Sections for a table or a list of tables, after all that is about the table it is in.
    fn add_sections(&self, name: &str, value: &Value) -> Splice {
        let mut path = render::header(self.statements, self.table);
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(&key(name));
        self.sections(&path, value)
    }

    /// More sections of a list of tables.
    fn sections_after(&self, value: &Value) -> Splice {
        self.sections(&render::header(self.statements, self.table), value)
    }

    fn sections(&self, path: &str, value: &Value) -> Splice {
        let start = self.statements.iter().position(|one| one.is_about(self.table));
        let run = self.statements.iter().skip(start.unwrap_or(0)).take_while(|one| one.is_about(self.table));
        let end = run.last().filter(|_| !self.table.is_empty()).map_or(self.text.len(), |one| one.span.end);
        let mut sections = String::new();
        render::sections(path, value, line_break(self.text), &mut sections);
        self.section_after(end, &sections)
    }

    /// New lines after the line that a byte is on.
    fn line_after(&self, at: usize, line: &str) -> Splice {
        let (place, gap) = (next_line(self.text, at), line_break(self.text));
        match self.text[..place].ends_with('\n') || place == 0 {
            true => Splice::insert(place, format!("{line}{gap}")),
            false => Splice::insert(place, format!("{gap}{line}{gap}")),
        }
    }

    fn section_after(&self, at: usize, sections: &str) -> Splice {
        let (place, gap) = (next_line(self.text, at), line_break(self.text));
        let before = &self.text[..place];
        let apart = match () {
            () if before.is_empty() => "",
            () if !before.ends_with('\n') => &format!("{gap}{gap}"),
            () if is_blank(&before[line_start(before, before.len() - 1)..]) => "",
            () => gap,
        };
        let follows = if place < self.text.len() && !is_blank(&self.text[place..next_line(self.text, place)])
        {
            gap
        } else {
            ""
        };
        Splice::insert(place, format!("{apart}{sections}{follows}"))
    }

    /// Above a statement and the comments that stand directly above it.
    fn above(&self, at: usize) -> usize {
        let mut start = line_start(self.text, at);
        while start > 0 {
            let before = line_start(self.text, start - 1);
            if !self.text[before..].trim_start_matches([' ', '\t']).starts_with('#')
                || !begins_line(self.text, before)
            {
                break;
            }
            start = before;
        }
        start
    }
}
