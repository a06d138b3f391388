//! `rekindle publish` and `rekindle pull`: a directory into the store, and out of it.

use rekindle_cluster::{Client, Payload, Plan, Release};
use serde_json::json;

use super::args::{PublishArgs, PullArgs, WhatArgs};
use super::{client, documents, rollout};
use crate::output;
use crate::stop::Stop;

/// Makes it what all use as soon as all accept it.
///
/// # Errors
///
/// Why it is not.
pub(crate) async fn publish(args: &PublishArgs) -> Result<(), Stop> {
    let client = client(&args.at).await?;
    let payload = payload(&args.what)?;
    let release = match args.force {
        true => client.publish_at_once(&payload).await?,
        false => client.publish(&payload, Plan::at_once()).await?,
    };
    begun(&client, release, args.what.wait, args.at.json).await
}

/// What a directory holds, with who publishes it, why and when.
pub(super) fn payload(what: &WhatArgs) -> Result<Payload, Stop> {
    let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let payload =
        Payload::new(documents::read(&what.dir)?).because(&*what.message).at(jiff::Timestamp::now());
    Ok(payload.by(user.unwrap_or_default()))
}

/// Says that it is on its way, and follows it if that is asked for.
pub(super) async fn begun(client: &Client, release: Release, waits: bool, json: bool) -> Result<(), Stop> {
    if json {
        output::print(&format!("{}\n", json!({"release": release})))?;
    } else {
        output::print(&format!("rollout {} of {}\n", release.rollout, release.payload.short()))?;
    }
    if waits { rollout::follow(client, Some(release), json).await } else { Ok(()) }
}

/// Writes what all are to use into a directory.
///
/// # Errors
///
/// [`Stop::Failed`] when nothing has been published; what writing fails with.
pub(crate) async fn pull(args: &PullArgs) -> Result<(), Stop> {
    let client = client(&args.at).await?;
    let Some(release) = client.status().await?.head.stable else {
        output::complain("nothing is stable yet");
        return Err(Stop::Failed);
    };
    let Some(payload) = client.payload(release).await? else {
        output::complain(&format!("payload {} is not there", release.payload.short()));
        return Err(Stop::Failed);
    };
    for path in documents::write(&payload, &args.dir)? {
        let line = if args.at.json { json!({"path": path}).to_string() } else { path.display().to_string() };
        output::print(&format!("{line}\n"))?;
    }
    Ok(())
}
