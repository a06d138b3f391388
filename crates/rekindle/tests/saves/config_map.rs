//! A mounted ConfigMap: no event names any of its files when it is updated. Pain 2: viper#284,
//! koanf#1, dotnet/runtime#36091, envoy#3928, apollographql/router#1695, hotwatch#10.

use rekindle::ChangeEvent;
use rekindle_test::{ConfigMap, Running, Site};

const FILES: [&str; 2] = ["app.toml", "database.toml"];

/// The content of both files in revision `n`.
fn contents(n: u32) -> [(&'static str, String); 2] {
    FILES.map(|file| (file, format!("revision = {n}\n")))
}

fn update(map: &mut ConfigMap, files: &[(&str, String)]) {
    let files: Vec<(&str, &str)> = files.iter().map(|(name, content)| (*name, content.as_str())).collect();
    map.update(&files);
}

async fn mounted() -> (Running, ConfigMap) {
    let site = Site::new();
    let mut map = ConfigMap::mount(site.path("config"), &[]);
    update(&mut map, &contents(0));
    (Running::start(site).await, map)
}

#[tokio::test]
async fn five_swaps_of_a_config_map_are_five_generations_of_both_files() {
    let (mut running, mut map) = mounted().await;
    assert_eq!(running.value("app"), serde_json::json!({ "revision": 0 }));
    for n in 1..=5 {
        update(&mut map, &contents(n));
        let generations = both_reloaded(&mut running, n).await;
        assert_eq!(generations[0], generations[1], "{:#?}", running.events.story());
    }
    running.quiet().await;
    let story = running.events.story();
    assert_eq!(count(&story, " changed to "), 10, "{story:#?}");
    assert_eq!(count(&story, " modified"), 10, "{story:#?}");
    assert_eq!(story.len(), 30, "{story:#?}");
}

/// Waits for both, whichever comes first, and gives the generations they came with.
async fn both_reloaded(running: &mut Running, n: u32) -> Vec<u64> {
    let mut reloaded = Vec::new();
    while reloaded.len() < FILES.len() {
        let changed = |event: &ChangeEvent| matches!(event, ChangeEvent::ConfigChanged { .. });
        if let ChangeEvent::ConfigChanged { config_name, new_value, generation, .. } =
            running.events.until(&format!("both files of revision {n}"), changed).await
        {
            assert_eq!(new_value, serde_json::json!({ "revision": n }), "{config_name}");
            reloaded.push((config_name, generation));
        }
    }
    reloaded.sort();
    let (names, generations): (Vec<String>, Vec<u64>) = reloaded.into_iter().unzip();
    assert_eq!(names, ["app", "database"]);
    generations
}

/// The swap touches both links; only the file that differs is reloaded.
#[tokio::test]
async fn a_swap_that_changes_one_file_reloads_one() {
    let (mut running, mut map) = mounted().await;
    let [_, database] = contents(0);
    update(&mut map, &[("app.toml", "revision = 7\n".into()), database]);
    let (app, _) = running.events.reloaded("app").await;
    assert_eq!(app, serde_json::json!({ "revision": 7 }));
    running.quiet().await;
    let story = running.events.story();
    assert_eq!(story, ["config/app.toml modified", "app changed to {\"revision\":7}", "app completed"]);
}

#[tokio::test]
async fn a_key_added_to_a_config_map_is_a_new_configuration() {
    let (mut running, mut map) = mounted().await;
    let [app, database] = contents(0);
    update(&mut map, &[app, database, ("cache.toml", "revision = 1\n".into())]);
    let (cache, _) = running.events.reloaded("cache").await;
    assert_eq!(cache, serde_json::json!({ "revision": 1 }));
    running.quiet().await;
    let story = running.events.story();
    assert_eq!(story, ["config/cache.toml created", "cache changed to {\"revision\":1}", "cache completed"]);
}

fn count(story: &[String], what: &str) -> usize {
    story.iter().filter(|line| line.contains(what)).count()
}
