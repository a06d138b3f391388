//! What every store has to be able to do.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rekindle_cluster::store::{Change, Expected, Store, Watch, Write};
use rekindle_cluster::{Error, Key};

/// Longer than anything takes.
const LIMIT: Duration = Duration::from_secs(30);

/// The whole suite, over connections to one store.
pub(crate) async fn run(connect: impl AsyncFn() -> Arc<dyn Store>) {
    let (one, other) = (connect().await, connect().await);
    assert_eq!(one.identity().await.expect("it has one"), other.identity().await.expect("it has one"));
    reads_what_was_written(&*one, &*other).await;
    writes_only_what_fits(&*one, &*other).await;
    tells_what_changes_in_order(&*one, &*other).await;
    ends_what_is_under_a_lease(&*one, &*other).await;
    lets_one_of_fifty_win(&one).await;
    keeps_a_fence(&*one).await;
}

fn key(id: &str) -> Key {
    Key::instance(id)
}

fn put(id: &str, text: &str) -> Write {
    Write::put(key(id), text.as_bytes().to_vec())
}

async fn reads_what_was_written(one: &dyn Store, other: &dyn Store) {
    assert_eq!(one.get(&key("none")).await.expect("it answers"), None);
    let first = one.write(put("read/a", "1")).await.expect("it is free");
    let second = other.write(put("read/b", "2")).await.expect("it is free");
    assert!(second > first);
    let entry = other.get(&key("read/a")).await.expect("it answers").expect("it is there");
    assert_eq!((&*entry.value, entry.revision), (&b"1"[..], first));
    one.write(Write::put(Key::head(), b"h".to_vec())).await.expect("it is free");
    let listing = one.list("inst/read/").await.expect("it answers");
    let listed: Vec<(&str, &[u8])> =
        listing.entries.iter().map(|entry| (entry.key.as_str(), &*entry.value)).collect();
    assert_eq!(listed, [("inst/read/a", &b"1"[..]), ("inst/read/b", b"2")]);
    assert!(listing.revision >= second);
    assert!(one.list("nothing/").await.expect("it answers").entries.is_empty());
    // Without a slash it is one document, whatever else begins so.
    one.write(put("read/ab", "3")).await.expect("it is free");
    let listing = one.list("inst/read/a").await.expect("it answers");
    assert_eq!(listing.entries.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), ["inst/read/a"]);
    one.write(Write::remove(key("read/a"))).await.expect("it is there");
    assert_eq!(other.get(&key("read/a")).await.expect("it answers"), None);
    let large = vec![b'x'; 500_000];
    one.write(Write::put(key("large"), large.clone())).await.expect("there is room");
    assert_eq!(other.get(&key("large")).await.expect("it answers").expect("it is there").value[..], large);
}

async fn writes_only_what_fits(one: &dyn Store, other: &dyn Store) {
    let first = one.write(put("cas", "1").expecting(Expected::Absent)).await.expect("it is free");
    let conflict = |result: rekindle_cluster::Result<u64>| {
        assert!(matches!(result, Err(Error::Conflict(_))), "{result:?}");
    };
    conflict(other.write(put("cas", "2").expecting(Expected::Absent)).await);
    let second = other.write(put("cas", "2").expecting(Expected::Revision(first))).await.expect("it fits");
    conflict(one.write(put("cas", "3").expecting(Expected::Revision(first))).await);
    conflict(one.write(Write::remove(key("cas")).expecting(Expected::Revision(first))).await);
    one.write(Write::remove(key("cas")).expecting(Expected::Revision(second))).await.expect("it fits");
    conflict(one.write(put("cas", "4").expecting(Expected::Revision(second))).await);
    one.write(put("cas", "5").expecting(Expected::Absent)).await.expect("it is free again");
}

/// So many changes that are some of a watch, in order.
async fn next(watch: &mut Box<dyn Watch>, wanted: usize) -> Vec<String> {
    let mut told = Vec::new();
    let all = async {
        while told.len() < wanted {
            for change in watch.next().await.expect("it answers") {
                told.push(match change {
                    Change::Put(entry) => format!("{}={}", entry.key, String::from_utf8_lossy(&entry.value)),
                    Change::Gone(key, _) => format!("-{key}"),
                });
            }
        }
    };
    tokio::time::timeout(LIMIT, all).await.unwrap_or_else(|_| panic!("in time"));
    told
}

async fn tells_what_changes_in_order(one: &dyn Store, other: &dyn Store) {
    let before = one.write(put("watch/a", "1")).await.expect("it is free");
    let mut watch = one.watch("inst/watch/", before).await.expect("it is known");
    other.write(put("watch/b", "1")).await.expect("it is free");
    assert_eq!(next(&mut watch, 1).await, ["inst/watch/b=1"]);
    other.write(put("elsewhere", "1")).await.expect("it is free");
    other.write(Write::remove(key("watch/b"))).await.expect("it is there");
    assert_eq!(next(&mut watch, 1).await, ["-inst/watch/b"]);
    for number in 0..20 {
        one.write(put(&format!("watch/c/{number:02}"), "x")).await.expect("it is free");
    }
    let expected: Vec<String> = (0..20).map(|number| format!("inst/watch/c/{number:02}=x")).collect();
    assert_eq!(next(&mut watch, 20).await, expected);
    drop(watch);
    // One that begins at a revision that is over misses nothing since.
    let mut late = other.watch("inst/watch/c/", before).await.expect("it is known");
    assert_eq!(next(&mut late, 20).await, expected);
    // A silent one is alive.
    assert!(tokio::time::timeout(LIMIT, late.next()).await.expect("in time").expect("it answers").is_empty());
}

async fn ends_what_is_under_a_lease(one: &dyn Store, other: &dyn Store) {
    let lease = one.grant(Duration::from_secs(2)).await.expect("it grants");
    let kept = one.grant(Duration::from_secs(2)).await.expect("it grants");
    let before = one.write(put("lease/a", "1").under(&lease)).await.expect("it is free");
    one.write(put("lease/b", "1").under(&kept)).await.expect("it is free");
    let mut watch = other.watch("inst/lease/", before).await.expect("it is known");
    assert_eq!(next(&mut watch, 1).await, ["inst/lease/b=1"]);
    let keeping = async {
        loop {
            one.keep(&kept).await.expect("it has not ended");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    tokio::select! {
        told = next(&mut watch, 1) => assert_eq!(told, ["-inst/lease/a"]),
        () = keeping => {}
    }
    assert!(matches!(one.keep(&lease).await, Err(Error::Conflict(_))), "it has ended");
    assert!(matches!(one.write(put("lease/a", "2").under(&lease)).await, Err(Error::Conflict(_))));
    one.end(kept).await.expect("it answers");
    assert_eq!(next(&mut watch, 1).await, ["-inst/lease/b"]);
    // What another has taken over by then does not go with it.
    let before = one.grant(Duration::from_secs(60)).await.expect("it grants");
    let after = other.grant(Duration::from_secs(60)).await.expect("it grants");
    one.write(put("lease/c", "1").under(&before)).await.expect("it is free");
    assert_eq!(next(&mut watch, 1).await, ["inst/lease/c=1"]);
    other.write(put("lease/c", "2").under(&after)).await.expect("it is there");
    assert_eq!(next(&mut watch, 1).await, ["inst/lease/c=2"]);
    one.end(before).await.expect("it answers");
    assert!(other.get(&key("lease/c")).await.expect("it answers").is_some());
    other.end(after).await.expect("it answers");
    assert_eq!(next(&mut watch, 1).await, ["-inst/lease/c"]);
}

async fn lets_one_of_fifty_win(store: &Arc<dyn Store>) {
    let tries = (0..50).map(|number| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            store.write(put("race", &number.to_string()).expecting(Expected::Absent)).await
        })
    });
    let tries: Vec<_> = tries.collect();
    let (mut won, mut told) = (BTreeSet::new(), 0);
    for (number, one) in tries.into_iter().enumerate() {
        match one.await.expect("it does not panic") {
            Ok(_) => drop(won.insert(number.to_string())),
            Err(Error::Conflict(_)) => told += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((won.len(), told), (1, 49));
    let entry = store.get(&key("race")).await.expect("it answers").expect("it is there");
    assert!(won.contains(&*String::from_utf8_lossy(&entry.value)));
}

async fn keeps_a_fence(store: &dyn Store) {
    let fence = store.write(put("fence", "1")).await.expect("it is free");
    store.write(put("fenced", "1").fenced(key("fence"), fence)).await.expect("it is as it was");
    store.write(put("fence", "2")).await.expect("it is there");
    let late = store.write(put("fenced", "2").fenced(key("fence"), fence)).await;
    assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
}
