//! Files written by programs: in place, over a temporary file, with gaps. Pains 1, 3 and 4.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rekindle_test::{Site, program};

use crate::hundred::{FILE, SAVES, a_hundred, a_hundred_after, a_hundred_on, a_hundred_slow};

/// How long a slow writer leaves its file half-written: what wintty#1138 measured defaults with.
const STALL: Duration = Duration::from_millis(120);

fn content(n: u32) -> String {
    format!("value = {n}\n")
}

fn stall() {
    std::thread::sleep(STALL);
}

#[test]
fn a_hundred_rename_saves_are_a_hundred_reloads() {
    a_hundred(|site, n| site.replace(FILE, &content(n)));
}

/// The temporary file lies beside the file, which is how most programs save, and matches no pattern.
#[test]
fn a_hundred_rename_saves_from_beside_the_file_are_a_hundred_reloads() {
    a_hundred(|site, n| {
        site.write("config/app.toml.x7f3a", &content(n));
        site.rename("config/app.toml.x7f3a", FILE);
    });
}

/// The temporary file is named like a layer of an environment that is not this one.
#[test]
fn a_hundred_rename_saves_from_a_file_named_like_a_layer_are_a_hundred_reloads() {
    a_hundred(|site, n| {
        site.write("config/app.tmp.toml", &content(n));
        site.rename("config/app.tmp.toml", FILE);
    });
}

#[test]
fn a_hundred_saves_in_place_are_a_hundred_reloads() {
    a_hundred(|site, n| site.write(FILE, &content(n)));
}

/// A link is there complete: nobody opens it, and nobody closes it.
#[test]
fn a_hundred_saves_by_hard_link_are_a_hundred_reloads() {
    a_hundred(|site, n| {
        let written = site.write_elsewhere("app.toml", &content(n));
        site.remove(FILE);
        fs::hard_link(site.path(&written), site.path(FILE)).expect("a hard link can be made");
    });
}

/// The same without a trace of the other name, as `O_TMPFILE` and `linkat` leave it.
#[test]
fn a_hundred_saves_by_hard_link_and_unlink_are_a_hundred_reloads() {
    a_hundred(|site, n| {
        let written = site.write_elsewhere("app.toml", &content(n));
        site.remove(FILE);
        fs::hard_link(site.path(&written), site.path(FILE)).expect("a hard link can be made");
        site.remove(&written);
    });
}

#[test]
fn a_hundred_saves_in_two_pieces_are_a_hundred_reloads() {
    a_hundred(|site, n| {
        let mut file = File::create(site.path(FILE)).expect("the file can be opened");
        file.write_all(b"value = ").expect("it can be written");
        file.sync_all().expect("it can be synced");
        file.write_all(format!("{n}\n").as_bytes()).expect("it can be written");
    });
}

#[test]
fn a_hundred_saves_held_open_empty_are_a_hundred_reloads() {
    a_hundred_slow(|site, n| {
        let mut file = File::create(site.path(FILE)).expect("the file can be opened");
        stall();
        file.write_all(content(n).as_bytes()).expect("it can be written");
    });
}

/// `> file`, and a while later `program >> file`: the empty file was closed in between.
#[test]
fn a_hundred_saves_truncated_closed_and_written_later_are_a_hundred_reloads() {
    a_hundred_slow(|site, n| {
        drop(File::create(site.path(FILE)).expect("the file can be emptied"));
        stall();
        let mut file = OpenOptions::new().append(true).open(site.path(FILE)).expect("the file can be opened");
        file.write_all(content(n).as_bytes()).expect("it can be written");
    });
}

#[test]
fn a_hundred_saves_by_cp_are_a_hundred_reloads() {
    a_hundred(|site, n| {
        let written = site.write_elsewhere("app.toml", &content(n));
        program::run(Command::new("cp").arg(site.path(&written)).arg(site.path(FILE)));
    });
}

#[test]
fn a_hundred_saves_by_mv_are_a_hundred_reloads() {
    a_hundred(|site, n| {
        let written = site.write_elsewhere("app.toml", &content(n));
        program::run(Command::new("mv").arg(site.path(&written)).arg(site.path(FILE)));
    });
}

#[test]
fn a_hundred_saves_by_tee_are_a_hundred_reloads() {
    a_hundred(|site, n| {
        program::shell(r#"echo "value = $N" | tee "$FILE" > /dev/null"#, &site.path(FILE), n);
    });
}

#[test]
fn a_hundred_saves_by_redirection_are_a_hundred_reloads() {
    a_hundred(|site, n| program::shell(r#"echo "value = $N" > "$FILE""#, &site.path(FILE), n));
}

/// A few on each site: a file that grows on and on, as a log does, is read once a window.
#[test]
fn a_hundred_appended_lines_are_a_hundred_reloads() {
    a_hundred_on(20, |site, n| program::shell(r#"echo "value_$N = $N" >> "$FILE""#, &site.path(FILE), n));
}

/// As `git checkout` does it. The gap is no deletion.
#[test]
fn a_hundred_saves_by_unlink_and_create_are_a_hundred_reloads() {
    a_hundred(|site, n| {
        site.remove(FILE);
        let created = OpenOptions::new().write(true).create_new(true).open(site.path(FILE));
        created.and_then(|mut file| file.write_all(content(n).as_bytes())).expect("the file can be created");
    });
}

#[test]
fn a_hundred_saves_with_a_long_gap_without_the_file_are_a_hundred_reloads() {
    a_hundred_slow(|site, n| {
        site.remove(FILE);
        stall();
        site.write(FILE, &content(n));
    });
}

/// The real thing: a hundred commits, checked out one after the other.
#[test]
fn a_hundred_git_checkouts_are_a_hundred_reloads() {
    let commit = |site: &Site| program::shell(COMMITS, site.root(), SAVES);
    let check_out = |site: &Site, n: u32| {
        let tag = format!("save-{n}");
        program::run(
            Command::new("git").arg("-C").arg(site.root()).args(["checkout", "-q", "--force", &tag]),
        );
    };
    a_hundred_after(commit, check_out);
}

const COMMITS: &str = r#"
    cd "$FILE"
    git init --quiet
    for n in $(seq "$N"); do
        echo "value = $n" > config/app.toml
        git add config/app.toml
        git -c user.name=x -c user.email=x -c commit.gpgsign=false commit --quiet --message "$n"
        git tag "save-$n"
    done"#;

/// The new file is written aside, the old one moved away, the new one moved in, the old one deleted.
#[test]
fn a_hundred_jetbrains_safe_writes_are_a_hundred_reloads() {
    a_hundred(|site, n| {
        site.write("config/app.toml___jb_tmp___", &content(n));
        site.rename(FILE, "config/app.toml___jb_old___");
        site.rename("config/app.toml___jb_tmp___", FILE);
        site.remove("config/app.toml___jb_old___");
    });
}

/// A lock that is a link to nowhere, a backup, and the file closed after writing twice.
#[test]
fn a_hundred_emacs_saves_with_two_closes_are_a_hundred_reloads() {
    a_hundred(|site, n| {
        let lock = site.path("config/.#app.toml");
        std::os::unix::fs::symlink("somebody@somewhere.1234:1700000000", &lock).expect("a link can be made");
        fs::copy(site.path(FILE), site.path("config/app.toml~")).expect("a backup can be made");
        site.write(FILE, &content(n));
        close_again(&site.path(FILE));
        fs::remove_file(lock).expect("the lock can be removed");
    });
}

/// Opened for writing and closed, and nothing written.
fn close_again(path: &Path) {
    drop(OpenOptions::new().append(true).open(path).expect("the file can be opened"));
}
