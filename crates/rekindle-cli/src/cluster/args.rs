//! What can be asked of a fleet on the command line. Declarations, and what they say together.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use rekindle_cluster::{Label, Plan, Step};

use super::sync::Side;
use crate::help;

/// Where the fleet's store is.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// The store: sqlite:PATH, etcd:HOST:PORT,HOST:PORT/PREFIX or nats: alike.
    #[arg(long, value_name = "ADDRESS", env = "REKINDLE_STORE")]
    pub(super) store: String,
    /// Sign what is published with the private key in this file (Ed25519, PEM).
    #[arg(long, value_name = "FILE", env = "REKINDLE_SIGNING_KEY", hide_env_values = true)]
    pub(super) key: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Of `rekindle publish`.
#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    #[command(flatten)]
    pub(super) what: WhatArgs,
    /// Ask nobody: it is what all are to use, and each instance takes it or keeps what it has.
    #[arg(long, conflicts_with = "wait")]
    pub(super) force: bool,
    #[command(flatten)]
    pub(super) at: StoreArgs,
}

/// What is published.
#[derive(Debug, Args)]
pub(crate) struct WhatArgs {
    /// A directory of configurations: app.toml in it is the configuration app.
    #[arg(value_name = "DIR", required_unless_present = "payload")]
    pub(super) dir: Option<PathBuf>,
    /// Something that was published before, as `rekindle log` names it.
    #[arg(long, value_name = "HASH", conflicts_with_all = ["dir", "message"])]
    pub(super) payload: Option<String>,
    /// Why.
    #[arg(short, long, value_name = "TEXT", default_value = "")]
    pub(super) message: String,
    /// Show how it goes until it has ended; 1 unless all use it then.
    #[arg(long)]
    pub(super) wait: bool,
}

/// Of `rekindle pull`.
#[derive(Debug, Args)]
pub(crate) struct PullArgs {
    /// The directory to write the configurations into that all are to use.
    #[arg(value_name = "DIR")]
    pub(super) dir: PathBuf,
    /// Something else that was published, as `rekindle log` names it.
    #[arg(long, value_name = "HASH")]
    pub(super) payload: Option<String>,
    #[command(flatten)]
    pub(super) at: StoreArgs,
}

/// Of `rekindle log`.
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// Only the newest ones, so many.
    #[arg(short, long, value_name = "COUNT")]
    pub(super) number: Option<usize>,
    #[command(flatten)]
    pub(super) at: StoreArgs,
}

/// Of `rekindle edit`.
#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    /// The configuration: app, or app.toml.
    #[arg(value_name = "CONFIG")]
    pub(super) config: String,
    /// Why.
    #[arg(short, long, value_name = "TEXT", default_value = "")]
    pub(super) message: String,
    /// Show how it goes until it has ended; 1 unless all use it then.
    #[arg(long)]
    pub(super) wait: bool,
    #[command(flatten)]
    pub(super) at: StoreArgs,
}

/// Of `rekindle sync`.
#[derive(Debug, Args)]
pub(crate) struct SyncArgs {
    /// A directory of configurations: app.toml in it is the configuration app.
    #[arg(value_name = "DIR")]
    pub(super) dir: PathBuf,
    /// Go on: whatever is saved here or published there is the same on the other side soon.
    #[arg(long)]
    pub(super) watch: bool,
    /// Where both have changed the same file, publish what is here.
    #[arg(long, conflicts_with = "theirs")]
    ours: bool,
    /// Where both have changed the same file, take what is in the store; what was here is kept beside it.
    #[arg(long)]
    theirs: bool,
    /// Ask nobody: what is here is what all are to use, and each instance takes it or keeps what it has.
    #[arg(long)]
    pub(super) force: bool,
    /// Why, for what is published.
    #[arg(short, long, value_name = "TEXT", default_value = "")]
    pub(super) message: String,
    #[command(flatten)]
    pub(super) at: StoreArgs,
}

impl SyncArgs {
    /// Whose word counts where both have changed the same.
    pub(super) fn winner(&self) -> Option<Side> {
        match (self.ours, self.theirs) {
            (true, _) => Some(Side::Ours),
            (_, true) => Some(Side::Theirs),
            _ => None,
        }
    }
}

/// Of `rekindle rollout`.
#[derive(Debug, Args)]
pub(crate) struct RolloutArgs {
    #[command(subcommand)]
    pub(super) command: RolloutCommand,
}

/// What to do with a rollout.
#[derive(Debug, Subcommand)]
pub(crate) enum RolloutCommand {
    /// Begin one: all validate it, then more and more of them use it, as long as they are well.
    #[command(after_help = help::ROLLOUT_START)]
    Start(StartArgs),
    /// Show what all are to use, how far a rollout is, and how each instance is.
    #[command(after_help = help::ROLLOUT_STATUS)]
    Status(StoreArgs),
    /// Show each step of a rollout as it happens, until it has ended.
    #[command(after_help = help::ROLLOUT_WATCH)]
    Watch(StoreArgs),
    /// Let a rollout that waits for a person go on.
    #[command(after_help = help::ROLLOUT_CHANGE)]
    Approve(StoreArgs),
    /// Stop a rollout where it is.
    #[command(after_help = help::ROLLOUT_CHANGE)]
    Pause(ReasonArgs),
    /// End a rollout: everybody goes back to what is stable.
    #[command(after_help = help::ROLLOUT_CHANGE)]
    Abort(ReasonArgs),
}

/// Of `rekindle rollout start`.
#[derive(Debug, Args)]
pub(crate) struct StartArgs {
    #[command(flatten)]
    pub(super) what: WhatArgs,
    /// The steps, in per cent of the instances.
    #[arg(long, value_name = "PERCENT", value_delimiter = ',', default_value = "10,50,100", value_parser = share)]
    steps: Vec<u16>,
    /// Those with this label first: zone=eu. Repeatable.
    #[arg(long, value_name = "KEY=VALUE", value_parser = label)]
    first: Vec<Label>,
    /// How many seconds those of a step have to be well.
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    bake: u64,
    /// How many seconds the instances may take for what they are to do.
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    patience: u64,
    /// Wait for `rekindle rollout approve` after each step.
    #[arg(long)]
    manual: bool,
    #[command(flatten)]
    pub(super) at: StoreArgs,
}

/// Of `rekindle rollout pause` and `abort`.
#[derive(Debug, Args)]
pub(crate) struct ReasonArgs {
    /// Why.
    #[arg(value_name = "REASON", default_value = "by hand")]
    pub(super) reason: String,
    #[command(flatten)]
    pub(super) at: StoreArgs,
}

impl StartArgs {
    pub(super) fn plan(&self) -> Plan {
        let first = self.first.iter().cloned().map(Step::Label);
        let steps = first.chain(self.steps.iter().copied().map(Step::Share)).collect();
        let (bake_ms, patience_ms) = (self.bake.saturating_mul(1000), self.patience.saturating_mul(1000));
        Plan { steps, bake_ms, patience_ms, manual: self.manual, ..Plan::default() }
    }
}

/// Per cent in, per mille out.
fn share(text: &str) -> Result<u16, String> {
    let wrong = || format!("{text:?} is no share: expected per cent, with at most one decimal, up to 100");
    let percent: f64 = text.trim_end_matches('%').parse().map_err(|_| wrong())?;
    let mille = percent * 10.0;
    let is_share = mille > 0.0 && mille <= 1000.0 && (mille - mille.round()).abs() < 1e-6;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is at most 1000")]
    if is_share { Ok(mille.round() as u16) } else { Err(wrong()) }
}

fn label(text: &str) -> Result<Label, String> {
    let (key, value) =
        text.split_once('=').ok_or_else(|| format!("{text:?} is no label: expected KEY=VALUE"))?;
    Ok(Label { key: key.to_owned(), value: value.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_per_cent_and_labels_pairs() {
        assert_eq!((share("10"), share("0.5"), share("100%")), (Ok(100), Ok(5), Ok(1000)));
        for wrong in ["0", "101", "ten", "0.01", "-5", ""] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            label("zone=eu=1").map(|label| (label.key, label.value)),
            Ok(("zone".into(), "eu=1".into()))
        );
        assert!(label("zone").is_err());
    }
}
