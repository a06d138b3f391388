//! `rekindle publish` and `rekindle pull`: a directory into the store, and out of it.

use std::path::Path;

use rekindle_cluster::{Client, Payload, Plan, Release};
use serde_json::json;

use super::args::{PublishArgs, PullArgs, WhatArgs};
use super::{check, client, documents, rollout};
use crate::output;
use crate::stop::Stop;

/// Makes it what all use as soon as all accept it.
///
/// # Errors
///
/// Why it is not.
pub(crate) async fn publish(args: &PublishArgs) -> Result<(), Stop> {
    let client = client(&args.at).await?;
    let payload = payload(&client, &args.what).await?;
    let release = match args.force {
        true => client.publish_at_once(&payload).await?,
        false => client.publish(&payload, Plan::at_once()).await?,
    };
    begun(&client, release, args.what.wait, args.at.json).await
}

/// What a directory holds, with who publishes it, why and when; or what was published before, as it was.
pub(super) async fn payload(client: &Client, what: &WhatArgs) -> Result<Payload, Stop> {
    if let Some(name) = &what.payload {
        return Ok(client.find(name).await?.1);
    }
    let directory = what.dir.as_deref().unwrap_or(Path::new("."));
    let payload = signed_off(Payload::new(documents::read(directory)?).because(&*what.message));
    check::check(&payload).await?;
    Ok(payload)
}

/// With who publishes it, and when.
pub(super) fn signed_off(payload: Payload) -> Payload {
    let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    payload.by(user.unwrap_or_default()).at(jiff::Timestamp::now())
}

/// What all are to use.
pub(super) async fn stable(client: &Client) -> Result<(Release, Payload), Stop> {
    let Some(release) = client.status().await?.head.stable else {
        output::complain("nothing is stable yet");
        return Err(Stop::Failed);
    };
    Ok((release, contents(client, release).await?))
}

/// What a release is made of.
pub(super) async fn contents(client: &Client, release: Release) -> Result<Payload, Stop> {
    client.payload(release).await?.ok_or_else(|| {
        output::complain(&format!("payload {} is not there", release.payload.short()));
        Stop::Failed
    })
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
    let payload = match &args.payload {
        Some(name) => client.find(name).await?.1,
        None => stable(&client).await?.1,
    };
    for path in documents::write(&payload, &args.dir)? {
        let line = if args.at.json { json!({"path": path}).to_string() } else { path.display().to_string() };
        output::print(&format!("{line}\n"))?;
    }
    Ok(())
}
