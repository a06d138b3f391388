//! [`Secured`]: what a listener speaks TLS with.

use std::path::Path;
use std::sync::Arc;

use rekindle::Result;
use tokio_rustls::TlsAcceptor;

use super::config::Tls;
use super::shared::Shared;
use super::tls::{Credentials, Freshness};

/// What a listener speaks TLS with. It is kept from one generation to the next, with the sessions that clients come
/// back to.
pub(super) struct Secured {
    pub(super) credentials: Arc<Credentials>,
    pub(super) acceptor: TlsAcceptor,
    pub(super) alpn: Vec<String>,
}

impl Secured {
    /// What is spoken already, or new from the files.
    pub(super) async fn of(
        tls: &Tls,
        root: &Path,
        shared: &Shared,
        freshness: Freshness,
    ) -> Result<Arc<Self>> {
        if let Some(secured) = shared.secured(tls) {
            return Ok(secured);
        }
        let credentials = Credentials::load(tls, root, &shared.notices, freshness).await?;
        let acceptor = TlsAcceptor::from(credentials.server_config(&tls.alpn)?);
        let secured = Arc::new(Self { credentials, acceptor, alpn: tls.alpn.clone() });
        shared.keep_secured(tls, &secured);
        Ok(secured)
    }
}
