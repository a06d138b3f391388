//! `rekindle demo --cluster`: five processes of this program and a store in a file; a good rollout, a refused one and
//! one that does harm, step by step as the fleet sees them.

pub(super) mod instance;

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rekindle_cluster::{
    Client, ClusterStatus, ClusterWatch, Document, Instance, Outcome, Payload, Plan, Release, Step, Verdict,
};
use tokio::process::{Child, Command};

use crate::cluster::report;
use crate::output;
use crate::render::{BAD, BOLD, DIM, GOOD};
use crate::signals::Signals;
use crate::stop::Stop;

/// How many processes.
const INSTANCES: usize = 5;

/// Longer than anything takes here.
const LIMIT: Duration = Duration::from_secs(60);

/// A release of the demonstration, and what is to become of it.
struct Scene {
    what: &'static str,
    text: &'static str,
    outcome: Outcome,
    /// The greeting that everybody has then.
    greeting: &'static str,
    /// How many have used it at some time.
    used: usize,
}

const SCENES: [Scene; 3] = [
    Scene {
        what: "a new greeting: all accept it, one tries it, then all use it",
        text: "greeting = 'Good morning'\n",
        outcome: Outcome::Promoted,
        greeting: "Good morning",
        used: INSTANCES,
    },
    Scene {
        what: "a greeting that is a number: refused by all, used by nobody",
        text: "greeting = 7\n",
        outcome: Outcome::Refused,
        greeting: "Good morning",
        used: 0,
    },
    Scene {
        what: "valid, and it makes the program slow: one tries it, and it is taken back",
        text: "greeting = 'Good evening'\ndelay_ms = 900\n",
        outcome: Outcome::RolledBack,
        greeting: "Good morning",
        used: 1,
    },
];

/// Plays it in a temporary directory.
///
/// # Errors
///
/// [`Stop::Failed`] when something was not as it should be, [`Stop::Interrupted`] by a signal.
pub(super) async fn run() -> Result<(), Stop> {
    let mut signals = Signals::listen()?;
    let directory = tempfile::Builder::new().prefix("rekindle-demo-").tempdir()?;
    let mut processes = start(directory.path())?;
    let played = tokio::select! {
        () = signals.received() => Err(Stop::Interrupted),
        played = play(directory.path()) => played,
    };
    for process in &mut processes {
        // It ends when its input does; the wait is for those files that it still writes.
        drop(process.stdin.take());
        if tokio::time::timeout(Duration::from_secs(5), process.wait()).await.is_err() {
            process.kill().await?;
        }
    }
    directory.close()?;
    played
}

fn start(root: &Path) -> Result<Vec<Child>, Stop> {
    let program = std::env::current_exe()?;
    let begin = |number: usize| {
        let id = format!("shop-{number}");
        let mut command = Command::new(&program);
        command.arg("demo").arg("--instance").arg(root.join(id)).stdin(Stdio::piped()).kill_on_drop(true);
        command.stdout(Stdio::null()).spawn()
    };
    Ok((1..=INSTANCES).map(begin).collect::<Result<_, _>>()?)
}

async fn play(root: &Path) -> Result<(), Stop> {
    output::print(&format!(
        "{INSTANCES} processes, each with a directory of its own below {}\nand a store that they share: sqlite:{}\n",
        root.display(),
        instance::store(root).display()
    ))?;
    let client = Client::new(rekindle_cluster::store::open(&instance::address(root)).await?);
    let mut watch = client.watch();
    let is_there =
        |status: &ClusterStatus| status.instances.len() == INSTANCES && status.coordinator.is_some();
    let status = until(&mut watch, is_there).await?;
    output::print(&report::whole(&status, output::width()))?;
    let mut is_good = true;
    for scene in &SCENES {
        is_good &= show(scene, &client, &mut watch).await?;
    }
    let (style, word) = if is_good {
        (GOOD, "All three went as they should.")
    } else {
        (BAD, "Not all of it went as it should.")
    };
    output::print(&format!("\n{style}{word}{style:#}\n"))?;
    if is_good { Ok(()) } else { Err(Stop::Failed) }
}

/// Publishes a release, and shows each step of it. Whether it ended as it should.
async fn show(scene: &Scene, client: &Client, watch: &mut ClusterWatch) -> Result<bool, Stop> {
    output::print(&format!("\n{BOLD}{}{BOLD:#}\n", scene.what))?;
    let steps = vec![Step::Share(200), Step::Share(600), Step::Share(1000)];
    let plan = Plan { steps, bake_ms: 300, patience_ms: 20_000, ..Plan::default() };
    let payload = Payload::new([Document::new("app", "toml", scene.text)]).because(scene.what);
    let began = Instant::now();
    let release = client.publish(&payload, plan).await?;
    let (mut shown, mut used) = (String::new(), std::collections::BTreeSet::new());
    let ended = async {
        loop {
            let status = watch.next().await?;
            used.extend(users(&status, release));
            let line = report::rollout(&status.head, Some(&status));
            if line != shown && status.head.rollout == release.rollout {
                output::print(&format!("{DIM}{:>7.2} s{DIM:#}  {line}\n", began.elapsed().as_secs_f64()))?;
                shown = line;
            }
            if let Some(last) = status.head.last.as_ref().filter(|last| last.release == release) {
                break Ok::<Outcome, Stop>(last.outcome);
            }
        }
    };
    let outcome = tokio::time::timeout(LIMIT, ended).await.map_err(|_| Stop::Failed)??;
    let stable = client.status().await?.head.stable;
    let is_back = |status: &ClusterStatus| status.instances.iter().all(|instance| instance.applied == stable);
    let status = until(watch, is_back).await?;
    let agree = status.instances.len() == INSTANCES && greetings(client, stable).await? == scene.greeting;
    output::print(&format!(
        "{DIM}{:>7.2} s{DIM:#}  all greet with {:?}; {} of {INSTANCES} have used it\n",
        began.elapsed().as_secs_f64(),
        scene.greeting,
        used.len()
    ))?;
    Ok(outcome == scene.outcome && agree && used.len() == scene.used)
}

/// Those that use it or have used it: what they say of it stays.
fn users(status: &ClusterStatus, release: Release) -> Vec<String> {
    let uses = |instance: &&Instance| {
        let has_used =
            matches!(instance.verdict(release), Some(Verdict::Applied | Verdict::Healthy | Verdict::Sick(_)));
        has_used || instance.applied == Some(release)
    };
    status.instances.iter().filter(uses).map(|instance| instance.id.clone()).collect()
}

/// What all of them greet with, which use this release.
async fn greetings(client: &Client, stable: Option<Release>) -> Result<String, Stop> {
    let Some(release) = stable else { return Ok(String::new()) };
    let payload = client.payload(release).await?;
    let text = payload.and_then(|payload| payload.documents.into_iter().next()).map(|document| document.text);
    Ok(text.unwrap_or_default().split('\'').nth(1).unwrap_or_default().to_owned())
}

async fn until(watch: &mut ClusterWatch, is: impl Fn(&ClusterStatus) -> bool) -> Result<ClusterStatus, Stop> {
    let waiting = async {
        let mut status = watch.current().await?;
        while !is(&status) {
            status = watch.next().await?;
        }
        Ok::<ClusterStatus, Stop>(status)
    };
    tokio::time::timeout(LIMIT, waiting).await.unwrap_or(Err(Stop::Failed))
}
