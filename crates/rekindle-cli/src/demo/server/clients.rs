//! The demo's clients: they ask without a pause over connections that are kept, and count.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rekindle::service::Supervised;
use rekindle_web::serve::{Bound, Server};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::site::{GREETINGS, Site};

/// How many ask at a time.
const CLIENTS: usize = 4;

/// Between two looks for a server that is about to be there, and after a failure.
const PAUSE: Duration = Duration::from_millis(1);

/// An error of any kind, to be told.
type Failure = Box<dyn Error + Send + Sync>;

/// What clients were answered.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Whole answers, and right ones.
    pub(super) answers: usize,
    /// Why there was none, for each that failed.
    pub(super) failures: Vec<String>,
}

impl Tally {
    /// Whether there were answers, and nothing failed.
    pub(super) fn is_good(&self) -> bool {
        self.answers > 0 && self.failures.is_empty()
    }
}

/// Clients that ask.
pub(super) struct Clients {
    clients: JoinSet<Tally>,
    end: CancellationToken,
}

impl Clients {
    /// Starts them.
    pub(super) fn start(server: &Arc<Supervised<Server<Site>>>) -> Self {
        let (mut clients, end) = (JoinSet::new(), CancellationToken::new());
        for _ in 0..CLIENTS {
            clients.spawn(ask_until(Arc::clone(server), end.clone()));
        }
        Self { clients, end }
    }

    /// Lets each finish its request. What it came to for all of them.
    pub(super) async fn stop(self) -> Tally {
        self.end.cancel();
        let mut sum = Tally::default();
        for tally in self.clients.join_all().await {
            sum.answers += tally.answers;
            sum.failures.extend(tally.failures);
        }
        sum
    }
}

/// Asks over one connection for as long as it is kept, then over another, to where the server listens by then.
async fn ask_until(server: Arc<Supervised<Server<Site>>>, end: CancellationToken) -> Tally {
    let (mut tally, mut connection) = (Tally::default(), None);
    while !end.is_cancelled() {
        match ask_once(&server, connection.take()).await {
            Ok(kept) => {
                tally.answers += 1;
                connection = kept;
            }
            Err(failure) => {
                tally.failures.push(failure.to_string());
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    tally
}

/// Asks, and checks the answer. The connection, if it is kept.
async fn ask_once(
    server: &Supervised<Server<Site>>,
    kept: Option<Connection>,
) -> Result<Option<Connection>, Failure> {
    let mut connection = match kept {
        Some(connection) => connection,
        None => Connection::open(address(server)?).await?,
    };
    let answer = connection.ask().await?;
    match GREETINGS.iter().any(|greeting| answer == *greeting) {
        true => Ok(Some(connection).filter(Connection::is_kept)),
        false => Err(format!("answered {:?}", String::from_utf8_lossy(&answer)).into()),
    }
}

fn address(server: &Supervised<Server<Site>>) -> Result<SocketAddr, Failure> {
    match server.load().address("web") {
        Some(Bound::Tcp(address)) => Ok(address),
        _ => Err("it listens nowhere".into()),
    }
}

/// Asks at a port until it answers so.
pub(super) async fn until_answered(port: u16, greeting: &str) {
    let address = (Ipv4Addr::LOCALHOST, port).into();
    let ask = async || Connection::open(address).await?.ask().await;
    while !ask().await.is_ok_and(|answer| answer == greeting) {
        tokio::time::sleep(PAUSE).await;
    }
}

/// A connection over which is asked, one after the other.
struct Connection {
    sender: SendRequest<Empty<Bytes>>,
    /// Whether the last answer asked to close it.
    is_told_to_close: bool,
}

impl Connection {
    async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let (sender, connection) = http1::handshake(TokioIo::new(TcpStream::connect(address).await?)).await?;
        // What goes wrong with it, the request that it goes wrong for is told.
        tokio::spawn(async { drop(connection.await) });
        Ok(Self { sender, is_told_to_close: false })
    }

    async fn ask(&mut self) -> Result<Bytes, Failure> {
        let mut request = Request::new(Empty::new());
        request.headers_mut().insert(HOST, HeaderValue::from_static("localhost"));
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        if !answer.status().is_success() {
            return Err(format!("answered {}", answer.status()).into());
        }
        let close = answer.headers().get(http::header::CONNECTION);
        self.is_told_to_close = close.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
        Ok(answer.into_body().collect().await?.to_bytes())
    }

    fn is_kept(&self) -> bool {
        !self.is_told_to_close
    }
}
