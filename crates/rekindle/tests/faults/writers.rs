//! Writers that are killed in the middle of a save.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rekindle::ChangeEvent;
use rekindle_test::{Running, SHORT_WINDOW, Site};
use serde_json::json;

const FILE: &str = "config/app.toml";

/// A program that has opened the file, written half of it, and holds it open.
fn half_way(file: &Path, half: &str) -> Child {
    let script = r#"exec 3>"$1"; printf %s "$2" >&3; echo half-way; read -r _"#;
    let mut writer = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(file)
        .arg(half)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("there is a shell");
    let mut line = String::new();
    let out = writer.stdout.as_mut().expect("it is piped");
    BufReader::new(out).read_line(&mut line).expect("it says how far it is");
    assert_eq!(line, "half-way\n");
    writer
}

/// Pains 4 and 5: nothing of it is applied, it is told of, and the next good save mends it.
#[tokio::test]
async fn a_writer_killed_mid_write_costs_nothing_but_its_own_save() {
    let site = Site::new().with(FILE, "value = 0\n");
    let mut running = Running::start_with(site, |builder| builder.debounce(SHORT_WINDOW)).await;
    for (n, half) in [(1, ""), (2, "value = "), (3, "value = 3\nname = \"x")] {
        let mut writer = half_way(&running.site.path(FILE), half);
        writer.kill().expect("it runs");
        writer.wait().expect("it ends");
        refused(&mut running).await;
        assert_eq!(running.value("app"), json!({ "value": n - 1 }), "the last good value");
        assert!(running.manager.status().is_degraded());

        running.site.replace(FILE, &format!("value = {n}\n"));
        let recovered = |event: &ChangeEvent| matches!(event, ChangeEvent::Recovered { .. });
        running.events.until("the recovery", recovered).await;
        assert_eq!(running.value("app"), json!({ "value": n }));
        assert!(!running.manager.status().is_degraded());
    }
    running.quiet_after_window().await;
    let changes = running.events.story().iter().filter(|line| line.contains(" changed to ")).count();
    assert_eq!(changes, 3, "{:#?}", running.events.story());
}

async fn refused(running: &mut Running) {
    let refused = |event: &ChangeEvent| matches!(event, ChangeEvent::ValidationFailed { .. });
    running.events.until("the refusal", refused).await;
}
