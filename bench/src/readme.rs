//! `readme`: the tables, as Markdown, between the markers of the project's README.
//!
//! A marker is a line `<!-- bench: NAME -->`; up to the next `<!-- bench: end -->` the text is the results'.

use std::fs;

use crate::harness::results::{Results, directory};
use crate::harness::{Result, Size};

const END: &str = "<!-- bench: end -->";

/// Writes the README anew.
pub(crate) fn update(size: Size) -> Result<()> {
    let file = directory().join("../README.md");
    let text = fs::read_to_string(&file)?;
    Ok(fs::write(&file, fill(&text, &Results::read(size)?)?)?)
}

fn fill(text: &str, results: &Results) -> Result<String> {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("<!-- bench: ") {
        let (name, after) = after.split_once(" -->").ok_or("a marker has no end")?;
        let (_old, after) = after.split_once(END).ok_or_else(|| format!("nothing ends {name}"))?;
        filled += &format!("{before}<!-- bench: {name} -->\n\n{}\n{END}", section(name, results)?);
        rest = after;
    }
    Ok(filled + rest)
}

/// What stands between two markers.
fn section(name: &str, results: &Results) -> Result<String> {
    if name == "machine" {
        // The newest, if they differ.
        let machines = results.parts.values().map(|part| &part.machine);
        let newest = machines.max_by_key(|machine| &machine.date).ok_or("nothing has been measured")?;
        return Ok(newest.sentence() + "\n");
    }
    let tables = results.tables(name);
    if tables.is_empty() {
        return Err(format!("{name} has not been measured").into());
    }
    Ok(tables.iter().map(crate::harness::table::Table::markdown).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::machine::Machine;
    use crate::harness::results::Part;
    use crate::harness::table::{Row, Table};

    #[test]
    fn what_stands_between_the_markers_is_replaced_and_nothing_else() {
        let mut table = Table::new("T", "About.", "save", &["ms"]);
        table.rows.push(Row::new("rename", "x", vec![Some(1.5)]));
        let part = Part { machine: Machine::here(), tables: vec![table] };
        let mut results = Results::default();
        results.parts.insert("t".into(), part);
        let old = format!("a\n<!-- bench: t -->\nold\n{END}\nb\n");
        let new = "About.\n\n| save |  | ms |\n|---|---|---:|\n| rename | x | 1.50 |\n";
        let expected = format!("a\n<!-- bench: t -->\n\n{new}\n{END}\nb\n");
        assert_eq!(fill(&old, &results).unwrap(), expected);
        assert_eq!(fill(&expected, &results).unwrap(), expected);
    }
}
