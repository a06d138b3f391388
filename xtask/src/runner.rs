//! Runs steps in order, up to the first that fails.

use std::time::Instant;

use crate::error::{Error, Result};
use crate::step::Step;
use crate::style::Style;
use crate::summary::{Outcome, Row, Summary, seconds};

/// Runs `steps`, tells about each, and ends with a table of all of them.
pub(crate) fn run(steps: Vec<Step>) -> Result<()> {
    let style = Style::detect();
    let (summary, result) = run_until_failure(steps, style);
    eprintln!("\n{}", summary.table(style));
    result
}

fn run_until_failure(steps: Vec<Step>, style: Style) -> (Summary, Result<()>) {
    let total = steps.len();
    let mut result = Ok(());
    let mut rows = Vec::with_capacity(total);
    for (index, step) in steps.into_iter().enumerate() {
        let name = step.name().to_owned();
        let outcome = if result.is_err() {
            Outcome::NotRun
        } else {
            eprintln!("\n{}", style.bold(format_args!("[{}/{total}] {name}", index + 1)));
            let (outcome, ended) = timed(step, style);
            result = ended;
            outcome
        };
        rows.push(Row { name, outcome });
    }
    (Summary { rows }, result)
}

fn timed(step: Step, style: Style) -> (Outcome, Result<()>) {
    let name = step.name().to_owned();
    let started = Instant::now();
    let result = step.run(style);
    let took = started.elapsed();
    match result {
        Ok(()) => {
            eprintln!("{}", style.dim(format_args!("{name}: {}", seconds(took))));
            (Outcome::Passed(took), Ok(()))
        }
        Err(error) => (Outcome::Failed(took), Err(Error::new(format!("step `{name}`: {error}")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passing(name: &str) -> Step {
        Step::check(name, |_| Ok("fine".to_owned()))
    }

    #[test]
    fn stops_at_the_first_failure_and_names_it() {
        let failing = Step::check("second", |_| Err(Error::new("it broke")));
        let never = Step::check("third", |_| panic!("ran after a failure"));
        let (summary, result) = run_until_failure(vec![passing("first"), failing, never], Style::plain());
        assert_eq!(result, Err(Error::new("step `second`: it broke")));
        let outcomes: Vec<_> = summary.rows.iter().map(|row| &row.outcome).collect();
        assert!(
            matches!(outcomes[..], [Outcome::Passed(_), Outcome::Failed(_), Outcome::NotRun]),
            "{outcomes:?}"
        );
    }

    #[test]
    fn passes_when_all_pass() {
        let (summary, result) = run_until_failure(vec![passing("first"), passing("second")], Style::plain());
        assert_eq!(result, Ok(()));
        assert_eq!(summary.rows.len(), 2);
    }
}
