//! A directory of configurations as a release, and back.

use std::io::Write;
use std::path::{Component, Path, PathBuf};

use rekindle_cluster::{Document, Payload};

use crate::stop::Stop;

/// What the endings of configurations are.
const ENDINGS: [&str; 5] = ["toml", "yaml", "yml", "json", "jsonc"];

/// The configurations in a directory and those below it. What is hidden is left out, and so are schemas: those are each
/// program's own.
///
/// # Errors
///
/// [`Stop::Usage`] when there is none, or one that no instance could take; what reading fails with.
pub(super) fn read(directory: &Path) -> Result<Vec<Document>, Stop> {
    let documents = read_any(directory)?;
    if documents.is_empty() {
        return Err(Stop::Usage(format!("{}: there is no configuration in it", directory.display())));
    }
    Ok(documents)
}

/// As [`read`], where there may be none.
///
/// # Errors
///
/// As [`read`].
pub(super) fn read_any(directory: &Path) -> Result<Vec<Document>, Stop> {
    let mut documents = Vec::new();
    collect(directory, directory, &mut documents)?;
    documents.sort();
    let twice = documents.windows(2).find(|pair| pair[0].config == pair[1].config);
    match twice {
        Some(pair) => Err(Stop::Usage(format!(
            "{}: {} and {} are the same configuration",
            directory.display(),
            file_name(&pair[0]),
            file_name(&pair[1])
        ))),
        None => Ok(documents),
    }
}

/// What its file is called.
pub(super) fn file_name(document: &Document) -> String {
    format!("{}.{}", document.config, document.format)
}

fn collect(directory: &Path, base: &Path, documents: &mut Vec<Document>) -> Result<(), Stop> {
    let failed = |cause: std::io::Error| Stop::Usage(format!("{}: {cause}", directory.display()));
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(failed)?;
    paths.sort();
    for path in paths {
        let Some(name) = path.strip_prefix(base).ok().and_then(Path::to_str) else { continue };
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if is_hidden || name.ends_with(".schema.json") {
            continue;
        }
        // A link to a directory may lead back up.
        if path.is_dir() && !path.is_symlink() {
            collect(&path, base, documents)?;
        } else if let Some((config, format)) = name.rsplit_once('.')
            && ENDINGS.contains(&format)
        {
            documents.push(document(&path, &config.replace('\\', "/"), format)?);
        }
    }
    Ok(())
}

fn document(path: &Path, config: &str, format: &str) -> Result<Document, Stop> {
    let wrong = |why: &str| Stop::Usage(format!("{}: {why}", path.display()));
    if config.contains('.') {
        return Err(wrong(
            "only whole configurations can be published, as app.toml: not those of an environment or a machine",
        ));
    }
    let text = std::fs::read(path).map_err(|cause| wrong(&cause.to_string()))?;
    let text = String::from_utf8(text).map_err(|_| wrong("the file is not UTF-8"))?;
    Ok(Document::new(config, format, text))
}

/// Writes a release's configurations. Gives their files.
///
/// # Errors
///
/// What writing fails with; a configuration whose name leaves the directory.
pub(super) fn write(payload: &Payload, directory: &Path) -> Result<Vec<PathBuf>, Stop> {
    let documents = payload.documents.iter();
    documents.map(|document| write_file(directory, &file_name(document), &document.text)).collect()
}

/// Writes one file below a directory, in one piece: somebody may watch it. Through a link, what that leads to. Who may read
/// it stays as it was; a new one only its owner can.
///
/// # Errors
///
/// As [`write`].
pub(super) fn write_file(directory: &Path, name: &str, text: &str) -> Result<PathBuf, Stop> {
    let is_inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if !is_inside {
        return Err(Stop::Usage(format!("{name:?} is no name of a configuration")));
    }
    let path = directory.join(name);
    let target = std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
    let parent = target.parent().unwrap_or(directory);
    std::fs::create_dir_all(parent)?;
    // Not seen as a configuration before it is one.
    let mut file = tempfile::Builder::new().prefix(".rekindle-").tempfile_in(parent)?;
    file.write_all(text.as_bytes())?;
    if let Ok(there) = std::fs::metadata(&target) {
        file.as_file().set_permissions(there.permissions())?;
    }
    file.persist(&target).map_err(|failed| failed.error)?;
    Ok(path)
}
