//! The store in a file, held to the suite of all stores.
#![cfg(feature = "sqlite")]

mod conformance;

use std::sync::Arc;

use rekindle_cluster::store::{Sqlite, Store};

#[tokio::test(flavor = "multi_thread")]
async fn passes_the_suite() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("cluster.db");
    conformance::run(async || Arc::new(Sqlite::open(&path).await.expect("it opens")) as Arc<dyn Store>).await;
}
