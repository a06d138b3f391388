//! Facts that are stated in more than one place must be the same in all of them.

use crate::error::{Error, Result};
use crate::metadata::Metadata;
use crate::root::root;

const README: &str = "README.md";

/// The minimum Rust version: Cargo.toml decides, the README repeats it.
pub(crate) fn rust_version(metadata: &Metadata, package: &str) -> Result<String> {
    let declared = metadata.package(package)?.rust_version.as_deref();
    let declared =
        declared.ok_or_else(|| Error::new(format!("package `{package}` has no `rust-version`")))?;
    let path = root().join(README);
    let text = std::fs::read_to_string(path).map_err(|error| Error::new(format!("{README}: {error}")))?;
    agree(declared, &text)?;
    Ok(format!("Cargo.toml and {README} agree on Rust {declared}"))
}

fn agree(declared: &str, readme: &str) -> Result<()> {
    let stated = stated_versions(readme);
    if stated.is_empty() {
        return Err(Error::new(format!(
            "{README} does not say `Rust {declared}`, the rust-version of Cargo.toml"
        )));
    }
    match stated.iter().find(|(_, version)| !same_version(version, declared)) {
        None => Ok(()),
        Some((line, version)) => Err(Error::new(format!(
            "{README}:{line} says Rust {version}, the rust-version of Cargo.toml is {declared}"
        ))),
    }
}

/// Every `Rust 1.xx` in a text, with its line's number.
fn stated_versions(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for (at, word) in line.match_indices("Rust ") {
            found.extend(leading_version(&line[at + word.len()..]).map(|version| (index + 1, version)));
        }
    }
    found
}

/// `1.89` out of `1.89+, or later.`: digits and the dots between them, at least one dot.
fn leading_version(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let version = text[..end].trim_end_matches('.');
    (version.contains('.') && version.starts_with(|c: char| c.is_ascii_digit())).then_some(version)
}

/// `1.89` is `1.89.0`.
fn same_version(a: &str, b: &str) -> bool {
    a.strip_suffix(".0").filter(|rest| rest.contains('.')).unwrap_or(a)
        == b.strip_suffix(".0").filter(|rest| rest.contains('.')).unwrap_or(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_versions_where_they_are_stated() {
        let text =
            "For Rust programs.\n\nNeeds Rust 1.89 or newer (Rust 1.89.0, to be exact).\nRust 2024, Rust .";
        assert_eq!(stated_versions(text), [(3, "1.89"), (3, "1.89.0")]);
        assert_eq!(stated_versions("runs on Rust 1.89."), [(1, "1.89")]);
    }

    #[test]
    fn a_patch_of_zero_is_no_difference() {
        assert!(same_version("1.89", "1.89.0"));
        assert!(!same_version("1.89.1", "1.89"));
        assert!(!same_version("1.8", "1.80"));
        assert!(same_version("2.0", "2.0"));
    }

    #[test]
    fn a_disagreement_points_at_the_line() {
        let error = agree("1.89", "\nRust 1.85\n").unwrap_err().to_string();
        assert_eq!(error, "README.md:2 says Rust 1.85, the rust-version of Cargo.toml is 1.89");
    }

    #[test]
    fn saying_nothing_is_a_disagreement() {
        let error = agree("1.89", "no word of it").unwrap_err().to_string();
        assert_eq!(error, "README.md does not say `Rust 1.89`, the rust-version of Cargo.toml");
    }

    #[test]
    fn agreement_is_fine() {
        assert_eq!(agree("1.89", "Rust 1.89"), Ok(()));
    }
}
