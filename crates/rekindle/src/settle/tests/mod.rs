//! Runs the data files of `cases/`: a line is a time in milliseconds, then what happened or is expected.
//!
//! ```text
//! quiet 2 window 500
//! 0   finished a        a signal
//! 0   b from a          the rename a → b
//! 2   due a b           taken out at this time; `!` behind a name marks its last chance
//! 2   hold a            looked at, looks unfinished
//! 2   again a           looked at while it was written to: the look does not count
//! 2   later a as 7      looked at, and it looks like `7`, which it did not when it was seen
//! 2   grew a            looked at, and it had grown in place
//! 2   prolong           there are signs that more of the save is coming
//! 9   nothing           asked at this time, nothing is due
//! ```

mod simulation;

use std::collections::HashMap;
use std::fmt::Write as _;

use super::*;

struct Run {
    settle: Settle,
    start: Instant,
    taken: HashMap<String, Due>,
}

impl Run {
    fn step(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let now = self.start + Duration::from_millis(words[0].parse().expect("a time in milliseconds"));
        match &words[1..] {
            ["nothing"] => self.expect(now, ""),
            ["due", names @ ..] => self.expect(now, &names.join(" ")),
            ["hold", name] => self.settle.hold(&self.taken[*name]),
            ["again", name] => self.settle.again(&self.taken[*name]),
            ["later", name, "as", stamp] => {
                self.settle.look_later(&self.taken[*name], Stamp::numbered(number(stamp)), now);
            }
            ["grew", name] => self.settle.grew(Path::new(name), now),
            ["calmed", name] => self.settle.calmed(Path::new(name)),
            ["prolong"] => self.settle.prolong(now),
            [to, "from", from] => self.signal(to, What::RenamedFrom(PathBuf::from(from)), now),
            ["finished", path] => self.signal(path, What::Finished, now),
            ["writing", path] => self.signal(path, What::Writing, now),
            ["gone", path] => self.signal(path, What::Gone, now),
            ["seen", path] => self.signal(path, What::Seen(None), now),
            ["seen", path, "as", stamp] => {
                self.signal(path, What::Seen(Some(Stamp::numbered(number(stamp)))), now);
            }
            ["staging", path] => self.signal(path, What::Staging, now),
            ["staged", path] => self.signal(path, What::Staged { more: false }, now),
            ["staged", path, "of", "many"] => self.signal(path, What::Staged { more: true }, now),
            other => panic!("unknown step {other:?}"),
        }
    }

    fn signal(&mut self, path: &str, what: What, now: Instant) {
        self.settle.observe(Signal { path: path.into(), what }, now);
    }

    fn expect(&mut self, now: Instant, names: &str) {
        let announced = self.settle.deadline().is_some_and(|deadline| deadline <= now);
        assert_eq!(announced, !names.is_empty(), "the deadline announces what is due");
        let mut found = String::new();
        for due in self.settle.due(now) {
            let name = due.path.display().to_string();
            let mark = if due.last_chance { "!" } else { "" };
            let from = due.from.as_ref().map(|from| format!("<{}", from.display())).unwrap_or_default();
            write!(found, " {name}{from}{mark}").expect("a string takes all");
            self.taken.insert(name, due);
        }
        assert_eq!(found.trim_start(), names);
    }
}

fn number(word: &str) -> u64 {
    word.parse().expect("a number")
}

fn run(case: &str) {
    let mut lines =
        case.lines().map(|line| line.split('#').next().unwrap_or("").trim()).filter(|l| !l.is_empty());
    let head: Vec<&str> = lines.next().expect("a first line").split_whitespace().collect();
    let ms = |word: &str| Duration::from_millis(word.parse().expect("milliseconds"));
    let settle = Settle::new(ms(head[1]), ms(head[3]));
    let mut run = Run { settle, start: Instant::now(), taken: HashMap::new() };
    for line in lines {
        run.step(line);
    }
}

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/settle/cases");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the cases are there") {
        let path = entry.expect("a readable entry").path();
        let text = std::fs::read_to_string(&path).expect("a readable case");
        for case in text.split("\n---\n") {
            println!("{}: {}", path.display(), case.lines().next().unwrap_or(""));
            run(case);
            count += 1;
        }
    }
    assert!(count >= 15, "only {count} cases were found");
}
