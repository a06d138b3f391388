//! A server of assets, and requests as they are written on the wire.

use std::collections::HashMap;
use std::net::SocketAddr;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rekindle_templates::{Asset, Assets, Encoding};
use rekindle_test::{LIMIT, Running, Site};
use rekindle_web::Files;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

pub(crate) const RED: &str = "a { color: red }";
pub(crate) const BLUE: &str = "a { color: blue }";

/// A site whose `static/` is served. What is dropped ends with it.
pub(crate) struct Served {
    pub(crate) running: Running,
    pub(crate) assets: Assets,
    address: SocketAddr,
    _server: tokio::task::JoinSet<()>,
}

/// An answer, as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }
}

impl Served {
    pub(crate) async fn start(site: Site) -> Self {
        Self::start_with(site, "/static").await
    }

    pub(crate) async fn start_with(site: Site, prefix: &str) -> Self {
        let running = Running::start(site).await;
        let assets = Assets::watch(&running.manager, "static/**").prefix(prefix).await.expect("assets");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let mut server = tokio::task::JoinSet::new();
        server.spawn(serve(listener, Files::new(assets.clone())));
        Self { running, assets, address, _server: server }
    }

    pub(crate) fn site(&self) -> &Site {
        &self.running.site
    }

    pub(crate) fn asset(&self, name: &str) -> Asset {
        self.assets.find(name).expect("an asset")
    }

    /// Waits until an asset has a sibling that is known to be good.
    pub(crate) async fn until_encoded(&self, name: &str, encoding: Encoding) {
        let wait = async {
            while self.asset(name).encoded(encoding).is_none() {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        };
        timeout(LIMIT, wait).await.expect("a sibling in time");
    }

    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, "").await
    }

    pub(crate) async fn get_with(&self, target: &str, headers: &str) -> Answer {
        self.ask("GET", target, headers).await
    }

    /// Writes a request as it stands there, whatever a client would make of it, and reads the answer to its end.
    pub(crate) async fn ask(&self, method: &str, target: &str, headers: &str) -> Answer {
        let headers = headers.lines().map(|line| format!("{line}\r\n")).collect::<String>();
        let head =
            format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n");
        let exchange = async {
            let mut connection = TcpStream::connect(self.address).await.expect("connected");
            connection.write_all(head.as_bytes()).await.expect("written");
            let mut answer = Vec::new();
            connection.read_to_end(&mut answer).await.expect("read");
            answer
        };
        parse(&timeout(LIMIT, exchange).await.expect("an answer in time"))
    }

    /// Sends a request and gives the connection, for answers that are not read at once.
    pub(crate) async fn begin(&self, target: &str) -> TcpStream {
        let mut connection = TcpStream::connect(self.address).await.expect("connected");
        let head = format!("GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        connection.write_all(head.as_bytes()).await.expect("written");
        connection
    }
}

pub(crate) fn parse(answer: &[u8]) -> Answer {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
    let head = std::str::from_utf8(&answer[..end]).expect("a head is ASCII");
    let mut lines = head.split("\r\n");
    let status =
        lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status").parse().expect("digits");
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    Answer { status, headers, body: answer[end + 4..].to_vec() }
}

async fn serve(listener: TcpListener, files: Files) {
    while let Ok((stream, _)) = listener.accept().await {
        let files = files.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let answer = files.answer(request.method(), request.uri(), request.headers());
                async move { Ok::<_, std::convert::Infallible>(answer.await) }
            });
            // A connection that breaks is the test's to notice.
            let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            let _broken = served.await;
        });
    }
}
