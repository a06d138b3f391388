//! Colours, on a terminal only.

use std::ffi::OsStr;
use std::fmt::Display;
use std::io::IsTerminal;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    colour: bool,
}

impl Style {
    /// For stderr, where everything of xtask's own goes: cargo writes its progress there too.
    pub(crate) fn detect() -> Self {
        let no_color = std::env::var_os("NO_COLOR");
        let term = std::env::var_os("TERM");
        Self { colour: wants_colour(std::io::stderr().is_terminal(), no_color.as_deref(), term.as_deref()) }
    }

    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self { colour: false }
    }

    pub(crate) fn bold(self, text: impl Display) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(self, text: impl Display) -> String {
        self.paint("2", text)
    }

    pub(crate) fn red(self, text: impl Display) -> String {
        self.paint("1;31", text)
    }

    pub(crate) fn green(self, text: impl Display) -> String {
        self.paint("32", text)
    }

    fn paint(self, code: &str, text: impl Display) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}

/// `NO_COLOR` counts when it is set to anything but the empty string.
fn wants_colour(terminal: bool, no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
    terminal && no_color.is_none_or(OsStr::is_empty) && term.is_none_or(|term| term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_need_a_terminal_and_nobody_against() {
        let os = OsStr::new;
        assert!(wants_colour(true, None, None));
        assert!(wants_colour(true, Some(os("")), Some(os("xterm"))));
        assert!(!wants_colour(false, None, None));
        assert!(!wants_colour(true, Some(os("1")), None));
        assert!(!wants_colour(true, None, Some(os("dumb"))));
    }

    #[test]
    fn plain_text_stays_plain() {
        assert_eq!(Style { colour: false }.red("x"), "x");
        assert_eq!(Style { colour: true }.bold("x"), "\x1b[1mx\x1b[0m");
    }
}
