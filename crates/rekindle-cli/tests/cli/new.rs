//! `rekindle new`.

use std::fs;
use std::path::Path;

use crate::support::{run, stderr, stdout};

fn example() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/site")
}

#[test]
fn it_writes_the_example_and_says_what_next() {
    let directory = tempfile::tempdir().unwrap();
    let site = directory.path().join("my site");
    let output = run(&["new", site.to_str().unwrap()]);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    assert!(
        stdout(&output).contains(&format!("rekindle dev '{}' --open", site.display())),
        "{}",
        stdout(&output)
    );
    for file in ["config/site.toml", "templates/index.html", "static/fire.svg"] {
        assert_eq!(fs::read(site.join(file)).unwrap(), fs::read(example().join(file)).unwrap(), "{file}");
    }
    let checked = run(&["check", site.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(0), "{}", stdout(&checked));
}

#[test]
fn an_empty_directory_is_as_good_as_none() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(run(&["new", directory.path().to_str().unwrap()]).status.code(), Some(0));
    assert!(directory.path().join("templates/index.html").is_file());
}

#[test]
fn a_directory_with_files_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("mine.txt"), "mine").unwrap();
    let output = run(&["new", directory.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let told = stderr(&output);
    assert!(told.contains("is not empty: it has mine.txt; with --force"), "{told}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn with_force_what_is_missing_is_added_and_nothing_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("static")).unwrap();
    fs::write(directory.path().join("static/app.css"), "mine").unwrap();
    let output = run(&["new", directory.path().to_str().unwrap(), "--force"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("1 that was there left as it was"), "{}", stdout(&output));
    assert_eq!(fs::read_to_string(directory.path().join("static/app.css")).unwrap(), "mine");
    assert!(directory.path().join("templates/index.html").is_file());
}

#[test]
fn what_the_system_refuses_is_told_with_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let output = run(&["new", file.join("site").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(file.to_str().unwrap()), "{}", stderr(&output));
}
