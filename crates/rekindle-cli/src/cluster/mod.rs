//! The commands that change a fleet by way of its store: a release out, how far it is shown.
//!
//! [`documents`] is what lies in a directory as a release, [`check`] what can be said of one before anybody is asked,
//! [`report`] how a cluster looks for people.

mod args;
mod check;
mod documents;
mod edit;
mod log;
mod publish;
pub(crate) mod report;
mod rollout;
mod sync;

use rekindle_cluster::store::{Access, open_with};
use rekindle_cluster::{Client, Error, Payload, Signer};

pub(crate) use args::{EditArgs, LogArgs, PublishArgs, PullArgs, RolloutArgs, SyncArgs};
pub(crate) use check::{Loaded, load};
pub(crate) use edit::edit;
pub(crate) use log::log;
pub(crate) use publish::{publish, pull};
pub(crate) use rollout::rollout;
pub(crate) use sync::sync;

use crate::stop::Stop;

/// What all instances are to use, by way of an address alone.
///
/// # Errors
///
/// [`Stop::Failed`] when nothing is stable yet; what the store fails with.
pub(crate) async fn in_use(address: &str) -> Result<Payload, Stop> {
    let store = open_with(address, &Access::from_env()?).await?;
    Ok(publish::stable(&Client::new(store)).await?.1)
}

/// Whom the address of a store leads to.
async fn client(args: &args::StoreArgs) -> Result<Client, Stop> {
    let store = open_with(&args.store, &Access::from_env()?).await?;
    let client = Client::new(store);
    Ok(match &args.key {
        Some(key) => client.signing(Signer::read(key)?),
        None => client,
    })
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        match error {
            Error::Address(why) => Self::Usage(why),
            Error::Plan(why) => Self::Usage(format!("the plan of the rollout: {why}")),
            other => Self::Cluster(other),
        }
    }
}
