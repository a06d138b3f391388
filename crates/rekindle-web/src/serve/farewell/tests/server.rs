//! A server of one connection, over TCP or TLS, and its client.

use std::convert::Infallible;
use std::time::Duration;

use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded as Handed;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_util::task::TaskTracker;

use super::*;
use crate::Body;

/// How long anything is waited for.
const LIMIT: Duration = Duration::from_secs(25);

/// Waits for something that is bound to happen.
pub(super) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(LIMIT, what).await.expect("it happens in time")
}

/// Bytes of either kind.
pub(super) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}
pub(super) type AnyIo = Box<dyn Io>;

pub(super) type Raw = TokioIo<Handed>;
pub(super) type Socket = WebSocketStream<Raw>;

/// A server, with what it tells its one connection.
pub(super) struct Server {
    pub(super) signals: Signals,
    open: TaskTracker,
}

impl Server {
    pub(super) fn new() -> Self {
        let open = TaskTracker::new();
        open.close();
        Self { signals: signals(), open }
    }

    /// Returns once the connection is gone.
    pub(super) async fn closed(&self) {
        soon(self.open.wait()).await;
    }

    /// Serves this end of a connection.
    pub(super) fn serve<F, A>(&self, io: impl Io + 'static, answer: F)
    where
        F: Fn(Request<Incoming>, Farewell, Arc<Switched>) -> A + Send + 'static,
        A: Future<Output = Response<Body>> + Send + 'static,
    {
        let (signals, switched) = (self.signals.clone(), Arc::new(Switched::default()));
        let io = FarewellIo::new(io, signals.clone(), Arc::clone(&switched), self.open.token().into());
        let service = service_fn(move |request| {
            let answer = answer(request, Farewell::new(&signals), Arc::clone(&switched));
            async { Ok::<_, Infallible>(answer.await) }
        });
        tokio::spawn(async move {
            let builder = Builder::new(TokioExecutor::new());
            let _gone_either_way = builder.serve_connection_with_upgrades(TokioIo::new(io), service).await;
        });
    }

    /// Serves a program that speaks on what the request switches to, and asks for WebSocket.
    pub(super) async fn upgraded<T, F, P>(&self, wire: (AnyIo, AnyIo), program: F) -> (AnyIo, JoinHandle<T>)
    where
        T: Send + 'static,
        F: FnOnce(Raw, Farewell) -> P + Send + 'static,
        P: Future<Output = T> + Send + 'static,
    {
        self.upgraded_to("websocket", wire, program).await
    }

    pub(super) async fn upgraded_to<T, F, P>(
        &self,
        protocol: &str,
        wire: (AnyIo, AnyIo),
        program: F,
    ) -> (AnyIo, JoinHandle<T>)
    where
        T: Send + 'static,
        F: FnOnce(Raw, Farewell) -> P + Send + 'static,
        P: Future<Output = T> + Send + 'static,
    {
        let (near, mut far) = wire;
        let (sender, started) = tokio::sync::oneshot::channel();
        let waiting = std::sync::Mutex::new(Some((program, sender)));
        self.serve(near, move |mut request, farewell, switched| {
            let (program, sender) = waiting.lock().unwrap().take().expect("one request");
            let (upgrade, answer) = (hyper::upgrade::on(&mut request), switching(&request));
            match request.headers()[UPGRADE].to_str() {
                Ok("websocket") => switched.to_websocket(&farewell),
                _ => switched.to_other(),
            }
            let run = async { program(TokioIo::new(upgrade.await.unwrap()), farewell).await };
            let _nobody_waits = sender.send(tokio::spawn(run));
            std::future::ready(answer)
        });
        ask(&mut far, protocol).await;
        (far, soon(started).await.unwrap())
    }

    /// The same, for a program that speaks WebSocket.
    pub(super) async fn websocket<T, F, P>(&self, program: F) -> (WebSocketStream<AnyIo>, JoinHandle<T>)
    where
        T: Send + 'static,
        F: FnOnce(Socket, Farewell) -> P + Send + 'static,
        P: Future<Output = T> + Send + 'static,
    {
        self.websocket_over(tcp().await, program).await
    }

    pub(super) async fn websocket_over<T, F, P>(
        &self,
        wire: (AnyIo, AnyIo),
        program: F,
    ) -> (WebSocketStream<AnyIo>, JoinHandle<T>)
    where
        T: Send + 'static,
        F: FnOnce(Socket, Farewell) -> P + Send + 'static,
        P: Future<Output = T> + Send + 'static,
    {
        let program = |raw, farewell| async {
            program(WebSocketStream::from_raw_socket(raw, Role::Server, None).await, farewell).await
        };
        let (far, running) = self.upgraded(wire, program).await;
        (WebSocketStream::from_raw_socket(far, Role::Client, None).await, running)
    }
}

fn switching(request: &Request<Incoming>) -> Response<Body> {
    let accept = derive_accept_key(request.headers()[SEC_WEBSOCKET_KEY].as_bytes());
    let answer = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
    let answer = answer.header(UPGRADE, &request.headers()[UPGRADE]).header(CONNECTION, "upgrade");
    answer.header(SEC_WEBSOCKET_ACCEPT, accept).body(Body::empty()).unwrap()
}

/// Asks for a protocol, and reads the head of the answer: not a byte more.
async fn ask(io: &mut AnyIo, protocol: &str) {
    let request = format!(
        "GET / HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\nupgrade: {protocol}\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    io.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(soon(io.read_u8()).await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", head.escape_ascii());
}

/// The server's end and the client's of a connection.
pub(super) async fn tcp() -> (AnyIo, AnyIo) {
    let (near, far) = tcp_streams().await;
    (Box::new(near), Box::new(far))
}

async fn tcp_streams() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (listener.accept().await.unwrap().0, far)
}

pub(super) async fn tls() -> (AnyIo, AnyIo) {
    use tokio_rustls::{TlsAcceptor, TlsConnector, rustls};
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let certificate = made.cert.der().clone();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let server = rustls::ServerConfig::builder().with_no_client_auth();
    let server = server.with_single_cert(vec![certificate], key).unwrap();
    let client = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let (near, far) = tcp_streams().await;
    let (near, far) = tokio::join!(
        TlsAcceptor::from(Arc::new(server)).accept(near),
        TlsConnector::from(Arc::new(client)).connect("localhost".try_into().unwrap(), far),
    );
    (Box::new(near.unwrap()), Box::new(far.unwrap()))
}
