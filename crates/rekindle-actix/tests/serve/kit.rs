//! A server with an application of actix-web, on a configuration that a test saves, and its clients.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::App;
use actix_web::web::{Bytes, Data, ServiceConfig};
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rekindle::prelude::*;
use rekindle::service::{Retirement, Supervised};
use rekindle_actix::serve::Workers;
use rekindle_test::{LIMIT, Site};
use rekindle_web::Body;
use rekindle_web::serve::{Bound, ServeConfig, Server};
use tokio::io::{AsyncRead, AsyncWrite};
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

/// What outlives the generations, and what tests see of handlers.
pub(crate) struct Till {
    /// Lets go what waits.
    pub(crate) gate: Semaphore,
    pub(crate) count: AtomicUsize,
    /// What is alive of what a test watches.
    pub(crate) alive: Arc<AtomicUsize>,
}

/// Is counted for as long as it lives.
pub(crate) struct Alive(Arc<AtomicUsize>);

impl Alive {
    pub(crate) fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Till {
    pub(crate) async fn wait(&self) {
        self.gate.acquire().await.expect("it is never closed").forget();
    }

    pub(crate) async fn until_alive(&self, count: usize) {
        until("what lives", || self.alive.load(Ordering::SeqCst) == count).await;
    }
}

/// A server under an engine.
pub(crate) struct Stand {
    pub(crate) server: Supervised<Server<Shop>>,
    pub(crate) till: Data<Till>,
    retirements: broadcast::Receiver<Retirement>,
    receipts: broadcast::Receiver<Receipt>,
    _manager: HotReloadManager,
    site: Site,
}

/// The routes of a test.
pub(crate) type Routes = fn(&mut ServiceConfig, &Shop);

impl Stand {
    /// A server with these routes, on two threads.
    pub(crate) async fn open(routes: Routes) -> Self {
        Self::open_on("hello", routes).await
    }

    pub(crate) async fn open_on(greeting: &str, routes: Routes) -> Self {
        Self::open_in(Site::new().with("config/app.toml", &config(greeting)), routes).await
    }

    /// The same, with this site's configuration.
    pub(crate) async fn open_in(site: Site, routes: Routes) -> Self {
        let builder = HotReload::builder(site.root()).environment("test");
        let manager = builder.debounce(Duration::from_millis(1)).start().await.expect("the engine starts");
        let (gate, count, alive) = (Semaphore::new(0), AtomicUsize::new(0), Arc::default());
        let till = Data::new(Till { gate, count, alive });
        let server = Server::building({
            let till = till.clone();
            move |shop: &Shop| {
                let (shop, till) = (shop.clone(), till.clone());
                Workers::new(2).start(move || {
                    App::new().app_data(till.clone()).configure(|config| routes(config, &shop))
                })
            }
        });
        let server = server.at("/server").start(&manager, "app", "").await.expect("the server starts");
        let (retirements, receipts) = (server.retirements(), manager.receipts());
        Self { server, till, retirements, receipts, _manager: manager, site }
    }

    /// Saves the configuration with another greeting, and gives the receipt of the reload.
    pub(crate) async fn save(&mut self, greeting: &str) -> Receipt {
        self.site.replace("config/app.toml", &config(greeting));
        soon("a reload", self.receipts.recv()).await.expect("the engine runs")
    }

    /// Saves what is applied, and waits until the last generation has ended.
    pub(crate) async fn go_over(&mut self, greeting: &str) {
        let receipt = self.save(greeting).await;
        assert!(receipt.is_applied(), "{:?}", receipt.refusals());
        soon("a retirement", self.retirements.recv()).await.expect("the server is supervised");
    }

    pub(crate) async fn stream(&self) -> TcpStream {
        let Some(Bound::Tcp(address)) = self.server.load().address("web") else { panic!("it listens there") };
        TcpStream::connect(address).await.expect("a connection")
    }

    /// A connection that is kept alive.
    pub(crate) async fn client(&self) -> Client {
        Client::over(self.stream().await).await
    }

    /// A connection over HTTP/2, without TLS.
    pub(crate) async fn client_http2(&self) -> http2::SendRequest<Body> {
        let stream = TokioIo::new(self.stream().await);
        let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.expect("a handshake");
        tokio::spawn(connection);
        sender
    }
}

/// A connection over HTTP/1.1 that is kept alive.
pub(crate) struct Client(http1::SendRequest<Body>);

impl Client {
    pub(crate) async fn over(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("a handshake");
        tokio::spawn(connection);
        Self(sender)
    }

    pub(crate) async fn get(&mut self, path: &str) -> Response<Incoming> {
        self.send(Request::get(path)).await
    }

    pub(crate) async fn text(&mut self, path: &str) -> String {
        text(self.get(path).await).await
    }

    /// The whole body, or what is wrong with it or the answer.
    pub(crate) async fn whole(&mut self, path: &str) -> hyper::Result<Bytes> {
        let request = Request::get(path).header("host", "shop.example").body(Body::empty());
        let asking = self.0.send_request(request.expect("a request"));
        let whole = soon("the body", async { asking.await?.into_body().collect().await }).await?;
        Ok(whole.to_bytes())
    }

    pub(crate) async fn send(&mut self, request: http::request::Builder) -> Response<Incoming> {
        self.post(request, Body::empty()).await
    }

    pub(crate) async fn post(&mut self, request: http::request::Builder, body: Body) -> Response<Incoming> {
        let request = request.header("host", "shop.example").body(body).expect("a request");
        soon("to be ready", self.0.ready()).await.expect("the connection is kept");
        soon("an answer", self.0.send_request(request)).await.expect("an answer")
    }
}

pub(crate) async fn text(response: Response<Incoming>) -> String {
    let body = soon("the body", response.into_body().collect()).await.expect("a whole body");
    String::from_utf8(body.to_bytes().into()).expect("text")
}

/// Waits for what is bound to come, not for ever.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// Waits until it is so.
pub(crate) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let looking = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    soon(what, looking).await;
}

/// Waits until a count grows no more. One that is only slow is taken to rest, too: that fails no test.
pub(crate) async fn at_rest(count: &AtomicUsize) -> usize {
    loop {
        let before = count.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(150)).await;
        if before > 0 && count.load(Ordering::SeqCst) == before {
            return before;
        }
    }
}

fn config(greeting: &str) -> String {
    format!("greeting = '{greeting}'\n[server]\nlisten.web = '127.0.0.1:0'\ntimeouts.lame_duck = '100ms'\n")
}
