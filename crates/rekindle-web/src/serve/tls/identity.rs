//! [`Identity`]: a certificate with its key, once they are known to fit together.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rekindle::{Error, ErrorKind, Result};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use x509_parser::time::ASN1Time;

use super::pem::{self, Text};
use crate::serve::config::{Pem, Tls};

/// What is known of a certificate in use.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificate {
    /// The names and addresses it is for.
    pub names: Vec<String>,
    /// Who signed it.
    pub issuer: String,
    /// From when on it holds.
    pub not_before: SystemTime,
    /// Until when it holds.
    pub not_after: SystemTime,
    /// The files that it and its key came from, if they are files.
    pub files: Vec<PathBuf>,
}

/// Whether a certificate has to hold at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::serve) enum Freshness {
    /// One that does not is refused: there is another in use.
    Required,
    /// One that does not is better than none.
    WarnOnly,
}

/// A certificate with its key.
pub(super) struct Identity {
    pub(super) certified: Arc<CertifiedKey>,
    pub(super) certificate: Certificate,
}

impl Identity {
    /// Reads and checks both. It blocks.
    pub(super) fn load(tls: &Tls, root: &Path, freshness: Freshness) -> Result<Self> {
        let of_certificate = |error: Error| error.about("/certificate");
        let of_key = |error: Error| error.about("/key");
        let chain = Text::read(&tls.certificate, root).and_then(|text| text.certificates());
        let chain = chain.map_err(of_certificate)?;
        let key = Text::read(&tls.key, root).and_then(|text| text.key()).map_err(of_key)?;
        let provider = ring::default_provider();
        let unusable = |cause: rustls::Error| {
            let message = format!("the key is of no kind that TLS knows: {cause}");
            Error::new(ErrorKind::Check, message).because(cause)
        };
        let key = provider.key_provider.load_private_key(key).map_err(|cause| of_key(unusable(cause)))?;
        let certificate = check_chain(&chain, tls, root).map_err(of_certificate)?;
        let certified = Arc::new(CertifiedKey::new(chain, key));
        certified.keys_match().map_err(|cause| of_key(mismatch(cause)))?;
        if freshness == Freshness::Required {
            check_time(&certificate).map_err(of_certificate)?;
        }
        Ok(Self { certified, certificate })
    }
}

fn mismatch(cause: rustls::Error) -> Error {
    let error = Error::new(ErrorKind::Check, "the key is not that of the certificate").because(cause);
    error.help(
        "were both renewed together? `openssl x509 -pubkey -noout` and `openssl pkey -pubout` show the same",
    )
}

/// Whether each certificate is signed by the one after it. What is known of the first.
fn check_chain(chain: &[CertificateDer<'_>], tls: &Tls, root: &Path) -> Result<Certificate> {
    let parsed: Result<Vec<_>> = chain.iter().enumerate().map(|(at, der)| parse(at, der)).collect();
    let parsed = parsed?;
    for (at, link) in parsed.windows(2).enumerate() {
        let (signed, signer) = (&link[0], &link[1]);
        let is_next = signed.issuer() == signer.subject();
        if !is_next || signed.verify_signature(Some(signer.public_key())).is_err() {
            let message = format!(
                "certificate {} of the chain is not signed by the one after it: it is signed by {:?}, and the next is of {:?}",
                at + 1,
                signed.issuer().to_string(),
                signer.subject().to_string()
            );
            let error = Error::new(ErrorKind::Check, message);
            return Err(error.help("the server's own comes first, then whoever signed it, and so on"));
        }
    }
    Ok(describe(&parsed[0], tls, root))
}

fn parse<'a>(at: usize, der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>> {
    let parsed = X509Certificate::from_der(der);
    parsed.map(|(_, certificate)| certificate).map_err(|fault| {
        Error::new(ErrorKind::Check, format!("certificate {} of the chain cannot be read: {fault}", at + 1))
    })
}

fn describe(leaf: &X509Certificate<'_>, tls: &Tls, root: &Path) -> Certificate {
    let names = leaf.subject_alternative_name().ok().flatten();
    let names =
        names.map_or_else(Vec::new, |names| names.value.general_names.iter().filter_map(name).collect());
    let files = [&tls.certificate, &tls.key].into_iter().filter_map(|pem| match pem {
        Pem::File(path) => Some(pem::path(path, root)),
        Pem::Text(_) => None,
    });
    Certificate {
        names,
        issuer: leaf.issuer().to_string(),
        not_before: moment(leaf.validity().not_before),
        not_after: moment(leaf.validity().not_after),
        files: files.collect(),
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| std::net::Ipv4Addr::from(bytes).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
            _ => None,
        },
        _ => None,
    }
}

fn moment(time: ASN1Time) -> SystemTime {
    let seconds = time.timestamp();
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let moment =
        if seconds < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
    moment.unwrap_or(UNIX_EPOCH)
}

/// Whether it holds now.
fn check_time(certificate: &Certificate) -> Result<()> {
    let now = SystemTime::now();
    let message = match certificate {
        Certificate { not_after, .. } if *not_after < now => {
            format!("the certificate has expired, at {}", words(*not_after))
        }
        Certificate { not_before, .. } if *not_before > now => {
            format!("the certificate does not hold before {}", words(*not_before))
        }
        _ => return Ok(()),
    };
    Err(Error::new(ErrorKind::Check, message)
        .help("what is in use stays; is this the newest, and is the clock right?"))
}

/// A moment for people.
pub(super) fn words(moment: SystemTime) -> String {
    let moment = jiff::Timestamp::try_from(moment).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
