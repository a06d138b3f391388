//! Readers of a part wake for that part alone.

use serde_json::{Value, json};

use crate::site::*;
use rekindle::prelude::*;

#[derive(serde::Deserialize, Clone, Debug, PartialEq)]
struct Server {
    port: u16,
}

#[derive(serde::Deserialize, Clone, Debug)]
struct App {
    server: Server,
    noise: u32,
}

fn app(port: u16, noise: u32) -> String {
    format!("noise = {noise}\n[server]\nport = {port}\n")
}

#[tokio::test]
async fn a_part_that_stays_wakes_nobody_however_often_the_rest_changes() {
    let site = Site::new(&[("config/app.toml", &app(80, 0))]);
    let manager = site.start().await;
    let mut selected = manager.watch::<App>("app").await.expect("a stream").select(|app| app.server.clone());
    let mut part = manager.watch_at::<Server>("app", "/server").await.expect("a stream");
    let live = part.live();
    let mut all = manager.watch::<App>("app").await.expect("a stream");
    for noise in 1..=100 {
        site.write("config/app.toml", app(80, noise));
        while soon("the noise", all.next()).await.expect("a value").noise != noise {}
    }
    site.write("config/app.toml", app(81, 100));
    let new = Server { port: 81 };
    assert_eq!(soon("the selected part", selected.next()).await, Some(new.clone()));
    assert_eq!(soon("the watched part", part.next()).await, Some(new.clone()), "the first it is told");
    assert_eq!((selected.current(), part.current(), &*live.load()), (&new, &new, &new));
    manager.shutdown().await.expect("a clean end");
    assert_eq!((selected.next().await, part.next().await), (None, None));
}

#[tokio::test]
async fn a_part_refuses_what_does_not_fit_and_points_at_it() {
    let site = Site::new(&[("config/app.toml", &app(80, 0))]);
    let manager = site.start().await;
    let part = site.workspace().watch_config_changes_at::<Server>("app", "/server").await.expect("a stream");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "noise = 1\n[server]\nport = \"high\"\n");
    let (error, _, line, column) = refused(&mut events, "app").await;
    assert!(error.contains("invalid type: string") && (line, column) == (Some(3), Some(8)), "{error}");
    site.write("config/app.toml", "noise = 2\n");
    let (error, ..) = refused(&mut events, "app").await;
    assert!(error.contains("there is nothing at /server"), "{error}");
    assert_eq!(part.current().port, 80);
    drop(part);
    let error = manager.watch_at::<Server>("app", "/nowhere").await.expect_err("there is none");
    assert!(error.message().contains("there is nothing at /nowhere"), "{error}");
    assert_eq!(
        manager.watch_at::<Server>("app", "server").await.expect_err("none").kind(),
        ErrorKind::Pattern
    );
}

#[tokio::test]
async fn a_part_that_may_be_missing_comes_and_goes() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let manager = site.start().await;
    let mut part = manager.watch_at::<Option<Server>>("app", "/server").await.expect("a stream");
    assert_eq!(part.current(), &None);
    site.write("config/app.toml", "x = 1\n[server]\nport = 80\n");
    assert_eq!(soon("the part", part.next()).await, Some(Some(Server { port: 80 })));
    site.write("config/app.toml", "x = 2\n");
    assert_eq!(soon("its end", part.next()).await, Some(None));
    let mut other = manager.watch_at::<Value>("app", "/x").await.expect("a stream");
    site.write("config/app.toml", "x = 3\n");
    assert_eq!(soon("another part", other.next()).await, Some(json!(3)));
}
