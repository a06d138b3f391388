//! The limits of the system: watches, and open files.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use rekindle::{ChangeEvent, HotReloadBuilder};
use rekindle_test::{Running, SHORT_WINDOW, Site, child};

/// The limit of a user namespace, as `fs.inotify.max_user_watches` is that of the whole system.
const MAX_WATCHES: &str = "/proc/sys/user/max_inotify_watches";

/// Directories below `static/`.
const DIRECTORIES: u32 = 8;

/// Pain 15: the inotify limit as a crash.
#[test]
fn when_the_watches_run_out_the_rest_is_looked_at_and_the_limit_is_named() {
    child::run(child::LIMITS, "limits::watches");
}

#[test]
#[ignore = "runs in a user namespace of its own, started by the test above"]
fn watches() {
    if child::is_this_one() {
        block_on(with_few_watches());
    }
}

async fn with_few_watches() {
    let site = Site::new();
    for n in 0..DIRECTORIES {
        site.write(&format!("static/{n}/x.css"), "0");
    }
    fs::write(MAX_WATCHES, "6").expect("the limit of a namespace of one's own can be set");
    let mut running = Running::start(site).await;
    let status = running.manager.status();
    let reason = status.degraded.as_deref().expect("not everything can be watched");
    assert!(reason.contains("sysctl fs.inotify.max_user_watches="), "{reason}");
    assert!(status.watched_dirs < 12, "{status:#?}");
    a_change_in_each_is_told(&mut running, "1").await;

    fs::write(MAX_WATCHES, "1000").expect("the limit of a namespace of one's own can be set");
    let recovered = |event: &ChangeEvent| matches!(event, ChangeEvent::Recovered { config_name: None });
    running.events.until("the recovery", recovered).await;
    let status = running.manager.status();
    assert_eq!((status.degraded, status.watched_dirs), (None, 12));
    a_change_in_each_is_told(&mut running, "2").await;
    running.quiet().await;
}

async fn a_change_in_each_is_told(running: &mut Running, content: &str) {
    for n in 0..DIRECTORIES {
        let file = format!("static/{n}/x.css");
        running.site.replace(&file, content);
        running.events.told_of(&file).await;
    }
}

/// A file that cannot be opened is no deleted one, and is read once it can be.
#[test]
fn when_the_open_files_run_out_nothing_is_lost() {
    child::run(&["sh", "-c", "ulimit -n 64; exec \"$@\"", "sh"], "limits::open_files");
}

#[test]
#[ignore = "runs with few open files, started by the test above"]
fn open_files() {
    if child::is_this_one() {
        block_on(with_few_open_files());
    }
}

async fn with_few_open_files() {
    let site = Site::new().with("config/app.toml", "value = 1\n").with("static/x.css", "1");
    // The files that a history has open for a moment would be there to be opened again.
    let options = |builder: HotReloadBuilder| builder.debounce(SHORT_WINDOW).history(false);
    let mut running = Running::start_with(site, options).await;
    let mut hand = Hand::in_site(&running.site);
    let all_there_are: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    hand.does("printf 'value = 2\\n' >elsewhere/new && mv elsewhere/new config/app.toml");
    hand.does("printf 2 >static/x.css && mkdir static/new && printf 1 >static/new/y.css");
    let trouble = |event: &ChangeEvent| {
        matches!(event, ChangeEvent::ValidationFailed { .. } | ChangeEvent::Degraded { .. })
    };
    running.events.until("the trouble", trouble).await;
    assert_eq!(running.value("app")["value"], 1);

    drop(all_there_are);
    let mut missing = vec!["app", "static/x.css", "static/new/y.css"];
    // Some may have been told of before there was trouble.
    for event in running.events.seen() {
        missing.retain(|name| !is_about(event, name));
    }
    while !missing.is_empty() {
        let event = running.events.until(&format!("changes of {missing:?}"), |_| true).await;
        missing.retain(|name| !is_about(&event, name));
    }
    assert_eq!(running.value("app")["value"], 2);
    running.quiet_after_window().await;
    let story = running.events.story();
    assert!(!story.iter().any(|line| line.contains("deleted")), "{story:#?}");
    assert!(!running.manager.status().is_degraded(), "{story:#?}");
}

fn is_about(event: &ChangeEvent, name: &str) -> bool {
    match event {
        ChangeEvent::ConfigChanged { config_name, .. } => config_name == name,
        ChangeEvent::FileChanged { path, .. } => path.ends_with(name),
        _ => false,
    }
}

/// A shell that edits a site, for a process that cannot open a file itself.
struct Hand {
    shell: Child,
    answers: BufReader<ChildStdout>,
}

impl Hand {
    fn in_site(site: &Site) -> Self {
        let mut shell = Command::new("sh")
            .arg("-e")
            .current_dir(site.root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is a shell");
        let answers = BufReader::new(shell.stdout.take().expect("it is piped"));
        Self { shell, answers }
    }

    /// Has a line of shell done.
    fn does(&mut self, line: &str) {
        let stdin = self.shell.stdin.as_mut().expect("it is piped");
        writeln!(stdin, "{line}; echo done").expect("it listens");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it answers");
        assert_eq!(answer, "done\n", "{line}");
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ended = self.shell.wait();
    }
}

fn block_on(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be built").block_on(test);
}
