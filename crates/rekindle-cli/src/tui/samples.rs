//! What the tests show.

use std::time::Duration;

use serde_json::json;

use super::facts::{Config, Facts, Health, Reload, STAGES};
use crate::record::Record;

/// Three configurations, all of them good.
pub(super) fn facts() -> Facts {
    Facts {
        root: "/srv/shop".into(),
        environment: "production".into(),
        generation: 1,
        watched_dirs: 4,
        polled_dirs: 0,
        degraded: None,
        configs: vec![
            config("app", &["config/app.toml", "config/app.production.toml"]),
            config("database", &["config/database.yaml"]),
            config("features", &["config/features.json"]),
        ],
    }
}

fn config(name: &str, files: &[&str]) -> Config {
    Config {
        name: name.into(),
        health: Health::Good,
        state: "in sync",
        generation: Some(1),
        files: files.iter().map(ToString::to_string).collect(),
        ignored: Vec::new(),
        pending: Vec::new(),
        failure: None,
    }
}

/// What the report says of [`broken`].
pub(super) const REPORT: &str = "\
error: invalid type: string \"many\", expected an integer
 --> config/database.yaml:2:7
  |
2 | pool: many
  |       ^^^^
help: write a whole number
";

/// The configuration of this name is not fit to be applied.
pub(super) fn broken(mut facts: Facts, name: &str) -> Facts {
    for config in facts.configs.iter_mut().filter(|config| config.name == name) {
        (config.health, config.state) = (Health::Bad, "invalid");
        config.failure = Some("config/database.yaml:2:7: invalid type".into());
    }
    facts
}

/// The configuration of this name has a value of this generation.
pub(super) fn changed(mut facts: Facts, name: &str, generation: u64) -> Facts {
    facts.generation = generation;
    for config in facts.configs.iter_mut().filter(|config| config.name == name) {
        config.generation = Some(generation);
    }
    facts
}

/// The record of a change of a port.
pub(super) fn change(name: &str, generation: u64) -> Record {
    Record::ConfigChanged {
        config_name: name.into(),
        generation,
        changed: vec!["/port".into()],
        old_value: json!({"port": 8080}),
        new_value: json!({"port": 8000 + generation}),
        duration_us: 1900,
    }
}

/// A reload that applied something.
pub(super) fn applied(names: &[&str], generation: u64, total: u64) -> Reload {
    Reload {
        at: "12:00:00".into(),
        trigger: "files".into(),
        health: Health::Good,
        outcome: "applied",
        generation,
        configs: names.iter().map(ToString::to_string).collect(),
        refused: Vec::new(),
        undone: None,
        stages: stages(total),
    }
}

/// A reload that refused something.
pub(super) fn refused(name: &str, generation: u64) -> Reload {
    Reload {
        health: Health::Bad,
        outcome: "refused",
        refused: vec![(name.into(), "by schema: config/database.yaml:2:7: invalid type".into())],
        ..applied(&[], generation, 3_100)
    }
}

/// So many microseconds, most of them waiting.
fn stages(total: u64) -> [Duration; STAGES] {
    [total * 6 / 10, total * 2 / 10, total / 10, 0, total / 20, 0, total].map(Duration::from_micros)
}
