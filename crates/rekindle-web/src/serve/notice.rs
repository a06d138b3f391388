//! [`Notice`]: what is told of certificates while they serve.

use std::path::PathBuf;
use std::time::Duration;

use rekindle::Error;

use super::tls::Certificate;

/// What is told of certificates while they serve, by [`Serving::notices`](super::Serving::notices).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Notice {
    /// The files hold a new one, which is in use from the next connection on.
    CertificateReplaced {
        /// The new one.
        certificate: Certificate,
    },
    /// What the files hold cannot be used; what was in use stays.
    CertificateRefused {
        /// The files.
        files: Vec<PathBuf>,
        /// Why.
        error: Error,
    },
    /// One in use ends soon. Told once a day.
    CertificateExpires {
        /// It.
        certificate: Certificate,
        /// How much of its time is left.
        within: Duration,
    },
    /// One in use has ended: clients refuse it. Told once a day.
    CertificateExpired {
        /// It.
        certificate: Certificate,
    },
}
