//! Which directories to arm and which files to look at.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::{Pattern, Patterns, REMOTE_DIR, Routes, is_config_file};
use crate::error::Result;

/// What one engine wants to see.
///
/// Wanted are the files that a watch pattern or a handler's matches and no exclude pattern does, and
/// beyond the patterns all files of the configurations that somebody asked for by name.
#[derive(Debug, Clone)]
pub(crate) struct Interest {
    watch: Patterns,
    exclude: Patterns,
    /// Directories of the configurations asked for by name.
    config_dirs: HashSet<PathBuf>,
    /// Whether what a shared store says is a layer.
    remote: bool,
}

impl Interest {
    /// The interest of a program with these globs.
    pub(crate) fn new<S: AsRef<str>>(watch: &[S], exclude: &[S]) -> Result<Self> {
        Ok(Self {
            watch: Patterns::new(watch)?,
            exclude: Patterns::new(exclude)?,
            config_dirs: HashSet::new(),
            remote: false,
        })
    }

    /// Takes in the files of what a shared store says, if that is a layer.
    pub(crate) fn with_remote(self, remote: bool) -> Self {
        Self { remote, ..self }
    }

    /// Takes in what handlers were registered for. Says whether that was new.
    pub(crate) fn add_patterns(&mut self, patterns: impl IntoIterator<Item = Pattern>) -> bool {
        self.watch.extend(patterns)
    }

    /// Takes in the files of a configuration by name. Says whether that was new.
    pub(crate) fn add_config(&mut self, name: &str) -> bool {
        self.config_dirs.insert(Routes::directory(name))
    }

    /// Whether a directory (relative to the root, empty for the root) is to be armed.
    pub(crate) fn directory(&self, path: &Path) -> bool {
        // The root always: it is where a deleted directory comes back, and where dot-files lie.
        path.as_os_str().is_empty() || self.directory_in_wanted(path) && !self.excluded(path)
    }

    /// Whether a file is to be looked at.
    pub(crate) fn file(&self, path: &Path) -> bool {
        // What lies in an excluded directory is excluded. Dot-files at the root lie in none.
        self.file_in_wanted(path) && !path.parent().is_some_and(|parent| self.excluded(parent))
    }

    /// Whether a file is to be looked at that lies in a wanted directory.
    pub(crate) fn file_in_wanted(&self, path: &Path) -> bool {
        if is_transient(path) {
            return false;
        }
        if self.is_remote(path) {
            return is_config_file(path);
        }
        if is_config_file(path) {
            // Dot-files at the root are wanted by name: `**/.*` is not meant for them.
            let at_root = path.parent().is_some_and(|parent| parent.as_os_str().is_empty());
            return at_root || !self.exclude.matches(path);
        }
        self.watch.matches(path) && !self.exclude.matches(path)
    }

    /// Whether a directory in a wanted one is to be armed.
    pub(crate) fn directory_in_wanted(&self, path: &Path) -> bool {
        let wanted_config = || self.config_dirs.iter().any(|config_dir| config_dir.starts_with(path));
        let wanted = self.watch.can_match_in(path) || wanted_config();
        self.is_remote(path) || wanted && !self.exclude.matches(path)
    }

    /// Whether the patterns alone want a file.
    pub(crate) fn by_pattern(&self, path: &Path) -> bool {
        self.is_remote(path) || self.watch.matches(path) && !self.excluded(path)
    }

    /// Whether it belongs to what a shared store says, or leads there. Nothing excludes that: it is the program's own.
    fn is_remote(&self, path: &Path) -> bool {
        self.remote && (path.starts_with(REMOTE_DIR) || Path::new(REMOTE_DIR).starts_with(path))
    }

    /// Whether a path, or a directory it lies in, is excluded.
    fn excluded(&self, path: &Path) -> bool {
        !self.is_remote(path)
            && path
                .ancestors()
                .take_while(|part| !part.as_os_str().is_empty())
                .any(|part| self.exclude.matches(part))
    }
}

/// Whether a name is what an editor or a copier leaves for a moment beside the file it saves.
fn is_transient(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let vim_probe = name == "4913";
    let backup = name.ends_with('~');
    let emacs = name.starts_with(".#") || (name.starts_with('#') && name.ends_with('#'));
    let jetbrains = name.ends_with("___jb_tmp___") || name.ends_with("___jb_old___");
    let nfs = name.starts_with(".nfs");
    vim_probe || backup || emacs || jetbrains || nfs
}

/// A file that is written first and then moved into place: more is coming.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Temporary {
    /// As many programs save one file.
    One,
    /// As rsync writes one file after the other.
    OneOfMany,
}

/// What sort of temporary file a name says that it is.
///
/// Only names that are sure to be one: a log that is kept open beside the configurations must not make
/// every save wait.
pub(crate) fn temporary(path: &Path) -> Option<Temporary> {
    let name = path.file_name().and_then(|name| name.to_str())?;
    let random = |text: &str| text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let sed = name.strip_prefix("sed").is_some_and(random);
    let glib = name.strip_prefix(".goutputstream-").is_some_and(random);
    let tempfile = name.strip_prefix(".tmp").is_some_and(random);
    let jetbrains = name.ends_with("___jb_tmp___");
    if sed || glib || tempfile || jetbrains || name.ends_with(".tmp") {
        return Some(Temporary::One);
    }
    let (_, ending) = name.strip_prefix('.')?.rsplit_once('.')?;
    random(ending).then_some(Temporary::OneOfMany)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HotReloadConfig;

    #[test]
    fn names_that_are_moved_into_place() {
        let kind = |name: &str| temporary(Path::new(name));
        for name in ["config/sedAbC123", ".tmpQwErTy", "app.toml.tmp", "a.html___jb_tmp___"] {
            assert_eq!(kind(name), Some(Temporary::One), "{name}");
        }
        assert_eq!(kind("config/.app.toml.Xy12Ab"), Some(Temporary::OneOfMany));
        for name in [".app.toml.swp", "app.log", "app.toml", "sedition", ".hidden", ".a.backup7", "4913"] {
            assert_eq!(kind(name), None, "{name}");
        }
    }

    fn defaults() -> Interest {
        let config = HotReloadConfig::default();
        Interest::new(&config.watch_patterns, &config.exclude_patterns).expect("the defaults compile")
    }

    #[test]
    fn defaults_arm_what_can_match_and_no_more() {
        let interest = defaults();
        for wanted in ["", "config", "config/sub", "templates/a/b", "static"] {
            assert!(interest.directory(Path::new(wanted)), "{wanted:?}");
        }
        for unwanted in ["target", "node_modules", ".git", "src", "config/.git", "config/.git/objects"] {
            assert!(!interest.directory(Path::new(unwanted)), "{unwanted:?}");
        }
    }

    #[test]
    fn files_by_pattern_by_form_and_never_leftovers() {
        let interest = defaults();
        for wanted in
            ["config/app.toml", "config/app.yml", ".app.toml", "templates/a.html", "static/4913.css"]
        {
            assert!(interest.file(Path::new(wanted)), "{wanted:?}");
        }
        let unwanted = [
            "config/app.toml~",
            "templates/4913",
            "templates/a.html~",
            "templates/#a.html#",
            "static/.#a.css",
            "static/a.css.swp",
            "static/.hidden/a.css",
            "config/.app.toml.swp",
            "src/main.rs",
        ];
        for unwanted in unwanted {
            assert!(!interest.file(Path::new(unwanted)), "{unwanted:?}");
        }
    }

    #[test]
    fn a_name_widens_the_interest() {
        let mut interest = Interest::new(&["templates/**"], &[]).expect("good patterns");
        assert!(!interest.directory(Path::new("config")));
        assert!(interest.add_config("sub/app"));
        assert!(!interest.add_config("sub/other"), "the same directory");
        assert!(interest.directory(Path::new("config")) && interest.directory(Path::new("config/sub")));
        assert!(!interest.directory(Path::new("config/elsewhere")));
    }
}
