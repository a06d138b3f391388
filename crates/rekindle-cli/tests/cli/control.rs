//! The commands that ask a running program, and what they do where none runs.

#![cfg(unix)]

use std::process::Output;

use rekindle::{Error, ErrorKind, HotReload, HotReloadBuilder, HotReloadManager};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::support::{Project, rekindle, run, stderr, stdout};

/// A program that runs in this process, on a project.
struct Program {
    project: Project,
    manager: HotReloadManager,
    runtime: Runtime,
}

impl Program {
    fn start(files: &[(&str, &str)]) -> Self {
        Self::start_with(files, |builder| builder)
    }

    fn start_with(
        files: &[(&str, &str)],
        options: impl FnOnce(HotReloadBuilder) -> HotReloadBuilder,
    ) -> Self {
        let project = Project::new(files);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let builder = HotReload::builder(project.root()).environment("test").control_socket(true);
        let manager = runtime.block_on(options(builder).start()).unwrap();
        Self { project, manager, runtime }
    }

    /// Saves a file, and waits until the program has looked at it.
    fn save(&self, file: &str, text: &str) {
        self.project.write(file, text);
        self.runtime.block_on(self.manager.reload_now()).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        ask(&self.project, arguments)
    }
}

/// Runs a command on a project.
fn ask(project: &Project, arguments: &[&str]) -> Output {
    rekindle(arguments).current_dir(project.root()).output().unwrap()
}

/// What is printed if all goes well.
fn shown(output: &Output) -> String {
    assert_eq!((output.status.code(), stderr(output).as_str()), (Some(0), ""), "{}", stdout(output));
    stdout(output)
}

/// The same, where no program runs, which is said.
fn shown_of_files(output: &Output) -> String {
    let said = stderr(output);
    assert!(said.starts_with("note: no program listens at ") && said.lines().count() == 1, "{said}");
    assert_eq!(output.status.code(), Some(0), "{}", stdout(output));
    stdout(output)
}

fn json_of(output: &Output) -> Value {
    let text = stdout(output);
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

const FILES: &[(&str, &str)] = &[
    ("config/app.toml", "port = 80\nname = \"web\" # ours\nkey = \"hunter2\"\n\n[log]\nlevel = \"info\"\n"),
    ("config/app.local.toml", "port = 81\n"),
    (
        "config/app.schema.json",
        r#"{"properties": {"key": {"x-rekindle": "secret"}, "port": {"maximum": 999}}}"#,
    ),
    ("config/db.yaml", "port: 5432\n"),
];

const APP: &str = r#"{
  "key": "***",
  "log": {
    "level": "info"
  },
  "name": "web",
  "port": 81
}
"#;

#[test]
fn get_prints_values_of_a_program_and_of_files_alike() {
    let project = Project::new(FILES);
    assert_eq!(shown_of_files(&ask(&project, &["get", "app"])), APP);
    assert!(!project.path("data").exists(), "to ask leaves nothing behind");
    let program = Program::start(FILES);
    assert_eq!(shown(&program.run(&["get", "app"])), APP);
    assert_eq!(shown(&program.run(&["get", "app", "/name"])), "web\n");
    assert_eq!(shown(&program.run(&["get", "app", "/key"])), "***\n");
    assert_eq!(shown(&program.run(&["get", "/port"])), "{\n  \"app\": 81,\n  \"db\": 5432\n}\n");
    let told = json_of(&program.run(&["get", "app", "/log/level", "--json"]));
    let expected = json!({"ok": true, "rekindle": 1, "generation": 1, "config_name": "app", "value": "info"});
    assert_eq!(told, expected);

    let missing = program.run(&["get", "app", "/prot"]);
    assert_eq!((missing.status.code(), stdout(&missing).as_str()), (Some(1), ""));
    assert_eq!(stderr(&missing), "error: there is no value at `/prot` in app\n");
    let told = program.run(&["get", "app", "/prot", "--json"]);
    assert_eq!((told.status.code(), stderr(&told).as_str()), (Some(1), ""));
    assert_eq!(json_of(&told)["error"]["kind"], "not-found");
}

#[test]
fn explain_shows_where_each_value_is_from_and_what_it_overrode() {
    let expected = "\
app
  /key        \"***\"   config/app.toml:3:7
  /log/level  \"info\"  config/app.toml:6:9
  /name       \"web\"   config/app.toml:2:8
  /port       81      config/app.local.toml:1:8
              80      config/app.toml:1:8, overridden
db
  /port  5432  config/db.yaml:1:7
";
    let program = Program::start(FILES);
    assert_eq!(shown(&program.run(&["explain"])), expected);
    assert_eq!(shown_of_files(&ask(&Project::new(FILES), &["explain"])), expected);
    let told = json_of(&program.run(&["explain", "/port", "--json"]));
    assert_eq!(told["values"][0]["layers"][1]["origin"]["line"], 1);
    assert_eq!(program.run(&["explain", "nothing"]).status.code(), Some(1));
}

#[test]
fn what_a_program_adds_in_code_is_explained_too() {
    let program = Program::start_with(&[("config/app.toml", "port = 80\n")], |builder| {
        builder.defaults("app", json!({"host": "localhost", "port": 8080})).restart("app", "/port")
    });
    program.save("config/app.toml", "port = 90\n");
    let expected = "\
app
  /host  \"localhost\"  code default
  /port  80           config/app.toml:1:8
         90           config/app.toml:1:8, after a restart
         8080         code default, overridden
";
    assert_eq!(shown(&program.run(&["explain", "app"])), expected);
}

#[test]
fn status_tells_how_a_program_is() {
    let program = Program::start_with(FILES, |builder| builder.restart("db", "/port"));
    let root = program.manager.root().display().to_string();
    let good = stdout(&program.run(&["status"]));
    let pid = std::process::id();
    let expected = format!(
        "\
generation 1  process {pid}, environment test, {root}
0 reloads, 0 refused, 0 undone, 0 failed handler calls
in sync  app  generation 1  config/app.toml + config/app.local.toml
in sync  db   generation 1  config/db.yaml
"
    );
    assert!(good.starts_with(&expected), "{good}");
    program.save("config/db.yaml", "port: 5433\n");
    program.save("config/app.toml", "port = 80\nkey = hunter2\n");
    let output = program.run(&["status"]);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(1), ""));
    let bad = stdout(&output);
    for part in [
        "invalid             app    generation 1  config/app.toml + config/app.local.toml\n",
        "held for a restart  db     generation 1  config/db.yaml\n",
        "                    /port  5432 -> 5433 after a restart\n",
        " --> config/app.toml:2:7\n",
        "2 | key = ***",
    ] {
        assert!(bad.contains(part), "{part:?} in\n{bad}");
    }
    assert!(!bad.contains("hunter2"), "{bad}");
    let told = program.run(&["status", "--json"]);
    assert_eq!(told.status.code(), Some(1));
    assert_eq!(json_of(&told)["status"]["configs"]["app"]["drift"], "invalid");
    assert!(!stdout(&told).contains("hunter2"));
}

#[test]
fn where_no_program_listens_its_status_cannot_be_told() {
    let project = Project::new(FILES);
    for arguments in [&["status"] as &[_], &["reload", "--json"], &["diff"], &["schema", "app"]] {
        let output = ask(&project, arguments);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(3), ""), "{arguments:?}");
        let expected = format!(
            "error: no program listens at {}/data/rekindle/control.sock; one does with \
             `HotReload::builder(root).control_socket(true)`\n",
            project.root().display()
        );
        assert_eq!(stderr(&output), expected);
    }
    assert_eq!(run(&["status", "/nowhere/at/all"]).status.code(), Some(2));
}

#[test]
fn set_changes_the_file_that_sets_the_value() {
    let program = Program::start(FILES);
    let value = |pointer| program.manager.snapshot().get("app").unwrap().pointer(pointer).cloned();
    let output = shown(&program.run(&["set", "app", "/port", "82", "--expect", "1"]));
    assert!(output.starts_with("applied    app  generation 2, after "), "{output}");
    assert_eq!(
        std::fs::read_to_string(program.project.path("config/app.local.toml")).unwrap(),
        "port = 82\n"
    );
    shown(&program.run(&["set", "app", "/log/level", "debug"]));
    assert_eq!((value("/port"), value("/log/level")), (Some(82.into()), Some("debug".into())));
    shown(&program.run(&["set", "app", "--merge", r#"{"log": {"json": true}, "name": null}"#]));
    shown(&program.run(&["set", "app", "/log/json", "--remove"]));
    assert_eq!((value("/name"), value("/log")), (None, Some(json!({"level": "debug"}))));
    let same = shown(&program.run(&["set", "app", "/port", "82"]));
    assert!(same.starts_with("unchanged  generation 5"), "{same}");

    let stale = program.run(&["set", "app", "/port", "83", "--expect", "1"]);
    assert_eq!(stale.status.code(), Some(1));
    assert!(stderr(&stale).contains("app has changed since generation 1"), "{}", stderr(&stale));
    let refused = program.run(&["set", "app", "/port", "1000"]);
    assert_eq!((refused.status.code(), stderr(&refused).as_str()), (Some(1), ""));
    let said = stdout(&refused);
    assert!(
        said.starts_with("refused    app, by schema\n\nerror: 1000 is greater than the maximum of 999\n"),
        "{said}"
    );
    assert_eq!(value("/port"), Some(82.into()));
    let told = json_of(&program.run(&["set", "app", "/port", "84", "--json"]));
    assert_eq!((&told["ok"], &told["receipt"]["outcome"]), (&json!(true), &json!("applied")));
    assert_eq!(program.run(&["set", "app", "--merge", "{"]).status.code(), Some(2));
}

#[test]
fn set_works_on_the_files_alone_and_holds_them_to_their_schema() {
    let project = Project::new(FILES);
    let output = ask(&project, &["set", "app", "/name", "site"]);
    assert!(shown_of_files(&output).starts_with("applied    app"), "{}", stdout(&output));
    let text = std::fs::read_to_string(project.path("config/app.toml")).unwrap();
    assert!(text.contains("name = \"site\" # ours\n"), "{text}");
    let refused = ask(&project, &["set", "app", "/port", "1000"]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(project.path("config/app.local.toml")).unwrap(), "port = 81\n");
}

#[test]
fn a_change_of_a_secret_shows_it_nowhere() {
    let program = Program::start(FILES);
    let output = program.run(&["set", "app", "/key", "swordfish"]);
    assert!(!stdout(&output).contains("swordfish"), "{}", stdout(&output));
    assert_eq!(program.manager.snapshot().get("app").unwrap()["key"], "swordfish");
    let compared = program.run(&["diff", "app", "--revisions", "1", "2"]);
    assert_eq!(compared.status.code(), Some(1));
    assert_eq!(stdout(&compared), "differs  app  revision 1 -> revision 2\n  /key  \"***\" -> \"***\"\n");
}

#[test]
fn diff_compares_what_runs_with_what_is_on_disk() {
    let check = |value: &Value| match value["port"].as_u64() {
        Some(1..=1000) => Ok(()),
        _ => Err(Error::new(ErrorKind::Check, "too high").about("/port")),
    };
    let program =
        Program::start_with(&[("config/app.toml", "port = 80\n")], |builder| builder.check("app", check));
    assert_eq!(shown(&program.run(&["diff"])), "same     app\n");
    program.save("config/app.toml", "port = 8080\nnew = true\n");
    let output = program.run(&["diff", "app"]);
    assert_eq!(output.status.code(), Some(1));
    let expected = "\
differs  app  running -> on disk
  /new   (none) -> true
  /port  80     -> 8080
";
    assert_eq!(stdout(&output), expected);
    program.save("config/app.toml", "port = = 1\n");
    let output = program.run(&["diff"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).starts_with("invalid  app\n\nerror: "), "{}", stdout(&output));
    assert!(stdout(&output).contains("--> config/app.toml:1:8"), "{}", stdout(&output));
    assert_eq!(json_of(&program.run(&["diff", "--json"]))["configs"][0]["in_sync"], false);
}

#[test]
fn history_lists_revisions_and_restore_brings_one_back() {
    let program = Program::start(&[("config/app.toml", "port = 80 # first\n")]);
    shown(&program.run(&["set", "app", "/port", "81"]));
    let history = shown(&program.run(&["history", "app"]));
    let lines: Vec<&str> = history.lines().collect();
    assert_eq!(lines.len(), 3, "{history}");
    assert!(
        lines[1].starts_with("  1  20") && lines[1].contains("  start   confirmed  (all of it)"),
        "{history}"
    );
    assert!(lines[2].starts_with("  2  20") && lines[2].ends_with("  update  confirmed  /port"), "{history}");
    let restored = shown(&program.run(&["restore", "app", "1"]));
    assert!(restored.starts_with("applied    app  generation 3"), "{restored}");
    let text = || std::fs::read_to_string(program.project.path("config/app.toml")).unwrap();
    assert_eq!(text(), "port = 80 # first\n");
    let missing = program.run(&["restore", "app", "99"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(stderr(&missing).contains("there is no revision 99 of \"app\""), "{}", stderr(&missing));

    // And when the program has ended.
    program.runtime.block_on(program.manager.clone().shutdown()).unwrap();
    let revisions = json_of(&program.run(&["history", "--json"]));
    let kept = revisions["revisions"].as_array().map(Vec::len);
    assert_eq!(shown_of_files(&program.run(&["history", "app"])).lines().count(), kept.unwrap() + 1);
    assert!(shown_of_files(&program.run(&["restore", "app", "2"])).starts_with("applied    app"));
    assert_eq!(text(), "port = 81 # first\n");
    let after = json_of(&program.run(&["history", "--json"]));
    assert_eq!(after["revisions"].as_array().map(Vec::len), kept, "nothing came into use");
    assert_eq!(shown_of_files(&ask(&Project::new(FILES), &["history"])), "No revision is kept\n");
}

#[test]
fn reload_shows_what_came_of_it() {
    let program = Program::start(&[("config/app.toml", "port = 80\n")]);
    assert!(shown(&program.run(&["reload"])).starts_with("unchanged  generation 1"));
    program.project.write("config/app.toml", "port = = 80\n");
    let output = program.run(&["reload"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).starts_with("refused    app, by syntax\n\nerror: "), "{}", stdout(&output));
    assert!(stdout(&output).contains("1 | port = = 80\n"), "{}", stdout(&output));
    let root = program.project.root().to_str().unwrap();
    let told = run(&["reload", root, "--json"]);
    assert_eq!((told.status.code(), &json_of(&told)["receipt"]["outcome"]), (Some(1), &json!("refused")));
}

#[test]
fn schema_is_what_the_program_exports() {
    #[derive(schemars::JsonSchema)]
    #[expect(dead_code, reason = "only its schema counts")]
    struct App {
        port: u16,
    }
    let program =
        Program::start_with(&[("config/app.toml", "port = 80\n")], |builder| builder.schema_of::<App>("app"));
    let printed: Value = serde_json::from_str(&shown(&program.run(&["schema", "app"]))).unwrap();
    assert_eq!(printed["properties"]["port"]["type"], "integer");
    let file = "config/app.schema.json";
    assert_eq!(shown(&program.run(&["schema", "app", "--write"])), format!("written  {file}\n"));
    assert_eq!(shown(&program.run(&["schema", "app", "--write"])), format!("same     {file}\n"));
    let written = std::fs::read_to_string(program.project.path(file)).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), printed);
    let refused = program.run(&["set", "app", "/port", "high"]);
    assert_eq!(refused.status.code(), Some(1), "changes are held against it by now");
    let none = program.run(&["schema", "db"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(stderr(&none).contains("this program exports no schema of \"db\""), "{}", stderr(&none));
}

#[test]
fn a_socket_elsewhere_is_found_by_its_path_and_a_program_of_before_is_none() {
    let program = Program::start_with(FILES, |builder| builder.control_socket_at("run/app.sock"));
    let socket = program.project.path("run/app.sock");
    let socket = socket.to_str().unwrap();
    assert_eq!(shown(&program.run(&["get", "app", "/name", "--socket", socket])), "web\n");
    let elsewhere = rekindle(&["get", "app", "/name", "--socket", socket]).current_dir("/").output().unwrap();
    assert_eq!(shown(&elsewhere), "web\n");
    // Nobody listens at the usual place, nor at what a killed program leaves there.
    assert_eq!(program.run(&["status"]).status.code(), Some(3));
    std::fs::create_dir_all(program.project.path("data/rekindle")).unwrap();
    drop(std::os::unix::net::UnixListener::bind(program.project.path("data/rekindle/control.sock")).unwrap());
    assert_eq!(program.run(&["status"]).status.code(), Some(3));
    assert_eq!(shown_of_files(&program.run(&["get", "app", "/name"])), "web\n");
}

#[test]
fn what_a_file_holds_cannot_steer_the_terminal() {
    let program =
        Program::start(&[("config/app.json", "{\"a\": \"\\u001b[2J\", \"\\u202eb\": \"x\\u009by\"}")]);
    for command in ["get", "explain", "status", "history"] {
        let output = program.run(&[command]);
        let steers = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!stdout(&output).contains(steers), "{command}: {:?}", stdout(&output));
    }
    assert_eq!(shown(&program.run(&["get", "app", "/a"])), "\\u{1b}[2J\n");
}
