//! `rekindle new`: a directory in, a small site in it out, which `rekindle dev` shows.
//!
//! No file is ever overwritten: each is opened only if it is not there yet.

mod site;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::output;
use crate::render::{BOLD, DIM};
use crate::stop::Stop;
use crate::text::{count, printable};
use site::FILES;

/// How many of the names in a directory are listed.
const LISTED: usize = 5;

/// Of `rekindle new`.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// The directory, which is made if it is not there.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Also into a directory with files: adds what is missing, and overwrites nothing.
    #[arg(long)]
    force: bool,
}

/// Writes the files.
///
/// # Errors
///
/// [`Stop::Usage`] when the directory is not empty, without `--force`; what the system refuses.
pub(crate) fn run(args: &NewArgs) -> Result<(), Stop> {
    if !args.force {
        is_empty(&args.dir)?;
    }
    let mut kept = 0;
    for (file, text) in FILES {
        let path = args.dir.join(file);
        let is_new = add(&path, text).map_err(|error| named(&path, &error))?;
        kept += usize::from(!is_new);
    }
    output::print(&next_steps(&args.dir, kept))
}

/// That nothing of anybody's is there.
fn is_empty(dir: &Path) -> Result<(), Stop> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(named(dir, &error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(|error| named(dir, &error))?.file_name().to_string_lossy().into_owned());
    }
    if names.is_empty() { Ok(()) } else { Err(Stop::Usage(not_empty(dir, names))) }
}

fn not_empty(dir: &Path, mut names: Vec<String>) -> String {
    names.sort();
    let more = names.len().saturating_sub(LISTED);
    names.truncate(LISTED);
    let names = names.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() };
    let dir = dir.display();
    format!(
        "{dir} is not empty: it has {names}; with --force the files that it lacks are added, and none is overwritten"
    )
}

/// Writes a file unless there is one. Says whether it did.
fn add(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    match File::create_new(path) {
        Ok(mut file) => file.write_all(bytes).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn named(path: &Path, error: &io::Error) -> Stop {
    Stop::Io(io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

fn next_steps(dir: &Path, kept: usize) -> String {
    let shown = dir.to_string_lossy();
    let shown = printable(&shown);
    let written = count(FILES.len() - kept, "file");
    let kept = match kept {
        0 => String::new(),
        1 => ", 1 that was there left as it was".to_owned(),
        kept => format!(", {kept} that were there left as they were"),
    };
    let edit = ["templates/index.html", "static/app.css", "config/site.toml"]
        .map(|file| format!("  {file}\n"))
        .concat();
    format!(
        "A site in {BOLD}{shown}{BOLD:#} {DIM}({written} written{kept}){DIM:#}\n\nSee it in the browser:\n  \
         {BOLD}rekindle dev {quoted} --open{BOLD:#}\n\nThen save one of these; the page says what to try:\n{edit}",
        quoted = quoted(&shown),
    )
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte);
    if word.bytes().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_is_named_so_that_a_shell_takes_it() {
        assert_eq!(quoted("my-site"), "my-site");
        assert_eq!(quoted("it's mine"), r"'it'\''s mine'");
    }

    #[test]
    fn a_long_list_of_names_is_cut_short() {
        let names = (0..7).map(|n| format!("f{n}")).collect();
        assert!(not_empty(Path::new("d"), names).contains("it has f0, f1, f2, f3, f4 and 2 more;"));
    }
}
