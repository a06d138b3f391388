//! A script for the settle machine: two letters for its quiet and its window, then three for each
//! step, which are what happens, to which path, and how long after the step before.
//!
//! | letter | what happens |
//! |---|---|
//! | `f` `r` | finished; finished by a rename from the next path |
//! | `w` `g` `s` | written to; gone; seen to differ |
//! | `t` `u` | a temporary file beside it is written; is closed |
//! | `h` `a` | it was looked at and looks unfinished; was overtaken |
//! | `x` `c` | it was looked at and had grown; had not |
//! | `p` | there are signs that more is coming |
//! | `.` | nothing |
//!
//! Any other byte stands for one of these, too.
//!
//! The machine is asked whenever it says that it has something to say. Whatever happens: it then has
//! something, and had nothing a moment before; each path comes out once for all that was told of it,
//! in time; nothing is left in the end; and a machine that is asked more often says the same.

use std::collections::BTreeMap;
use std::time::Duration;

use rekindle::internals::{IsDue, Machine, Told};

const LETTERS: &[u8] = b"frwgstuhaxcp.";
const PATHS: [&str; 5] = ["a", "b", "c", "d/e", "d/f"];
const QUIETS: [u64; 4] = [2, 0, 20, 500];
const WINDOWS: [u64; 4] = [500, 0, 2, 60];
/// Milliseconds. Those around the spell of 40 ms and the windows are where things change.
const PAUSES: [u64; 10] = [0, 1, 2, 5, 20, 39, 40, 60, 250, 500];

/// The shortest time there is.
const INSTANT: Duration = Duration::from_nanos(1);

/// What is known of a path that is to come out.
#[derive(Debug, Clone)]
struct Awaited {
    /// When its window began.
    first: Duration,
    /// The last signal.
    last: Duration,
    /// When it was told to be waited for, anew or again.
    since: Duration,
    /// Whether all that was told of it is that it is finished.
    only_finished: bool,
}

struct Run {
    window: Duration,
    now: Duration,
    machine: Machine,
    /// Told the same, and asked more often.
    twin: Machine,
    awaited: BTreeMap<String, Awaited>,
    /// As it came out last.
    out: BTreeMap<String, IsDue>,
    /// When a path was last told to have grown.
    grown: BTreeMap<String, Duration>,
}

pub(crate) fn check(input: &[u8]) {
    let (head, script) = input.split_at(input.len().min(2));
    let pick = |at: usize, from: [u64; 4]| {
        Duration::from_millis(from[head.get(at).map_or(0, |byte| usize::from(byte.wrapping_sub(b'0'))) % 4])
    };
    let (quiet, window) = (pick(0, QUIETS), pick(1, WINDOWS));
    let mut run = Run {
        window,
        now: Duration::ZERO,
        machine: Machine::new(quiet, window),
        twin: Machine::new(quiet, window),
        awaited: BTreeMap::new(),
        out: BTreeMap::new(),
        grown: BTreeMap::new(),
    };
    script.chunks_exact(3).for_each(|step| run.step(step[0], step[1], step[2]));
    run.drain();
}

impl Run {
    fn step(&mut self, letter: u8, path: u8, pause: u8) {
        self.advance(Duration::from_millis(PAUSES[usize::from(pause.wrapping_sub(b'0')) % PAUSES.len()]));
        let (at, next) = (usize::from(path.wrapping_sub(b'a')), usize::from(path.wrapping_sub(b'a')) + 1);
        let (path, next) = (PATHS[at % PATHS.len()], PATHS[next % PATHS.len()]);
        let known = LETTERS.iter().position(|known| *known == letter);
        match LETTERS[known.unwrap_or(usize::from(letter) % LETTERS.len())] {
            b'f' => self.signal(path, &Told::Finished),
            b'r' => self.signal(path, &Told::RenamedFrom(next.to_owned())),
            b'w' => self.signal(path, &Told::Writing),
            b'g' => self.signal(path, &Told::Gone),
            b's' => self.signal(path, &Told::Seen),
            b't' => self.tell(&format!("{path}.tmp"), &Told::Staging),
            b'u' => self.tell(&format!("{path}.tmp"), &Told::Staged),
            b'h' => self.put_back(path, &Told::Hold),
            b'a' => self.put_back(path, &Told::Again),
            b'x' => self.looked_at(path, &Told::Grew),
            b'c' => self.looked_at(path, &Told::Calmed),
            b'p' => self.tell(path, &Told::Prolong),
            _ => {}
        }
        self.ask_twin(self.now);
    }

    fn tell(&mut self, path: &str, told: &Told) {
        self.machine.tell(path, told.clone(), self.now);
        self.twin.tell(path, told.clone(), self.now);
    }

    fn signal(&mut self, path: &str, told: &Told) {
        let finished = matches!(told, Told::Finished | Told::RenamedFrom(_));
        let now = self.now;
        let fresh = Awaited { first: now, last: now, since: now, only_finished: true };
        let awaited = self.awaited.entry(path.to_owned()).or_insert(fresh);
        awaited.last = now;
        awaited.only_finished &= finished;
        self.tell(path, told);
    }

    /// Only what came out can be put back, and once.
    fn put_back(&mut self, path: &str, told: &Told) {
        let Some(IsDue { first, last, .. }) = self.out.remove(path) else { return };
        let since = self.now;
        let back = Awaited { first, last, since, only_finished: false };
        self.awaited
            .entry(path.to_owned())
            .and_modify(|awaited| (awaited.first, awaited.only_finished) = (first, false))
            .or_insert(back);
        self.tell(path, told);
    }

    /// What is looked at came out before.
    fn looked_at(&mut self, path: &str, told: &Told) {
        if self.out.contains_key(path) {
            self.grown.insert(path.to_owned(), self.now);
            self.tell(path, told);
        }
    }

    /// Lets time go by, and takes out whatever becomes due on the way.
    fn advance(&mut self, pause: Duration) {
        let until = self.now + pause;
        while let Some(deadline) = self.deadline().filter(|deadline| *deadline <= until) {
            self.come_to(deadline);
        }
        self.now = until;
    }

    fn deadline(&self) -> Option<Duration> {
        // What is overdue is due now, whatever it was due at.
        let [deadline, twins] =
            [&self.machine, &self.twin].map(|machine| machine.deadline().map(|at| at.max(self.now)));
        assert_eq!(deadline, twins, "a machine that is asked more often says something else");
        assert_eq!(deadline.is_some(), !self.awaited.is_empty(), "{:?}", self.awaited);
        deadline
    }

    fn come_to(&mut self, deadline: Duration) {
        if deadline > self.now {
            self.ask_twin(deadline - INSTANT);
            self.now = deadline;
        }
        let due = self.machine.due(self.now);
        assert_eq!(due, self.twin.due(self.now), "a machine that is asked more often says something else");
        assert!(!due.is_empty(), "at its deadline it has nothing to say");
        due.into_iter().for_each(|due| self.take(due));
        assert!(self.machine.due(self.now).is_empty(), "twice in one moment");
    }

    /// It has nothing to say before its deadline.
    fn ask_twin(&mut self, now: Duration) {
        if self.twin.deadline().is_none_or(|deadline| deadline > now) {
            assert_eq!(self.twin.due(now), [], "before its deadline");
        }
    }

    fn take(&mut self, due: IsDue) {
        let awaited = self.awaited.remove(&due.path);
        let awaited = awaited.unwrap_or_else(|| panic!("nothing was told of {due:?}"));
        assert_eq!((due.first, due.last), (awaited.first, awaited.last), "{due:?}");
        assert_eq!(due.last_chance, self.now >= due.first + self.window, "{due:?} at {:?}", self.now);
        self.check_in_time(&due.path, &awaited);
        self.out.insert(due.path.clone(), due);
    }

    /// A finished file waits for a window at most. One that was something else before may come into a
    /// batch as late as its own window allows, and waits for that batch's window then.
    fn check_in_time(&self, path: &str, awaited: &Awaited) {
        // One that grows again and again has its turn a window after the last look.
        let grown = self.grown.get(path).map_or(Duration::ZERO, |grown| *grown);
        let windows = if awaited.only_finished { 1 } else { 2 };
        let latest = awaited.since.max(grown) + windows * self.window;
        assert!(self.now <= latest, "{path} at {:?}, which is after {latest:?}: {awaited:?}", self.now);
    }

    fn drain(&mut self) {
        while let Some(deadline) = self.deadline() {
            self.come_to(deadline);
        }
        assert!(self.awaited.is_empty(), "never came out: {:?}", self.awaited);
    }
}
