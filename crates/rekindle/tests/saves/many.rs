//! Programs that change many files in one go. Every file arrives, and all of them in one generation:
//! no reader sees some files of one revision beside some of another. Pain 8.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use rekindle::ChangeEvent;
use rekindle_test::{Running, Site, program};

use crate::hundred::block_on;

/// How many files each change changes.
const FILES: u32 = 40;

const ROUNDS: u32 = 5;

/// One configuration a file.
fn files() -> impl Iterator<Item = String> {
    (0..FILES).map(|n| format!("part-{n:02}.toml"))
}

/// A site with all files in `config/`, at revision 0.
fn site() -> Site {
    let site = Site::new();
    files().for_each(|file| site.write(&format!("config/{file}"), "revision = 0\n"));
    site
}

#[test]
fn a_git_checkout_of_40_files_brings_every_value() {
    block_on(async {
        let running = every_value_arrives(repository(), check_out).await;
        assert!(!running.manager.status().is_degraded());
    });
}

#[test]
fn a_git_checkout_of_40_files_is_one_generation() {
    block_on(async {
        let running = every_value_arrives(repository(), check_out).await;
        assert_one_generation_each(&running);
    });
}

/// A filter makes git slow, as a large file system or a large file would: far more than the quiet
/// passes between one file and the next, and `.git/index.lock` alone says that there is more to come.
#[test]
fn a_slow_git_checkout_of_40_files_is_one_generation() {
    block_on(async {
        let site = repository();
        program::shell(SLOWLY, site.root(), 0);
        let running = every_value_arrives(site, check_out).await;
        assert_one_generation_each(&running);
    });
}

#[test]
fn an_rsync_of_40_files_brings_every_value() {
    block_on(async {
        let running = every_value_arrives(site(), |site, n| rsync(site, n, &[])).await;
        assert!(!running.manager.status().is_degraded());
    });
}

/// rsync's temporary files, `.name.XXXXXX` beside the file, say that there is more to come.
#[test]
fn an_rsync_of_40_files_is_one_generation() {
    block_on(async {
        let running = every_value_arrives(site(), |site, n| rsync(site, n, &[])).await;
        assert_one_generation_each(&running);
    });
}

/// Nothing beside the files says that there is more to come: only the values are promised.
#[test]
fn an_rsync_in_place_of_40_files_brings_every_value() {
    block_on(async {
        every_value_arrives(site(), |site, n| rsync(site, n, &["--inplace"])).await;
    });
}

/// All files wait in `.~tmp~` until the last is there.
#[test]
fn an_rsync_with_delayed_updates_of_40_files_brings_every_value() {
    block_on(async {
        every_value_arrives(site(), |site, n| rsync(site, n, &["--delay-updates"])).await;
    });
}

/// Makes [`ROUNDS`] changes of all files and waits for each: one change of each configuration and not
/// more, and the right values in the end.
async fn every_value_arrives(site: Site, change: impl Fn(&Site, u32)) -> Running {
    let mut running = Running::start(site).await;
    for n in 1..=ROUNDS {
        change(&running.site, n);
        all_reloaded(&mut running, n).await;
    }
    running.quiet().await;
    for file in files() {
        let config = file.trim_end_matches(".toml");
        assert_eq!(running.value(config)["revision"], ROUNDS, "{config} in the end");
    }
    let changes = changes(&running).count();
    assert_eq!(changes, (ROUNDS * FILES) as usize, "{:#?}", running.events.story());
    running
}

/// Waits until every configuration has come to revision `n`.
async fn all_reloaded(running: &mut Running, n: u32) {
    let mut missing: BTreeSet<String> = files().map(|file| file.trim_end_matches(".toml").into()).collect();
    let mut came = |event: &ChangeEvent| {
        if let ChangeEvent::ConfigChanged { config_name, new_value, .. } = event {
            assert_eq!(new_value["revision"], n, "{config_name}");
            missing.remove(config_name.as_str());
        }
        missing.is_empty()
    };
    running.events.until(&format!("all files of revision {n}"), &mut came).await;
}

/// The generation of each change.
fn changes(running: &Running) -> impl Iterator<Item = u64> {
    running.events.seen().iter().filter_map(|event| match event {
        ChangeEvent::ConfigChanged { generation, .. } => Some(*generation),
        _ => None,
    })
}

/// Each change came in a generation of its own, all files in it.
fn assert_one_generation_each(running: &Running) {
    let mut files: BTreeMap<u64, u32> = BTreeMap::new();
    changes(running).for_each(|generation| *files.entry(generation).or_default() += 1);
    files.retain(|_, count| *count != FILES);
    assert!(files.is_empty(), "generations that lack files, and how many they have: {files:?}");
}

/// With a tag for each revision of all files.
fn repository() -> Site {
    let site = site();
    program::shell(COMMITS, site.root(), ROUNDS);
    site
}

const COMMITS: &str = r#"
    cd "$FILE"
    git init --quiet
    for n in $(seq 0 "$N"); do
        for file in config/*.toml; do echo "revision = $n" > "$file"; done
        git add config
        git -c user.name=x -c user.email=x -c commit.gpgsign=false commit --quiet --message "$n"
        git tag "revision-$n"
    done
    git checkout --quiet revision-0"#;

const SLOWLY: &str = r#"
    cd "$FILE"
    git config filter.slowly.smudge "sleep 0.01; cat"
    echo "*.toml filter=slowly" > .git/info/attributes"#;

fn check_out(site: &Site, n: u32) {
    let tag = format!("revision-{n}");
    program::run(Command::new("git").arg("-C").arg(site.root()).args(["checkout", "--quiet", &tag]));
}

/// A copy of all files at once, whatever rsync would make of equal sizes and times.
fn rsync(site: &Site, n: u32, options: &[&str]) {
    for file in files() {
        site.write_elsewhere(&format!("all/{file}"), &format!("revision = {n}\n"));
    }
    let mut rsync = Command::new("rsync");
    rsync.args(["--recursive", "--ignore-times"]).args(options);
    program::run(rsync.arg(site.path("elsewhere/all/")).arg(site.path("config/")));
}
