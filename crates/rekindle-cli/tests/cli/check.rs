//! `rekindle check`.

use serde_json::{Value, json};

use crate::support::{Project, rekindle, run, stderr, stdout};

const SCHEMA: &str =
    r#"{"properties": {"port": {"type": "integer", "minimum": 1}, "name": {"type": "string"}}}"#;

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn good_configurations_are_listed_with_their_files() {
    let files = [
        ("config/app.toml", "port = 1\n"),
        ("config/app.production.toml", "port = 2\n"),
        ("config/app.schema.json", SCHEMA),
        ("config/db/main.yaml", "url: x\n"),
    ];
    let project = Project::new(&[]);
    std::fs::create_dir(project.path("config/db")).unwrap();
    files.iter().for_each(|(file, text)| project.write(file, text));
    let root = project.root().to_str().unwrap();
    let output = run(&["check", root, "--env", "production"]);
    let expected = format!(
        "\
ok      app      config/app.toml + config/app.production.toml
ok      db/main  config/db/main.yaml
All 2 configurations are good (environment production, {root})
"
    );
    assert_eq!(stdout(&output), expected);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    assert!(!project.path("data").exists(), "a check leaves nothing behind");
}

#[test]
fn a_check_writes_nothing_into_the_project() {
    let project = Project::new(&[("config/app.toml", "port = 1\n")]);
    assert_eq!(run(&["check", project.root().to_str().unwrap()]).status.code(), Some(0));
    assert!(!project.path("data").exists());
}

#[test]
fn what_is_wrong_is_underlined() {
    let project = Project::new(&[
        ("config/app.toml", "# Größe\nport = 0\nname = \"a\" # 日本\n"),
        ("config/app.local.toml", "\tname = 7\n"),
        ("config/app.schema.json", SCHEMA),
        ("config/empty.toml", ""),
        ("config/fine.json", "{}"),
        ("config/web.json", "{\"x\": 1,\n \"y\": tru}\n"),
    ]);
    let root = project.root().to_str().unwrap();
    let output = run(&["check", root]);
    let expected = format!(
        "\
failed  app    2 problems

error: 7 is not of type \"string\"
 --> config/app.local.toml:1:9
  |
1 |     name = 7
  |            ^
error: 0 is less than the minimum of 1
 --> config/app.toml:2:8
  |
2 | port = 0
  |        ^

failed  empty  1 problem

error: the file is empty
--> config/empty.toml
 |
help: delete the file to do without this layer

ok      fine   config/fine.json
failed  web    1 problem

error: this is no value, text needs double quotes
 --> config/web.json:2:7
  |
2 |  \"y\": tru}}
  |       ^^^

3 of 4 configurations are not good (environment development, {root})
"
    );
    assert_eq!(stdout(&output), expected);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(1), ""));
}

#[test]
fn json_has_one_object_a_line_and_sums_up() {
    let project =
        Project::new(&[("config/app.toml", "port = 1\n"), ("config/bad.toml", "a = 1\nb = nope\n")]);
    let root = project.root().to_str().unwrap();
    let output = run(&["check", "--json", root]);
    let mut lines = lines(&stdout(&output));
    assert!(lines[1]["errors"][0]["message"].as_str().is_some_and(|message| !message.contains("bad.toml")));
    lines[1]["errors"][0]["message"] = "…".into();
    let error = json!({"path": "config/bad.toml", "line": 2, "column": 5, "message": "…", "advice": null});
    let expected = [
        json!({"config_name": "app", "ok": true, "files": ["config/app.toml"], "errors": []}),
        json!({"config_name": "bad", "ok": false, "files": ["config/bad.toml"], "errors": [error]}),
        json!({"ok": false, "configs": 2, "failed": 1, "environment": "development", "root": root}),
    ];
    assert_eq!(lines, expected);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_directory_without_configurations_is_fine_and_one_that_is_missing_is_not() {
    let project = Project::new(&[]);
    let root = project.root().to_str().unwrap();
    let output = run(&["check", root]);
    assert_eq!(stdout(&output), format!("There is no configuration (environment development, {root})\n"));
    assert_eq!(output.status.code(), Some(0));

    let missing = run(&["check", project.path("nowhere").to_str().unwrap()]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(stderr(&missing).contains("nowhere: this root cannot be watched"), "{}", stderr(&missing));
    assert_eq!(run(&["check", root, "--env", "../x"]).status.code(), Some(2));
}

#[test]
fn the_working_directory_is_the_default_and_the_environment_comes_from_a_variable() {
    let project =
        Project::new(&[("config/app.toml", "port = 1\n"), ("config/app.staging.toml", "port = 2\n")]);
    let output = rekindle(&["check"]).current_dir(project.root()).env("APP_ENV", "staging").output().unwrap();
    let shown = stdout(&output);
    assert!(shown.contains("config/app.toml + config/app.staging.toml"), "{shown}");
    assert!(shown.contains("(environment staging, "), "{shown}");
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let project = Project::new(&[("config/app.toml", "port = = 1\n")]);
    let root = project.root().to_str().unwrap();
    let colours = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = rekindle(arguments).arg(root).envs(variables.iter().copied()).output().unwrap();
        assert!(stdout(&output).contains("failed"));
        stdout(&output).contains('\u{1b}')
    };
    assert!(!colours(&["check"], &[]), "a pipe is no terminal");
    assert!(colours(&["check", "--color", "always"], &[]));
    assert!(colours(&["check"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colours(&["check"], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!colours(&["--color", "never", "check"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn two_files_for_one_layer_are_told_of_and_no_failure() {
    let project = Project::new(&[("config/app.toml", "port = 1\n"), ("config/app.yaml", "port: 2\n")]);
    let root = project.root().to_str().unwrap();
    let output = run(&["check", "--env", "test", root]);
    let expected = format!(
        "ok      app  config/app.toml
note    config/app.yaml is ignored, config/app.toml is used instead
The configuration is good (environment test, {root})
"
    );
    assert_eq!((stdout(&output), output.status.code()), (expected, Some(0)));
    let told = lines(&stdout(&run(&["check", "--json", root])));
    assert_eq!(told[0]["ignored"], json!(["config/app.yaml"]));
}

#[test]
fn every_format_is_checked() {
    let files = ["a.toml", "b.yaml", "c.yml", "d.json", "e.jsonc"];
    let paths = files.map(|file| format!("config/{file}"));
    let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "{{{")).collect();
    let project = Project::new(&files);
    let output = run(&["check", "--json", project.root().to_str().unwrap()]);
    let told = lines(&stdout(&output));
    assert_eq!((&told[5]["configs"], &told[5]["failed"]), (&json!(5), &json!(5)));
}

#[test]
fn secrets_are_masked_in_the_lines_that_are_shown() {
    let schema = r#"{"properties": {"key": {"x-rekindle": "secret", "type": "string", "maxLength": 3}, "n": {"maximum": 1}}}"#;
    let project = Project::new(&[
        ("config/app.json", "{\"key\": \"hunter2\", \"n\": 2}\n"),
        ("config/app.schema.json", schema),
        ("config/cut.toml", "key = \"hunter2\nn = 1\n"),
        ("config/cut.schema.json", schema),
        ("config/odd.toml", "key = 1\n"),
        ("config/odd.schema.json", r#"{"properties": {"key": {"x-rekindle": "hidden"}}}"#),
    ]);
    let root = project.root().to_str().unwrap();
    let output = run(&["check", root]);
    let shown = stdout(&output);
    let expected = "\
failed  app  2 problems

error: *** is longer than 3 characters
 --> config/app.json:1:9
  |
1 | {\"key\": ***, \"n\": 2}
  |         ^^^
error: 2 is greater than the maximum of 1
 --> config/app.json:1:25
  |
1 | {\"key\": *********, \"n\": 2}
  |                         ^

failed  cut  1 problem
";
    assert!(shown.starts_with(expected), "{shown}");
    assert!(
        shown.contains("1 | key = ********\n") && shown.contains("\"hidden\" is no rule for a field"),
        "{shown}"
    );
    let told = stdout(&run(&["check", "--json", root]));
    assert!(!shown.contains("hunter2") && !told.contains("hunter2"), "{told}");
}
