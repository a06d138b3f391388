//! `serve`: requests in a second and the slowest of a hundred, while nothing changes and while the configuration does
//! ten times a second.
//!
//! Quiet and busy slices take turns, and so do the subjects; the median of the pairs counts. The clients share the two
//! cores with the server: what it takes to ask is in every figure, and in all of them the same.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use rekindle::service::Supervised;
use rekindle::{HotReload, HotReloadManager};
use rekindle_load::{Answer, Load, Protocol, Report, Target};
use rekindle_web::serve::{Bound, ServeConfig, Server};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::harness::stats::{float, median};
use crate::harness::table::{Row, Table};
use crate::harness::{Result, Size};

const ABOUT: &str = "Answers of 1 kB over kept-alive HTTP/1.1 to 16 clients, in the same process on the same two cores: with \
    nothing going on, and while the configuration is saved ten times a second with other routes and limits (with TLS: and \
    another certificate). `busy / quiet` are medians of pairs of slices that follow each other. First the clients ask as fast \
    as they can: requests per second, and p99, in which all work shows that takes a core from an answer. Then, `calm`, they \
    wait 1 ms between requests: p99 in milliseconds. `failed` are requests without a whole answer in the busy slices.";

/// Between two changes.
const EVERY: Duration = Duration::from_millis(100);

/// How many clients at a time, and how long each waits before it asks again.
type Pace = (usize, Duration);

/// As fast as they can: how much is served.
const HURRIED: Pace = (16, Duration::ZERO);

/// About a tenth of that: how long one waits. With every core at its limit, all work of whatever kind would be in the
/// slowest of a hundred.
const CALM: Pace = (16, Duration::from_millis(1));

/// What a round measured: nothing changing, and changes.
struct Pairs {
    hurried: (Report, Report),
    calm: (Report, Report),
}

pub(crate) fn measure(size: Size) -> Result<Vec<Table>> {
    let columns =
        ["per second", "busy / quiet", "p99 busy / quiet", "calm p99", "calm p99 busy / quiet", "failed"];
    let mut table = Table::new("Serve", ABOUT, "", &columns);
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let subjects: [(&str, &str, Box<dyn Subject>); 4] = [
        ("HTTP", "rekindle", Box::new(Ours::start(&runtime, false)?)),
        ("HTTP", "axum::serve, nothing changes in either", Box::new(Fixed::start(&runtime)?)),
        (
            "HTTP",
            "by hand: axum::serve, stopped with grace and bound anew",
            Box::new(Rebound::start(&runtime)?),
        ),
        ("TLS", "rekindle", Box::new(Ours::start(&runtime, true)?)),
    ];
    let mut pairs = [(); 4].map(|()| Vec::new());
    let time = size.pick(Duration::from_secs(2), Duration::from_millis(200));
    for round in 0..size.pick(10, 1) {
        for ((_, _, subject), pairs) in subjects.iter().zip(&mut pairs) {
            let pair = |pace| {
                let quiet = || runtime.block_on(slice(subject.target(), pace, rest(time)));
                let busy = || runtime.block_on(slice(subject.target(), pace, change_for(time, &**subject)));
                // What the one before leaves behind is to the good, or to the harm, of both.
                if round % 2 == 0 { (quiet(), busy()) } else { swapped((busy(), quiet())) }
            };
            pairs.push(Pairs { hurried: pair(HURRIED), calm: pair(CALM) });
        }
    }
    table.rows = subjects.iter().zip(&pairs).map(|((case, name, _), pairs)| row(case, name, pairs)).collect();
    Ok(vec![table])
}

fn swapped<A, B>((a, b): (A, B)) -> (B, A) {
    (b, a)
}

fn row(case: &str, name: &str, pairs: &[Pairs]) -> Row {
    let middle = |of: &dyn Fn(&Pairs) -> f64| median(&pairs.iter().map(of).collect::<Vec<_>>());
    let p99 = |report: &Report| report.percentile(99.0).as_secs_f64() * 1000.0;
    let ratio = |(quiet, busy): &(Report, Report), of: &dyn Fn(&Report) -> f64| of(busy) / of(quiet);
    let values = vec![
        middle(&|round| round.hurried.0.per_second()),
        middle(&|round| ratio(&round.hurried, &Report::per_second)),
        middle(&|round| ratio(&round.hurried, &p99)),
        middle(&|round| p99(&round.calm.0)),
        middle(&|round| ratio(&round.calm, &p99)),
        Some(float(
            pairs.iter().map(|round| round.hurried.1.failures() + round.calm.1.failures()).sum::<u64>(),
        )),
    ];
    Row::new(case, name, values)
}

/// Asks for as long as `meanwhile` takes.
async fn slice(target: Target, (clients, pause): Pace, meanwhile: impl Future<Output = ()>) -> Report {
    let (_keep, targets) = watch::channel(vec![target]);
    let whole = |answer: &Answer| if answer.body.len() > 1000 { Ok(()) } else { Err("too short".to_owned()) };
    let load = Load::new(targets, whole).clients(clients).pause(pause).start();
    meanwhile.await;
    load.stop().await
}

async fn rest(time: Duration) {
    tokio::time::sleep(time).await;
}

async fn change_for(time: Duration, subject: &dyn Subject) {
    let (began, mut changes) = (Instant::now(), 0);
    while began.elapsed() < time {
        changes += 1;
        subject.change();
        tokio::time::sleep_until((began + EVERY * changes).into()).await;
    }
}

/// A server that can be changed.
trait Subject {
    fn target(&self) -> Target;
    fn change(&self);
}

fn plain(address: SocketAddr) -> Target {
    Target { address, tls: false, protocol: Protocol::Http1 }
}

fn router(text: &str) -> Router {
    let body = format!("{text} {}", "x".repeat(1000));
    Router::new().route("/", get(async move || body))
}

/// What it is saved as: `config/shop.toml`.
#[derive(Debug, Clone, Deserialize)]
struct Shop {
    text: String,
    server: ServeConfig,
}

impl AsRef<ServeConfig> for Shop {
    fn as_ref(&self) -> &ServeConfig {
        &self.server
    }
}

/// rekindle.
struct Ours {
    directory: TempDir,
    tls: bool,
    changes: Mutex<u32>,
    server: Supervised<Server<Shop>>,
    _manager: HotReloadManager,
}

impl Ours {
    fn start(runtime: &Runtime, tls: bool) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        std::fs::create_dir(directory.path().join("config"))?;
        for name in ["a", "b"] {
            certificate(directory.path(), name)?;
        }
        save(directory.path(), tls, 0)?;
        runtime.block_on(async {
            let manager = HotReload::builder(directory.path()).start().await?;
            let server = Server::new(|shop: &Shop| Ok(router(&shop.text))).at("/server");
            let server = server.start(&manager, "shop", "").await?;
            Ok(Self { directory, tls, changes: Mutex::default(), server, _manager: manager })
        })
    }
}

/// By a rename, as an editor does.
fn save(root: &Path, tls: bool, number: u32) -> std::io::Result<()> {
    let pair = if number.is_multiple_of(2) { "a" } else { "b" };
    let listen = match tls {
        true => format!(
            "{{ address = '127.0.0.1:0', tls = {{ certificate = '{pair}.pem', key = '{pair}.key' }} }}"
        ),
        false => "'127.0.0.1:0'".to_owned(),
    };
    let text = format!(
        "text = 'number {number}'\n[server]\nhealth = '/'\nlisten.web = {listen}\nlimits.requests = {}\n",
        1000 + number
    );
    let (file, beside) = (root.join("config/shop.toml"), root.join("config/shop.toml.tmp"));
    std::fs::write(&beside, text)?;
    std::fs::rename(beside, file)
}

fn certificate(root: &Path, name: &str) -> Result<()> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    std::fs::write(root.join(format!("{name}.pem")), made.cert.pem())?;
    Ok(std::fs::write(root.join(format!("{name}.key")), made.signing_key.serialize_pem())?)
}

impl Subject for Ours {
    fn target(&self) -> Target {
        let address = match self.server.load().address("web") {
            Some(Bound::Tcp(address)) => address,
            other => unreachable!("it listens on TCP: {other:?}"),
        };
        Target { tls: self.tls, ..plain(address) }
    }

    /// A save that fails is one too few: the disk is full, and the run of no use.
    fn change(&self) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        *changes += 1;
        let _ = save(self.directory.path(), self.tls, *changes);
    }
}

/// axum's own server, which cannot be changed: what serving costs.
struct Fixed {
    address: SocketAddr,
}

impl Fixed {
    fn start(runtime: &Runtime) -> Result<Self> {
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            tokio::spawn(axum::serve(listener, router("fixed")).into_future());
            Ok(Self { address })
        })
    }
}

impl Subject for Fixed {
    fn target(&self) -> Target {
        plain(self.address)
    }

    fn change(&self) {}
}

/// What is written without a library: the old one is told to end, and a new one takes its port.
struct Rebound {
    address: SocketAddr,
    changes: tokio::sync::mpsc::UnboundedSender<()>,
}

/// A server, and what ends it.
type Serving = (oneshot::Sender<()>, JoinHandle<std::io::Result<()>>);

impl Rebound {
    fn start(runtime: &Runtime) -> Result<Self> {
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            let (changes, mut changed) = tokio::sync::mpsc::unbounded_channel();
            tokio::spawn(async move {
                let mut serving = spawn(listener);
                while changed.recv().await.is_some() {
                    let (end, _finishing) = serving;
                    let _ = end.send(());
                    // The port is free as soon as the old one has let go of it.
                    let listener = loop {
                        match TcpListener::bind(address).await {
                            Ok(listener) => break listener,
                            Err(_) => tokio::task::yield_now().await,
                        }
                    };
                    serving = spawn(listener);
                }
            });
            Ok(Self { address, changes })
        })
    }
}

fn spawn(listener: TcpListener) -> Serving {
    let (end, ended) = oneshot::channel::<()>();
    let serve = axum::serve(listener, router("bound anew"));
    let serving = serve.with_graceful_shutdown(async { drop(ended.await) });
    (end, tokio::spawn(serving.into_future()))
}

impl Subject for Rebound {
    fn target(&self) -> Target {
        plain(self.address)
    }

    fn change(&self) {
        let _ = self.changes.send(());
    }
}
