//! `rekindle rollout`: begun, followed, and led by hand.

use rekindle_cluster::{Client, ClusterStatus, Ended, Head, Outcome, Release};
use serde_json::json;

use super::args::{RolloutArgs, RolloutCommand, StartArgs};
use super::{client, publish, report};
use crate::output;
use crate::stop::Stop;

/// Does what is asked for.
///
/// # Errors
///
/// Why it cannot be done; [`Stop::Failed`] when a rollout that is followed does not end well.
pub(crate) async fn rollout(args: &RolloutArgs) -> Result<(), Stop> {
    match &args.command {
        RolloutCommand::Start(args) => start(args).await,
        RolloutCommand::Status(args) => {
            let status = client(args).await?.status().await?;
            let shown = if args.json {
                format!("{}\n", as_json(&status))
            } else {
                report::whole(&status, output::width())
            };
            output::print(&shown)
        }
        RolloutCommand::Watch(args) => follow(&client(args).await?, None, args.json).await,
        RolloutCommand::Approve(args) => changed(&client(args).await?.approve().await?, args.json),
        RolloutCommand::Pause(args) => {
            changed(&client(&args.at).await?.pause(&args.reason).await?, args.at.json)
        }
        RolloutCommand::Abort(args) => {
            changed(&client(&args.at).await?.abort(&args.reason).await?, args.at.json)
        }
    }
}

async fn start(args: &StartArgs) -> Result<(), Stop> {
    let client = client(&args.at).await?;
    let payload = publish::payload(&client, &args.what).await?;
    let release = client.publish(&payload, args.plan()).await?;
    publish::begun(&client, release, args.what.wait, args.at.json).await
}

fn changed(head: &Head, json: bool) -> Result<(), Stop> {
    let shown = if json { json!({"head": head}).to_string() } else { report::rollout(head, None) };
    output::print(&format!("{shown}\n"))
}

fn as_json(status: &ClusterStatus) -> serde_json::Value {
    json!({"head": status.head, "instances": status.instances, "coordinator": status.coordinator})
}

/// Shows each step until it has ended: the one that is asked for, or the one that is on its way.
pub(super) async fn follow(client: &Client, release: Option<Release>, json: bool) -> Result<(), Stop> {
    let mut watch = client.watch();
    let (mut followed, mut last) = (release, String::new());
    loop {
        let status = watch.next().await?;
        let shown =
            if json { as_json(&status).to_string() } else { report::rollout(&status.head, Some(&status)) };
        if shown != last {
            output::print(&format!("{shown}\n"))?;
            last = shown;
        }
        let on_its_way = status.head.candidate.as_ref().map(|candidate| candidate.release);
        followed = followed.or(on_its_way);
        if on_its_way.is_some() && on_its_way == followed {
            continue;
        }
        // What was not to be waited for is shown, and that is all.
        let Some(release) = followed else { return Ok(()) };
        return match &status.head.last {
            Some(Ended { release: ended, outcome, .. })
                if *ended == release && *outcome != Outcome::Promoted =>
            {
                Err(Stop::Failed)
            }
            _ => Ok(()),
        };
    }
}
