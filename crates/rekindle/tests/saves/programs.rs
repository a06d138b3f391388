//! Files saved by the programs that administrators and build scripts save with. Pains 1, 3 and 4.

use std::process::Command;
use std::time::Duration;

use rekindle_test::{Running, Site, Terminal, program};

use crate::hundred::{
    BEGINNING, FILE, SAVES, a_hundred, a_hundred_slow, at_last, block_on, one_reload, whole_record,
};

fn content(n: u32) -> String {
    format!("value = {n}\n")
}

/// Edits with emacs as a user without an init file would. `options` are what the user set.
///
/// A lock that is a link to nowhere, the backup, the save, a second close, then the lock's end and the
/// file's mode.
fn emacs(site: &Site, n: u32, options: &str) {
    // emacs makes no backups below /tmp unless told to, and so would save in another way than elsewhere.
    let options = format!("(setq backup-enable-predicate (lambda (_) t) {options})");
    let edit = format!("(progn (re-search-forward \"= .*\") (replace-match \"= {n}\") (save-buffer))");
    let mut emacs = Command::new("emacs");
    emacs.args(["-Q", "--batch", "--eval", &options]).arg(site.path(FILE)).args(["--eval", &edit]);
    program::run(&mut emacs);
}

/// The backup is the old file, renamed: there is a moment without the file.
#[test]
fn a_hundred_saves_by_emacs_with_a_renamed_backup_are_a_hundred_reloads() {
    a_hundred(|site, n| emacs(site, n, ""));
}

#[test]
fn a_hundred_saves_by_emacs_with_a_copied_backup_are_a_hundred_reloads() {
    a_hundred(|site, n| emacs(site, n, "backup-by-copying t"));
}

/// The new file is written under another name in the same directory, and renamed.
#[test]
fn a_hundred_saves_by_emacs_of_precious_files_are_a_hundred_reloads() {
    a_hundred(|site, n| emacs(site, n, "file-precious-flag t"));
}

/// One emacs that stays open, and somebody who kills the line, types another one and saves.
#[test]
fn a_hundred_saves_in_one_emacs_are_a_hundred_reloads() {
    block_on(async {
        let mut running = Running::start(Site::new().with(FILE, BEGINNING)).await;
        let file = running.site.path(FILE);
        let emacs = Terminal::start(&["emacs", "-Q", "-nw", file.to_str().expect("a plain path")]);
        emacs.shows("value = 0").await;
        for n in 1..=SAVES {
            emacs.press(&["C-a", "C-k", &format!("value = {n}"), "C-x", "C-s"]);
            one_reload(&mut running, n).await;
        }
        at_last(&mut running, 1..=SAVES).await;
    });
}

#[test]
fn a_hundred_saves_by_ed_are_a_hundred_reloads() {
    a_hundred(|site, n| {
        let script = r#"printf '%s\n' "s/= .*/= $N/" w q | ed -s "$FILE""#;
        program::shell(script, &site.path(FILE), n);
    });
}

/// It removes the file, makes a new one, and sets the mode of that afterwards.
#[test]
fn a_hundred_saves_by_install_are_a_hundred_reloads() {
    a_hundred(|site, n| {
        let written = site.write_elsewhere("app.toml", &content(n));
        let mut install = Command::new("install");
        program::run(install.args(["-m", "640"]).arg(site.path(&written)).arg(site.path(FILE)));
    });
}

/// Over the old content: the file is at no moment empty.
#[test]
fn a_hundred_saves_by_dd_without_truncation_are_a_hundred_reloads() {
    a_hundred(|site, n| {
        let script = r#"printf '%-16s\n' "value = $N" | dd of="$FILE" conv=notrunc status=none"#;
        program::shell(script, &site.path(FILE), n);
    });
}

/// A copy with all attributes, whatever rsync would make of equal sizes and times.
fn rsync(site: &Site, n: u32, options: &[&str]) {
    let written = site.write_elsewhere("app.toml", &content(n));
    let mut rsync = Command::new("rsync");
    rsync.args(["--archive", "--ignore-times"]).args(options);
    program::run(rsync.arg(site.path(&written)).arg(site.path(FILE)));
}

/// Into `.app.toml.XXXXXX` beside the file, which is then renamed.
#[test]
fn a_hundred_saves_by_rsync_are_a_hundred_reloads() {
    a_hundred(|site, n| rsync(site, n, &[]));
}

/// Over the old content, then cut to its length, then given its time.
#[test]
fn a_hundred_saves_by_rsync_in_place_are_a_hundred_reloads() {
    a_hundred(|site, n| rsync(site, n, &["--inplace"]));
}

/// Only the pieces that differ are written.
#[test]
fn a_hundred_saves_by_rsync_in_place_by_pieces_are_a_hundred_reloads() {
    a_hundred(|site, n| rsync(site, n, &["--inplace", "--no-whole-file"]));
}

#[test]
fn a_hundred_saves_by_patch_are_a_hundred_reloads() {
    a_hundred(|site, n| program::shell(PATCH, &site.path(FILE), n));
}

/// The value of the save before is one less.
const PATCH: &str = r#"
    printf '%s\n' "--- app.toml" "+++ app.toml" "@@ -1 +1 @@" "-value = $((N - 1))" "+value = $N" |
        patch --silent "$FILE""#;

/// The edit, the stash that takes it away, and the `pop` that brings it back: three reloads.
#[test]
fn a_git_stash_and_its_pop_are_one_reload_each() {
    const ROUNDS: u32 = 30;
    block_on(async {
        let site = Site::new().with(FILE, BEGINNING);
        program::shell(COMMIT, site.root(), 0);
        let mut running = Running::start(site).await;
        for n in 1..=ROUNDS {
            running.site.write(FILE, &content(n));
            one_reload(&mut running, n).await;
            git(&running.site, &["stash", "--quiet"]);
            one_reload(&mut running, 0).await;
            git(&running.site, &["stash", "pop", "--quiet"]);
            one_reload(&mut running, n).await;
            git(&running.site, &["checkout", "--quiet", "--", FILE]);
            one_reload(&mut running, 0).await;
        }
        whole_record(&mut running, 4 * ROUNDS, 0).await;
    });
}

const COMMIT: &str = r#"
    cd "$FILE"
    git init --quiet
    git add config
    git -c user.name=x -c user.email=x -c commit.gpgsign=false commit --quiet --message "$N""#;

/// As somebody: a stash is a commit.
fn git(site: &Site, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.arg("-C").arg(site.root()).args(["-c", "user.name=x", "-c", "user.email=x"]);
    program::run(git.args(["-c", "commit.gpgsign=false"]).args(arguments));
}

/// One script that empties the file, takes its time, and appends: nothing empty is applied.
#[test]
fn a_hundred_scripts_that_empty_and_append_after_a_pause_are_a_hundred_reloads() {
    let script = r#": > "$FILE"; sleep 0.1; echo "value = $N" >> "$FILE""#;
    a_hundred_slow(|site, n| program::shell(script, &site.path(FILE), n));
}

/// The first half is closed, and no TOML: it is waited with until the second half makes it good.
#[test]
fn a_hundred_scripts_that_write_half_a_line_and_append_after_a_pause_are_a_hundred_reloads() {
    let script = r#"printf 'value = ' > "$FILE"; sleep 0.1; echo "$N" >> "$FILE""#;
    a_hundred_slow(|site, n| program::shell(script, &site.path(FILE), n));
}

/// The first half is closed, and a good file by itself. Only the quiet can tell that more is coming.
#[test]
fn scripts_that_write_and_append_within_the_quiet_are_one_reload_each() {
    // Long: a loaded machine may hold the script up for longer than its pause.
    const QUIET: Duration = Duration::from_secs(2);
    let script = r#"echo "value = $N" > "$FILE"; sleep 0.01; echo "more = $N" >> "$FILE""#;
    let both = |n: u32| format!("app changed to {{\"more\":{n},\"value\":{n}}}");
    block_on(async {
        let site = Site::new().with(FILE, BEGINNING);
        let mut running = Running::start_with(site, |builder| builder.settle(QUIET)).await;
        for n in 1..=3 {
            program::shell(script, &running.site.path(FILE), n);
            one_reload(&mut running, n).await;
            assert!(running.events.story().contains(&both(n)), "{:#?}", running.events.story());
        }
        at_last(&mut running, 1..=3).await;
    });
}
