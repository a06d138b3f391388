//! Keeping an instance's lease, and writing what it says of itself.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::Result;
use crate::member::Options;
use crate::mirror::{PAUSES, jitter};
use crate::model::{Instance, Key, to_bytes};
use crate::store::{Expected, Lease, Store, Write};

/// An instance's own document, as it is in the store.
#[derive(Debug)]
struct Told {
    lease: Lease,
    kept: Instant,
    /// What was written last, as which revision.
    written: Option<(Arc<Instance>, u64)>,
}

/// Keeps the lease, and says how the instance is.
pub(crate) async fn report(
    store: Arc<dyn Store>,
    options: Options,
    mut says: watch::Receiver<Arc<Instance>>,
    stop: CancellationToken,
) {
    let mut told: Option<Told> = None;
    let mut pause = PAUSES.0;
    says.mark_changed();
    while !stop.is_cancelled() {
        let now = Arc::clone(&says.borrow_and_update());
        if let Err(error) = tell(&*store, &options, &now, &mut told).await {
            tracing::debug!(%error, "cannot tell the store how this instance is");
            // What was written, and by whom, is looked up.
            told = None;
            tokio::select! {
                () = tokio::time::sleep(jitter(pause)) => {}
                () = stop.cancelled() => {}
            }
            pause = (pause * 2).min(PAUSES.1);
            continue;
        }
        pause = PAUSES.0;
        tokio::select! {
            changed = says.changed() => if changed.is_err() { break },
            () = tokio::time::sleep(options.lease / 3) => {}
            () = stop.cancelled() => break,
        }
    }
    if let Some(told) = told {
        // It ends by itself otherwise.
        let _late = store.end(told.lease).await;
    }
}

/// Writes what is new, in the place of the last word: one that is late cannot undo a later one.
async fn tell(
    store: &dyn Store,
    options: &Options,
    says: &Arc<Instance>,
    told: &mut Option<Told>,
) -> Result<()> {
    let key = Key::instance(&options.id);
    // What fails leaves nothing that is taken for granted.
    let mut now = match told.take() {
        Some(held) if held.kept.elapsed() < options.lease / 4 => held,
        Some(held) => {
            store.keep(&held.lease).await?;
            Told { kept: Instant::now(), ..held }
        }
        None => Told { lease: store.grant(options.lease).await?, kept: Instant::now(), written: None },
    };
    if now.written.as_ref().is_none_or(|(written, _)| written != says) {
        let expected = match now.written {
            Some((_, revision)) => Expected::Revision(revision),
            None => {
                let there = store.get(&key).await?;
                there.map_or(Expected::Absent, |entry| Expected::Revision(entry.revision))
            }
        };
        let write = Write::put(key, to_bytes(&**says)).expecting(expected).under(&now.lease);
        now.written = Some((Arc::clone(says), store.write(write).await?));
    }
    *told = Some(now);
    Ok(())
}
