//! When a connection is asked whether it is still there, and when it is given up. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// How long a client may take to say hello.
pub(super) const GREETING: Duration = Duration::from_secs(10);

/// How often a client is asked, and how long it may take to answer.
pub(super) const PULSE: Duration = Duration::from_secs(15);

/// What has to be done by when.
#[derive(Debug)]
pub(super) struct Pulse {
    greet_by: Option<Instant>,
    ping_at: Instant,
    answer_by: Option<Instant>,
    /// Whether the other side can answer.
    answers: bool,
}

/// What has fallen due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// The client is to be asked whether it is there.
    Ping,
    /// It has not said hello.
    Greeting,
    /// It has not answered.
    Answer,
}

impl Pulse {
    /// One of a client that answers and has yet to say hello.
    pub(super) fn new(now: Instant) -> Self {
        Self { greet_by: Some(now + GREETING), ping_at: now + PULSE, answer_by: None, answers: true }
    }

    /// One of a client that has said hello, and can only listen.
    pub(super) fn of_listener(now: Instant) -> Self {
        Self { greet_by: None, answers: false, ..Self::new(now) }
    }

    /// What falls due next, and when.
    pub(super) fn next(&self) -> (Instant, Due) {
        let ping = (self.answer_by.is_none()).then_some((self.ping_at, Due::Ping));
        let greeting = self.greet_by.map(|at| (at, Due::Greeting));
        let answer = self.answer_by.map(|at| (at, Due::Answer));
        let all = [ping, greeting, answer].into_iter().flatten();
        all.min_by_key(|(at, _)| *at).unwrap_or((self.ping_at, Due::Ping))
    }

    pub(super) fn greeted(&mut self) {
        self.greet_by = None;
    }

    pub(super) fn pinged(&mut self, now: Instant) {
        self.ping_at = now + PULSE;
        self.answer_by = self.answers.then_some(now + PULSE);
    }

    /// The client is there.
    pub(super) fn heard(&mut self) {
        self.answer_by = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_asked_every_fifteen_seconds_and_has_as_long_to_answer() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start);
        assert_eq!(pulse.next(), (start + GREETING, Due::Greeting));
        pulse.greeted();
        assert_eq!(pulse.next(), (start + PULSE, Due::Ping));
        pulse.pinged(start + PULSE);
        assert_eq!(pulse.next(), (start + 2 * PULSE, Due::Answer));
        pulse.heard();
        assert_eq!(pulse.next(), (start + 2 * PULSE, Due::Ping));
    }

    #[test]
    fn a_listener_is_only_spoken_to() {
        let start = Instant::now();
        let mut pulse = Pulse::of_listener(start);
        assert_eq!(pulse.next(), (start + PULSE, Due::Ping));
        pulse.pinged(start + PULSE);
        assert_eq!(pulse.next(), (start + 2 * PULSE, Due::Ping));
    }
}
