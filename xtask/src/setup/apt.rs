//! Installing Debian packages, as root or through a sudo that asks nothing.

use crate::cmd::Cmd;
use crate::error::{Error, Result};
use crate::step::announced;
use crate::style::Style;

/// An apt-get that may install.
#[derive(Debug)]
pub(crate) struct Apt {
    sudo: bool,
}

impl Apt {
    /// The error says what is in the way.
    pub(crate) fn detect() -> Result<Self> {
        let works = |line: &str| Cmd::new(line).read().is_ok();
        let root = Cmd::new("id -u").read().is_ok_and(|uid| uid.trim() == "0");
        Self::decide(works("apt-get --version"), root, || works("sudo -n true"))
    }

    fn decide(apt: bool, root: bool, sudo: impl FnOnce() -> bool) -> Result<Self> {
        if !apt {
            return Err(Error::new("There is no apt-get here"));
        }
        if !root && !sudo() {
            return Err(Error::new("Installing needs root, and sudo is missing or wants a password"));
        }
        Ok(Self { sudo: !root })
    }

    /// Lists that are there are used as they are; they are fetched when missing, or when installing fails, as it
    /// does when they are old and name versions that are gone.
    pub(crate) fn install(&self, packages: &[&str], style: Style) -> Result<()> {
        let install = self.get("install --yes --no-install-recommends").args(packages.iter().copied());
        if packages.iter().all(|package| is_known(package)) {
            if announced(&install, style).is_ok() {
                return Ok(());
            }
            eprintln!("that failed; once more, with fresh package lists");
        }
        announced(&self.get("update"), style)?;
        announced(&install, style)
    }

    /// `env` carries the variable through sudo, which drops those it is given. The lock may be held by the
    /// system's own updates for a while.
    fn get(&self, arguments: &str) -> Cmd {
        let sudo = if self.sudo { "sudo -n " } else { "" };
        let options = "-o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 -qq";
        Cmd::new(&format!("{sudo}env DEBIAN_FRONTEND=noninteractive apt-get {options} {arguments}"))
    }
}

fn is_known(package: &str) -> bool {
    Cmd::new("apt-cache show --no-all-versions").arg(package).read().is_ok_and(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_needs_no_sudo() {
        let apt = Apt::decide(true, true, || panic!("sudo was asked")).unwrap();
        let line = apt.get("install --yes").arg("nano").to_string();
        let expected = "env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 -qq install --yes nano";
        assert_eq!(line, expected);
    }

    #[test]
    fn others_go_through_sudo_without_a_password() {
        let line = Apt::decide(true, false, || true).unwrap().get("update").to_string();
        assert!(line.starts_with("sudo -n env DEBIAN_FRONTEND=noninteractive apt-get "), "{line}");
    }

    #[test]
    fn what_is_in_the_way_is_said() {
        assert_eq!(Apt::decide(false, true, || true).unwrap_err(), Error::new("There is no apt-get here"));
        let error = Apt::decide(true, false, || false).unwrap_err().to_string();
        assert_eq!(error, "Installing needs root, and sudo is missing or wants a password");
    }
}
