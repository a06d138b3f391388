//! [`Credentials`]: the identity in use, which follows its files.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rekindle::{ChangeEvent, Error, ErrorKind, FileWatcher, Result};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::sync::broadcast::{self, Receiver, error::RecvError};
use tokio::task::JoinHandle;
use tokio::time::{interval, timeout};

use super::identity::{Certificate, Freshness, Identity, words};
use crate::serve::config::Tls;
use crate::serve::notice::Notice;

/// How long a file may be half written before that is told.
const WINDOW: Duration = Duration::from_millis(500);

/// How long the key may come after its certificate, or the other way round.
const TOGETHER: Duration = Duration::from_secs(1);

/// How often is looked at the clock.
const HOUR: Duration = Duration::from_secs(60 * 60);

/// How often the same is said of a certificate that ends.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The identity in use. Each handshake takes the one of that moment; connections keep theirs.
pub(in crate::serve) struct Credentials {
    identity: ArcSwap<Identity>,
    tls: Tls,
    root: PathBuf,
    notices: broadcast::Sender<Notice>,
    /// When it was last said that it ends.
    warned: Mutex<Option<SystemTime>>,
    follower: JoinHandle<()>,
}

impl Credentials {
    /// Loads what the files hold, and follows them from then on.
    ///
    /// # Errors
    ///
    /// What is wrong with the certificate (about `/certificate`), the key (about `/key`), or both together.
    pub(in crate::serve) async fn load(
        tls: &Tls,
        root: &Path,
        notices: &broadcast::Sender<Notice>,
        freshness: Freshness,
    ) -> Result<Arc<Self>> {
        let (tls, root, notices) = (tls.clone(), root.to_owned(), notices.clone());
        let root = std::path::absolute(&root).unwrap_or(root);
        let identity = identity(&tls, &root, freshness).await?;
        let files = identity.certificate.files.clone();
        // Before another look, so that nothing is missed in between.
        let watcher = if files.is_empty() { None } else { Some(FileWatcher::new(files, WINDOW).await?) };
        let credentials = Arc::new_cyclic(|me: &Weak<Self>| Self {
            identity: ArcSwap::from_pointee(identity),
            tls,
            root,
            notices,
            warned: Mutex::default(),
            follower: tokio::spawn(follow(me.clone(), watcher)),
        });
        Ok(credentials)
    }

    /// What a listener speaks TLS with.
    ///
    /// # Errors
    ///
    /// None that is known: the protocols and ciphers are the provider's own.
    pub(in crate::serve) fn server_config(self: &Arc<Self>, alpn: &[String]) -> Result<Arc<ServerConfig>> {
        let builder = ServerConfig::builder_with_provider(ring::default_provider().into());
        let builder = builder.with_safe_default_protocol_versions().map_err(|cause| {
            Error::new(ErrorKind::Other, format!("TLS cannot be set up: {cause}")).because(cause)
        })?;
        let resolver: Arc<dyn ResolvesServerCert> = self.clone();
        let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.clone().into_bytes()).collect();
        Ok(Arc::new(config))
    }

    /// The certificate in use.
    pub(in crate::serve) fn certificate(&self) -> CertificateDer<'static> {
        self.identity.load().certified.cert[0].clone()
    }

    /// What is known of it.
    pub(in crate::serve) fn info(&self) -> Certificate {
        self.identity.load().certificate.clone()
    }

    /// Goes over to what the files hold.
    async fn renew(&self, changes: &mut Receiver<ChangeEvent>) {
        loop {
            let new = identity(&self.tls, &self.root, Freshness::Required).await;
            let error = match new {
                Ok(new) => return self.replace(new),
                Err(error) => error,
            };
            // A renewal writes one after the other.
            if timeout(TOGETHER, changed(changes)).await != Ok(true) {
                return self.refuse(error);
            }
        }
    }

    fn replace(&self, new: Identity) {
        if new.certified.cert == self.identity.load().certified.cert {
            return;
        }
        let certificate = new.certificate.clone();
        self.identity.store(Arc::new(new));
        *self.warned.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let until = words(certificate.not_after);
        tracing::info!(names = ?certificate.names, %until, "a certificate was replaced");
        self.tell(Notice::CertificateReplaced { certificate });
        self.look_at_the_clock(SystemTime::now());
    }

    fn refuse(&self, error: Error) {
        let files = self.info().files;
        tracing::warn!(?files, %error, "a certificate was not replaced: what was in use stays");
        self.tell(Notice::CertificateRefused { files, error });
    }

    /// Warns of a certificate that ends, once a day. The clock may jump: what it says now counts.
    pub(super) fn look_at_the_clock(&self, now: SystemTime) {
        let certificate = self.info();
        let within = certificate.not_after.duration_since(now).ok();
        if within.is_some_and(|within| within > self.tls.warn_before) || !self.is_due(now) {
            return;
        }
        let (names, until) = (certificate.names.clone(), words(certificate.not_after));
        match within {
            Some(within) => {
                tracing::warn!(?names, %until, "a certificate expires soon");
                self.tell(Notice::CertificateExpires { certificate, within });
            }
            None => {
                tracing::error!(?names, %until, "a certificate has expired");
                self.tell(Notice::CertificateExpired { certificate });
            }
        }
    }

    /// Whether it is time to warn, which it is not again for a day.
    fn is_due(&self, now: SystemTime) -> bool {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let since = warned.map(|warned| now.duration_since(warned).or_else(|_| warned.duration_since(now)));
        let is_due = since.is_none_or(|since| since.is_ok_and(|since| since >= DAY));
        if is_due {
            *warned = Some(now);
        }
        is_due
    }

    fn tell(&self, notice: Notice) {
        // Fails when nobody listens, which is their choice.
        let _nobody_listens = self.notices.send(notice);
    }
}

impl Drop for Credentials {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl ResolvesServerCert for Credentials {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.identity.load().certified))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("certificate", &self.info()).finish_non_exhaustive()
    }
}

async fn identity(tls: &Tls, root: &Path, freshness: Freshness) -> Result<Identity> {
    let (tls, root) = (tls.clone(), root.to_owned());
    let loading = tokio::task::spawn_blocking(move || Identity::load(&tls, &root, freshness));
    loading.await.map_err(|_| Error::new(ErrorKind::Stopped, "the runtime has been shut down"))?
}

/// Renews what the files hold whenever they change, and looks at the clock.
async fn follow(credentials: Weak<Credentials>, watcher: Option<FileWatcher>) {
    let mut changes = watcher.as_ref().map(FileWatcher::subscribe);
    let mut hours = interval(HOUR);
    loop {
        let has_changed = tokio::select! {
            has_changed = changed_or_never(changes.as_mut()) => has_changed,
            _hour = hours.tick() => false,
        };
        let Some(credentials) = credentials.upgrade() else { return };
        match &mut changes {
            Some(changes) if has_changed => credentials.renew(changes).await,
            _ => credentials.look_at_the_clock(SystemTime::now()),
        }
    }
}

async fn changed_or_never(changes: Option<&mut Receiver<ChangeEvent>>) -> bool {
    if let Some(changes) = changes
        && changed(changes).await
    {
        return true;
    }
    std::future::pending().await
}

/// Waits for a change; whether there was one, or there will be none.
async fn changed(changes: &mut Receiver<ChangeEvent>) -> bool {
    !matches!(changes.recv().await, Err(RecvError::Closed))
}
