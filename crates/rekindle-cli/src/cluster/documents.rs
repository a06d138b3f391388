//! A directory of configurations as a release, and back.

use std::path::{Path, PathBuf};

use rekindle_cluster::{Document, Payload};

use crate::stop::Stop;

/// What the endings of configurations are.
const ENDINGS: [&str; 5] = ["toml", "yaml", "yml", "json", "jsonc"];

/// The configurations in a directory and those below it. What is hidden is left out.
///
/// # Errors
///
/// [`Stop::Usage`] when there is none, or one that no instance could take; what reading fails with.
pub(super) fn read(directory: &Path) -> Result<Vec<Document>, Stop> {
    let mut documents = Vec::new();
    collect(directory, directory, &mut documents)?;
    if documents.is_empty() {
        return Err(Stop::Usage(format!("{}: there is no configuration in it", directory.display())));
    }
    Ok(documents)
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
        if is_hidden {
            continue;
        }
        if path.is_dir() {
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
    let mut written = Vec::new();
    for document in &payload.documents {
        let name = format!("{}.{}", document.config, document.format);
        let is_inside =
            Path::new(&name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        if !is_inside {
            return Err(Stop::Usage(format!("{name:?} is no name of a configuration")));
        }
        let path = directory.join(&name);
        let parent = path.parent().unwrap_or(directory);
        std::fs::create_dir_all(parent)?;
        // In one piece: somebody may watch it.
        let mut file = tempfile::NamedTempFile::new_in(parent)?;
        std::io::Write::write_all(&mut file, document.text.as_bytes())?;
        file.persist(&path).map_err(|failed| failed.error)?;
        written.push(path);
    }
    Ok(written)
}
