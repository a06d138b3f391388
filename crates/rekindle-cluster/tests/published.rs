//! What was published, found again; and what is published over something.
#![cfg(feature = "sqlite")]

use std::sync::Arc;

use rekindle_cluster::store::{Sqlite, Store, Write};
use rekindle_cluster::{Client, Digest, Document, Error, Key, Payload, Plan};

async fn store() -> (tempfile::TempDir, Arc<dyn Store>) {
    let directory = tempfile::tempdir().expect("a directory");
    let store = Sqlite::open(directory.path().join("cluster.db")).await.expect("it opens");
    (directory, Arc::new(store))
}

fn payload(port: u32) -> Payload {
    Payload::new([Document::new("app", "toml", format!("port = {port}"))])
}

#[tokio::test]
async fn what_was_published_is_listed_newest_first_and_found_by_its_beginning() {
    let (_directory, store) = store().await;
    let client = Client::new(Arc::clone(&store));
    assert!(client.published().await.expect("it answers").is_empty());
    // Seventeen of them: two at least begin with the same digit.
    let payloads: Vec<Payload> = (0..17).map(payload).collect();
    for payload in &payloads {
        client.publish_at_once(payload).await.expect("it is written");
    }
    // To publish the first one again makes no second one of it.
    client.publish_at_once(&payloads[0]).await.expect("it is written");
    let published = client.published().await.expect("it answers");
    let listed: Vec<Digest> = published.iter().map(|one| one.digest).collect();
    let expected: Vec<Digest> = payloads.iter().rev().map(Payload::digest).collect();
    assert_eq!(listed, expected);
    assert_eq!(published[0].payload.as_ref().expect("it can be read"), &payloads[16]);

    let digest = payloads[3].digest();
    let found = client.find(&digest.to_string()[..12]).await.expect("there is one");
    assert_eq!(found, (digest, payloads[3].clone()));
    for wrong in ["", "nothing", "payload/", &digest.to_string().to_uppercase(), &"0".repeat(64)] {
        let error = client.find(wrong).await.expect_err(wrong);
        assert!(matches!(error, Error::NotFound(_)), "{wrong}: {error}");
    }
    let digits = ('0'..='9').chain('a'..='f').map(String::from);
    let mut ambiguous = 0;
    for digit in digits {
        if let Err(error) = client.find(&digit).await
            && error.to_string().contains(" begins ")
        {
            ambiguous += 1;
        }
    }
    assert!(ambiguous > 0);
}

#[tokio::test]
async fn what_cannot_be_read_hides_nothing_else() {
    let (_directory, store) = store().await;
    let client = Client::new(Arc::clone(&store));
    client.publish_at_once(&payload(1)).await.expect("it is written");
    let later = br#"{"format": 2}"#;
    let key = Key::payload(Digest::of(later));
    store.write(Write::put(key, later.to_vec())).await.expect("it is written");
    store.write(Write::put(Key::named("payload/other"), b"{}".to_vec())).await.expect("it is written");
    let published = client.published().await.expect("it answers");
    let read: Vec<bool> = published.iter().map(|one| one.payload.is_ok()).collect();
    assert_eq!(read, [false, true]);
}

#[tokio::test]
async fn what_was_made_of_something_is_not_published_over_anything_else() {
    let (_directory, store) = store().await;
    let client = Client::new(store);
    let conflict = |result: rekindle_cluster::Result<_>, why: &str| match result {
        Err(Error::Conflict(told)) => assert!(told.contains(why), "{told}"),
        other => panic!("{other:?}"),
    };
    let over =
        async |stable, port| client.publish_over(stable, &payload(port), Plan::at_once()).await.map(drop);
    conflict(over(Some(payload(1).digest()), 2).await, "nothing is stable any more");
    client.publish_at_once(&payload(1)).await.expect("it is written");
    conflict(over(None, 2).await, "rollout 1 of ");
    client.publish_at_once(&payload(2)).await.expect("it is written");
    conflict(over(Some(payload(1).digest()), 3).await, "rollout 2 of ");
    over(Some(payload(2).digest()), 3).await.expect("it begins");
    conflict(over(Some(payload(2).digest()), 4).await, "rollout 3 is still on its way");
    assert_eq!(client.published().await.expect("it answers").len(), 3, "what was refused was not published");
}
