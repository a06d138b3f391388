//! A fleet that could be there: five instances, and a rollout among them that is led by hand.

use std::path::Path;
use std::sync::Arc;

use rekindle::async_trait;
use rekindle_cluster::{
    Client, Document, Engine, Label, Member, Options, Payload, Plan, Release, Sick, Step, store,
};
use rekindle_web::BoxError;

/// What each instance says that it is.
const INSTANCES: [(&str, &str, &str); 5] = [
    ("orders-1", "eu", "1.4.2"),
    ("orders-2", "eu", "1.4.2"),
    ("orders-3", "us", "1.4.2"),
    ("orders-4", "us", "1.4.1"),
    ("orders-5", "us", "1.4.2"),
];

/// Takes everything.
#[derive(Debug)]
struct Willing;

#[async_trait]
impl Engine for Willing {
    async fn check(&self, _payload: &Payload) -> Result<(), String> {
        Ok(())
    }

    async fn apply(&self, applied: Option<(Release, &Payload)>) -> Result<u64, String> {
        Ok(applied.map_or(0, |(release, _)| release.rollout))
    }

    async fn health(&self, _generation: u64) -> Result<(), Sick> {
        Ok(())
    }
}

/// The instances, and who asks them. They take part as long as this is held.
pub(crate) struct Fleet {
    pub(crate) client: Client,
    _members: Vec<Member>,
}

/// Starts it, with its store in a directory.
pub(crate) async fn start(directory: &Path) -> Result<Fleet, BoxError> {
    let store = store::open(&format!("sqlite:{}", directory.join("fleet.db").display())).await?;
    let member = |(id, zone, version): (&str, &str, &str)| {
        let labels = [("zone".to_owned(), zone.to_owned())].into();
        let options = Options { labels, version: version.to_owned(), ..Options::new(id) };
        Member::join(Arc::clone(&store), Arc::new(Willing), None, options)
    };
    let members: Vec<Member> = INSTANCES.map(member).into();
    let client = Client::new(Arc::clone(&store));
    let payload = |limit: u32| Payload::new([Document::new("limits", "toml", format!("orders = {limit}\n"))]);
    let release = client.publish_at_once(&payload(100)).await?;
    for member in &members {
        member.status().wait_for(|status| status.instance.applied == Some(release)).await?;
    }
    let first = Label { key: "zone".to_owned(), value: "eu".to_owned() };
    let steps = vec![Step::Label(first), Step::Share(800), Step::Share(1000)];
    let plan = Plan { steps, manual: true, bake_ms: 0, ..Plan::default() };
    client.publish(&payload(250).because("a higher limit"), plan).await?;
    Ok(Fleet { client, _members: members })
}
