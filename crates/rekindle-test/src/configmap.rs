//! [`ConfigMap`]: a directory as the kubelet lays out a mounted ConfigMap.

use std::fs;
use std::path::{Path, PathBuf};

/// A mounted ConfigMap: `..data` leads to a directory named after a time, and every file's name is a
/// link through `..data`. An update swaps that one link.
///
/// The steps and their order are those of Kubernetes' `AtomicWriter.Write`
/// (pkg/volume/util/atomic_writer.go), which the kubelet uses for ConfigMaps and Secrets.
#[derive(Debug)]
pub struct ConfigMap {
    directory: PathBuf,
    updates: u32,
}

impl ConfigMap {
    /// Mounts one with these files (name, content) at a directory that exists.
    #[must_use]
    pub fn mount(directory: PathBuf, files: &[(&str, &str)]) -> Self {
        let mut map = Self { directory, updates: 0 };
        map.update(files);
        map
    }

    /// Replaces all files by these, in one step.
    pub fn update(&mut self, files: &[(&str, &str)]) {
        let old = fs::read_link(self.directory.join("..data")).ok();
        self.updates += 1;
        let new = format!("..2026_01_01_00_00_00.{:09}", self.updates);
        self.write_payload(&new, files);
        let swap = self.directory.join("..data_tmp");
        link(Path::new(&new), &swap);
        fs::rename(swap, self.directory.join("..data")).expect("the link can be swapped");
        self.link_new_names(files);
        self.remove_old_names(files);
        if let Some(old) = old {
            fs::remove_dir_all(self.directory.join(old)).expect("the old files can be removed");
        }
    }

    fn write_payload(&self, name: &str, files: &[(&str, &str)]) {
        let directory = self.directory.join(name);
        fs::create_dir(&directory).expect("a directory can be made");
        for (file, content) in files {
            fs::write(directory.join(file), content).expect("a file can be written");
        }
    }

    fn link_new_names(&self, files: &[(&str, &str)]) {
        for (file, _) in files {
            let name = self.directory.join(file);
            if name.symlink_metadata().is_err() {
                link(&Path::new("..data").join(file), &name);
            }
        }
    }

    fn remove_old_names(&self, files: &[(&str, &str)]) {
        let entries = fs::read_dir(&self.directory).expect("the directory can be listed");
        for name in entries.flatten().map(|entry| entry.file_name()) {
            let kept = files.iter().any(|(file, _)| name.to_str() == Some(file));
            if !kept && !name.to_string_lossy().starts_with("..") {
                fs::remove_file(self.directory.join(name)).expect("a link can be removed");
            }
        }
    }
}

#[cfg(unix)]
fn link(target: &Path, name: &Path) {
    std::os::unix::fs::symlink(target, name).expect("a link can be made");
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) {
    panic!("ConfigMaps are mounted on Unix only");
}
