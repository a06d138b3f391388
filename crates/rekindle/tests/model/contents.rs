//! What is written into files: each content is another, and a part of one is not a whole one.

use std::path::Path;

/// The contents of one sequence, numbered.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    number: u64,
}

impl Contents {
    /// A content that nothing had before, fit for a file of this name.
    ///
    /// Of a configuration any part is invalid: its one table is closed by its last byte. Where a new
    /// content is written over an old one, the two numbers tell: see [`crate::oracle::is_whole`].
    pub(crate) fn next(&mut self, file: &Path) -> Vec<u8> {
        self.number += 1;
        let n = self.number;
        let text = "x".repeat(usize::try_from(n * 7 % 40).unwrap_or(0));
        if file.extension().is_none_or(|ending| ending != "toml") {
            return format!("{n} {text}\n").into_bytes();
        }
        let table = if is_layer(file) { "layer" } else { "base" };
        format!("{table} = {{ begin = {n}, text = \"{text}\", end = {n} }}\n").into_bytes()
    }

    /// The next, in about so many parts.
    pub(crate) fn parts(&mut self, file: &Path, parts: usize) -> Vec<Vec<u8>> {
        let content = self.next(file);
        content.chunks(content.len().div_ceil(parts)).map(<[u8]>::to_vec).collect()
    }
}

fn is_layer(file: &Path) -> bool {
    file.file_stem().is_some_and(|stem| Path::new(stem).extension().is_some())
}
