//! The kills: what a start is on after the program was killed at any moment, again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::time::Duration;

use rekindle_test::Site;
use rekindle_test::child::Program;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::files::{CONFIGS, fault_of, file, on_disk, site, text};
use crate::kind::{Fate, Kind, kind_of};
use crate::program::{BODY, Orders};

/// How often it is killed unless the environment says otherwise.
const KILLS: u64 = 25;

/// Long enough that a start which breaks at once does so before what it started with is trusted.
const TRUSTED_AFTER: Duration = Duration::from_millis(300);

/// More changes than one is let live for.
const MANY: u64 = 10_000;

/// A value, as it is talked about: its configuration and its number.
type Name = (String, u64);

/// What a start finds of a configuration.
#[derive(Debug)]
struct OnDisk {
    exists: bool,
    /// Nothing, if it is not valid.
    value: Option<Value>,
}

impl OnDisk {
    fn of(site: &Site, config: &str) -> Self {
        Self { exists: site.path(&file(config)).exists(), value: on_disk(site.root(), config) }
    }
}

/// What is known of values.
#[derive(Debug, Default)]
struct Known {
    /// They were undone, and the program was told so.
    undone: BTreeSet<Name>,
    /// The newest confirmed one of each configuration.
    confirmed: BTreeMap<String, u64>,
    /// How often the program ended while they were on disk.
    ends: BTreeMap<Name, u64>,
    /// It started with them, and worked.
    worked: BTreeSet<Name>,
    /// How often it started with them, and broke.
    broken_starts: BTreeMap<Name, u64>,
}

#[test]
fn a_program_that_is_killed_at_any_moment_starts_on_a_generation_that_was_good() {
    let kills = crate::number("REKINDLE_CHAOS_KILLS", KILLS);
    let (site, mut dice, mut known) = (site(), Dice::new(), Known::default());
    for round in 0..kills {
        let first = 2 + round * MANY;
        let orders = orders(&site, first, MANY, TRUSTED_AFTER);
        // The program changes them as soon as it runs.
        let disk = CONFIGS.map(|config| OnDisk::of(&site, config));
        let mut program = Program::start(BODY);
        program.tell(&orders.to_line());
        let starts_in_peace = dice.per_cent(85);
        let works = !starts_in_peace || known.judge_start(&disk, &program.says("up "));
        wait(Duration::from_micros(dice.below(if starts_in_peace { 600_000 } else { 60_000 })));
        let words = if works { program.last_words() } else { program.ends() };
        words.iter().for_each(|line| known.hear(line));
        known.note_end(&site);
    }
    let (undone, broken) = (known.undone.len(), known.broken_starts.len());
    eprintln!("{kills} kills, {undone} values undone, {broken} that broke a start before they could be");
}

fn orders(site: &Site, first: u64, changes: u64, trusted_after: Duration) -> Orders {
    Orders { root: site.root().to_path_buf(), seed: first, first, changes, trusted_after }
}

/// A moment that has nothing to do with what goes on.
fn wait(moment: Duration) {
    let (_tell, never) = mpsc::channel::<()>();
    never.recv_timeout(moment).expect_err("nobody tells");
}

fn number_of(config: &str, value: &Value) -> u64 {
    value[config]["n"].as_u64().unwrap_or(0)
}

impl Known {
    /// Takes in what the program said.
    fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let [what, config, n] = words[..] else { return };
        let Ok(n) = n.parse::<u64>() else { return };
        let name = (config.to_owned(), n);
        match what {
            "undone" => drop(self.undone.insert(name)),
            "confirmed" => drop(self.confirmed.insert(name.0, n)),
            _ => {}
        }
    }

    fn note_end(&mut self, site: &Site) {
        for config in CONFIGS {
            let n = on_disk(site.root(), config).map_or(0, |value| number_of(config, &value));
            *self.ends.entry((config.to_owned(), n)).or_default() += 1;
        }
    }

    /// Judges what a start is on. Says whether the program works with it.
    fn judge_start(&mut self, disk: &[OnDisk; 3], said: &str) -> bool {
        let started: Value = serde_json::from_str(said).expect("what it started on");
        let mut works = true;
        for (config, disk) in CONFIGS.into_iter().zip(disk) {
            let (value, degraded) = (&started[config]["value"], started[config]["degraded"].as_str());
            if value.is_null() && !disk.exists {
                // Taken away on purpose, as far as a start can know.
                continue;
            }
            let kind = kind_of(config, value).unwrap_or_else(|| panic!("{config} is gone: {said}"));
            let name = (config.to_owned(), number_of(config, value));
            assert_eq!(fault_of(config, value), None, "started on a value that has to be refused: {said}");
            self.judge_harm(&name, kind, said);
            works &= kind.fate() != Fate::IsUndone;
            self.judge_choice(disk.value.as_ref(), &name, value, degraded);
        }
        works
    }

    /// What was undone is not started with; what breaks the program, and was not undone yet, at most twice, unless
    /// there may be nothing else.
    fn judge_harm(&mut self, name: &Name, kind: Kind, said: &str) {
        assert!(!self.undone.contains(name), "started on {name:?}, which was undone: {said}");
        if kind.fate() == Fate::IsUndone {
            let starts = self.broken_starts.entry(name.clone()).or_default();
            *starts += 1;
            let is_over = *starts > 2 && self.has_another(&name.0);
            assert!(!is_over, "the program broke twice with {name:?}, and starts with it again: {said}");
        } else {
            self.worked.insert(name.clone());
        }
    }

    /// Whether there is a value to go back to: one that was confirmed, or cannot have been taken for the cause of two ends.
    fn has_another(&self, config: &str) -> bool {
        let mut worked = self.worked.iter().filter(|(of, _)| of == config);
        self.confirmed.contains_key(config)
            || worked.any(|name| self.ends.get(name).is_none_or(|ends| *ends < 2))
    }

    /// What is on disk is started with if it is good, else the newest that is known to be.
    fn judge_choice(&self, disk: Option<&Value>, name: &Name, value: &Value, degraded: Option<&str>) {
        let (config, n) = name;
        if disk == Some(value) {
            return assert_eq!(degraded, None, "{config} is what is on disk");
        }
        let why =
            degraded.unwrap_or_else(|| panic!("{config} is {value}, on disk {disk:?}: not a word of it"));
        let confirmed = self.confirmed.get(config).copied().unwrap_or(0);
        assert!(*n >= confirmed, "{config} went back to {n}, though {confirmed} was confirmed: {why}");
        let Some(disk) = disk else { return };
        let (of_disk, is_good) =
            ((config.clone(), number_of(config, disk)), fault_of(config, disk).is_none());
        if is_good && kind_of(config, disk).is_some_and(|kind| kind.fate() == Fate::Stays) {
            let ends = self.ends.get(&of_disk).copied().unwrap_or(0);
            let may_have_crashed = why.contains("crashed twice") && ends >= 2 && confirmed < of_disk.1;
            assert!(may_have_crashed, "{of_disk:?} is good, {name:?} is in use after {ends} ends: {why}");
        }
    }
}

/// With a value that ends the program as soon as it is known to be in use.
#[test]
fn a_value_with_which_the_program_crashed_twice_is_not_started_with() {
    assert_eq!(crashes_with("soon"), 2);
}

/// With one that ends it while it is being told: a crash may come before anybody could note what it was with.
#[test]
fn a_value_with_which_the_program_crashes_at_once_is_not_started_with_for_long() {
    let crashes = crashes_with("at once");
    assert!((2..=3).contains(&crashes), "{crashes}");
}

/// Saves a value with which the program crashes. Returns how often it does so before it starts without.
fn crashes_with(crash: &str) -> u64 {
    let site = site();
    let start = |trusted_after| {
        let mut program = Program::start(BODY);
        program.tell(&orders(&site, 2, 0, trusted_after).to_line());
        let started: Value = serde_json::from_str(&program.says("up ")).expect("what it started on");
        (program, started["app"].clone())
    };
    let minute = Duration::from_secs(60);
    let (mut program, app) = start(Duration::ZERO);
    assert_eq!(app["value"]["app"]["n"], 1);
    program.tell("end");
    program.ends_well();
    let (mut program, _) = start(minute);
    site.write(&file("app"), &format!("{}crash = \"{crash}\"\n", text("app", Kind::Good, 2)));
    let mut crashes = 0;
    let app = loop {
        drop(program.ends());
        crashes += 1;
        let (next, app) = start(minute);
        program = next;
        if app["value"]["app"]["n"] != 2 {
            break app;
        }
        assert_eq!(app["degraded"], Value::Null, "fewer are chance");
    };
    assert_eq!(app["value"]["app"]["n"], 1, "{app}");
    let why = app["degraded"].as_str().expect("it says so");
    assert!(why.contains("crashed twice within a minute"), "{why}");
    // Another value is another chance.
    site.write(&file("app"), &text("app", Kind::Good, 3));
    drop(program.last_words());
    let (program, app) = start(minute);
    assert_eq!((&app["value"]["app"]["n"], &app["degraded"]), (&json!(3), &Value::Null));
    drop(program.last_words());
    crashes
}
