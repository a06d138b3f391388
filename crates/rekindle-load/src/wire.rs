//! A connection, over TLS or in the clear.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::Poll;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::{Protocol, Target};

/// Bytes both ways.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

pub(crate) type Wire = Box<dyn Stream>;

/// Connects, with the handshake of TLS where that is asked for.
pub(crate) async fn connect(target: Target) -> io::Result<Wire> {
    let stream = TcpStream::connect(target.address).await?;
    stream.set_nodelay(true)?;
    if !target.tls {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    let secure = TlsConnector::from(config(target.protocol)).connect(name, stream).await?;
    Ok(Box::new(secure))
}

/// Whether the other end has closed the connection, as far as is known here by now.
pub(crate) async fn is_closed(wire: &mut Wire) -> bool {
    let looked = poll_fn(|context| {
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        let looked = Pin::new(&mut *wire).poll_read(context, &mut buffer);
        // Nothing is expected here: a byte that nobody asked for is as much an end as none.
        Poll::Ready(looked.is_ready())
    });
    looked.await
}

fn config(protocol: Protocol) -> Arc<ClientConfig> {
    static CONFIGS: OnceLock<[Arc<ClientConfig>; 2]> = OnceLock::new();
    let configs =
        CONFIGS.get_or_init(|| [b"http/1.1".to_vec(), b"h2".to_vec()].map(|alpn| Arc::new(speaking(alpn))));
    Arc::clone(&configs[usize::from(protocol == Protocol::Http2)])
}

fn speaking(alpn: Vec<u8>) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(ring::default_provider().into());
    let builder = builder.with_safe_default_protocol_versions().expect("they are the provider's own");
    let mut config =
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone)).with_no_client_auth();
    config.alpn_protocols = vec![alpn];
    config
}

/// Who the server is does not matter here. The handshake is a real one.
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
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
