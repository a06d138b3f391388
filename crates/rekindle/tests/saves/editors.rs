//! Files saved with real editors and the tools that edit in place. Pains 1, 3 and 4.

use std::process::Command;

use rekindle_test::{Running, Site, Terminal, program};

use crate::hundred::{BEGINNING, FILE, SAVES, a_hundred, at_last, block_on, one_reload};

#[test]
fn a_hundred_saves_by_sed_in_place_are_a_hundred_reloads() {
    a_hundred(|site, n| {
        let edit = format!("s/= .*/= {n}/");
        program::run(Command::new("sed").args(["-i", &edit]).arg(site.path(FILE)));
    });
}

#[test]
fn a_hundred_saves_by_perl_in_place_are_a_hundred_reloads() {
    a_hundred(|site, n| {
        let edit = format!("s/= .*/= {n}/");
        program::run(Command::new("perl").args(["-i", "-pe", &edit]).arg(site.path(FILE)));
    });
}

/// Edits with vim as a user without a vimrc would. `options` are what the user set.
fn vim(site: &Site, n: u32, swap: bool, options: &str) {
    // vim makes no backups below /tmp unless told to, and so would save in another way than elsewhere.
    let options = format!("set backupskip= writebackup {options}");
    let edit = format!("%s/= .*/= {n}/");
    let swap: &[&str] = if swap { &[] } else { &["-n"] };
    let start = ["-N", "-u", "NONE", "-i", "NONE", "-es"];
    let commands = ["-c", &options, "-c", &edit, "-c", "wq"];
    program::run(Command::new("vim").args(start).args(swap).args(commands).arg(site.path(FILE)));
}

#[test]
fn a_hundred_saves_by_vim_that_renames_are_a_hundred_reloads() {
    a_hundred(|site, n| vim(site, n, false, "backupcopy=no"));
}

#[test]
fn a_hundred_saves_by_vim_that_renames_with_a_swap_file_are_a_hundred_reloads() {
    a_hundred(|site, n| vim(site, n, true, "backupcopy=no"));
}

#[test]
fn a_hundred_saves_by_vim_in_place_are_a_hundred_reloads() {
    a_hundred(|site, n| vim(site, n, false, "backupcopy=yes"));
}

#[test]
fn a_hundred_saves_by_vim_in_place_with_a_swap_file_are_a_hundred_reloads() {
    a_hundred(|site, n| vim(site, n, true, "backupcopy=yes"));
}

/// It finds out whether it may rename by making a file named 4913.
#[test]
fn a_hundred_saves_by_vim_that_probes_with_a_swap_file_are_a_hundred_reloads() {
    a_hundred(|site, n| vim(site, n, true, "backupcopy=auto backup"));
}

/// One nano that stays open, and somebody who cuts the line, types another one and saves.
#[test]
fn a_hundred_saves_by_nano_are_a_hundred_reloads() {
    block_on(async {
        let mut running = Running::start(Site::new().with(FILE, BEGINNING)).await;
        let file = running.site.path(FILE);
        let nano = Terminal::start(&["nano", "--ignorercfiles", file.to_str().expect("a plain path")]);
        nano.shows("value = 0").await;
        for n in 1..=SAVES {
            nano.press(&["C-k", &format!("value = {n}"), "C-o", "Enter"]);
            one_reload(&mut running, n).await;
        }
        at_last(&mut running, 1..=SAVES).await;
    });
}
