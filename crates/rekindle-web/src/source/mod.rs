//! [`Source`]: something that pages are made of, and that changes.
//!
//! In: whatever tells of changes. Out: what there is by now, what is wrong with it, and the updates of the hub. A
//! source that lost count of what was told looks at what there is, so that nothing is missed.

mod assets;
mod configs;
mod program;
mod rebuild;
mod templates;

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use rekindle::async_trait;

use crate::hub::Hub;
use crate::{Problem, Update};

pub(crate) use self::assets::AssetsSource;
pub(crate) use self::configs::{CONFIGS, Configs};
pub(crate) use self::program::program;
pub(crate) use self::rebuild::RebuildSource;
pub(crate) use self::templates::TemplatesSource;

/// Something that pages are made of: the configurations, templates, assets, or what a program has of its own.
#[async_trait]
pub trait Source: Send + 'static {
    /// What it is called: `templates`. Of sources that have the same name, the later ones get a number to it.
    fn name(&self) -> &str;

    /// What it consists of by now: by name, a digest of each content that is the same in every run.
    fn contents(&self) -> HashMap<String, u64>;

    /// What is wrong with it by now.
    fn problems(&self) -> Vec<Problem>;

    /// Waits until its contents or problems have changed, and tells what brings pages up to date. `None` when
    /// it will not change any more.
    ///
    /// # Cancel safety
    ///
    /// It is never cancelled but for good.
    async fn changed(&mut self) -> Option<Vec<Update>>;
}

/// Takes over what a source consists of, under that name. The future hands on what it tells, until it has nothing
/// more to tell.
pub(crate) fn follow(
    hub: &Arc<Hub>,
    name: String,
    mut source: Box<dyn Source>,
) -> impl Future<Output = ()> + Send + use<> {
    let hub = Arc::clone(hub);
    hub.begin(&name, source.contents());
    hub.set_problems(&name, source.problems());
    async move {
        while let Some(updates) = source.changed().await {
            // Problems first: a page that is rendered for the update finds them as they are.
            hub.set_problems(&name, source.problems());
            hub.publish(&name, source.contents(), updates);
        }
    }
}
