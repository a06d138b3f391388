//! Backups: the last good bytes of a configuration file, before a change replaces them.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::io;
use std::path::{Path, PathBuf};

use super::atomic;
use crate::error::{Error, ErrorKind, Location, Result};

/// Where backups go, relative to the root.
const DIRECTORY: &str = "data/backups/configs";

/// More backups of one file within one second than anybody makes.
const MOST_A_SECOND: usize = 1000;

/// Writes a backup of `path` and removes its oldest ones beyond `keep`.
///
/// It is named `{UTC as %Y%m%d_%H%M%S}_{file name}`, with a number between the two for a second one
/// in the same second, below the directory that the file has below `config/`.
pub(crate) fn write(
    root: &Path,
    path: &Path,
    content: &[u8],
    permissions: &Permissions,
    keep: usize,
) -> Result<PathBuf> {
    let failed = |doing: &str, cause: io::Error| {
        Error::new(ErrorKind::Backup, format!("{doing}: {cause}"))
            .at(Location::file(path, root))
            .because(cause)
    };
    let (directory, name) = place(root, path)?;
    atomic::make_directory_below(root, &directory)
        .map_err(|cause| failed("cannot make the backup directory", cause))?;
    let stamp = jiff::Timestamp::now().strftime("%Y%m%d_%H%M%S").to_string();
    // After the last of this second: a number that was freed by a removal would sort as older than it is.
    let last = list(root, path)?.last().and_then(|last| parse(last.file_name()?, &name));
    let first = last.filter(|(second, _)| *second == stamp).map_or(0, |(_, number)| number + 1);
    let written = (first..first + MOST_A_SECOND)
        .map(|number| directory.join(file_name(&stamp, number, &name)))
        .find_map(|target| match atomic::create(&target, content, Some(permissions)) {
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => None,
            result => Some(result.map(|()| target)),
        })
        .unwrap_or_else(|| Err(io::ErrorKind::AlreadyExists.into()))
        .map_err(|cause| failed("cannot write the backup", cause))?;
    let mut all = list(root, path)?;
    let excess = all.len().saturating_sub(keep.max(1));
    for old in all.drain(..excess) {
        std::fs::remove_file(&old).map_err(|cause| failed("cannot remove an old backup", cause))?;
    }
    Ok(written)
}

/// The directory and the file name that the backups of `path` have.
fn place(root: &Path, path: &Path) -> Result<(PathBuf, String)> {
    let outside = || {
        Error::new(ErrorKind::Backup, "only files below the root can be backed up")
            .at(Location::file(path, root))
    };
    let relative = path.strip_prefix(root).map_err(|_| outside())?;
    let inside = relative.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    let name = relative.file_name().filter(|_| inside).ok_or_else(outside)?;
    let folder = relative.parent().unwrap_or(Path::new(""));
    let folder = folder.strip_prefix("config").unwrap_or(folder);
    Ok((root.join(DIRECTORY).join(folder), name.to_string_lossy().into_owned()))
}

fn file_name(stamp: &str, number: usize, name: &str) -> String {
    // Sorts after the plain one and before the next second's.
    if number == 0 { format!("{stamp}_{name}") } else { format!("{stamp}_{number:03}_{name}") }
}

/// Whether the newest backup of a file holds these bytes.
pub(crate) fn newest_is(root: &Path, path: &Path, content: &[u8]) -> bool {
    let newest = list(root, path).ok().and_then(|mut all| all.pop());
    newest.and_then(|newest| std::fs::read(newest).ok()).is_some_and(|kept| kept == content)
}

/// The backups of a file, oldest first. Empty when there are none.
pub(crate) fn list(root: &Path, path: &Path) -> Result<Vec<PathBuf>> {
    let (directory, name) = place(root, path)?;
    let entries = match std::fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(Error::io("cannot list the backups", &directory, root, cause)),
    };
    let mut found: Vec<((String, usize), PathBuf)> = entries
        .filter_map(|entry| {
            let file = entry.ok()?.file_name();
            Some((parse(&file, &name)?, directory.join(file)))
        })
        .collect();
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// The second and the number in it, of a backup of the file `name`.
fn parse(file: &OsStr, name: &str) -> Option<(String, usize)> {
    let head = file.to_str()?.strip_suffix(name)?.strip_suffix('_')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = head.split('_');
    let (day, time) = (parts.next()?, parts.next()?);
    let number = match parts.next() {
        None => 0,
        Some(number) if digits(number) && number.len() >= 3 => number.parse().ok()?,
        Some(_) => return None,
    };
    let well_formed =
        digits(day) && day.len() == 8 && digits(time) && time.len() == 6 && parts.next().is_none();
    well_formed.then(|| (format!("{day}_{time}"), number))
}

/// The configuration file that a backup is of.
pub(crate) fn original(root: &Path, backup: &Path) -> Result<PathBuf> {
    let fault = || {
        let message = "this is no backup of a configuration file";
        Error::new(ErrorKind::Backup, message).at(Location::file(backup, root))
    };
    let relative = backup.strip_prefix(root.join(DIRECTORY)).map_err(|_| fault())?;
    let file = relative.file_name().and_then(OsStr::to_str).ok_or_else(fault)?;
    let parts: Vec<&str> = file.splitn(4, '_').collect();
    let numbered = parts.len() == 4 && parse(OsStr::new(file), parts[3]).is_some();
    let name = if numbered {
        parts[3].to_owned()
    } else {
        parts
            .get(2..)
            .map(|rest| rest.join("_"))
            .filter(|name| parse(OsStr::new(file), name).is_some())
            .ok_or_else(fault)?
    };
    let folder = relative.parent().unwrap_or(Path::new(""));
    let dot_file_at_root = name.starts_with('.');
    Ok(if dot_file_at_root { root.join(name) } else { root.join("config").join(folder).join(name) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let cases = [
            ("20260102_030405_app.toml", "app.toml", Some(0)),
            ("20260102_030405_007_app.toml", "app.toml", Some(7)),
            ("20260102_030405_my_app.toml", "app.toml", None),
            ("20260102_030405_my_app.toml", "my_app.toml", Some(0)),
            ("notes.txt", "app.toml", None),
            ("20260102_030405app.toml", "app.toml", None),
        ];
        for (file, name, number) in cases {
            assert_eq!(parse(OsStr::new(file), name).map(|(_, number)| number), number, "{file} as {name}");
        }
    }

    #[test]
    fn many_within_a_second_do_not_collide_and_the_oldest_go() {
        let root = tempfile::tempdir().expect("a directory");
        let path = root.path().join("config/sub/app.toml");
        let mode = std::fs::metadata(root.path()).expect("metadata").permissions();
        for number in 0..30 {
            let content = format!("n = {number}");
            let backup = write(root.path(), &path, content.as_bytes(), &mode, 20).expect("a backup");
            assert_eq!(original(root.path(), &backup).expect("its original"), path);
        }
        let all = list(root.path(), &path).expect("the backups");
        let contents: Vec<String> =
            all.iter().map(|path| std::fs::read_to_string(path).expect("text")).collect();
        let expected: Vec<String> = (10..30).map(|number| format!("n = {number}")).collect();
        assert_eq!(contents, expected);
    }

    #[test]
    fn what_is_outside_the_root_is_refused() {
        let root = tempfile::tempdir().expect("a directory");
        let mode = std::fs::metadata(root.path()).expect("metadata").permissions();
        for path in ["/etc/passwd".into(), root.path().join("../x.toml")] {
            let error = write(root.path(), &path, b"x", &mode, 20).expect_err("outside");
            assert_eq!(error.kind(), ErrorKind::Backup);
        }
    }
}
