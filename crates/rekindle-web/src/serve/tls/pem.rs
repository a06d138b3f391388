//! PEM: a file or a text → the certificates or the key in it, or what else it is.

use std::fs;
use std::path::{Path, PathBuf};

use rekindle::{Error, ErrorKind, Result};
use rustls::pki_types::pem::{Error as PemError, PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::serve::config::Pem;

/// Far more than any chain of certificates takes.
const LARGEST: u64 = 1024 * 1024;

/// A PEM that was read, and what it is called.
pub(super) struct Text {
    name: String,
    bytes: Vec<u8>,
}

impl Text {
    pub(super) fn read(pem: &Pem, root: &Path) -> Result<Self> {
        match pem {
            Pem::Text(text) => Ok(Self { name: "the text".into(), bytes: text.clone().into_bytes() }),
            Pem::File(path) => read(path, root),
        }
    }

    /// The certificates, of which there is at least one.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.bytes).collect();
        match found {
            Ok(certificates) if certificates.is_empty() => Err(self.lacks("a certificate", "CERTIFICATE")),
            Ok(certificates) => Ok(certificates),
            Err(fault) => Err(self.broken(&fault)),
        }
    }

    /// The one key.
    pub(super) fn key(&self) -> Result<PrivateKeyDer<'static>> {
        let found: Result<Vec<_>, _> = PrivateKeyDer::pem_slice_iter(&self.bytes).collect();
        let mut keys = found.map_err(|fault| self.broken(&fault))?;
        match (keys.pop(), keys.is_empty()) {
            (Some(key), true) => Ok(key),
            (Some(_), false) => Err(self.fault("holds several private keys: one is expected")),
            (None, _) if self.holds("ENCRYPTED") => {
                let error =
                    self.fault("holds a key that is encrypted, and nobody is here to give its password");
                Err(error
                    .help("decrypt it, as in `openssl pkey -in KEY -out PLAIN`, and let nobody else read it"))
            }
            (None, _) => Err(self.lacks("a private key", "PRIVATE KEY")),
        }
    }

    fn holds(&self, words: &str) -> bool {
        self.bytes.windows(words.len()).any(|window| window == words.as_bytes())
    }

    fn lacks(&self, what: &str, label: &str) -> Error {
        let instead = match self.sections().first() {
            Some(SectionKind::Certificate) => "; it holds a certificate",
            Some(SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey) => {
                "; it holds a private key"
            }
            _ if self.bytes.is_empty() => "; it is empty",
            _ => "",
        };
        let error = self.fault(&format!("does not hold {what}{instead}"));
        error.help(format!("PEM is expected, with `-----BEGIN {label}-----`"))
    }

    /// What it holds, as far as it is PEM.
    fn sections(&self) -> Vec<SectionKind> {
        let sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(&self.bytes);
        sections.map_while(|section| section.ok().map(|(kind, _)| kind)).collect()
    }

    fn broken(&self, fault: &PemError) -> Error {
        self.fault(&format!("is damaged: {fault}"))
    }

    fn fault(&self, what: &str) -> Error {
        Error::new(ErrorKind::Check, format!("{} {what}", self.name))
    }
}

/// Where a file is.
pub(super) fn path(path: &Path, root: &Path) -> PathBuf {
    root.join(path)
}

fn read(relative: &Path, root: &Path) -> Result<Text> {
    let (path, name) = (path(relative, root), relative.display().to_string());
    let failed = |cause: std::io::Error| {
        let kind = match cause.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Io,
        };
        Error::new(kind, format!("{name} cannot be read: {cause}")).because(cause)
    };
    let metadata = fs::metadata(&path).map_err(failed)?;
    // A FIFO would be waited for.
    if !metadata.is_file() {
        return Err(Error::new(ErrorKind::NotAFile, format!("{name} is no file")));
    }
    if metadata.len() > LARGEST {
        let message = format!("{name} is larger than {LARGEST} bytes: that is no PEM");
        return Err(Error::new(ErrorKind::Limit, message));
    }
    let bytes = fs::read(&path).map_err(failed)?;
    Ok(Text { name, bytes })
}
