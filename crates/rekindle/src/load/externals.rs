//! What configurations are layered from beside their own files.
//!
//! In: the settings, the variables of the process, the secrets directory and the dotenv file. Out:
//! [`Externals`], of which each configuration takes its part. The two on disk are read here, by way of
//! [`read_bytes`](super::read_bytes); what they say is parsed by `assign` and `dotenv`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::assign::{Assignment, Assignments, Given, folded, node, split};
use super::env::{Prefix, variables};
use super::origin::{LayerKind, Origin};
use super::tree::{Node, Place};
use super::{Failure, dotenv, read_bytes, utf8};
use crate::config::Settings;
use crate::error::{Error, ErrorKind, Location};
use crate::route::RemoteLayer;

/// The largest secret, and the largest dotenv file, in bytes: 1 MiB, which is what Kubernetes allows.
const LARGEST: u64 = 1024 * 1024;

/// All that lies beside the files of the configurations.
#[derive(Debug, Clone, Default)]
pub(crate) struct Externals {
    defaults: BTreeMap<String, Arc<Node>>,
    disk: OnDisk,
    variables: Arc<Assignments>,
    overrides: BTreeMap<String, Vec<Arc<Assignment>>>,
    /// Where what a shared store says lies.
    remote: Option<RemoteLayer>,
}

/// The part of it that can change while the program runs.
#[derive(Debug, Clone, Default)]
struct OnDisk {
    secrets: Assignments,
    /// Why not all of the secrets could be read, by configuration, folded.
    unreadable: BTreeMap<String, Failure>,
    dotenv: Assignments,
    /// What keeps every configuration from being loaded: nobody knows whom it concerns.
    fault: Option<Failure>,
}

impl Externals {
    /// All that the settings name. `environment` is that of the process.
    pub(crate) fn read(
        settings: &Settings,
        environment: impl IntoIterator<Item = (String, String)>,
        root: &Path,
    ) -> Self {
        let place = Place { source: 0, span: 0..0 };
        let tree = |value: &Value| Arc::new(node(value.clone(), &place));
        let mut overrides = BTreeMap::<String, Vec<_>>::new();
        for over in &settings.overrides {
            overrides.entry(over.config.clone()).or_default().push(Arc::new(over.assignment.clone()));
        }
        let variables = settings.env_prefix.as_ref().map(|prefix| variables(prefix, environment));
        Self {
            defaults: settings.defaults.iter().map(|(name, value)| (name.clone(), tree(value))).collect(),
            disk: OnDisk::read(settings, root),
            variables: Arc::new(variables.unwrap_or_default()),
            overrides,
            remote: settings.remote,
        }
    }

    /// Only these variables.
    #[cfg(any(test, feature = "internals"))]
    pub(crate) fn of_variables(prefix: &str, all: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { variables: Arc::new(variables(prefix, all)), ..Self::default() }
    }

    /// The same, with what lies on disk by now.
    pub(crate) fn reread(&self, settings: &Settings, root: &Path) -> Self {
        Self { disk: OnDisk::read(settings, root), ..self.clone() }
    }

    /// Which layer the files of a shared store are.
    pub(crate) fn remote(&self) -> LayerKind {
        match self.remote {
            Some(RemoteLayer::BelowFiles) => LayerKind::RemoteBase,
            Some(RemoteLayer::AboveFiles) | None => LayerKind::Remote,
        }
    }

    /// The configurations that there are without any file.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.defaults.keys()
    }

    /// The defaults of a configuration, below its files.
    pub(crate) fn defaults(&self, name: &str) -> Option<&Arc<Node>> {
        self.defaults.get(name)
    }

    /// What is laid over the files of a configuration, in this order.
    pub(crate) fn over(&self, name: &str) -> impl Iterator<Item = &Arc<Assignment>> {
        let disk = [&self.disk.secrets, &self.disk.dotenv, &*self.variables];
        let overrides = self.overrides.get(name).into_iter().flatten();
        disk.into_iter().flat_map(move |layer| layer.of(name)).chain(overrides)
    }

    /// Why a configuration cannot be loaded, whatever its files say.
    pub(crate) fn faults(&self, name: &str) -> impl Iterator<Item = &Failure> {
        self.disk.unreadable.get(&folded(name)).into_iter().chain(&self.disk.fault)
    }

    /// Whether a configuration has the same part in both.
    pub(crate) fn same_for(&self, name: &str, other: &Self) -> bool {
        let shown = |externals: &Self| -> Vec<String> {
            externals.faults(name).map(|fault| fault.error.to_string()).collect()
        };
        self.over(name).eq(other.over(name)) && shown(self) == shown(other)
    }
}

impl OnDisk {
    fn read(settings: &Settings, root: &Path) -> Self {
        let mut read = Self::default();
        if let Some(directory) = &settings.secrets_dir {
            read.read_secrets(&root.join(directory), root);
        }
        if let Some(file) = &settings.dotenv {
            let prefix = settings.env_prefix.as_deref().map_or_else(Prefix::none, Prefix::new);
            if let Err(failure) = read.read_dotenv(&root.join(file), root, &prefix) {
                read.fault = Some(failure);
            }
        }
        read
    }

    /// Takes the files of a directory, a value each. A directory that is not there has none.
    fn read_secrets(&mut self, directory: &Path, root: &Path) {
        let names = match list(directory) {
            Ok(names) => names,
            Err(cause) => {
                let error = Error::io("cannot list the secrets", directory, root, cause);
                self.fault = Some(Failure::definitive(error));
                return;
            }
        };
        for name in names {
            // Names with a dot are how Kubernetes swaps all of them at once.
            let Some((config, steps)) = split(&name).filter(|_| !name.starts_with('.')) else { continue };
            match secret(&directory.join(&name), root) {
                Ok(Some((text, location))) => {
                    let origin = Origin::file(LayerKind::Secrets, location);
                    self.secrets.push(config, Assignment { steps, given: Given::Text(text), origin });
                }
                Ok(None) => {}
                Err(failure) => drop(self.unreadable.insert(config, failure)),
            }
        }
    }

    /// Takes the lines of a file. One that is not there has none.
    fn read_dotenv(&mut self, path: &Path, root: &Path, prefix: &Prefix) -> Result<(), Failure> {
        let Some(bytes) = read_bytes(path, root, LARGEST).map_err(advised)? else { return Ok(()) };
        let location = Location::file(path, root);
        let text = utf8(&bytes.content, location.clone())?;
        let lines = dotenv::parse(&text).map_err(|fault| {
            let error = Error::new(ErrorKind::Syntax, fault.message);
            Failure::definitive(error.at(location.clone().at(&text, fault.span)))
        })?;
        for line in lines {
            let Some((config, steps)) = prefix.split(&line.name) else { continue };
            let place = Location { point: Some(line.point), span: Some(line.span), ..location.clone() };
            let origin = Origin::dotenv(place, &line.name);
            self.dotenv.push(config, Assignment { steps, given: Given::Typed(line.text), origin });
        }
        Ok(())
    }
}

/// The names in a directory, sorted; none when it is not there.
fn list(directory: &Path) -> std::io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(cause),
    };
    let mut names = Vec::new();
    for entry in entries {
        // A name that is not UTF-8 cannot be meant for a configuration.
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

/// A secret's text, without the newline that ends it. `None` if the file is gone.
fn secret(path: &Path, root: &Path) -> Result<Option<(String, Location)>, Failure> {
    let Some(bytes) = read_bytes(path, root, LARGEST).map_err(advised)? else { return Ok(None) };
    let location = Location::file(path, root);
    let text = utf8(&bytes.content, location.clone())?;
    let text = text.strip_suffix('\n').map_or(&*text, |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(Some((text.to_owned(), location)))
}

/// The limit of these files is not one that can be raised.
fn advised(failure: Failure) -> Failure {
    if failure.error.kind() != ErrorKind::Limit {
        return failure;
    }
    Failure { error: failure.error.help("put what is this large into a file of its own"), ..failure }
}

/// The places of a program's settings that are watched beside its root: directories, and the names in
/// them that count, as globs.
pub(crate) fn places(settings: &Settings, root: &Path) -> Vec<(PathBuf, Option<String>)> {
    let secrets = settings.secrets_dir.iter().map(|directory| (root.join(directory), None));
    let dotenv = settings.dotenv.iter().filter_map(|file| {
        let file = root.join(file);
        Some((file.parent()?.to_path_buf(), Some(file.file_name()?.to_str()?.to_owned())))
    });
    secrets.chain(dotenv).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let site = tempfile::tempdir().unwrap();
        std::fs::create_dir(site.path().join("s")).unwrap();
        files.iter().for_each(|(name, content)| std::fs::write(site.path().join(name), content).unwrap());
        site
    }

    fn read(site: &tempfile::TempDir) -> Externals {
        let settings = Settings {
            secrets_dir: Some("s".into()),
            dotenv: Some(".env".into()),
            env_prefix: Some("MY".into()),
            ..Settings::default()
        };
        Externals::read(&settings, Vec::new(), site.path())
    }

    fn texts(externals: &Externals, name: &str) -> Vec<(String, String)> {
        let text = |given: &Given| match given {
            Given::Text(text) | Given::Typed(text) => text.clone(),
            Given::Exact(value) => value.to_string(),
        };
        externals.over(name).map(|over| (over.origin.to_string(), text(&over.given))).collect()
    }

    fn faults(externals: &Externals, name: &str) -> Vec<String> {
        externals.faults(name).map(|fault| fault.error.to_string()).collect()
    }

    #[test]
    fn secrets_and_lines_are_in_the_order_of_their_layers() {
        let site = site(&[
            (".env", b"OTHER=1\nMY_APP__B=b\nMY_APP__A=a\n"),
            ("s/APP__DB__PASSWORD", b"pass\n\n"),
            ("s/app__key", b"windows\r\n"),
            ("s/.APP__hidden", b"no"),
            ("s/readme", b"no key"),
        ]);
        std::fs::create_dir(site.path().join("s/..data")).unwrap();
        let pair = |origin: &str, text: &str| (origin.to_owned(), text.to_owned());
        let expected = [
            pair("s/APP__DB__PASSWORD", "pass\n"),
            pair("s/app__key", "windows"),
            pair(".env:2:11", "b"),
            pair(".env:3:11", "a"),
        ];
        let externals = read(&site);
        assert_eq!(texts(&externals, "app"), expected);
        assert!(texts(&externals, "other").is_empty() && faults(&externals, "app").is_empty());
    }

    #[test]
    fn what_is_not_there_is_no_fault() {
        let site = site(&[]);
        std::fs::remove_dir(site.path().join("s")).unwrap();
        let externals = read(&site);
        assert!(texts(&externals, "app").is_empty() && faults(&externals, "app").is_empty());
    }

    #[test]
    fn a_broken_secret_concerns_its_configuration_and_a_broken_line_all() {
        let large = vec![b'x'; 1024 * 1024 + 1];
        let site = site(&[("s/APP__A", b"ok\xff"), ("s/B__A", &large), ("s/C__A", b"c")]);
        std::fs::create_dir(site.path().join("s/D__A")).unwrap();
        let externals = read(&site);
        assert_eq!(
            faults(&externals, "app"),
            ["s/APP__A:1:3: the file is not UTF-8 from here on (save it as UTF-8)"]
        );
        assert_eq!(
            faults(&externals, "b"),
            ["s/B__A: the file has 1048577 bytes, and 1048576 are allowed \
              (put what is this large into a file of its own)"]
        );
        assert!(faults(&externals, "c").is_empty());
        assert!(faults(&externals, "d")[0].contains("no regular file"));
        std::fs::write(site.path().join(".env"), "# fine\nMY_APP__A='open\n").unwrap();
        let broken =
            externals.reread(&Settings { dotenv: Some(".env".into()), ..Settings::default() }, site.path());
        assert_eq!(faults(&broken, "c"), [".env:2:11: this quote is never closed"]);
        assert!(!broken.same_for("c", &externals) && externals.same_for("c", &externals));
    }
}
