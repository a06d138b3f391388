//! The commands that change a fleet by way of its store: a release out, how far it is shown.
//!
//! [`documents`] is what lies in a directory as a release, [`report`] how a cluster looks for people.

mod args;
mod documents;
mod publish;
pub(crate) mod report;
mod rollout;

use rekindle_cluster::store::{Access, open_with};
use rekindle_cluster::{Client, Error, Signer};

pub(crate) use args::{PublishArgs, PullArgs, RolloutArgs};
pub(crate) use publish::{publish, pull};
pub(crate) use rollout::rollout;

use crate::stop::Stop;

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
