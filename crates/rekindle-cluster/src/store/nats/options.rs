//! [`NatsOptions`]: how NATS is reached.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event};

use super::PATIENCE;
use crate::error::{Error, Result};
use crate::store::Access;
use crate::store::address::split;

/// How often a connection is pinged; one of which two are not answered is made anew.
const PINGS: Duration = Duration::from_secs(2);

/// How NATS is reached.
#[derive(Debug, Clone)]
pub struct NatsOptions {
    /// `127.0.0.1:4222` or `tls://nats-1:4222`: one of them is enough, all of them are taken in turn.
    pub servers: Vec<String>,
    /// What the subjects and the names of the two streams begin with, so that several clusters can share a
    /// server: letters, digits, `-` and `_`. Default: `rekindle`.
    pub prefix: String,
    /// On how many servers the streams are kept, if they are made here: 1, 3 or 5. Default: 1.
    pub replicas: usize,
    /// What the server wants to see.
    pub access: Access,
}

impl NatsOptions {
    /// As an address says: `127.0.0.1:4222,127.0.0.1:4223/shop?replicas=3`.
    ///
    /// # Errors
    ///
    /// [`Error::Address`] when it names no server, or what cannot be a prefix.
    pub fn parse(address: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Err(Error::Address(format!("{address:?} {why}: try `nats:127.0.0.1:4222/shop?replicas=3`")))
        };
        let (rest, query) = address.split_once('?').unwrap_or((address, "replicas=1"));
        let replicas = query.strip_prefix("replicas=").and_then(|number| number.parse().ok());
        let Some(replicas @ 1..=5) = replicas else { return wrong("names no number of replicas, 1 to 5") };
        let (servers, prefix) = split(rest);
        let prefix = prefix.unwrap_or("rekindle");
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if servers.is_empty() || prefix.is_empty() || !prefix.bytes().all(is_name) {
            return wrong("is no address of NATS");
        }
        Ok(Self { servers, prefix: prefix.to_owned(), replicas, access: Access::default() })
    }

    /// Connects in the background. Beside the connection, why there is none so far.
    pub(super) async fn connect(&self) -> Result<(Client, LastError)> {
        let last = LastError::default();
        let heard = last.clone();
        let mut options = ConnectOptions::new()
            .name("rekindle")
            .retry_on_initial_connect()
            .connection_timeout(PATIENCE)
            .ping_interval(PINGS)
            .request_timeout(Some(PATIENCE))
            .event_callback(move |event| {
                heard.note(&event);
                std::future::ready(())
            });
        if let Some((user, password)) = self.access.login() {
            options = options.user_and_password(user, password);
        }
        if let Some(file) = &self.access.credentials {
            let failed = |cause| Error::local(format!("{}: {cause}", file.display()));
            options = options.credentials_file(file).await.map_err(failed)?;
        }
        if let Some(ca) = &self.access.ca {
            options = options.add_root_certificates(ca.clone());
        }
        if let (Some(certificate), Some(key)) = (&self.access.certificate, &self.access.key) {
            options = options.add_client_certificate(certificate.clone(), key.clone());
        }
        if self.access.is_encrypted() {
            options = options.require_tls(true);
        }
        Ok((options.connect(&self.servers).await.map_err(Error::unavailable)?, last))
    }
}

/// Why there is no connection, as far as that was told.
#[derive(Debug, Clone, Default)]
pub(super) struct LastError(Arc<Mutex<Option<String>>>);

impl LastError {
    fn note(&self, event: &Event) {
        let said = match event {
            Event::Connected => None,
            Event::ClientError(error) => Some(error.to_string()),
            Event::ServerError(error) => Some(error.to_string()),
            _ => return,
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = said;
    }

    /// An error, with why.
    pub(super) fn explain(&self, error: Error) -> Error {
        match (self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref(), error) {
            (Some(why), Error::Unavailable(what)) => Error::Unavailable(format!("{what}: {why}")),
            (_, other) => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_servers_a_prefix_and_replicas() {
        let parse = |address| {
            NatsOptions::parse(address)
                .map(|options| (options.servers.join(" "), options.prefix, options.replicas))
        };
        let of =
            |servers: &str, prefix: &str, replicas| Some((servers.to_owned(), prefix.to_owned(), replicas));
        assert_eq!(parse("a:1,b:2/shop?replicas=3").ok(), of("a:1 b:2", "shop", 3));
        assert_eq!(parse("//a:1").ok(), of("a:1", "rekindle", 1));
        assert_eq!(parse("tls://a:1,tls://b:2/shop").ok(), of("tls://a:1 tls://b:2", "shop", 1));
        assert_eq!(parse("tls://a:1").ok(), of("tls://a:1", "rekindle", 1));
        for wrong in ["", "/shop", "a:1/", "a:1/x y", "a:1/x?replicas=9", "a:1/x?else=1"] {
            assert!(matches!(parse(wrong), Err(Error::Address(_))), "{wrong}");
        }
    }
}
