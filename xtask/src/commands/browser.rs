//! `cargo xtask browser [TEST]...`: the tests in a browser, against a server of each framework.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::SystemTime;

use crate::cmd::Cmd;
use crate::error::{Error, Result};
use crate::metadata::Metadata;
use crate::options::Options;
use crate::root::root;
use crate::step::{Step, announced};
use crate::style::Style;
use crate::{runner, setup};

const TESTS: &str = "tests/browser";

/// The servers, one a framework: `axum.rs` is the program `browser-server-axum`.
const SERVERS: &str = "tests/browser/servers/src/bin";

/// Tests of the dashboard are named for it, and run against an example of its own.
const DASHBOARD: &str = "dashboard";

/// Tests of `rekindle dev` are named for it, and run against the command line.
const DEV: &str = "dev";
const CLI: &str = "rekindle";

/// Files that are tested beside each other, at most: each has a browser of its own.
const MOST_BROWSERS: usize = 4;

pub(crate) fn run(args: &[String]) -> Result<()> {
    let (options, wanted): (Vec<String>, Vec<String>) =
        args.iter().cloned().partition(|arg| arg.starts_with('-'));
    runner::run(steps(Options::parse(&options)?, &Metadata::load()?, &wanted)?)
}

/// With `wanted`, the tests of that name alone: `morph` is `morph.test.js`.
pub(crate) fn steps(options: Options, metadata: &Metadata, wanted: &[String]) -> Result<Vec<Step>> {
    let servers = names(SERVERS, ".rs")?;
    let tests = selected(names(TESTS, ".test.js")?, wanted)?;
    let mut steps = vec![
        Step::check("browser", move |style| setup::run(setup::BROWSER, options.setup, style)),
        Step::check("browser packages", packages),
        Step::command("browser servers", build(&servers)),
    ];
    steps.extend(suites(&tests, &metadata.target.join("debug"), &servers));
    Ok(steps)
}

/// The tests by what they are run against, but for those of which there are none.
fn suites(tests: &[String], debug: &Path, servers: &[String]) -> Vec<Step> {
    let named = |name: &str| tests.iter().filter(|test| test.starts_with(name)).cloned().collect::<Vec<_>>();
    let (dashboard, dev) = (named(DASHBOARD), named(DEV));
    let others = tests.iter().filter(|test| !dashboard.contains(test) && !dev.contains(test));
    let example = format!("{DASHBOARD}={}", debug.join("examples").join(DASHBOARD).display());
    let cli = format!("{DEV}={}", debug.join(CLI).display());
    let suites = [
        ("browser tests", others.cloned().collect(), programs(debug, servers)),
        ("dashboard tests", dashboard, example),
        ("rekindle dev tests", dev, cli),
    ];
    let suites = suites.into_iter().filter(|(_, tests, _): &(_, Vec<String>, _)| !tests.is_empty());
    suites.map(|(name, tests, servers)| Step::command(name, node(&tests, servers))).collect()
}

/// The files of a directory that end so, without that end, sorted.
fn names(directory: &str, end: &str) -> Result<Vec<String>> {
    let unreadable = |error: std::io::Error| Error::new(format!("{directory}: {error}"));
    let entries = fs::read_dir(root().join(directory)).map_err(unreadable)?;
    let files: Vec<_> = entries.collect::<std::io::Result<_>>().map_err(unreadable)?;
    let mut names: Vec<String> = files
        .iter()
        .filter_map(|file| file.file_name().to_str()?.strip_suffix(end).map(str::to_owned))
        .collect();
    names.sort_unstable();
    Ok(names)
}

fn selected(tests: Vec<String>, wanted: &[String]) -> Result<Vec<String>> {
    if let Some(unknown) = wanted.iter().find(|name| !tests.contains(name)) {
        return Err(Error::new(format!("unknown test `{unknown}`; there are {}", tests.join(", "))));
    }
    Ok(tests.into_iter().filter(|test| wanted.is_empty() || wanted.contains(test)).collect())
}

/// What `package-lock.json` names, when it is newer than what is installed.
fn packages(style: Style) -> Result<String> {
    let changed =
        |file: &str| fs::metadata(root().join(TESTS).join(file)).and_then(|meta| meta.modified()).ok();
    if is_current(changed("package-lock.json"), changed("node_modules/.package-lock.json")) {
        return Ok("as package-lock.json has them".to_owned());
    }
    announced(&Cmd::new("npm ci --no-audit --no-fund --ignore-scripts --prefix").arg(TESTS), style)?;
    Ok("installed as package-lock.json has them".to_owned())
}

fn is_current(named: Option<SystemTime>, installed: Option<SystemTime>) -> bool {
    installed.is_some() && installed >= named
}

/// With all features of the whole workspace, as the other tests have them: their libraries are then not built again.
fn build(servers: &[String]) -> Cmd {
    let bins = servers.iter().flat_map(|name| ["--bin".to_owned(), program(name)]).collect::<Vec<_>>();
    Cmd::new("cargo build --workspace --all-features --bin")
        .arg(CLI)
        .args(["--example", DASHBOARD])
        .args(bins.iter().map(String::as_str))
}

fn program(server: &str) -> String {
    format!("browser-server-{server}")
}

/// As the tests are told of them.
fn programs(directory: &Path, servers: &[String]) -> String {
    let entry = |name: &String| format!("{name}={}", directory.join(program(name)).display());
    servers.iter().map(entry).collect::<Vec<_>>().join(";")
}

fn node(tests: &[String], servers: String) -> Cmd {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let files: Vec<String> = tests.iter().map(|name| format!("{TESTS}/{name}.test.js")).collect();
    Cmd::new("node --test --test-reporter=spec")
        .arg(format!("--test-concurrency={}", cores.min(MOST_BROWSERS)))
        .args(files.iter().map(String::as_str))
        .env("REKINDLE_TEST_SERVERS", servers)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn metadata() -> Metadata {
        Metadata::parse(r#"{"packages": [], "target_directory": "/target"}"#).unwrap()
    }

    #[test]
    fn every_file_of_tests_is_run_once() {
        let steps = steps(Options { setup: true }, &metadata(), &[]).unwrap();
        let shown: String = steps.iter().map(|step| format!("{step:?}\n")).collect();
        for test in names(TESTS, ".test.js").unwrap() {
            assert_eq!(shown.matches(&format!(" {TESTS}/{test}.test.js")).count(), 1, "{test}: {shown}");
        }
    }

    #[test]
    fn every_server_is_built_and_named_to_the_tests() {
        let servers = owned(&["axum", "warp"]);
        let line = build(&servers).to_string();
        assert!(
            line.ends_with("--example dashboard --bin browser-server-axum --bin browser-server-warp"),
            "{line}"
        );
        let programs = programs(Path::new("/t"), &servers);
        assert_eq!(programs, "axum=/t/browser-server-axum;warp=/t/browser-server-warp");
        assert!(names(SERVERS, ".rs").unwrap().contains(&"axum".to_owned()));
    }

    #[test]
    fn tests_that_are_named_are_the_only_ones() {
        let steps = steps(Options { setup: true }, &metadata(), &owned(&["morph"])).unwrap();
        let last = format!("{:?}", steps.last().unwrap());
        assert!(
            last.starts_with("browser tests: ") && last.ends_with(" tests/browser/morph.test.js"),
            "{last}"
        );
        let error = selected(owned(&["morph", "styles"]), &owned(&["moprh"])).unwrap_err().to_string();
        assert_eq!(error, "unknown test `moprh`; there are morph, styles");
    }

    #[test]
    fn packages_are_installed_when_the_lock_is_newer_or_there_are_none() {
        let then = SystemTime::UNIX_EPOCH;
        let now = then + Duration::from_secs(1);
        assert!(is_current(Some(then), Some(now)));
        assert!(!is_current(Some(now), Some(then)));
        assert!(!is_current(Some(then), None));
    }
}
