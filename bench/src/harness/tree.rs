//! Trees of directories and files to be watched.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::Result;

/// A temporary directory, named so that one left behind by a crash can be told.
pub(crate) fn directory() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("rekindle-bench-").tempdir()?)
}

/// How a tree looks: packages with a few wanted directories and, where asked for, many that are not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) directories: usize,
    pub(crate) files: usize,
    /// Of ten directories, how many lie below one that is excluded.
    pub(crate) excluded_of_ten: usize,
}

/// What is excluded.
pub(crate) const EXCLUDED: &str = "node_modules";

/// Directories of one package, its own included.
const PACKAGE: usize = 20;

impl Shape {
    /// Makes the tree below `root`: directories, with the files shared out evenly.
    pub(crate) fn build(self, root: &Path) -> Result<()> {
        let per_directory = self.files / self.directories.max(1);
        for index in 0..self.directories {
            let directory = root.join(self.place(index));
            fs::create_dir_all(&directory)?;
            for file in 0..per_directory {
                fs::write(directory.join(format!("f{file:03}.txt")), "as it was\n")?;
            }
        }
        Ok(())
    }

    /// How many of its directories are wanted.
    pub(crate) fn wanted(self) -> usize {
        (0..self.directories).filter(|&index| !self.place(index).contains(EXCLUDED)).count()
    }

    /// Where a directory lies. The first ones of a package are wanted.
    fn place(self, index: usize) -> String {
        let (package, within) = (index / PACKAGE, index % PACKAGE);
        let wanted = PACKAGE - PACKAGE * self.excluded_of_ten / 10;
        match within {
            0 => format!("p{package:04}"),
            _ if within < wanted => format!("p{package:04}/d{within:02}"),
            _ if within == wanted => format!("p{package:04}/{EXCLUDED}"),
            _ => format!("p{package:04}/{EXCLUDED}/m{within:02}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_has_the_shape_that_was_asked_for() {
        let shape = Shape { directories: 200, files: 400, excluded_of_ten: 8 };
        let places: Vec<String> = (0..shape.directories).map(|index| shape.place(index)).collect();
        assert_eq!(shape.wanted(), 40);
        let distinct: std::collections::BTreeSet<&String> = places.iter().collect();
        assert_eq!(distinct.len(), 200);
    }
}
