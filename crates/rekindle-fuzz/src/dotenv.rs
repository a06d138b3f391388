//! Any text as a dotenv file.
//!
//! Refused or accepted, never a panic, and with places in the text either way. What is accepted means
//! the same once more when it is written out in double quotes.

use rekindle::internals;

pub(crate) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let lines = match internals::dotenv(text) {
        Ok(lines) => lines,
        Err((message, span)) => {
            assert!(!message.is_empty() && text.get(span.clone()).is_some(), "{message}: {span:?}");
            return;
        }
    };
    for line in &lines {
        assert!(text.get(line.span.clone()).is_some(), "{line:?} is not in the text");
        assert_eq!(line.point, point(text, line.span.start), "{line:?}");
    }
    let written: String =
        lines.iter().map(|line| format!("{}={}\n", line.name, quoted(&line.text))).collect();
    let again = internals::dotenv(&written).unwrap_or_else(|fault| panic!("{written}: {fault:?}"));
    let plain = |lines: &[internals::Assigned]| -> Vec<(String, String)> {
        lines.iter().map(|line| (line.name.clone(), line.text.clone())).collect()
    };
    assert_eq!(plain(&lines), plain(&again));
}

/// Line and column of a byte, counted once more. The mark that some editors begin a file with is no character.
fn point(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.trim_start_matches('\u{feff}').chars().count() + 1)
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for next in text.chars() {
        match next {
            '"' | '\\' | '$' => quoted.extend(['\\', next]),
            '\n' => quoted.push_str("\\n"),
            _ => quoted.push(next),
        }
    }
    quoted + "\""
}
