//! [`Trigger`] and [`Outcome`]: why there is a generation, and what became of it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What made a configuration be loaded.
///
/// ```
/// use rekindle::Trigger;
///
/// assert_eq!(Trigger::Signal.as_str(), "signal");
/// assert_eq!(Trigger::Signal.to_string(), "signal");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Trigger {
    /// The program, or its engine, started.
    Start,
    /// A file changed on disk.
    Files,
    /// The program asked for it.
    Reload,
    /// A signal came, such as SIGHUP.
    Signal,
    /// The program wrote the configuration by way of the engine.
    Update,
    /// An earlier revision was asked for and restored.
    Rollback,
    /// A shared store said something else.
    Remote,
    /// A generation that did harm was undone.
    Undo,
    /// Something that a later version of this crate wrote down, and this one has no name for.
    #[serde(other)]
    Other,
}

impl Trigger {
    /// Its name: one word in lower case, as in the records on disk.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Files => "files",
            Self::Reload => "reload",
            Self::Signal => "signal",
            Self::Update => "update",
            Self::Rollback => "rollback",
            Self::Remote => "remote",
            Self::Undo => "undo",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What became of a generation.
///
/// ```
/// use rekindle::Outcome;
///
/// let outcome = Outcome::Unconfirmed { crashes: 1 };
/// assert_eq!(outcome.to_string(), "unconfirmed, crashed once");
/// assert!(!outcome.is_bad());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// It was valid, and was not in use for long enough to be trusted.
    Unconfirmed {
        /// How many starts found that the program had crashed while it was new.
        crashes: u32,
    },
    /// It was in use for long enough to be trusted.
    Confirmed,
    /// It was undone.
    RolledBack {
        /// Why, in one line.
        reason: String,
    },
    /// The program crashed [twice](Self::MOST_CRASHES) while it was new.
    Crashed,
}

impl Outcome {
    /// With this many crashes a new generation is not trusted any more.
    pub const MOST_CRASHES: u32 = 2;

    /// Whether it was found to do harm: it is not returned to, and a return of the same content is a
    /// revision of its own.
    pub fn is_bad(&self) -> bool {
        matches!(self, Self::RolledBack { .. } | Self::Crashed)
    }

    /// Whether it is one to go back to: confirmed, or new and nothing is known against it.
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Confirmed | Self::Unconfirmed { crashes: 0 })
    }

    /// What it becomes when the program crashed while the generation was in use and unconfirmed.
    ///
    /// What another process has confirmed or undone meanwhile stays so.
    pub(crate) fn after_crash(&self) -> Self {
        match self {
            Self::Unconfirmed { crashes } if crashes.saturating_add(1) < Self::MOST_CRASHES => {
                Self::Unconfirmed { crashes: crashes + 1 }
            }
            Self::Unconfirmed { .. } => Self::Crashed,
            settled => settled.clone(),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unconfirmed { crashes: 0 } => f.write_str("unconfirmed"),
            Self::Unconfirmed { crashes: 1 } => f.write_str("unconfirmed, crashed once"),
            Self::Unconfirmed { crashes } => write!(f, "unconfirmed, crashed {crashes} times"),
            Self::Confirmed => f.write_str("confirmed"),
            Self::RolledBack { reason } => write!(f, "rolled back: {reason}"),
            Self::Crashed => f.write_str("crashed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_crashes_make_a_new_generation_a_crashed_one() {
        let once = Outcome::Unconfirmed { crashes: 0 }.after_crash();
        assert_eq!(once, Outcome::Unconfirmed { crashes: 1 });
        assert_eq!(once.after_crash(), Outcome::Crashed);
        assert_eq!(Outcome::Unconfirmed { crashes: u32::MAX }.after_crash(), Outcome::Crashed);
        assert!(!once.is_good() && !once.is_bad(), "not one to go back to, nor one to refuse");
    }

    #[test]
    fn a_crash_changes_nothing_about_what_is_settled() {
        let undone = Outcome::RolledBack { reason: "the port was taken".into() };
        for settled in [Outcome::Confirmed, undone, Outcome::Crashed] {
            assert_eq!(settled.after_crash(), settled);
        }
    }

    #[test]
    fn names_on_disk_are_those_that_are_shown() {
        use Trigger::{Files, Other, Reload, Rollback, Signal, Start, Undo, Update};
        for trigger in [Start, Files, Reload, Signal, Update, Rollback, Undo, Other] {
            let text = serde_json::to_string(&trigger).expect("a word");
            assert_eq!(text, format!("\"{trigger}\""));
            assert_eq!(serde_json::from_str::<Trigger>(&text).expect("it is one"), trigger);
        }
        let later: Trigger = serde_json::from_str("\"moon-phase\"").expect("it is not known, and no fault");
        assert_eq!(later, Other);
    }

    #[test]
    fn outcomes_are_written_with_what_belongs_to_them() {
        let cases = [
            (Outcome::Unconfirmed { crashes: 1 }, r#"{"state":"unconfirmed","crashes":1}"#),
            (Outcome::Confirmed, r#"{"state":"confirmed"}"#),
            (Outcome::RolledBack { reason: "r".into() }, r#"{"state":"rolled-back","reason":"r"}"#),
            (Outcome::Crashed, r#"{"state":"crashed"}"#),
        ];
        for (outcome, text) in cases {
            assert_eq!(serde_json::to_string(&outcome).expect("an object"), text);
            assert_eq!(serde_json::from_str::<Outcome>(text).expect("it is one"), outcome);
        }
    }
}
