//! The programs the tests drive, and how to tell that they are there.

use crate::cmd::Cmd;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Tool {
    /// The name of the system package that brings it.
    pub(crate) package: &'static str,
    /// Prints the version.
    probe: &'static str,
    /// Judges what the probe printed.
    genuine: fn(&str) -> bool,
}

pub(crate) const ALL: &[Tool] = &[
    Tool { package: "vim", probe: "vim --version", genuine: full_vim },
    Tool { package: "nano", probe: "nano --version", genuine: |text| text.contains("GNU nano") },
    Tool { package: "emacs-nox", probe: "emacs --version", genuine: |text| text.starts_with("GNU Emacs ") },
    Tool { package: "ed", probe: "ed --version", genuine: |text| text.starts_with("GNU ed ") },
    Tool { package: "tmux", probe: "tmux -V", genuine: |text| text.starts_with("tmux ") },
    Tool { package: "git", probe: "git --version", genuine: |text| text.starts_with("git version ") },
    Tool { package: "patch", probe: "patch --version", genuine: |text| text.starts_with("GNU patch ") },
    Tool { package: "perl", probe: "perl -v", genuine: |text| text.contains("This is perl") },
    Tool { package: "rsync", probe: "rsync --version", genuine: |text| text.starts_with("rsync ") },
];

pub(crate) fn missing() -> Vec<Tool> {
    ALL.iter().copied().filter(|tool| !tool.is_there()).collect()
}

impl Tool {
    fn is_there(&self) -> bool {
        Cmd::new(self.probe).read().is_ok_and(|version| (self.genuine)(&version))
    }
}

/// A `vim` may be a stripped one, or another editor's vi: those write files in other ways than the one meant.
fn full_vim(version: &str) -> bool {
    version.starts_with("VIM - Vi IMproved")
        && !["Tiny version", "Small version"].iter().any(|stripped| version.contains(stripped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_vim_is_told_from_the_others() {
        assert!(full_vim(
            "VIM - Vi IMproved 9.0 (2022 Jun 28)\nHuge version without GUI.  Features included"
        ));
        assert!(!full_vim(
            "VIM - Vi IMproved 9.0 (2022 Jun 28)\nSmall version without GUI.  Features included"
        ));
        assert!(!full_vim("NVIM v0.9.5\nBuild type: Release"));
        assert!(!full_vim(""));
    }

    #[test]
    fn a_program_that_is_not_there_is_missing() {
        let tool = Tool { package: "x", probe: "no-such-program-anywhere --version", genuine: |_| true };
        assert!(!tool.is_there());
    }
}
