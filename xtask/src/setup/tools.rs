//! The programs the tests drive, and how to tell that they are there.

use crate::cmd::Cmd;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Tool {
    /// The name of the system package that brings it.
    pub(crate) package: &'static str,
    /// Prints the version.
    probe: &'static str,
    /// The variable that names another program to use instead; it is to print its version as well.
    instead: Option<&'static str>,
    /// Judges what the probe printed.
    genuine: fn(&str) -> bool,
}

/// What the tests of the crates drive.
pub(crate) const SYSTEM: &[Tool] = &[
    Tool { package: "vim", probe: "vim --version", instead: None, genuine: full_vim },
    Tool {
        package: "nano",
        probe: "nano --version",
        instead: None,
        genuine: |text| text.contains("GNU nano"),
    },
    Tool {
        package: "emacs-nox",
        probe: "emacs --version",
        instead: None,
        genuine: |text| text.starts_with("GNU Emacs "),
    },
    Tool { package: "ed", probe: "ed --version", instead: None, genuine: |text| text.starts_with("GNU ed ") },
    Tool { package: "tmux", probe: "tmux -V", instead: None, genuine: |text| text.starts_with("tmux ") },
    Tool {
        package: "git",
        probe: "git --version",
        instead: None,
        genuine: |text| text.starts_with("git version "),
    },
    Tool {
        package: "patch",
        probe: "patch --version",
        instead: None,
        genuine: |text| text.starts_with("GNU patch "),
    },
    Tool { package: "perl", probe: "perl -v", instead: None, genuine: |text| text.contains("This is perl") },
    Tool {
        package: "rsync",
        probe: "rsync --version",
        instead: None,
        genuine: |text| text.starts_with("rsync "),
    },
    Tool {
        package: "etcd-server",
        probe: "etcd --version",
        instead: None,
        genuine: |text| text.starts_with("etcd Version: "),
    },
    Tool {
        package: "nats-server",
        probe: "nats-server --version",
        instead: None,
        genuine: |text| text.starts_with("nats-server: v"),
    },
    // Networks that are cut, and keys that others have made.
    Tool {
        package: "iproute2",
        probe: "ip -V",
        instead: None,
        genuine: |text| text.starts_with("ip utility"),
    },
    Tool {
        package: "openssl",
        probe: "openssl version",
        instead: None,
        genuine: |text| text.starts_with("OpenSSL "),
    },
    // What the client of etcd is built with.
    Tool {
        package: "protobuf-compiler",
        probe: "protoc --version",
        instead: None,
        genuine: |text| text.starts_with("libprotoc "),
    },
    Tool {
        package: "libprotobuf-dev",
        probe: "ls /usr/include/google/protobuf/descriptor.proto",
        instead: None,
        genuine: |text| text.contains("descriptor.proto"),
    },
    // It says its version with an exit code of 1.
    Tool { package: "wrk", probe: "which wrk", instead: None, genuine: |text| text.trim().ends_with("/wrk") },
];

/// What the tests in a browser need.
pub(crate) const BROWSER: &[Tool] = &[
    Tool {
        package: "chromium",
        probe: "chromium --version",
        instead: Some("REKINDLE_CHROMIUM"),
        genuine: |text| text.contains("Chrom"),
    },
    Tool { package: "nodejs", probe: "node --version", instead: None, genuine: recent_node },
];

/// After the others: the packages of Node.js that Debian does not make bring it, and do not go with Debian's.
pub(crate) const NPM: &[Tool] =
    &[Tool { package: "npm", probe: "npm --version", instead: None, genuine: |text| !text.is_empty() }];

pub(crate) fn missing(among: &[Tool]) -> Vec<Tool> {
    among.iter().copied().filter(|tool| !tool.is_there()).collect()
}

impl Tool {
    fn is_there(&self) -> bool {
        let probe = self.probe(self.instead.and_then(|name| std::env::var(name).ok()));
        probe.read().is_ok_and(|version| (self.genuine)(&version))
    }

    fn probe(&self, instead: Option<String>) -> Cmd {
        match instead {
            Some(program) => Cmd::new("env").arg(program).arg("--version"),
            None => Cmd::new(self.probe),
        }
    }
}

/// Its test runner runs files beside each other since 18.19.
fn recent_node(version: &str) -> bool {
    let mut parts = version.trim().trim_start_matches('v').split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= (18, 19),
        _ => false,
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
    fn an_old_node_is_told_from_one_that_will_do() {
        assert!(recent_node("v18.19.0\n") && recent_node("v20.1.0") && recent_node("v24.0.0"));
        assert!(!recent_node("v18.13.0") && !recent_node("v16.20.2") && !recent_node("node"));
    }

    #[test]
    fn another_program_may_be_named() {
        let probe = |instead: Option<&str>| BROWSER[0].probe(instead.map(str::to_owned)).to_string();
        assert_eq!(probe(None), "chromium --version");
        assert_eq!(probe(Some("/opt/a browser")), "env '/opt/a browser' --version");
    }

    #[test]
    fn a_program_that_is_not_there_is_missing() {
        let probe = "no-such-program-anywhere --version";
        let tool = Tool { package: "x", probe, instead: None, genuine: |_| true };
        assert!(!tool.is_there());
    }
}
