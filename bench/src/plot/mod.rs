//! `plot`: pictures of the results, `bench/plot/*.svg`, legible on light and on dark.

mod bars;
mod lines;
mod svg;

use std::fs;

use crate::harness::results::{Results, directory};
use crate::harness::table::{Row, Table, thousands};
use crate::harness::{Result, Size};

use bars::{Bar, Bars};
use lines::{Line, Lines};

/// Draws what has been measured.
pub(crate) fn draw(size: Size) -> Result<()> {
    let results = Results::read(size)?;
    let to = directory().join(size.pick("plot", "quick"));
    fs::create_dir_all(&to)?;
    let pictures = [
        ("latency", latency as fn(&Table) -> String),
        ("setup", setup),
        ("burst", burst),
        ("read", read),
        ("fanout", fanout),
        ("scale", scale),
    ];
    for (name, picture) in pictures {
        // Not measured yet is not drawn.
        if let Some(table) = results.tables(name).first() {
            fs::write(to.join(name).with_extension("svg"), picture(table))?;
        }
    }
    Ok(())
}

/// The rows of a group, or of all where there are none.
fn rows<'a>(table: &'a Table, group: &'a str) -> impl Iterator<Item = &'a Row> {
    table.rows.iter().filter(move |row| row.group == group)
}

/// The groups, in their order.
fn groups(table: &Table) -> Vec<&str> {
    let mut groups: Vec<&str> = table.rows.iter().map(|row| row.group.as_str()).collect();
    groups.dedup();
    groups
}

/// A bar per row, from one column's figure or from nothing to another's.
fn bars(table: &Table, group: &str, from: Option<&str>, to: &str) -> Vec<Bar> {
    let bar = |row: &Row| Bar {
        name: row.case.clone(),
        from: from.and_then(|column| table.value(row, column)),
        to: table.value(row, to),
        ours: row.case.starts_with("rekindle"),
    };
    rows(table, group).map(bar).collect()
}

fn latency(table: &Table) -> String {
    let title = "A save by rename, until the value is visible: p50 to p99, ms";
    Bars { title, logarithmic: true, bars: bars(table, "rename", Some("whole, p50"), "whole, p99") }.svg()
}

fn setup(table: &Table) -> String {
    let group = groups(table).first().copied().unwrap_or_default().to_owned();
    let title = format!("Ready, ms: {group}");
    Bars { title: &title, logarithmic: false, bars: bars(table, &group, None, "ready, ms") }.svg()
}

fn burst(table: &Table) -> String {
    let group = groups(table).first().copied().unwrap_or_default().to_owned();
    let title = format!("Files reported of {} created in new directories", thousands(&group));
    Bars { title: &title, logarithmic: false, bars: bars(table, &group, None, "created") }.svg()
}

fn read(table: &Table) -> String {
    let title = "A read by one of two threads, ns";
    Bars { title, logarithmic: true, bars: bars(table, "", None, "2 threads") }.svg()
}

fn fanout(table: &Table) -> String {
    let group = groups(table).last().copied().unwrap_or_default().to_owned();
    let title = format!("One change to {} subscribers: from the first to the last, ms", thousands(&group));
    Bars { title: &title, logarithmic: false, bars: bars(table, &group, None, "first to last") }.svg()
}

fn scale(table: &Table) -> String {
    let cases = rows(table, groups(table).first().copied().unwrap_or_default());
    let lines = cases.map(|first| {
        let same = table.rows.iter().filter(|row| row.case == first.case);
        let point = |row: &Row| Some((row.group.parse().ok()?, table.value(row, "CPU, p50")?));
        Line {
            name: first.case.clone(),
            points: same.filter_map(point).collect(),
            ours: first.case.starts_with("rekindle"),
        }
    });
    let title = "CPU of one save by the number of files watched, ms";
    Lines { title, lines: lines.collect() }.svg()
}
