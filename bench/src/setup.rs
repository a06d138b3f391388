//! `setup`: what it takes to begin to watch a tree that is there.
//!
//! Each case is a process of its own on the same tree, which was walked before; the cases take turns.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::harness::child;
use crate::harness::process::{memory, watches};
use crate::harness::stats::{float, median, millis};
use crate::harness::table::{Row, Table, thousands};
use crate::harness::tree::{EXCLUDED, Shape, directory};
use crate::harness::{Result, Size};
use crate::peers::inotify::Watches;
use crate::peers::watchers::{self, Guard, Reports};

const ABOUT: &str = "From the start until changes are told, of a tree that is in the page cache; watches as the \
    kernel counts them; memory of the process, without the kernel's (about 1 KiB a watch). \
    The bare walks go through the wanted directories only, and keep nothing.";

/// The least: the wanted directories are listed, nothing else.
const LIST: &str = "bare walk: list";
/// What a watcher has to do at the least: arm and list the wanted directories, look at each file.
const ARM: &str = "bare walk: arm, list, stat";

/// What one start took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Start {
    ready_ms: f64,
    watches: usize,
    bytes: u64,
}

pub(crate) fn measure(size: Size) -> Result<Vec<Table>> {
    let columns = ["ready, ms", "watches", "memory, MiB"];
    let mut table = Table::new("Setup", ABOUT, "tree", &columns);
    let most_excluded = Shape { directories: 2_000, files: 50_000, excluded_of_ten: 8 };
    let all_wanted = Shape { directories: 20_000, files: 200_000, excluded_of_ten: 0 };
    let small = Shape { directories: 40, files: 80, excluded_of_ten: 8 };
    for shape in size.pick(vec![most_excluded, all_wanted], vec![small]) {
        table.rows.extend(rows(shape, size.pick(5, 1))?);
    }
    table.add_ratio("ready, by list's", "ready, ms", LIST);
    table.add_ratio("by arm, list, stat's", "ready, ms", ARM);
    Ok(vec![table])
}

fn rows(shape: Shape, rounds: usize) -> Result<Vec<Row>> {
    let root = directory()?;
    shape.build(&root.path().join("tree"))?;
    let path = root.path().to_string_lossy().into_owned();
    // The window of a debouncer makes no difference to its setup.
    let watchers = watchers::ALL.iter().map(|one| one.name).filter(|name| !name.ends_with("500 ms"));
    let names: Vec<&str> = [LIST, ARM].into_iter().chain(watchers).collect();
    let mut starts: Vec<Vec<Start>> = vec![Vec::new(); names.len()];
    walk(&root.path().join("tree"), &mut |_| Ok(()), &mut |_| {})?;
    for _ in 0..rounds {
        for (name, starts) in names.iter().zip(&mut starts) {
            starts.push(child::once(&["setup", name, &path])?);
        }
    }
    let [directories, wanted, files] =
        [shape.directories, shape.wanted(), shape.files].map(|count| thousands(&count.to_string()));
    let group = format!("{directories} directories ({wanted} wanted), {files} files");
    Ok(names.iter().zip(&starts).map(|(name, starts)| row(&group, name, starts)).collect())
}

fn row(group: &str, name: &str, starts: &[Start]) -> Row {
    let middle = |of: &dyn Fn(&Start) -> f64| median(&starts.iter().map(of).collect::<Vec<_>>());
    let ready = middle(&|start| start.ready_ms);
    let watches = middle(&|start| float(start.watches as u64));
    let memory = middle(&|start| float(start.bytes) / 1024.0 / 1024.0);
    Row::new(group, name, vec![ready, watches, memory])
}

/// In the child: one start.
pub(crate) fn case(name: &str, root: &str) -> Result<()> {
    let root = Path::new(root);
    let (before, began) = (memory()?, Instant::now());
    let _guard: Guard = match name {
        LIST => list(root)?,
        ARM => arm(root)?,
        name => (watchers::find(name)?.start)(root, &Arc::new(Reports::default()))?,
    };
    let ready_ms = millis(began.elapsed());
    child::say(&Start { ready_ms, watches: watches()?, bytes: memory()?.saturating_sub(before) })
}

fn list(root: &Path) -> Result<Guard> {
    walk(&root.join("tree"), &mut |_| Ok(()), &mut |_| {})?;
    Ok(Box::new(()))
}

fn arm(root: &Path) -> Result<Guard> {
    let (watches, mut found) = (Watches::new()?, 0);
    walk(&root.join("tree"), &mut |directory| watches.arm(directory), &mut |file| {
        found += u64::from(std::fs::symlink_metadata(file).is_ok());
    })?;
    Ok(Box::new((watches, found)))
}

/// Goes through the wanted directories: each is given before it is listed.
fn walk(
    start: &Path,
    directory: &mut impl FnMut(&Path) -> Result<()>,
    file: &mut impl FnMut(&Path),
) -> Result<()> {
    let mut todo: Vec<PathBuf> = vec![start.into()];
    while let Some(next) = todo.pop() {
        directory(&next)?;
        for entry in std::fs::read_dir(&next)? {
            let entry = entry?;
            if !entry.file_type()?.is_dir() {
                file(&entry.path());
            } else if entry.file_name() != EXCLUDED {
                todo.push(entry.path());
            }
        }
    }
    Ok(())
}
