//! `cargo xtask ci`: all that must hold before a change is merged.

use crate::cmd::Cmd;
use crate::error::Result;
use crate::metadata::Metadata;
use crate::options::Options;
use crate::step::Step;
use crate::{commands, facts, runner};

/// The package whose `rust-version` is the project's.
const LIBRARY: &str = "rekindle";

/// The packages whose features are checked one by one.
const WITH_FEATURES: [&str; 5] =
    [LIBRARY, "rekindle-templates", "rekindle-web", "rekindle-actix", "rekindle-cluster"];

pub(crate) fn run(args: &[String]) -> Result<()> {
    let options = Options::parse(args)?;
    runner::run(steps(options, Metadata::load()?)?)
}

fn steps(options: Options, metadata: Metadata) -> Result<Vec<Step>> {
    let features =
        WITH_FEATURES.map(|package| Ok(feature_steps(package, &metadata.package(package)?.features)));
    let features = features.into_iter().collect::<Result<Vec<_>>>()?;
    let mut tests = commands::test::steps(options, &metadata)?;
    // Without the compiler of protocols some of the features cannot be built.
    let setup = tests.remove(0);
    let mut steps = vec![
        Step::command("format", Cmd::new("cargo fmt --all --check")),
        Step::check("rust-version", move |_| facts::rust_version(&metadata, LIBRARY)),
        setup,
        Step::command("clippy", clippy()),
        Step::command("docs", docs(std::env::var("RUSTDOCFLAGS").ok())),
    ];
    steps.extend(tests);
    steps.extend(features.into_iter().flatten());
    Ok(steps)
}

/// `--locked` catches a Cargo.lock that went stale since xtask was built; building xtask through the alias brings
/// it up to date by itself, so a fresh clone is checked before that, in `.ci/run`.
fn clippy() -> Cmd {
    Cmd::new("cargo clippy --locked --workspace --all-targets --all-features -- -D warnings")
}

/// The caller's own flags stay: the variable would replace them.
fn docs(flags: Option<String>) -> Cmd {
    let flags = flags.filter(|flags| !flags.is_empty()).map_or_else(String::new, |flags| flags + " ");
    Cmd::new("cargo doc --workspace --no-deps --all-features").env("RUSTDOCFLAGS", flags + "-D warnings")
}

/// No feature, each alone, all together. Only the library itself: what its tests need, other features may bring.
fn feature_steps(package: &str, features: &[String]) -> Vec<Step> {
    let alone = features
        .iter()
        .map(|feature| (format!("feature {feature}"), vec!["--no-default-features", "--features", feature]));
    // `templates` for `rekindle-templates`.
    let of = package.strip_prefix("rekindle-").map_or_else(String::new, |short| format!("{short}: "));
    std::iter::once(("no features".to_owned(), vec!["--no-default-features"]))
        .chain(alone)
        .chain([("all features".to_owned(), vec!["--all-features"])])
        .map(|(name, selection)| Step::command(of.clone() + &name, library_clippy(package, &selection)))
        .collect()
}

/// Clippy rather than check: code that a missing feature leaves unused is a warning, and warnings fail.
fn library_clippy(package: &str, selection: &[&str]) -> Cmd {
    let cmd = Cmd::new("cargo clippy --locked --lib --package").arg(package);
    cmd.args(selection.iter().copied()).args(["--", "-D", "warnings"])
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = r#"{"packages": [
        {"name": "rekindle", "features": {"yaml": [], "json": []}, "rust_version": "1.89"},
        {"name": "rekindle-templates", "features": {"tera": []}, "rust_version": "1.89"},
        {"name": "rekindle-web", "features": {"serve": []}, "rust_version": "1.89"},
        {"name": "rekindle-actix", "features": {"serve": []}, "rust_version": "1.89"},
        {"name": "rekindle-cluster", "features": {"etcd": []}, "rust_version": "1.89"}
    ], "target_directory": "/target"}"#;

    #[test]
    fn every_feature_is_checked_alone() {
        let steps = feature_steps(LIBRARY, &["json".to_owned(), "yaml".to_owned()]);
        let shown: Vec<String> = steps.iter().map(|step| format!("{step:?}")).collect();
        let start = "cargo clippy --locked --lib --package rekindle";
        let expected = [
            format!("no features: {start} --no-default-features -- -D warnings"),
            format!("feature json: {start} --no-default-features --features json -- -D warnings"),
            format!("feature yaml: {start} --no-default-features --features yaml -- -D warnings"),
            format!("all features: {start} --all-features -- -D warnings"),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_cheap_checks_come_before_the_tests_and_the_features_after() {
        let steps = steps(Options { setup: true }, Metadata::parse(METADATA).unwrap()).unwrap();
        let names: Vec<_> = steps.iter().map(Step::name).collect();
        let expected = ["format", "rust-version", "setup", "clippy", "docs", "tests", "doc tests"];
        assert_eq!(names[..7], expected);
        let features = ["no features", "feature json", "feature yaml", "all features"];
        let of_templates = ["templates: no features", "templates: feature tera", "templates: all features"];
        let of_web = ["web: no features", "web: feature serve", "web: all features"];
        let of_actix = ["actix: no features", "actix: feature serve", "actix: all features"];
        let of_cluster = ["cluster: no features", "cluster: feature etcd", "cluster: all features"];
        let all = [&features[..], &of_templates, &of_web, &of_actix, &of_cluster].concat();
        assert_eq!(names[names.len() - all.len()..], all);
    }

    #[test]
    fn flags_of_the_caller_are_kept() {
        assert!(docs(None).to_string().starts_with("RUSTDOCFLAGS='-D warnings' cargo doc"));
        assert!(
            docs(Some("--cfg x".to_owned())).to_string().starts_with("RUSTDOCFLAGS='--cfg x -D warnings' ")
        );
    }
}
