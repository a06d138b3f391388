//! Releases that have to be signed.
#![cfg(feature = "sqlite")]

mod fleet;

use std::process::Command;
use std::sync::Arc;

use fleet::*;
use rekindle::{HotReload, RemoteLayer};
use rekindle_cluster::store::{Sqlite, Store, Write};
use rekindle_cluster::{Client, Host, Key, Member, Options, Outcome, Plan, Signer};

/// As people make them.
fn openssl(arguments: &[&str]) {
    let made = Command::new("openssl").args(arguments).output().expect("openssl is there");
    assert!(made.status.success(), "{made:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_signed_or_somebody_else_is_refused_by_those_who_ask_for_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name).display().to_string();
    for name in ["ours", "theirs"] {
        openssl(&["genpkey", "-algorithm", "ed25519", "-out", &path(name)]);
        openssl(&["pkey", "-in", &path(name), "-pubout", "-out", &path(&format!("{name}.pub"))]);
    }
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(path("cluster.db")).await.expect("it opens"));
    let root = root();
    let manager = HotReload::builder(root.path())
        .remote_layer(RemoteLayer::AboveFiles)
        .start()
        .await
        .expect("an engine");
    let options = Options { signers: Some(path("ours.pub").into()), ..Options::new("strict") };
    let host = Arc::new(Host::new(manager.clone()));
    let _member = Member::join(Arc::clone(&store), host, None, options);
    let client = |name: &str| {
        Client::new(Arc::clone(&store)).signing(Signer::read(path(name).as_ref()).expect("a key"))
    };
    let (unsigned, ours, theirs) = (Client::new(Arc::clone(&store)), client("ours"), client("theirs"));
    live(&unsigned, 1).await;
    for (client, text) in [(&unsigned, "port = 1"), (&theirs, "port = 2")] {
        let release = client.publish(&payload(text), Plan::at_once()).await.expect("it begins");
        let (head, outcome, reason) = ended(client, release).await;
        assert_eq!((outcome, head.stable), (Outcome::Refused, None));
        assert!(reason.contains("has signed it") && reason.contains("ours.pub"), "{reason}");
    }
    // A signature of something else is none.
    let good = payload("port = 3");
    let forged = payload("port = 4");
    let release = ours.publish(&good, Plan::at_once()).await.expect("it begins");
    assert_eq!(ended(&ours, release).await.1, Outcome::Promoted);
    all_on(&ours, Some(release)).await;
    assert_eq!(manager.snapshot().get("app").expect("it is there")["port"], 3);
    let signed = store.list(&format!("signature/{}/", good.digest())).await.expect("it answers").entries;
    let name = signed[0].key.as_str().replace(&good.digest().to_string(), &forged.digest().to_string());
    store.write(Write::put(Key::named(name), signed[0].value.to_vec())).await.expect("it is written");
    let second = unsigned.publish(&forged, Plan::at_once()).await.expect("it begins");
    let (_, outcome, reason) = ended(&unsigned, second).await;
    assert_eq!(outcome, Outcome::Refused);
    assert!(reason.contains("not the signature of that payload"), "{reason}");
    // Even when nobody is asked.
    unsigned.publish_at_once(&payload("port = 5")).await.expect("it is written");
    until(&unsigned, "it is refused", |status| status.instances[0].trouble.is_some()).await;
    assert_eq!(manager.snapshot().get("app").expect("it is there")["port"], 3);
    // Somebody's key that is added counts at once.
    let both = ["ours.pub", "theirs.pub"].map(|name| std::fs::read_to_string(path(name)).expect("a key"));
    std::fs::write(path("ours.pub"), both.concat()).expect("there is room");
    let third = theirs.publish(&payload("port = 6"), Plan::at_once()).await.expect("it begins");
    assert_eq!(ended(&theirs, third).await.1, Outcome::Promoted);
    all_on(&theirs, Some(third)).await;
}
