//! Cases in processes of their own: this program, started anew with a hidden subcommand.
//!
//! What a case costs (memory, CPU, watches) is then its own, and what it prints on stderr is out of the way.
//! Parent and child speak in lines: a question, an answer. A line that begins with `!` is an error.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Result;

/// How long a case may take to clean up: 100,000 files on a busy disk are a minute.
const LIMIT: Duration = Duration::from_secs(300);

/// A running case. Dropped, it ends.
#[derive(Debug)]
pub(crate) struct Case {
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Case {
    /// Starts a case; `arguments` are what the child's `case` subcommand gets.
    pub(crate) fn start(arguments: &[&str]) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("case")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let answers = process.stdout.take().ok_or("the child has no stdout")?;
        Ok(Self { questions: process.stdin.take(), answers: BufReader::new(answers), process })
    }

    /// Asks, and waits for the answer.
    pub(crate) fn ask<A: DeserializeOwned>(&mut self, question: &str) -> Result<A> {
        let questions = self.questions.as_mut().ok_or("the child has no stdin")?;
        writeln!(questions, "{question}")?;
        self.answer()
    }

    /// Waits for what the child says next.
    pub(crate) fn answer<A: DeserializeOwned>(&mut self) -> Result<A> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err("the case ended without an answer".into());
        }
        if let Some(error) = line.strip_prefix('!') {
            return Err(error.trim().into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Case {
    /// The end of its stdin is what ends it; it then removes its directories.
    fn drop(&mut self) {
        self.questions.take();
        let limit = Instant::now() + LIMIT;
        while Instant::now() < limit {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        // It has hung, and there is nothing to be done about a failure of these.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A case that has one thing to say.
pub(crate) fn once<A: DeserializeOwned>(arguments: &[&str]) -> Result<A> {
    Case::start(arguments)?.answer()
}

/// In the child: says something.
pub(crate) fn say(answer: &impl Serialize) -> Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", serde_json::to_string(answer)?)?;
    Ok(stdout.flush()?)
}

/// In the child: answers questions until there are no more.
pub(crate) fn serve<A: Serialize>(mut answer: impl FnMut(&str) -> Result<A>) -> Result<()> {
    for question in io::stdin().lock().lines() {
        say(&answer(&question?)?)?;
    }
    Ok(())
}

/// In the child: runs the case, and tells the parent what went wrong.
pub(crate) fn run(case: impl FnOnce() -> Result<()>) {
    if let Err(error) = case() {
        println!("!{}", error.to_string().replace('\n', " "));
    }
}
