//! What a shared store says, as files of a layer of its own: judged, written and applied as one change.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Command;
use super::EngineHandle;
use super::batch::Asked;
use super::edit::{Edit, FileEdit};
use super::receipt::Receipt;
use super::update::Update;
use crate::commit::{atomic, permissions_of};
use crate::error::{Error, ErrorKind, Result};
use crate::history::{Trigger, make_home};
use crate::route::{REMOTE_DIR, Routes, check_name, format_of};

/// A configuration as a shared store has it.
///
/// ```
/// use rekindle::RemoteDocument;
///
/// let document = RemoteDocument::new("shop/prices", "yaml", "bread: 3.20");
/// assert_eq!(document.config, "shop/prices");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteDocument {
    /// The configuration: `app`, or `shop/prices`.
    pub config: String,
    /// The ending of a file that would hold it: `toml`, `yaml`, `yml`, `json` or `jsonc`.
    pub format: String,
    /// What that file would hold.
    pub content: Arc<[u8]>,
}

/// Without its content, which may hold secrets.
impl std::fmt::Debug for RemoteDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{} ({} bytes)", self.config, self.format, self.content.len())
    }
}

impl RemoteDocument {
    /// A configuration with the ending of its file and its content.
    pub fn new(config: impl Into<String>, format: impl Into<String>, content: impl AsRef<[u8]>) -> Self {
        Self { config: config.into(), format: format.into(), content: content.as_ref().into() }
    }

    /// The file of it, relative to the root.
    fn path(&self) -> Result<PathBuf> {
        check_name(&self.config)?;
        let path = Path::new(REMOTE_DIR).join(format!("{}.{}", self.config, self.format));
        match format_of(&path) {
            Some(_) if !self.format.contains(['/', '\\', '.']) => Ok(path),
            _ => {
                let message =
                    format!("{:?} of {:?} is no format of a configuration", self.format, self.config);
                let error = Error::new(ErrorKind::Name, message);
                Err(error.help("use one of toml, yaml, yml, json and jsonc"))
            }
        }
    }
}

impl EngineHandle {
    /// Makes the documents all that the store's layer has; or, as a trial, asks what would come of that.
    ///
    /// One after the other, and to the end: which files are to go is seen before they are written.
    pub(crate) async fn remote(
        self: &Arc<Self>,
        documents: Vec<RemoteDocument>,
        is_trial: bool,
    ) -> Result<Receipt> {
        if self.settings().remote.is_none() {
            let error =
                Error::new(ErrorKind::Conflict, "this engine has no layer for what a shared store says");
            return Err(error.help("build it with `HotReload::builder(root).remote_layer(..)`"));
        }
        let this = Arc::clone(self);
        let turn = async move {
            let _turn = this.remote_turn.lock().await;
            let root = this.root().to_path_buf();
            let made = tokio::task::spawn_blocking(move || edit_of(&root, &documents, is_trial));
            let (names, edit) = made.await??;
            let asked = |reply| Asked { is_trial, ..Asked::new(Trigger::Remote, Some(reply)) };
            let update = |reply| Update { names, expected: None, edit, asked: asked(reply) };
            this.ask(|reply| Command::Update(Box::new(update(reply)))).await?
        };
        tokio::spawn(turn).await?
    }
}

/// The files to write, and those to remove, with the configurations that are concerned. Blocks.
fn edit_of(root: &Path, documents: &[RemoteDocument], is_trial: bool) -> Result<(Vec<String>, Edit)> {
    let mut files: Vec<FileEdit> = Vec::new();
    let permissions = permissions_of(Some(0o600), root)?;
    for document in documents {
        let (path, content) = (document.path()?, Some(Arc::clone(&document.content)));
        if documents.iter().filter(|other| other.config == document.config).count() > 1 {
            let message = format!("the configuration {:?} is there twice", document.config);
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        files.push(FileEdit { path, content, permissions: Some(permissions.clone()), expected: None });
    }
    let there = present(root, Path::new(REMOTE_DIR))?;
    let gone = there.into_iter().filter(|path| files.iter().all(|file| file.path != *path));
    let gone: Vec<FileEdit> =
        gone.map(|path| FileEdit { path, content: None, permissions: None, expected: None }).collect();
    files.extend(gone);
    let routes = Routes::of_any_program();
    let mut names: Vec<String> = files.iter().filter_map(|file| routes.of(&file.path).config).collect();
    names.sort();
    names.dedup();
    if !is_trial {
        make_remote(root)?;
    }
    Ok((names, Edit { root: root.to_path_buf(), files, backs_up: false, is_trial }))
}

/// The configurations' files below a directory, relative to the root.
fn present(root: &Path, directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(root.join(directory)) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(Error::io("cannot list the directory", &root.join(directory), root, cause)),
    };
    let routes = Routes::of_any_program();
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        let path = directory.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            files.extend(present(root, &path)?);
        } else if routes.of(&path).config.is_some() {
            files.push(path);
        }
    }
    Ok(files)
}

/// Makes the directory that only the user of the program may look into.
fn make_remote(root: &Path) -> Result<()> {
    let directory = root.join(REMOTE_DIR);
    let made = make_home(root).and_then(|()| atomic::make_private_directory(&directory));
    made.map_err(|cause| Error::io("cannot make the directory", &directory, root, cause))
}
