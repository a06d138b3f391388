//! `bench/results/latest.json`: the newest figures of each measurement, each with the machine of its run.
//! A quick run has a file of its own, as it says nothing about speed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::machine::Machine;
use super::table::Table;
use super::{Result, Size};

/// The whole file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) parts: BTreeMap<String, Part>,
}

/// One measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) machine: Machine,
    pub(crate) tables: Vec<Table>,
}

impl Results {
    /// What has been measured so far; nothing where there is no file.
    pub(crate) fn read(size: Size) -> Result<Self> {
        let file = file(size);
        if !file.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(&file)?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()).into())
    }

    /// Puts one measurement in the place of the last of its kind.
    pub(crate) fn merge(size: Size, name: &str, part: Part) -> Result<()> {
        let mut results = Self::read(size)?;
        results.parts.insert(name.into(), part);
        let file = file(size);
        fs::create_dir_all(file.parent().unwrap_or(directory()))?;
        Ok(fs::write(file, serde_json::to_string_pretty(&results)? + "\n")?)
    }

    /// The tables of a measurement.
    pub(crate) fn tables(&self, name: &str) -> &[Table] {
        self.parts.get(name).map_or(&[], |part| &part.tables)
    }
}

/// This crate's directory.
pub(crate) fn directory() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn file(size: Size) -> PathBuf {
    directory().join(size.pick("results/latest.json", "quick/results.json"))
}
