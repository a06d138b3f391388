//! The fuzz targets: for each pure stage a function that takes any bytes and panics when something
//! does not hold that must hold for all input.
//!
//! They are driven from two sides. `fuzz/` hands them to cargo-fuzz, which looks for inputs by the
//! code that they reach (`cargo xtask fuzz`). `tests/harness.rs` replays the corpus of each target
//! and a few thousand mutations of it, within seconds, in every run of the tests.
//!
//! An input is written so that a corpus file can be read and edited: a configuration as it is; files
//! under `=== name` headings; a pattern and then paths, one a line; a script of letters.

mod dotenv;
mod layers;
mod mutate;
mod parse;
mod patterns;
mod settle;

pub use mutate::Mutator;

/// Something that must hold for any input.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, and that of the directory of its corpus.
    pub name: &'static str,
    /// Panics when it does not hold for this input.
    pub check: fn(&[u8]),
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "toml", check: parse::toml },
    Target { name: "json", check: parse::json },
    Target { name: "yaml", check: parse::yaml },
    Target { name: "layers", check: layers::check },
    Target { name: "dotenv", check: dotenv::check },
    Target { name: "patterns", check: patterns::check },
    Target { name: "settle", check: settle::check },
];

/// Checks an input with the target of this name.
///
/// # Panics
///
/// When there is no such target, and when something does not hold.
pub fn check(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.unwrap_or_else(|| panic!("no target {name:?}")).check)(input);
}
