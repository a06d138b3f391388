//! The options of `test`, `ci` and `browser`.

use std::ffi::OsStr;

use crate::error::{Error, Result};

/// The variable that does what `--no-setup` does.
pub(crate) const NO_SETUP: &str = "REKINDLE_NO_SETUP";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Whether missing system packages are installed.
    pub(crate) setup: bool,
}

impl Options {
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        Self::with_env(args, std::env::var_os(NO_SETUP).as_deref())
    }

    fn with_env(args: &[String], no_setup: Option<&OsStr>) -> Result<Self> {
        let switched_off = no_setup.is_some_and(|value| !value.is_empty() && value != "0");
        let mut options = Self { setup: !switched_off };
        for arg in args {
            match arg.as_str() {
                "--no-setup" => options.setup = false,
                _ => return Err(Error::new(format!("unknown option `{arg}`; the only one is --no-setup"))),
            }
        }
        Ok(options)
    }
}

/// For commands that take no options.
pub(crate) fn none(args: &[String]) -> Result<()> {
    match args {
        [] => Ok(()),
        [arg, ..] => Err(Error::new(format!("unexpected argument `{arg}`; see `cargo xtask help`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(args: &[&str], env: Option<&str>) -> Result<bool> {
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        Options::with_env(&args, env.map(OsStr::new)).map(|options| options.setup)
    }

    #[test]
    fn setup_is_on_until_switched_off() {
        assert_eq!(setup(&[], None), Ok(true));
        assert_eq!(setup(&[], Some("")), Ok(true));
        assert_eq!(setup(&[], Some("0")), Ok(true));
        assert_eq!(setup(&[], Some("1")), Ok(false));
        assert_eq!(setup(&["--no-setup"], None), Ok(false));
    }

    #[test]
    fn an_unknown_option_is_named() {
        let error = setup(&["--fast"], None).unwrap_err().to_string();
        assert_eq!(error, "unknown option `--fast`; the only one is --no-setup");
    }
}
