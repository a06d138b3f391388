//! `rekindle watch --tui`, in a real terminal.

use std::process::Stdio;

use rekindle_test::Terminal;

use crate::support::{Project, rekindle, stderr};

const GOOD: &str = "port = 8080\nname = \"a\"\n";

/// A shell that runs it on a project, and tells how it ended. The terminal's settings before and after it
/// are to be the same.
fn started(project: &Project, options: &str) -> Terminal {
    let (binary, root) = (env!("CARGO_BIN_EXE_rekindle"), project.root().display());
    let script = format!(
        "before=$(stty -g); {binary} watch --tui {options} {root} & wait_for=$!; \
         echo $wait_for > {root}/pid; fg >/dev/null 2>&1; code=$?; \
         [ \"$(stty -g)\" = \"$before\" ] && echo \"same settings, code $code\"; exec cat"
    );
    Terminal::start(&["bash", "--norc", "-m", "-c", &script])
}

#[tokio::test]
async fn a_failure_is_seen_with_its_line_and_mended_and_q_gives_the_terminal_back() {
    let project = Project::new(&[("config/app.toml", GOOD), ("config/other.toml", "a = 1\n")]);
    let terminal = started(&project, "--debounce 100");
    terminal.shows("good").await;
    terminal.shows("in sync").await;

    project.write("config/app.toml", "port = 9090\nname = \"a\"\n");
    terminal.shows("/port  8080 -> 9090").await;
    project.write("config/app.toml", "port = 9090\nname = nope\n");
    terminal.shows("degraded").await;
    terminal.shows("config/app.toml:2:8").await;
    terminal.shows("2 | name = nope").await;
    terminal.shows("^^^^").await;

    project.write("config/app.toml", GOOD);
    terminal.shows("/port  9090 -> 8080").await;
    terminal.shows("good").await;

    terminal.press(&["Enter"]);
    terminal.shows("Seen since the start").await;
    terminal.press(&["h"]);
    terminal.shows("Revisions that are kept").await;
    terminal.press(&["q"]);
    terminal.shows("same settings, code 0").await;
}

#[tokio::test]
async fn a_secret_is_seen_by_nobody() {
    let schema = r#"{"properties": {"password": {"x-rekindle": "secret"}}}"#;
    let project =
        Project::new(&[("config/db.toml", "password = 'one'\n"), ("config/db.schema.json", schema)]);
    let terminal = started(&project, "");
    terminal.shows("in sync").await;
    project.write("config/db.toml", "password = 'hunter2'\n");
    terminal.shows(r#"/password  "***" -> "***""#).await;
    project.write("config/db.toml", "password = 'hunter2' = 3\n");
    terminal.shows("1 | password = ***").await;
}

#[tokio::test]
async fn a_signal_gives_the_terminal_back() {
    for signal in ["TERM", "HUP", "INT"] {
        let project = Project::new(&[("config/app.toml", GOOD)]);
        let terminal = started(&project, "");
        terminal.shows("in sync").await;
        let kill = format!("kill -{signal} $(cat {})", project.path("pid").display());
        let sent = std::process::Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(sent.success(), "{signal}");
        terminal.shows("same settings, code 0").await;
    }
}

#[test]
fn without_a_terminal_it_says_so() {
    let project = Project::new(&[("config/app.toml", GOOD)]);
    let mut command = rekindle(&["watch", "--tui"]);
    let output = command.arg(project.root()).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(stderr(&output).starts_with("error: --tui needs a terminal"), "{}", stderr(&output));
}
