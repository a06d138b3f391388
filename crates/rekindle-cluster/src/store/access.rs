//! [`Access`]: what a server wants to see before it answers.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// What a server wants to see before it answers. Default: nothing, over a connection that is not encrypted.
///
/// Secrets come from files and the environment: an address, which ends up in logs and lists of processes, has none.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// A user.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<String>,
    /// The certificates, as PEM, of those who may have signed the server's. Default: those that the machine trusts.
    pub ca: Option<PathBuf>,
    /// A certificate, as PEM, to be known by.
    pub certificate: Option<PathBuf>,
    /// The key of the certificate, as PEM.
    pub key: Option<PathBuf>,
    /// For NATS: a file of credentials, as `nsc generate creds` writes it.
    pub credentials: Option<PathBuf>,
}

/// Without the password.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("user", &self.user)
            .field("ca", &self.ca)
            .field("certificate", &self.certificate)
            .field("key", &self.key)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

impl Access {
    /// What the environment says: `REKINDLE_STORE_USER`, `REKINDLE_STORE_PASSWORD` or `REKINDLE_STORE_PASSWORD_FILE`,
    /// `REKINDLE_STORE_CA`, `REKINDLE_STORE_CERT` with `REKINDLE_STORE_KEY`, and `REKINDLE_STORE_CREDENTIALS`. What is
    /// set to nothing is not set.
    ///
    /// # Errors
    ///
    /// [`Error::Local`] for a password's file that cannot be read, [`Error::Address`] for one without the other.
    pub fn from_env() -> Result<Self> {
        Self::from(|name| {
            std::env::var(format!("REKINDLE_STORE_{name}")).ok().filter(|value| !value.is_empty())
        })
    }

    fn from(said: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let path = |name| said(name).map(PathBuf::from);
        let password = match (said("PASSWORD"), path("PASSWORD_FILE")) {
            (Some(password), _) => Some(password),
            (None, Some(file)) => Some(line(&file)?),
            (None, None) => None,
        };
        let access = Self {
            user: said("USER"),
            password,
            ca: path("CA"),
            certificate: path("CERT"),
            key: path("KEY"),
            credentials: path("CREDENTIALS"),
        };
        access.check().map(|()| access)
    }

    /// A user without a password is nobody, and neither is a certificate without its key.
    pub(super) fn check(&self) -> Result<()> {
        let lacks = |what: &str| Err(Error::Address(format!("the access to the store lacks {what}")));
        match self {
            Self { user: Some(_), password: None, .. } => lacks("the user's password"),
            Self { user: None, password: Some(_), .. } => lacks("the password's user"),
            Self { certificate: Some(_), key: None, .. } => lacks("the certificate's key"),
            Self { certificate: None, key: Some(_), .. } => lacks("the key's certificate"),
            _ => Ok(()),
        }
    }

    /// Whether the connection has to be encrypted.
    #[cfg(any(feature = "etcd", feature = "nats"))]
    pub(super) fn is_encrypted(&self) -> bool {
        self.ca.is_some() || self.certificate.is_some()
    }

    #[cfg(any(feature = "etcd", feature = "nats"))]
    pub(super) fn login(&self) -> Option<(String, String)> {
        self.user.clone().zip(self.password.clone())
    }
}

/// What a file that has to be there holds.
#[cfg(feature = "etcd")]
pub(super) fn contents(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|cause| Error::local(format!("{}: {cause}", path.display())))
}

/// A secret, but for the line's end that editors put behind it.
fn line(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|cause| Error::local(format!("{}: {cause}", path.display())))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said<'a>(all: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> {
        move |name| all.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn a_password_comes_from_a_file_too_and_is_never_shown() {
        let file = tempfile::NamedTempFile::new().expect("there is room");
        std::fs::write(file.path(), "hush hush\r\n").expect("there is room");
        let path = file.path().to_string_lossy().into_owned();
        let access = Access::from(said(&[("USER", "root"), ("PASSWORD_FILE", &path)])).expect("it is whole");
        assert_eq!(access.password.as_deref(), Some("hush hush"));
        assert!(!format!("{access:?}").contains("hush"));
        let gone = Access::from(said(&[("USER", "root"), ("PASSWORD_FILE", "/none/there")]));
        assert!(matches!(&gone, Err(Error::Local(why)) if why.contains("/none/there")), "{gone:?}");
    }

    #[test]
    fn one_without_the_other_is_refused() {
        for half in ["USER", "PASSWORD", "CERT", "KEY"] {
            let access = Access::from(said(&[(half, "x")]));
            assert!(matches!(access, Err(Error::Address(_))), "{half}: {access:?}");
        }
        assert_eq!(Access::from(said(&[])).expect("nothing is whole"), Access::default());
    }
}
