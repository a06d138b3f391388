//! [`Report`]: what came of the requests.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use http::StatusCode;

/// How many failures of a kind are kept with their words.
const KEPT: usize = 10;

/// How a request can end other than well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// There was no connection to be had.
    Refused,
    /// The connection ended after the request was written, without a byte of an answer.
    ResetBeforeReply,
    /// The answer began and did not become whole.
    Truncated,
    /// There was no answer in time.
    TimedOut,
    /// What came was no answer of the protocol.
    Protocol,
    /// The answer was whole, and the judge says that it is wrong.
    Wrong,
    /// By the word of the protocol it was not looked at; it was asked again. No failure.
    NotProcessed,
}

/// A request that failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Which client.
    pub client: usize,
    /// How.
    pub phase: Phase,
    /// Where, and in whose words.
    pub why: String,
}

/// What came of the requests.
#[derive(Debug, Clone)]
pub struct Report {
    /// Whole answers, by status, the wrong ones included.
    pub statuses: BTreeMap<StatusCode, u64>,
    /// Failures, by kind.
    pub failed: BTreeMap<Phase, u64>,
    /// The first ten of each kind.
    pub failures: Vec<Failure>,
    /// Requests that were asked again as the protocol says.
    pub not_processed: u64,
    /// Connections that were made.
    pub connections: u64,
    /// Connections that a client left because an answer said so.
    pub told_to_go: u64,
    /// From the first request to the last.
    pub took: Duration,
    /// Of whole answers, in microseconds.
    latencies: Histogram<u64>,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            statuses: BTreeMap::new(),
            failed: BTreeMap::new(),
            failures: Vec::new(),
            not_processed: 0,
            connections: 0,
            told_to_go: 0,
            took: Duration::ZERO,
            latencies: Histogram::new(3).expect("three digits are allowed"),
        }
    }
}

impl Report {
    /// All requests.
    pub fn requests(&self) -> u64 {
        let unanswered = |(phase, count): (&Phase, &u64)| if *phase == Phase::Wrong { 0 } else { *count };
        self.answers() + self.failed.iter().map(unanswered).sum::<u64>()
    }

    /// Whole answers.
    pub fn answers(&self) -> u64 {
        self.statuses.values().sum()
    }

    /// Answers of a status.
    pub fn with_status(&self, status: u16) -> u64 {
        let count = |(known, count): (&StatusCode, &u64)| if known.as_u16() == status { *count } else { 0 };
        self.statuses.iter().map(count).sum()
    }

    /// Requests that failed.
    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    /// Whole answers in a second.
    pub fn per_second(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52")]
        let answers = self.answers() as f64;
        answers / self.took.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// How long so many of a hundred answers took at most.
    pub fn percentile(&self, percentile: f64) -> Duration {
        Duration::from_micros(self.latencies.value_at_percentile(percentile))
    }

    pub(crate) fn answered(&mut self, status: StatusCode, took: Duration) {
        *self.statuses.entry(status).or_default() += 1;
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.latencies.record(micros).expect("it grows");
    }

    pub(crate) fn fail(&mut self, failure: Failure) {
        *self.failed.entry(failure.phase).or_default() += 1;
        self.keep(failure);
    }

    fn keep(&mut self, failure: Failure) {
        if self.failures.iter().filter(|kept| kept.phase == failure.phase).count() < KEPT {
            self.failures.push(failure);
        }
    }

    /// Adds another's.
    pub fn add(&mut self, other: Self) {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        for (phase, count) in other.failed {
            *self.failed.entry(phase).or_default() += count;
        }
        other.failures.into_iter().for_each(|failure| self.keep(failure));
        self.not_processed += other.not_processed;
        self.connections += other.connections;
        self.told_to_go += other.told_to_go;
        self.took = self.took.max(other.took);
        self.latencies.add(other.latencies).expect("all have the same bounds, or grow");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (requests, failures) = (self.requests(), self.failures());
        writeln!(f, "{requests} requests, {failures} failed, {:.0}/s", self.per_second())?;
        for (status, count) in &self.statuses {
            writeln!(f, "  {count:>9}  {}", status.as_u16())?;
        }
        for (phase, count) in &self.failed {
            writeln!(f, "  {count:>9}  {phase:?}")?;
        }
        let (connections, told, again) = (self.connections, self.told_to_go, self.not_processed);
        writeln!(
            f,
            "  {connections:>9}  connections; {told} left when told to, {again} requests asked again"
        )?;
        let [p50, p99, max] = [50.0, 99.0, 100.0].map(|percentile| self.percentile(percentile));
        writeln!(f, "  p50 {p50:?}, p99 {p99:?}, slowest {max:?}")?;
        self.failures.iter().try_for_each(|failure| writeln!(f, "  {failure:?}"))
    }
}
