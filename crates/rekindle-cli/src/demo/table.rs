//! The demo's table: sightings in, rows and a summary out.

use std::path::Path;
use std::time::Duration;

use super::program::{App, Sighting};
use super::script::{Awaited, Step};
use crate::render::{BAD, BOLD, DIM, GOOD};
use crate::text::{count, fill, milliseconds, printable};

/// The widths of the columns; with the gaps, 79 in all.
const EDIT: usize = 27;
const SEEN: usize = 36;
const AFTER: usize = 8;

/// The rows so far.
#[derive(Debug)]
pub(super) struct Table {
    /// What the program held before the edit at hand.
    app: App,
    rows: usize,
    wrong: usize,
    /// How long each took, of those that no debounce window stands in front of.
    prompt: Vec<Duration>,
}

/// What is about to happen.
pub(super) fn intro(root: &Path) -> String {
    let root = printable(&root.to_string_lossy()).into_owned();
    let header = header("what the program saw");
    format!(
        "A program runs on a small project in {root}.\n\
         It reads its settings from a typed stream and through a lock-free handle, and\n\
         listens to all events. Now its files are edited, as people and editors do it.\n\
         The time runs from the end of an edit until the program saw what came of it.\n\n{header}"
    )
}

/// What is about to happen to a server.
pub(super) fn server_intro(port: u16) -> String {
    let header = header("what the clients saw");
    format!(
        "\nThe program serves, too: on port {port}, as config/server.toml says. Four clients\n\
         ask as fast as they can over connections that are kept. Meanwhile:\n\n{header}"
    )
}

/// The head of a table, by what its middle column shows.
fn header(seen: &str) -> String {
    format!(
        "{DIM} #{DIM:#}  {BOLD}edit{BOLD:#}{}  {BOLD}{seen}{BOLD:#}{}  {BOLD}{:>AFTER$}{BOLD:#}\n",
        fill("edit", EDIT),
        fill(seen, SEEN),
        "after"
    )
}

/// A row.
pub(super) fn line(number: usize, edit: &str, seen: &str, after: Option<Duration>, is_good: bool) -> String {
    let after = after.map_or_else(|| "never".to_owned(), milliseconds);
    let (style, gap) = (if is_good { GOOD } else { BAD }, fill(edit, EDIT));
    format!(
        "{DIM}{number:>2}{DIM:#}  {edit}{gap}  {style}{seen}{style:#}{}  {after:>AFTER$}\n",
        fill(seen, SEEN)
    )
}

/// What goes on after the demo.
pub(super) fn kept(root: &Path) -> String {
    let root = printable(&root.to_string_lossy()).into_owned();
    format!("\nThe project is kept: {BOLD}{root}{BOLD:#}\nEdit its files in another terminal and see.\n\n")
}

impl Table {
    /// An empty table, and the value to start from.
    pub(super) fn new(app: App) -> Self {
        Self { app, rows: 0, wrong: 0, prompt: Vec::new() }
    }

    /// Whether everything was as it should be.
    pub(super) fn all_good(&self) -> bool {
        self.wrong == 0
    }

    /// Judges what was seen of an edit, and shows it.
    pub(super) fn row(&mut self, step: &Step, sighting: Sighting) -> String {
        let mut expected = self.app.clone();
        (step.outcome)(&mut expected);
        let faults = faults(step, &expected, &sighting);
        self.rows += 1;
        self.wrong += usize::from(!faults.is_empty());
        self.prompt.extend(sighting.after.filter(|_| !step.patient));
        let seen = seen(step, &self.app, &sighting);
        let row = line(self.rows, step.title, &seen, sighting.after, faults.is_empty());
        let faults: String = faults.iter().map(|fault| format!("    {BAD}WRONG{BAD:#} {fault}\n")).collect();
        self.app = sighting.app;
        row + &faults
    }

    /// What it all came to.
    pub(super) fn summary(&self) -> String {
        let verdict = if self.all_good() {
            format!(
                "{GOOD}All {} were seen as they should be{GOOD:#}, with no event too many.",
                count(self.rows, "edit")
            )
        } else {
            format!(
                "{BAD}{} of {} were not seen as they should be.{BAD:#}",
                self.wrong,
                count(self.rows, "edit")
            )
        };
        let mut prompt = self.prompt.clone();
        prompt.sort();
        let median = prompt.get(prompt.len() / 2).copied().unwrap_or_default();
        let slowest = prompt.last().copied().unwrap_or_default();
        format!(
            "\n{verdict}\nFinished saves were seen after {} (median), the slowest after {}.\n\
             What is invalid or gone may be a save in progress: it counts after 500 ms.\n",
            milliseconds(median),
            milliseconds(slowest)
        )
    }
}

/// What the program saw, in a few words.
fn seen(step: &Step, before: &App, sighting: &Sighting) -> String {
    if step.awaited == Awaited::Value {
        return difference(before, &sighting.app);
    }
    if sighting.events.iter().any(|event| event.starts_with("rolled back")) {
        return format!("unhealthy, undone, {}", difference(before, &sighting.app));
    }
    let place = sighting.events.iter().find_map(|event| event.strip_prefix("refused app config/app.toml:"));
    match (place, sighting.events.first()) {
        (Some(place), _) if *before == sighting.app => format!("refused at {place}, nothing changes"),
        (Some(place), _) => format!("refused at {place}, and yet {}", difference(before, &sighting.app)),
        (None, Some(event)) => event.clone(),
        (None, None) => "nothing".to_owned(),
    }
}

/// What differs between two values of the program.
fn difference(old: &App, new: &App) -> String {
    let fields = [
        ("greeting", format!("{:?}", old.greeting), format!("{:?}", new.greeting)),
        ("port", old.port.to_string(), new.port.to_string()),
        ("workers", old.workers.to_string(), new.workers.to_string()),
        ("log.level", format!("{:?}", old.log.level), format!("{:?}", new.log.level)),
    ];
    let changed = fields.iter().filter(|(_, old, new)| old != new);
    let changed: Vec<String> = changed.map(|(name, old, new)| format!("{name} {old} -> {new}")).collect();
    if changed.is_empty() { "no other value".to_owned() } else { changed.join(", ") }
}

/// Everything that is not as it should be.
fn faults(step: &Step, expected: &App, sighting: &Sighting) -> Vec<String> {
    let mut faults = Vec::new();
    if sighting.after.is_none() {
        faults.push("what was waited for did not come".to_owned());
    }
    if sighting.app != *expected {
        faults.push(format!("of the value: expected {}", difference(&sighting.app, expected)));
    }
    let mut extra = sighting.events.clone();
    for event in step.events {
        match extra.iter().position(|seen| seen == event) {
            Some(at) => drop(extra.remove(at)),
            None => faults.push(format!("missing event: {event}")),
        }
    }
    faults.extend(extra.iter().map(|event| format!("unexpected event: {}", printable(event))));
    faults
}

#[cfg(test)]
mod tests {
    use super::super::program::Log;
    use super::super::script;
    use super::*;
    use crate::text::width;

    fn app() -> App {
        App { greeting: "Hello".into(), port: 8080, workers: 4, log: Log { level: "info".into() } }
    }

    fn sighting(port: u16, events: &[&str]) -> Sighting {
        let events = events.iter().map(ToString::to_string).collect();
        Sighting { after: Some(Duration::from_micros(1234)), app: App { port, ..app() }, events }
    }

    const EVENTS: [&str; 4] = ["modified config/app.toml", "changed app", "completed app", "confirmed app"];

    #[test]
    fn what_is_as_it_should_be_is_one_row() {
        let step = &script::steps()[0];
        let mut table = Table::new(app());
        let row = table.row(step, sighting(9090, &EVENTS));
        let row = anstream::adapter::strip_str(&row).to_string();
        assert_eq!(row, " 1  port, saved by rename        port 8080 -> 9090                      1.23 ms\n");
        assert!(table.all_good());
    }

    #[test]
    fn a_wrong_value_an_extra_event_and_a_missing_one_are_faults() {
        let step = &script::steps()[0];
        let mut expected = app();
        (step.outcome)(&mut expected);
        assert_eq!(faults(step, &expected, &sighting(1, &EVENTS)), ["of the value: expected port 1 -> 9090"]);
        assert_eq!(
            faults(step, &expected, &sighting(9090, &EVENTS[1..])),
            ["missing event: modified config/app.toml"]
        );
        let twice = [EVENTS[0], EVENTS[1], EVENTS[1], EVENTS[2], EVENTS[3]];
        assert_eq!(faults(step, &expected, &sighting(9090, &twice)), ["unexpected event: changed app"]);
        let never = Sighting { after: None, ..sighting(9090, &EVENTS) };
        assert_eq!(faults(step, &expected, &never), ["what was waited for did not come"]);
    }

    #[test]
    fn every_title_fits_its_column() {
        for step in script::steps() {
            assert!(width(step.title) <= EDIT, "{}", step.title);
        }
    }
}
