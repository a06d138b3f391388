//! The line that `systemctl status` shows.

use std::fmt::Write as _;

use rekindle::{ConfigState, Status};

/// What a line may have at the most, in bytes: a notice of more than 4 KiB is ignored as a whole.
const LONGEST: usize = 1000;

/// The generation in use, the program's remark, and what is wrong.
pub(super) fn line(status: &Status, remark: &str) -> String {
    let faults = status.configs.iter().filter_map(|(name, config)| match &config.state {
        ConfigState::Degraded(error) => Some(format!("{name} is refused: {error}")),
        _ => None,
    });
    compose(status.generation, remark, faults.chain(status.degraded.clone()))
}

fn compose(generation: u64, remark: &str, faults: impl Iterator<Item = String>) -> String {
    let mut line = format!("generation {generation}");
    if !remark.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(line, ", {remark}");
    }
    for fault in faults {
        let _ = write!(line, "; {fault}");
    }
    // A line more would be a notice of its own, such as `MAINPID=1`.
    let line = line.replace(|character: char| character.is_control(), " ");
    shortened(line)
}

fn shortened(mut line: String) -> String {
    if line.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_the_generation_the_remark_and_what_is_wrong() {
        let faults = ["app is refused: config/app.toml:1:5: a value is missing", "the watch is lost"]
            .map(String::from);
        assert_eq!(compose(3, "", std::iter::empty()), "generation 3");
        let line = compose(12, "2 listeners", faults.into_iter());
        let expected = "generation 12, 2 listeners; app is refused: config/app.toml:1:5: a value is missing; the watch \
                        is lost";
        assert_eq!(line, expected);
    }

    #[test]
    fn it_is_one_line_whatever_a_fault_says() {
        let line = compose(1, "", ["no\nMAINPID=1\r\0".to_owned()].into_iter());
        assert_eq!(line, "generation 1; no MAINPID=1  ");
    }

    #[test]
    fn it_is_short_enough_to_be_taken_whatever_a_fault_says() {
        let line = compose(1, "", ["ü".repeat(9000)].into_iter());
        assert!(line.len() <= LONGEST + '…'.len_utf8() && line.ends_with("ü…"), "{line}");
    }
}
