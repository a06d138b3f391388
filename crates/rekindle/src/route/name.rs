//! Configuration names, and why some are refused.

use std::path::{Component, Path};

use crate::error::{Error, ErrorKind, Result};

/// Checks that `name` is one or more plain components: it must not lead out of the configuration
/// directory, and has no dot, since what follows the first dot of a file name is its layer.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let fault = if name.is_empty() {
        "it is empty"
    } else if name.contains('\0') {
        "it holds a NUL"
    } else if Path::new(name).is_absolute() || name.starts_with('/') {
        "it is an absolute path"
    } else if Path::new(name).components().any(|part| !matches!(part, Component::Normal(_))) {
        "it leaves the configuration directory"
    } else if name.contains('.') {
        "it holds a dot: use `app` for `config/app.toml` and for `config/app.production.toml`"
    } else if name.contains('\\') || name.ends_with('/') || name.contains("//") {
        "its parts are not separated by single slashes"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Name, format!("{name:?} is no configuration name: {fault}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_the_configuration_directory() {
        for good in ["app", "sub/app", "my-app_2", "größe"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        let bad =
            ["", "../secret", "/etc/passwd", "a\0b", "a/../b", "./a", "a.toml", "a\\b", "a/", "a//b", ".."];
        for bad in bad {
            let error = check_name(bad).expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::Name, "{bad:?}");
            assert!(error.to_string().contains(&format!("{bad:?}")), "{error}");
        }
    }
}
