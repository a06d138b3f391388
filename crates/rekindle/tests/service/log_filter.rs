//! What is logged, as the configuration says.

use rekindle::prelude::*;
use rekindle::service::LogFilter;
use tracing_subscriber::{EnvFilter, Registry, reload};

use crate::kit::*;

type Handle = reload::Handle<EnvFilter, Registry>;

/// A filter, and what keeps it.
fn filter() -> (reload::Layer<EnvFilter, Registry>, Handle) {
    reload::Layer::new(EnvFilter::new("error"))
}

fn shown(handle: &Handle) -> String {
    handle.with_current(ToString::to_string).expect("it is in use")
}

/// Waits until the handlers have been told: one that comes after the filter.
async fn told(manager: &HotReloadManager) -> tokio::sync::mpsc::UnboundedReceiver<()> {
    let (sender, told) = tokio::sync::mpsc::unbounded_channel();
    let tells = move |_: ChangeEvent| Ok(sender.send(())?);
    let registration = Registration::new(tells).config("app").after("log filter");
    manager.register(registration).expect("a handler");
    told
}

#[tokio::test]
async fn the_filter_follows_the_configuration_and_refuses_what_makes_no_sense() {
    let (site, manager) = engine("[log]\nlevel = \"warn\"\n").await;
    let (_layer, handle) = filter();
    LogFilter::new(handle.clone()).start(&manager, "app", "/log/level").await.expect("a good filter");
    assert_eq!(shown(&handle), "warn");
    let (mut receipts, mut told) = (manager.receipts(), told(&manager).await);
    for (level, said) in [
        ("inof", "`inof` is no level; off, error, warn, info, debug and trace are"),
        ("info,x=loud", "`info,x=loud` is no filter of the log: error parsing level filter"),
    ] {
        site.replace("config/app.toml", &format!("[log]\nlevel = \"{level}\"\n"));
        let receipt = soon("a reload", receipts.recv()).await.expect("the engine runs");
        let error = receipt.refusals()[0].error.to_string();
        let start = format!("config/app.toml:2:9: the handler log filter refused it: {said}");
        assert!(error.starts_with(&start), "{error}");
        assert_eq!(shown(&handle), "warn");
    }
    site.replace("config/app.toml", "[log]\nlevel = 3\n");
    let receipt = soon("a reload", receipts.recv()).await.expect("the engine runs");
    assert!(
        receipt.refusals()[0].error.to_string().contains("3 is no filter of the log: a text is expected")
    );
    site.replace("config/app.toml", "[log]\nlevel = \"debug,my_server=trace\"\n");
    soon("the call", told.recv()).await.expect("the handler lives");
    assert_eq!(shown(&handle), "my_server=trace,debug");
    // Nothing is said of it any more.
    site.replace("config/app.toml", "[web]\nport = 80\n");
    soon("the call", told.recv()).await.expect("the handler lives");
    assert_eq!(shown(&handle), "info");
}

#[tokio::test]
async fn the_first_filter_is_held_to_the_same() {
    let (_site, manager) = engine("[log]\nlevel = \"loud\"\ndeep = 7\n").await;
    let (layer, handle) = filter();
    let start = |pointer| LogFilter::new(handle.clone()).start(&manager, "app", pointer);
    let error = start("/log/level").await.expect_err("no level").to_string();
    assert_eq!(error, "config/app.toml:2:9: `loud` is no level; off, error, warn, info, debug and trace are");
    assert_eq!(start("/log/deep").await.expect_err("a number").kind(), ErrorKind::Type);
    assert_eq!(shown(&handle), "error");
    let quiet = LogFilter::new(handle.clone()).default_filter("off");
    quiet.start(&manager, "app", "/log/missing").await.expect("the default is good");
    assert_eq!(shown(&handle), "off");
    let bad = LogFilter::new(handle.clone()).default_filter("a=b=c");
    assert_eq!(
        bad.start(&manager, "app", "/log/missing").await.expect_err("nonsense").kind(),
        ErrorKind::Check
    );
    drop(layer);
    assert_eq!(start("/log/missing").await.expect_err("nothing to filter").kind(), ErrorKind::Stopped);
}
