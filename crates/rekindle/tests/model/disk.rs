//! The disk: does the steps, and keeps what every watched file held after each.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rekindle_test::Site;

use crate::contents::Contents;
use crate::op::{DIRECTORIES, FILES, How, Op};

/// The watched directories.
const WATCHED: [&str; 3] = ["config", "static", "templates"];

/// How many parts the content of a file that is held open has.
const PARTS: usize = 3;

/// What every watched file holds, by path relative to the root.
pub(crate) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// A site that steps are done to.
#[derive(Debug)]
pub(crate) struct Disk {
    root: PathBuf,
    contents: Contents,
    open: VecDeque<OpenFile>,
    /// For names elsewhere.
    counter: u32,
    /// What there was after each step, and between the parts of one.
    pub(crate) moments: Vec<Files>,
}

#[derive(Debug)]
struct OpenFile {
    file: File,
    parts: VecDeque<Vec<u8>>,
}

impl Disk {
    /// A site with all files, each whole.
    pub(crate) fn new() -> (Site, Self) {
        let (mut site, mut contents) = (Site::new(), Contents::default());
        for file in FILES {
            let content = contents.next(Path::new(file));
            site = site.with(file, std::str::from_utf8(&content).expect("contents are text"));
        }
        let root = site.root().to_path_buf();
        let mut disk = Self { root, contents, open: VecDeque::new(), counter: 0, moments: Vec::new() };
        disk.note();
        (site, disk)
    }

    /// What there is now.
    pub(crate) fn now(&self) -> &Files {
        self.moments.last().expect("the first moment is the beginning")
    }

    fn note(&mut self) {
        let mut files = Files::new();
        for directory in WATCHED {
            list(&self.root, Path::new(directory), &mut files);
        }
        // Of the rest below `config/` nobody wants to know.
        files.retain(|path, _| {
            !path.starts_with("config") || path.extension().is_some_and(|end| end == "toml")
        });
        self.moments.push(files);
    }

    /// Closes what is still open, however much of it is written.
    pub(crate) fn close_all(&mut self) {
        self.open.clear();
    }

    /// Does a step. What does not apply as things are does nothing.
    pub(crate) async fn step(&mut self, op: Op) {
        match op {
            Op::Save { file, how } => self.save(Path::new(FILES[file]), how),
            Op::SaveHalf { file } => self.save_half(Path::new(FILES[file])),
            Op::WriteInParts { file, truncate, parts, pause } => {
                self.write_in_parts(file, truncate, parts, Duration::from_millis(pause)).await;
            }
            Op::Open { file, truncate } => self.open(file, truncate),
            Op::WriteOn => self.write_on(),
            Op::Close => drop(self.open.pop_front()),
            Op::Delete { file } => self.delete(FILES[file]),
            Op::Rename { from, to } => self.rename(FILES[from], FILES[to]),
            Op::MakeDeep { directory } => self.make_deep(Path::new(DIRECTORIES[directory])),
            Op::MoveDirectory { from, to } => self.move_directory(DIRECTORIES[from], DIRECTORIES[to]),
            Op::RemoveDirectory { directory } => self.remove_directory(DIRECTORIES[directory]),
            Op::Chmod { file } => self.chmod(FILES[file]),
            Op::Touch { file, back } => self.touch(FILES[file], back),
            Op::Pause { millis } => tokio::time::sleep(Duration::from_millis(millis)).await,
        }
        self.note();
    }

    fn save(&mut self, file: &Path, how: How) {
        let path = self.place_for(file);
        let content = self.contents.next(file);
        match how {
            How::InPlace => fs::write(&path, content).expect("it is writable"),
            How::RenameOver => fs::rename(self.elsewhere(&content), path).expect("it is replaced"),
            How::Anew => {
                self.clear(&path);
                fs::write(path, content).expect("it is made");
            }
            How::HardLink => {
                self.clear(&path);
                fs::hard_link(self.elsewhere(&content), path).expect("it is linked");
            }
            How::Symlink => {
                let target = self.elsewhere(&content);
                let link = target.with_extension("link");
                symlink(target, &link).expect("a link can be made");
                fs::rename(link, path).expect("it is replaced");
            }
            How::Same => {
                let content = fs::read(&path).unwrap_or(content);
                fs::write(&path, content).expect("it is writable");
            }
        }
    }

    /// Makes room for a new file. On a loaded machine the gap may be longer than the window.
    fn clear(&mut self, path: &Path) {
        let _was_there = fs::remove_file(path);
        self.note();
    }

    fn save_half(&mut self, file: &Path) {
        let path = self.place_for(file);
        let half = self.contents.parts(file, 2).swap_remove(0);
        fs::write(&path, half).expect("it is writable");
    }

    async fn write_in_parts(&mut self, file: usize, truncate: bool, parts: usize, pause: Duration) {
        let mut open = self.begin(file, truncate, parts);
        while open.write_on() {
            self.note();
            tokio::time::sleep(pause).await;
        }
    }

    fn open(&mut self, file: usize, truncate: bool) {
        let mut open = self.begin(file, truncate, PARTS);
        if open.write_on() {
            self.open.push_back(open);
        }
    }

    fn begin(&mut self, file: usize, truncate: bool, parts: usize) -> OpenFile {
        let file = Path::new(FILES[file]);
        let path = self.place_for(file);
        let opened = File::options().write(true).create(true).truncate(truncate).open(path);
        let parts = self.contents.parts(file, parts).into();
        OpenFile { file: opened.expect("it is writable"), parts }
    }

    fn write_on(&mut self) {
        let open = self.open.pop_front();
        if let Some(open) = open.and_then(|mut open| open.write_on().then_some(open)) {
            self.open.push_front(open);
        }
    }

    fn delete(&self, file: &str) {
        let _was_there = fs::remove_file(self.root.join(file));
    }

    fn rename(&self, from: &str, to: &str) {
        if self.root.join(from).exists() {
            fs::rename(self.root.join(from), self.place_for(Path::new(to))).expect("it is renamed");
        }
    }

    fn make_deep(&mut self, directory: &Path) {
        let mut path = directory.to_path_buf();
        for name in ["m", "n", "o"] {
            path.push(name);
            fs::create_dir_all(self.root.join(&path)).expect("directories can be made");
            for file in ["new.toml", "new.css"] {
                let content = self.contents.next(Path::new(file));
                fs::write(self.root.join(&path).join(file), content).expect("a file can be made");
            }
        }
    }

    fn move_directory(&self, from: &str, to: &str) {
        let (from, to) = (self.root.join(from), self.root.join(to));
        if from.exists() && !to.exists() && !to.starts_with(&from) {
            make_parent(&to);
            fs::rename(from, to).expect("it is moved");
        }
    }

    fn remove_directory(&self, directory: &str) {
        let _was_there = fs::remove_dir_all(self.root.join(directory));
    }

    fn chmod(&mut self, file: &str) {
        let path = self.root.join(file);
        if let Ok(data) = fs::metadata(&path) {
            let mode = data.permissions().mode() ^ 0o044;
            fs::set_permissions(path, Permissions::from_mode(mode)).expect("the mode can be set");
        }
    }

    fn touch(&self, file: &str, back: bool) {
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let time = if back { long_ago } else { SystemTime::now() };
        if let Ok(file) = File::open(self.root.join(file)) {
            file.set_modified(time).expect("the time can be set");
        }
    }

    /// Where a file is to be, with the directories that takes.
    fn place_for(&self, file: &Path) -> PathBuf {
        let path = self.root.join(file);
        make_parent(&path);
        path
    }

    /// A new file beside the watched directories.
    fn elsewhere(&mut self, content: &[u8]) -> PathBuf {
        self.counter += 1;
        let path = self.root.join(format!("elsewhere/{}", self.counter));
        fs::write(&path, content).expect("a file can be made elsewhere");
        path
    }
}

impl OpenFile {
    /// Writes the next part. After the last one nothing of an older and longer content is left, and
    /// there is nothing to go on with.
    fn write_on(&mut self) -> bool {
        let Some(part) = self.parts.pop_front() else { return false };
        self.file.write_all(&part).expect("it is writable");
        if self.parts.is_empty() {
            let end = std::io::Seek::stream_position(&mut self.file).expect("it is a plain file");
            self.file.set_len(end).expect("it can be cut");
        }
        !self.parts.is_empty()
    }
}

fn make_parent(path: &Path) {
    let parent = path.parent().expect("it lies in the site");
    fs::create_dir_all(parent).expect("directories can be made");
}

fn list(root: &Path, directory: &Path, files: &mut Files) {
    let Ok(entries) = fs::read_dir(root.join(directory)) else { return };
    for entry in entries.flatten() {
        let path = directory.join(entry.file_name());
        if root.join(&path).is_dir() {
            list(root, &path, files);
        } else if let Ok(content) = fs::read(root.join(&path)) {
            files.insert(path, content);
        }
    }
}
