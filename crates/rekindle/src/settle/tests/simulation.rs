//! The settle stage against a disk that is made up, in a time that is made up: a hundred thousand
//! random sequences of writers, losses and comparisons take seconds.
//!
//! The driver does what the engine does: it looks at what is due, puts back what it finds unfinished,
//! and compares everything after a loss. What must hold:
//!
//! - once all writers are done and the time has passed, what was taken is what is on the disk;
//! - every path is judged within two windows of its first signal: one for its writer, one for a batch;
//! - the announced deadline is the moment at which something is due, and nothing is due before.

use super::*;

const SEQUENCES: u64 = 100_000;
const PATHS: usize = 4;

/// A generator of numbers that look random (SplitMix64, public domain).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).expect("small")]
    }
}

/// What a file holds: a number that every change raises, and whether its writer was done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Content {
    number: u64,
    whole: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Emptied and begun anew, by a writer that keeps it open.
    Begin,
    /// Written on by the writer that has it open.
    GoOn,
    Close,
    /// Replaced by a whole one.
    Replace,
    Delete,
    /// Renamed to the next name, replacing what is there.
    Rename,
    /// A temporary sibling begins, or ends.
    Stage,
    Unstage,
    /// Notifications are lost from here on, until everything is compared.
    Lose,
    Compare,
    /// Nothing happens for a while.
    Pause,
}

const STEPS: [Step; 15] = [
    Step::Begin,
    Step::Begin,
    Step::GoOn,
    Step::GoOn,
    Step::Close,
    Step::Close,
    Step::Replace,
    Step::Replace,
    Step::Delete,
    Step::Rename,
    Step::Stage,
    Step::Unstage,
    Step::Lose,
    Step::Compare,
    Step::Pause,
];

struct World {
    settle: Settle,
    quiet: Duration,
    window: Duration,
    begin: Instant,
    now: Instant,
    disk: [Option<Content>; PATHS],
    open: [bool; PATHS],
    /// What was taken from each path.
    view: [Option<Content>; PATHS],
    /// When each path got its first signal since it was last judged.
    waiting: [Option<Instant>; PATHS],
    deaf: bool,
    number: u64,
    told: Vec<String>,
}

fn path(at: usize) -> PathBuf {
    PathBuf::from(at.to_string())
}

impl World {
    fn new(random: &mut Random) -> Self {
        let ms = Duration::from_millis;
        let now = Instant::now();
        let (quiet, window) = (ms(random.pick(&[0, 2, 20])), ms(random.pick(&[0, 30, 500])));
        Self {
            settle: Settle::new(quiet, window),
            quiet,
            window,
            begin: now,
            now,
            disk: [None; PATHS],
            open: [false; PATHS],
            view: [None; PATHS],
            waiting: [None; PATHS],
            deaf: false,
            number: 0,
            told: vec![format!("quiet {quiet:?} window {window:?}")],
        }
    }

    fn signal(&mut self, at: usize, what: What) {
        if !self.deaf {
            self.waiting[at].get_or_insert(self.now);
            self.settle.observe(Signal { path: path(at), what }, self.now);
        }
    }

    fn content(&mut self, whole: bool) -> Content {
        self.number += 1;
        Content { number: self.number, whole }
    }

    fn step(&mut self, step: Step, at: usize, random: &mut Random) {
        self.told.push(format!("{:?} {step:?} {at}", self.now - self.begin));
        match step {
            Step::Begin => {
                self.disk[at] = Some(self.content(false));
                self.open[at] = true;
                self.signal(at, What::Writing);
            }
            Step::GoOn if self.open[at] => {
                self.disk[at] = Some(self.content(false));
                self.signal(at, What::Writing);
            }
            Step::Close if self.open[at] => self.close(at),
            Step::Replace => {
                self.disk[at] = Some(self.content(true));
                self.open[at] = false;
                self.signal(at, What::Finished);
            }
            Step::Delete if self.disk[at].is_some() => {
                self.disk[at] = None;
                self.open[at] = false;
                self.signal(at, What::Gone);
            }
            Step::Rename if self.disk[at].is_some() && !self.open[at] => {
                let to = (at + 1) % PATHS;
                self.disk[to] = self.disk[at].take();
                self.open[to] = false;
                self.signal(at, What::Gone);
                self.signal(to, What::RenamedFrom(path(at)));
            }
            Step::Stage => self.settle.observe(sibling(What::Staging), self.now),
            Step::Unstage => {
                self.settle.observe(sibling(What::Staged { more: random.below(2) == 0 }), self.now);
            }
            Step::Lose => self.deaf = true,
            Step::Compare => self.compare(),
            Step::Pause => self.pass(Duration::from_millis(random.pick(&[1, 1, 5, 45, 200, 700]))),
            Step::GoOn | Step::Close | Step::Delete | Step::Rename => {}
        }
    }

    fn close(&mut self, at: usize) {
        self.disk[at] = Some(self.content(true));
        self.open[at] = false;
        self.signal(at, What::Finished);
    }

    /// What the watch stage does after a loss.
    fn compare(&mut self) {
        self.deaf = false;
        for at in 0..PATHS {
            match self.disk[at] {
                now if now == self.view[at] => {}
                Some(content) => self.signal(at, What::Seen(Some(Stamp::numbered(content.number)))),
                None => self.signal(at, What::Gone),
            }
        }
    }

    /// Lets time go by, and looks whenever something is due.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        if let Some(deadline) = self.settle.deadline() {
            let wake = self.settle.wake().expect("something is pending");
            assert!(wake <= deadline.max(self.now) + self.quiet, "nobody would ask in time");
        }
        while let Some(deadline) = self.settle.deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            let due = self.settle.due(self.now);
            assert!(!due.is_empty(), "announced, and nothing was due");
            due.iter().for_each(|due| self.look(due));
        }
        self.now = end;
        assert!(self.settle.due(end).is_empty(), "due, and not announced");
    }

    fn look(&mut self, due: &Due) {
        let at: usize = due.path.to_string_lossy().parse().expect("a number");
        let first = self.waiting[at].expect("nothing is due that was not signalled");
        assert!(self.now <= first + 2 * self.window + SPELL, "{at} is looked at late");
        let seen = due.seen.as_ref().zip(self.disk[at]);
        let other = seen.filter(|(seen, now)| !seen.looks_like(&Stamp::numbered(now.number)));
        match (other, self.disk[at]) {
            (Some((_, now)), _) if !due.last_chance => {
                self.settle.look_later(due, Stamp::numbered(now.number), self.now);
            }
            // An empty file, a missing one, one that does not parse.
            (_, None | Some(Content { whole: false, .. })) if !due.last_chance => self.settle.hold(due),
            (_, now) => {
                self.waiting[at] = None;
                if now.is_none_or(|content| content.whole) {
                    self.view[at] = now;
                }
            }
        }
    }

    /// All writers end, everything that was lost is found, and the time passes.
    fn end(&mut self) {
        (0..PATHS).filter(|at| self.open[*at]).collect::<Vec<_>>().into_iter().for_each(|at| self.close(at));
        self.compare();
        self.pass(3 * self.window + Duration::from_secs(1));
        assert_eq!(self.settle.deadline(), None, "something is never due");
        assert_eq!(self.view, self.disk, "what was taken is not what there is");
    }
}

fn sibling(what: What) -> Signal {
    Signal { path: "x.tmp".into(), what }
}

fn sequence(seed: u64) {
    let mut random = Random(seed);
    let mut world = World::new(&mut random);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        for _ in 0..5 + random.below(30) {
            let (step, at) =
                (random.pick(&STEPS), usize::try_from(random.below(PATHS as u64)).expect("small"));
            world.step(step, at, &mut random);
        }
        world.end();
    }));
    if let Err(panic) = outcome {
        println!("sequence {seed}:\n{}", world.told.join("\n"));
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn a_hundred_thousand_sequences_end_with_what_is_on_the_disk() {
    (0..SEQUENCES).for_each(sequence);
}
