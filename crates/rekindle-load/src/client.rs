//! One client: a connection at a time, and one request after the other.

use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::http1::Http1;
use crate::http2::Http2;
use crate::load::{Judge, Plan};
use crate::report::{Failure, Phase, Report};
use crate::{Protocol, Target, wire};

/// How long a request may take, the connection included.
const LIMIT: Duration = Duration::from_secs(30);

/// How long a client pauses after a failure.
const AFTER_FAILURE: Duration = Duration::from_millis(1);

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// All of its body.
    pub body: Bytes,
}

enum Connection {
    Http1(Http1),
    Http2(Http2),
}

impl Connection {
    async fn to(target: Target) -> io::Result<Self> {
        let wire = wire::connect(target).await?;
        match target.protocol {
            Protocol::Http1 => Ok(Self::Http1(Http1::new(wire))),
            Protocol::Http2 => Http2::new(wire).await.map(Self::Http2).map_err(io::Error::other),
        }
    }

    async fn is_open(&mut self) -> bool {
        match self {
            Self::Http1(connection) => connection.is_open().await,
            Self::Http2(connection) => connection.is_open().await,
        }
    }

    fn was_told_to_go(&self) -> bool {
        match self {
            Self::Http1(connection) => connection.was_told_to_go(),
            Self::Http2(_) => false,
        }
    }

    async fn ask(&mut self, path: &str) -> Result<Answer, (Phase, String)> {
        match self {
            Self::Http1(connection) => connection.ask(path).await,
            Self::Http2(connection) => connection.ask(path).await,
        }
    }
}

/// A client, and what it has seen.
pub(crate) struct Client<J> {
    number: usize,
    targets: watch::Receiver<Vec<Target>>,
    connection: Option<(Target, Connection)>,
    judge: J,
    plan: Plan,
    pub(crate) report: Report,
}

impl<J: Judge> Client<J> {
    pub(crate) fn new(number: usize, targets: watch::Receiver<Vec<Target>>, judge: J, plan: Plan) -> Self {
        Self { number, targets, connection: None, judge, plan, report: Report::default() }
    }

    /// Asks once; what the protocol says was not processed is asked again.
    pub(crate) async fn ask(&mut self) {
        let began = Instant::now();
        loop {
            let token = self.judge.before();
            let asked = timeout(LIMIT, self.ask_newest()).await;
            match asked.unwrap_or_else(|_| Err((Phase::TimedOut, format!("{LIMIT:?} have passed")))) {
                Ok(answer) => {
                    self.report.answered(answer.status, began.elapsed());
                    if let Err(why) = self.judge.after(token, &answer) {
                        self.fail(Phase::Wrong, why);
                    }
                    return;
                }
                Err((Phase::NotProcessed, _)) => {
                    self.report.not_processed += 1;
                    self.connection = None;
                }
                Err((phase, why)) => {
                    self.connection = None;
                    self.fail(phase, why);
                    // Nobody asks again without a pause: what fails at once would leave the server no time.
                    tokio::time::sleep(AFTER_FAILURE).await;
                    return;
                }
            }
        }
    }

    async fn ask_newest(&mut self) -> Result<Answer, (Phase, String)> {
        let fresh = self.report.requests() % self.plan.fresh_every == self.plan.fresh_every - 1;
        self.leave_what_is_over(fresh).await;
        let (target, mut connection) = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let target = self.target();
                let connected = Connection::to(target).await;
                let connection =
                    connected.map_err(|error| (Phase::Refused, format!("{target:?}: {error}")))?;
                self.report.connections += 1;
                (target, connection)
            }
        };
        let answer = connection
            .ask(&self.plan.path)
            .await
            .map_err(|(phase, why)| (phase, format!("{target:?}: {why}")))?;
        self.connection = Some((target, connection));
        Ok(answer)
    }

    /// Gives up a connection that has ended, or that is not to be kept.
    async fn leave_what_is_over(&mut self, fresh: bool) {
        let wanted = self.target();
        let Some((target, connection)) = &mut self.connection else { return };
        // Half of them move as soon as they hear of a new address; the others stay until they are told to go.
        let moves = *target != wanted && self.number.is_multiple_of(2);
        let told = connection.was_told_to_go();
        if fresh || moves || told || !connection.is_open().await {
            self.report.told_to_go += u64::from(told);
            self.connection = None;
        }
    }

    fn target(&self) -> Target {
        let targets = self.targets.borrow();
        targets[self.number % targets.len()]
    }

    fn fail(&mut self, phase: Phase, why: String) {
        self.report.fail(Failure { client: self.number, phase, why });
    }
}
