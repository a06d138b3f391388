//! A server on a configuration that a test saves, and a client that looks closely.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::Response;
use axum::response::sse::{Event, Sse};
use axum::routing::{any, get};
use axum::{Extension, Router};
use futures_core::Stream;
use rekindle::prelude::*;
use rekindle::service::{Retirement, Supervised};
use rekindle_test::{LIMIT, Site};
use rekindle_web::serve::{Bound, Origin, ServeConfig, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, broadcast};

/// What the server is built from.
#[derive(serde::Deserialize, Clone)]
pub(crate) struct Shop {
    server: ServeConfig,
    pub(crate) greeting: String,
}

impl AsRef<ServeConfig> for Shop {
    fn as_ref(&self) -> &ServeConfig {
        &self.server
    }
}

/// What outlives the generations.
#[derive(Clone)]
pub(crate) struct Till {
    /// Lets answers go that wait.
    pub(crate) gate: Arc<Semaphore>,
}

/// A server under an engine.
pub(crate) struct Stand {
    pub(crate) server: Supervised<Server<Shop>>,
    pub(crate) till: Till,
    pub(crate) retirements: broadcast::Receiver<Retirement>,
    receipts: broadcast::Receiver<Receipt>,
    _manager: HotReloadManager,
    pub(crate) site: Site,
}

fn router(shop: &Shop, till: &Till) -> Router {
    let Shop { greeting, .. } = shop.clone();
    let health = if greeting == "ill" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let slow = async |State(till): State<Till>| {
        till.gate.acquire().await.expect("it is never closed").forget();
        "at last"
    };
    // What is made of the configuration in three places, for whoever wants to see that they belong together.
    let (route, limit) = (greeting.clone(), shop.server.limits.streams.saturating_sub(100));
    let whole = async move |Extension(greeting): Extension<Greeting>| {
        format!("route={route} greeting={} limit={limit} {}", greeting.0, "x".repeat(1000))
    };
    Router::new()
        .route(
            "/",
            get({
                let greeting = greeting.clone();
                async || greeting
            }),
        )
        .route("/whole", get(whole))
        .route("/count/socket", any(counting_socket))
        .route("/count/events", get(counting_events))
        .layer(Extension(Greeting(greeting)))
        .route("/health", get(async move || health))
        .route("/slow", get(slow))
        .route("/panic", get(panics))
        .route("/origin", get(origin))
        .with_state(till.clone())
}

#[derive(Clone)]
struct Greeting(String);

/// How often is counted.
const BEAT: Duration = Duration::from_millis(5);

async fn counting_socket(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async |mut socket| {
        for number in 0_u64.. {
            tokio::select! {
                // The answer to a Close frame is written by a further read.
                message = socket.recv() => if message.is_none() { return },
                () = tokio::time::sleep(BEAT) => {
                    if socket.send(Message::Text(number.to_string().into())).await.is_err() {
                        return;
                    }
                }
            }
        }
    })
}

async fn counting_events() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(futures_util::stream::unfold(0_u64, async |number| {
        tokio::time::sleep(BEAT).await;
        Some((Ok(Event::default().data(number.to_string())), number + 1))
    }))
}

async fn panics() -> &'static str {
    panic!("the kettle fell")
}

async fn origin(Extension(origin): Extension<Origin>) -> String {
    format!("{} {} {}", origin.listener, origin.tls, origin.peer.is_some())
}

impl Stand {
    pub(crate) async fn open(config: &str) -> Self {
        Self::open_on(Site::new(), config).await
    }

    pub(crate) async fn open_on(site: Site, config: &str) -> Self {
        let site = site.with("config/app.toml", config);
        let manager =
            HotReload::builder(site.root()).environment("test").start().await.expect("the engine starts");
        let till = Till { gate: Arc::new(Semaphore::new(0)) };
        let server = Server::new({
            let till = till.clone();
            move |shop: &Shop| Ok(router(shop, &till))
        });
        let server = server.at("/server").start(&manager, "app", "").await.expect("the server starts");
        let (retirements, receipts) = (server.retirements(), manager.receipts());
        Self { server, till, retirements, receipts, _manager: manager, site }
    }

    /// Saves the configuration, and gives the receipt of the reload.
    pub(crate) async fn save(&mut self, config: &str) -> Receipt {
        self.site.replace("config/app.toml", config);
        soon("a reload", self.receipts.recv()).await.expect("the engine runs")
    }

    /// Saves what is applied, and waits until the server has gone over to it.
    pub(crate) async fn go_over(&mut self, config: &str) {
        let receipt = self.save(config).await;
        assert!(receipt.is_applied(), "{:?}", receipt.refusals());
        soon("the change", async {
            while self.server.generation() < receipt.generation {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Saves what is refused, and gives the one refusal.
    pub(crate) async fn refused(&mut self, config: &str) -> String {
        let receipt = self.save(config).await;
        assert!(!receipt.is_applied(), "{receipt:?}");
        receipt.refusals()[0].error.to_string()
    }

    pub(crate) fn address(&self, name: &str) -> Bound {
        self.server.load().address(name).expect("it listens there")
    }

    pub(crate) async fn client(&self, name: &str) -> Client {
        Client::to(&self.address(name)).await.expect("a connection")
    }

    /// Waits until so many requests are under way.
    pub(crate) async fn under_way(&self, count: usize) {
        soon("the requests", async {
            while self.server.load().requests() != count {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Waits for the next generation that has ended.
    pub(crate) async fn retired(&mut self) -> Retirement {
        soon("a retirement", self.retirements.recv()).await.expect("the server is supervised")
    }
}

/// A connection that is kept alive.
pub(crate) struct Client(TcpStream);

impl Client {
    pub(crate) async fn to(bound: &Bound) -> std::io::Result<Self> {
        let Bound::Tcp(address) = bound else { panic!("no TCP: {bound}") };
        TcpStream::connect(address).await.map(Self)
    }

    pub(crate) async fn ask(&mut self, path: &str) -> Answer {
        self.send(path).await;
        self.answer().await
    }

    pub(crate) async fn send(&mut self, path: &str) {
        self.send_raw(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
    }

    pub(crate) async fn send_raw(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.expect("it is written");
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
        let whole = soon("an answer", async {
            loop {
                if let Some(answer) = Answer::whole(&text) {
                    return answer;
                }
                match self.0.read(&mut buffer).await {
                    Ok(0) => panic!("it ended after {:?}", String::from_utf8_lossy(&text)),
                    Ok(read) => text.extend_from_slice(&buffer[..read]),
                    Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&text)),
                }
            }
        });
        whole.await
    }

    /// Waits until the server closes it, without a word.
    pub(crate) async fn ends(&mut self) {
        let mut rest = Vec::new();
        soon("the end", self.0.read_to_end(&mut rest)).await.expect("a proper end");
        assert_eq!(String::from_utf8_lossy(&rest), "");
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) closes: bool,
    pub(crate) body: String,
}

impl Answer {
    fn whole(text: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(text);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let head = head.to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().expect("a length"));
        let closes = head.contains("connection: close");
        (body.len() >= length).then(|| Self { status, closes, body: body.to_owned() })
    }
}

/// Waits for what is bound to come, not for ever.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// A configuration with one listener and these further lines of `[server]`.
pub(crate) fn with(lines: &str) -> String {
    format!(
        "greeting = 'hello'\n[server]\nlisten.web = '127.0.0.1:0'\ntimeouts.lame_duck = '100ms'\n{lines}\n"
    )
}

/// A configuration with these listeners.
pub(crate) fn config(greeting: &str, listen: &str) -> String {
    format!(
        "greeting = '{greeting}'\n[server]\nhealth = '/health'\ntimeouts.lame_duck = '100ms'\n[server.listen]\n{listen}\n"
    )
}

/// An address that was free a moment ago. No client of a test has it: those are at 127.0.0.1.
pub(crate) fn free() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.2:0").expect("a port");
    listener.local_addr().expect("it is bound").to_string()
}
