//! [`Load`]: clients that ask at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::Target;
use crate::client::{Answer, Client};
use crate::report::Report;

/// Says whether an answer is right.
pub trait Judge: Clone + Send + 'static {
    /// What is true when a request begins.
    type Token: Send;

    /// Looks at what is true, before a request.
    fn before(&self) -> Self::Token;

    /// Judges its answer.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    fn after(&self, token: Self::Token, answer: &Answer) -> Result<(), String>;
}

impl<F: Fn(&Answer) -> Result<(), String> + Clone + Send + 'static> Judge for F {
    type Token = ();

    fn before(&self) {}

    fn after(&self, (): (), answer: &Answer) -> Result<(), String> {
        self(answer)
    }
}

#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) path: Arc<str>,
    pub(crate) fresh_every: u64,
    pub(crate) pause: Duration,
}

/// Clients that ask at the same time, one request after the other each, until they are stopped.
#[must_use = "nobody asks before it is started"]
pub struct Load<J> {
    targets: watch::Receiver<Vec<Target>>,
    judge: J,
    clients: usize,
    plan: Plan,
}

impl<J: Judge> Load<J> {
    /// To these targets, of which a client takes the one of its number. They may change meanwhile: half of the
    /// clients go there at once, the others when they are told to by the server.
    pub fn new(targets: watch::Receiver<Vec<Target>>, judge: J) -> Self {
        let plan = Plan { path: "/".into(), fresh_every: u64::MAX, pause: Duration::ZERO };
        Self { targets, judge, clients: 8, plan }
    }

    /// How many. Default: 8.
    pub fn clients(mut self, clients: usize) -> Self {
        self.clients = clients;
        self
    }

    /// What they ask for. Default: `/`.
    pub fn path(mut self, path: &str) -> Self {
        self.plan.path = path.into();
        self
    }

    /// Makes each so many requests on a new connection. Default: none.
    pub fn fresh_every(mut self, requests: u64) -> Self {
        self.plan.fresh_every = requests.max(1);
        self
    }

    /// How long they wait between requests. Default: not at all.
    pub fn pause(mut self, pause: Duration) -> Self {
        self.plan.pause = pause;
        self
    }

    /// Begins.
    pub fn start(self) -> Running {
        let (asked, stopped) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let mut clients = JoinSet::new();
        for number in 0..self.clients {
            let client = Client::new(number, self.targets.clone(), self.judge.clone(), self.plan.clone());
            clients.spawn(run(client, self.plan.pause, Arc::clone(&asked), Arc::clone(&stopped)));
        }
        Running { clients, asked, stopped, began: Instant::now() }
    }
}

impl<J> std::fmt::Debug for Load<J> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Load").field("clients", &self.clients).finish_non_exhaustive()
    }
}

async fn run<J: Judge>(
    mut client: Client<J>,
    pause: Duration,
    asked: Arc<AtomicU64>,
    stopped: Arc<AtomicBool>,
) -> Report {
    while !stopped.load(Ordering::Relaxed) {
        client.ask().await;
        asked.fetch_add(1, Ordering::Relaxed);
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
    client.report
}

/// Clients at work.
#[derive(Debug)]
pub struct Running {
    clients: JoinSet<Report>,
    asked: Arc<AtomicU64>,
    stopped: Arc<AtomicBool>,
    began: Instant,
}

impl Running {
    /// How many requests have come to an end by now, a good one or a bad one.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Waits until so many more have.
    pub async fn more(&self, requests: u64) {
        let enough = self.asked() + requests;
        while self.asked() < enough {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Lets each client finish what it has begun, and sums up.
    ///
    /// # Panics
    ///
    /// When the judge has.
    pub async fn stop(mut self) -> Report {
        self.stopped.store(true, Ordering::Relaxed);
        let mut report = Report::default();
        while let Some(of_client) = self.clients.join_next().await {
            report.add(of_client.expect("the judge does not panic"));
        }
        report.took = self.began.elapsed();
        report
    }
}
