//! The demo's script: the edits in order, and what each must come to.

use super::program::App;
use super::project::Text::{self, Replace, Whole};

/// The environment that the demo's program runs in.
pub(super) const ENVIRONMENT: &str = "production";

const APP: &str = "config/app.toml";
const LAYER: &str = "config/app.production.toml";

/// One edit and its outcome.
#[derive(Debug)]
pub(super) struct Step {
    /// The edit, in a few words.
    pub(super) title: &'static str,
    /// The edit.
    pub(super) act: Act,
    /// What ends the wait for it.
    pub(super) awaited: Awaited,
    /// Whether it could be a save in progress, so that a debounce window passes before it counts.
    pub(super) patient: bool,
    /// Every event it causes, in [`words`](super::program::words), in any order, and no other.
    pub(super) events: &'static [&'static str],
    /// The value that the program holds afterwards, made from the one it held before.
    pub(super) outcome: fn(&mut App),
}

/// How a file is edited.
#[derive(Debug)]
pub(super) enum Act {
    /// See [`Project`](super::project::Project) for each of them.
    SaveByRename(&'static str, Text),
    SaveInPlace(&'static str, Text),
    SaveTruncated(&'static str, Text),
    Rename(&'static str, &'static str),
    Remove(&'static str),
    /// The newest backup of the file is put back by the engine.
    Restore(&'static str),
    /// The revision before the newest good one is brought back from the history of `app`.
    Rollback,
}

/// How the program learns of an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaited {
    /// A new value on its stream.
    Value,
    /// An event, the first of the step's.
    Event,
}

/// The events of a configuration that took a change.
macro_rules! taken {
    ($change:literal, $file:literal $(, $more:literal)*) => {
        &[concat!($change, " ", $file), "changed app", "completed app", "confirmed app" $(, $more)*]
    };
}

fn same(_: &mut App) {}

/// All edits.
pub(super) fn steps() -> Vec<Step> {
    [saves(), mistakes(), layers(), files(), restores(), trust()].into_iter().flatten().collect()
}

fn saves() -> Vec<Step> {
    vec![
        Step {
            title: "port, saved by rename",
            act: Act::SaveByRename(APP, Replace("port = 8080", "port = 9090")),
            awaited: Awaited::Value,
            patient: false,
            events: taken!("modified", "config/app.toml"),
            outcome: |app| app.port = 9090,
        },
        Step {
            title: "workers, saved in place",
            act: Act::SaveInPlace(APP, Replace("workers = 4", "workers = 8")),
            awaited: Awaited::Value,
            patient: false,
            events: taken!("modified", "config/app.toml"),
            outcome: |app| app.workers = 8,
        },
        Step {
            title: "greeting, half then whole",
            act: Act::SaveTruncated(APP, Replace("\"Hello\"", "\"Good morning\"")),
            awaited: Awaited::Value,
            patient: false,
            events: taken!("modified", "config/app.toml"),
            outcome: |app| app.greeting = "Good morning".into(),
        },
    ]
}

fn mistakes() -> Vec<Step> {
    vec![
        Step {
            title: "a typo: port = = 9090",
            act: Act::SaveInPlace(APP, Replace("port = 9090", "port = = 9090")),
            awaited: Awaited::Event,
            patient: true,
            events: &["refused app config/app.toml:3:8", "modified config/app.toml"],
            outcome: same,
        },
        Step {
            title: "the typo mended, port 9091",
            act: Act::SaveInPlace(APP, Replace("port = = 9090", "port = 9091")),
            awaited: Awaited::Value,
            patient: false,
            events: taken!("modified", "config/app.toml", "recovered app"),
            outcome: |app| app.port = 9091,
        },
        Step {
            title: "workers = 0, schema says 1+",
            act: Act::SaveByRename(APP, Replace("workers = 8", "workers = 0")),
            awaited: Awaited::Event,
            patient: true,
            events: &["refused app config/app.toml:4:11", "modified config/app.toml"],
            outcome: same,
        },
        Step {
            title: "workers = 16",
            act: Act::SaveByRename(APP, Replace("workers = 0", "workers = 16")),
            awaited: Awaited::Value,
            patient: false,
            events: taken!("modified", "config/app.toml", "recovered app"),
            outcome: |app| app.workers = 16,
        },
    ]
}

fn layers() -> Vec<Step> {
    vec![
        Step {
            title: "app.production.toml appears",
            act: Act::SaveInPlace(LAYER, Whole("[log]\nlevel = \"warn\"\n")),
            awaited: Awaited::Value,
            patient: false,
            events: taken!("created", "config/app.production.toml"),
            outcome: |app| app.log.level = "warn".into(),
        },
        Step {
            title: "app.production.toml goes",
            act: Act::Remove(LAYER),
            awaited: Awaited::Value,
            patient: true,
            events: taken!("deleted", "config/app.production.toml"),
            outcome: |app| app.log.level = "info".into(),
        },
    ]
}

fn files() -> Vec<Step> {
    vec![
        Step {
            title: "welcome.html, by rename",
            act: Act::SaveByRename("templates/welcome.html", Replace("h1>{{", "h1 class=\"big\">{{")),
            awaited: Awaited::Event,
            patient: false,
            events: &["modified templates/welcome.html"],
            outcome: same,
        },
        Step {
            title: "style.css, in place",
            act: Act::SaveInPlace("static/style.css", Replace("black", "crimson")),
            awaited: Awaited::Event,
            patient: false,
            events: &["modified static/style.css"],
            outcome: same,
        },
        Step {
            title: "logo.svg, new",
            act: Act::SaveInPlace("static/logo.svg", Whole("<svg xmlns=\"http://www.w3.org/2000/svg\"/>\n")),
            awaited: Awaited::Event,
            patient: false,
            events: &["created static/logo.svg"],
            outcome: same,
        },
        Step {
            title: "logo.svg is now mark.svg",
            act: Act::Rename("static/logo.svg", "static/mark.svg"),
            awaited: Awaited::Event,
            patient: false,
            events: &["renamed static/mark.svg"],
            outcome: same,
        },
    ]
}

fn restores() -> Vec<Step> {
    vec![Step {
        title: "app.toml, from its backup",
        act: Act::Restore(APP),
        awaited: Awaited::Value,
        patient: false,
        events: taken!("modified", "config/app.toml"),
        outcome: |app| app.workers = 8,
    }]
}

fn trust() -> Vec<Step> {
    vec![
        Step {
            title: "workers = 60: a veto",
            act: Act::SaveByRename(APP, Replace("workers = 8", "workers = 60")),
            awaited: Awaited::Event,
            patient: false,
            events: &["refused app config/app.toml:4:11", "modified config/app.toml"],
            outcome: same,
        },
        Step {
            title: "workers = 24: no veto",
            act: Act::SaveByRename(APP, Replace("workers = 60", "workers = 24")),
            awaited: Awaited::Value,
            patient: false,
            events: taken!("modified", "config/app.toml", "recovered app"),
            outcome: |app| app.workers = 24,
        },
        Step {
            title: "no greeting: valid, harmful",
            act: Act::SaveInPlace(APP, Replace("\"Good morning\"", "\"\"")),
            awaited: Awaited::Event,
            patient: false,
            events: &[
                "rolled back app",
                "modified config/app.toml",
                "changed app",
                "completed app",
                "changed app",
            ],
            outcome: same,
        },
        Step {
            title: "a greeting again",
            act: Act::SaveInPlace(APP, Replace("greeting = \"\"", "greeting = \"Welcome\"")),
            awaited: Awaited::Value,
            patient: false,
            events: taken!("modified", "config/app.toml", "recovered app"),
            outcome: |app| app.greeting = "Welcome".into(),
        },
        Step {
            title: "back by one, from history",
            act: Act::Rollback,
            awaited: Awaited::Value,
            patient: false,
            events: taken!("modified", "config/app.toml"),
            outcome: |app| app.greeting = "Good morning".into(),
        },
    ]
}
