//! Certificates change while they are in use, by the configuration and by their files.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rekindle_web::serve::{Bound, Notice};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::kit::*;

/// Accepts whatever is shown to it.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// A connection over TLS.
struct Secure(TlsStream<TcpStream>);

impl Secure {
    async fn to(bound: &Bound, alpn: &str) -> Self {
        let Bound::Tcp(address) = bound else { panic!("no TCP: {bound}") };
        let builder = ClientConfig::builder_with_provider(ring::default_provider().into());
        let builder = builder.with_safe_default_protocol_versions().expect("they are the provider's");
        let mut config =
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone)).with_no_client_auth();
        config.alpn_protocols = vec![alpn.into()];
        let stream = TcpStream::connect(address).await.expect("a connection");
        let name = "localhost".try_into().expect("a name");
        let shaken = TlsConnector::from(Arc::new(config)).connect(name, stream);
        Self(soon("the handshake", shaken).await.expect("a handshake"))
    }

    /// What the server has shown.
    fn certificate(&self) -> Vec<u8> {
        self.0.get_ref().1.peer_certificates().expect("it was shown")[0].to_vec()
    }

    async fn ask(&mut self) -> String {
        self.0.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("it is written");
        let mut buffer = [0; 4096];
        let read = soon("an answer", self.0.read(&mut buffer)).await.expect("an answer");
        String::from_utf8_lossy(&buffer[..read]).into_owned()
    }
}

/// A certificate, its key, and its bytes.
pub(crate) struct Pair {
    certificate: String,
    key: String,
    der: Vec<u8>,
}

/// A new one, with changes.
fn pair_with(change: impl FnOnce(&mut CertificateParams)) -> Pair {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    change(&mut params);
    let certificate = params.self_signed(&key).expect("a certificate");
    Pair { certificate: certificate.pem(), key: key.serialize_pem(), der: certificate.der().to_vec() }
}

pub(crate) fn pair() -> Pair {
    pair_with(|_| {})
}

impl Pair {
    pub(crate) fn save(&self, stand_or_site: &rekindle_test::Site, name: &str) {
        stand_or_site.replace(&format!("tls/{name}.pem"), &self.certificate);
        stand_or_site.replace(&format!("tls/{name}.key"), &self.key);
    }
}

fn secured(greeting: &str, certificate: &str, key: &str) -> String {
    let tls = format!("{{ certificate = 'tls/{certificate}', key = 'tls/{key}' }}");
    config(greeting, &format!("web = {{ address = '127.0.0.1:0', tls = {tls} }}"))
}

async fn stand(first: &Pair) -> Stand {
    let site = rekindle_test::Site::new();
    std::fs::create_dir_all(site.path("tls")).expect("a directory");
    first.save(&site, "a");
    Stand::open_on(site, &secured("hello", "a.pem", "a.key")).await
}

#[tokio::test]
async fn another_certificate_is_shown_from_the_next_connection_on() {
    let (first, second) = (pair(), pair());
    let mut stand = stand(&first).await;
    let address = stand.address("web");
    let mut before = Secure::to(&address, "http/1.1").await;
    assert!(before.ask().await.ends_with("hello"));
    second.save(&stand.site, "b");
    stand.go_over(&secured("welcome", "b.pem", "b.key")).await;
    assert_eq!(stand.address("web"), address);
    let mut after = Secure::to(&address, "http/1.1").await;
    assert_eq!((before.certificate(), after.certificate()), (first.der, second.der));
    assert!(after.ask().await.ends_with("welcome"));
    let answer = before.ask().await;
    assert!(answer.ends_with("welcome") && !answer.contains("close"), "{answer}");
}

#[tokio::test]
async fn files_that_are_replaced_are_in_use_once_they_fit_together() {
    let (first, second, third) = (pair(), pair(), pair());
    let stand = stand(&first).await;
    let address = stand.address("web");
    let mut notices = stand.server.load().notices();
    for (new, key_first) in [(second, false), (third, true)] {
        if key_first {
            stand.site.replace("tls/a.key", &new.key);
            stand.site.replace("tls/a.pem", &new.certificate);
        } else {
            new.save(&stand.site, "a");
        }
        let notice = soon("a notice", notices.recv()).await.expect("it serves");
        let Notice::CertificateReplaced { certificate } = notice else { panic!("{notice:?}") };
        assert_eq!(certificate.names, ["localhost"]);
        assert_eq!(Secure::to(&address, "http/1.1").await.certificate(), new.der);
    }
}

#[tokio::test]
async fn files_that_do_not_fit_are_told_of_and_what_was_in_use_stays() {
    let first = pair();
    let stand = stand(&first).await;
    let mut notices = stand.server.load().notices();
    stand.site.replace("tls/a.key", &pair().key);
    let notice = soon("a notice", notices.recv()).await.expect("it serves");
    let Notice::CertificateRefused { error, files } = notice else { panic!("{notice:?}") };
    assert!(error.to_string().starts_with("the key is not that of the certificate"), "{error}");
    assert_eq!(files.len(), 2);
    assert_eq!(Secure::to(&stand.address("web"), "http/1.1").await.certificate(), first.der);
}

#[tokio::test]
async fn what_cannot_be_used_refuses_the_change_and_says_why() {
    let first = pair();
    let mut stand = stand(&first).await;
    let site = &stand.site;
    pair().save(site, "other");
    let authority =
        CertifiedIssuer::self_signed(CertificateParams::default(), KeyPair::generate().expect("a key"));
    let authority = authority.expect("an authority");
    site.replace("tls/chain.pem", &format!("{}{}", first.certificate, authority.pem()));
    site.replace("tls/empty.pem", "");
    site.replace("tls/text.pem", "no PEM at all");
    site.replace("tls/cut.pem", &first.certificate[..first.certificate.len() / 2]);
    site.replace("tls/two.key", &format!("{0}{0}", first.key));
    let (begin, end) = ("-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----END ENCRYPTED PRIVATE KEY-----");
    site.replace("tls/locked.key", &format!("{begin}\nAAAA\n{end}\n"));
    let ended = pair_with(|params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
    ended.save(site, "ended");
    let early = pair_with(|params| params.not_before = rcgen::date_time_ymd(2199, 1, 1));
    early.save(site, "early");
    std::fs::create_dir(site.path("tls/directory.pem")).expect("a directory");
    for (certificate, key, said) in [
        ("missing.pem", "a.key", "tls/missing.pem cannot be read: No such file"),
        ("directory.pem", "a.key", "tls/directory.pem is no file"),
        ("empty.pem", "a.key", "tls/empty.pem does not hold a certificate; it is empty"),
        ("text.pem", "a.key", "tls/text.pem does not hold a certificate (PEM is expected"),
        ("cut.pem", "a.key", "tls/cut.pem is damaged"),
        ("a.key", "a.key", "tls/a.key does not hold a certificate; it holds a private key"),
        ("a.pem", "other.pem", "tls/other.pem does not hold a private key; it holds a certificate"),
        ("a.pem", "two.key", "tls/two.key holds several private keys"),
        ("a.pem", "locked.key", "tls/locked.key holds a key that is encrypted"),
        ("a.pem", "other.key", "the key is not that of the certificate"),
        ("chain.pem", "a.key", "certificate 1 of the chain is not signed by the one after it"),
        ("ended.pem", "ended.key", "the certificate has expired, at 2020-01-01 00:00:00 UTC"),
        ("early.pem", "early.key", "the certificate does not hold before 2199-01-01"),
    ] {
        let refused = stand.refused(&secured("hello", certificate, key)).await;
        assert!(refused.starts_with("config/app.toml:6:"), "{refused}");
        assert!(refused.contains(said), "{refused}");
        assert_eq!(Secure::to(&stand.address("web"), "http/1.1").await.certificate(), first.der);
    }
}

#[tokio::test]
async fn http2_is_spoken_with_whoever_asks_for_it_and_with_nobody_once_it_is_not_offered() {
    let mut stand = stand(&pair()).await;
    let address = stand.address("web");
    let spoken = |secure: &Secure| secure.0.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
    assert_eq!(spoken(&Secure::to(&address, "h2").await), Some(b"h2".to_vec()));
    let without = secured("hello", "a.pem", "a.key").replace("a.key'", "a.key', alpn = ['http/1.1']");
    stand.go_over(&without).await;
    let mut client = Secure::to(&address, "http/1.1").await;
    assert_eq!(spoken(&client), Some(b"http/1.1".to_vec()));
    assert!(client.ask().await.ends_with("hello"));
}

#[tokio::test]
async fn a_connection_in_the_clear_does_not_outlive_the_wish_for_tls() {
    let site = rekindle_test::Site::new();
    std::fs::create_dir_all(site.path("tls")).expect("a directory");
    pair().save(&site, "a");
    let mut stand = Stand::open_on(site, &config("hello", "web = '127.0.0.1:0'")).await;
    let mut client = stand.client("web").await;
    assert!(!client.ask("/").await.closes);
    stand.go_over(&secured("hello", "a.pem", "a.key")).await;
    assert!(client.ask("/").await.closes);
    client.ends().await;
    let mut secure = Secure::to(&stand.address("web"), "http/1.1").await;
    assert!(secure.ask().await.ends_with("hello"));
}

#[tokio::test]
async fn an_end_that_is_near_is_told_of() {
    let far = pair();
    let near = pair_with(|params| {
        let end = std::time::SystemTime::now() + Duration::from_secs(7 * 24 * 60 * 60);
        params.not_after = end.into();
    });
    let stand = stand(&far).await;
    let mut notices = stand.server.load().notices();
    near.save(&stand.site, "a");
    let replaced = soon("a notice", notices.recv()).await.expect("it serves");
    assert!(matches!(replaced, Notice::CertificateReplaced { .. }), "{replaced:?}");
    let notice = soon("a notice", notices.recv()).await.expect("it serves");
    let Notice::CertificateExpires { within, .. } = notice else { panic!("{notice:?}") };
    assert_eq!(within.as_secs() / (24 * 60 * 60), 6);
    let certificates = stand.server.load().certificates();
    assert_eq!(certificates["web"].names, ["localhost"]);
}
