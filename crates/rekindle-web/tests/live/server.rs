//! A server with live reload around a small program, and clients of it.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rekindle::HotReloadManager;
use rekindle_test::{LIMIT, Site};
use rekindle_web::{Change, LiveReload, LiveReloadBuilder, Problem, Update};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tower_layer::Layer;

pub(crate) const OWN: &str = "urn:rekindle:live:1";
pub(crate) const LIVERELOAD: &str = "http://livereload.com/protocols/official-7";

/// Waits for something that is bound to happen.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(LIMIT, what).await.expect("it happens in time")
}

/// A server, for as long as it is there.
pub(crate) struct Server {
    pub(crate) live: LiveReload,
    pub(crate) address: SocketAddr,
    pub(crate) manager: HotReloadManager,
    pub(crate) _connections: JoinSet<()>,
}

impl Server {
    /// On a free port, with an engine on a site.
    pub(crate) async fn start(site: &Site) -> Self {
        Self::start_with(site, |builder| builder).await
    }

    pub(crate) async fn start_with(
        site: &Site,
        options: impl FnOnce(LiveReloadBuilder) -> LiveReloadBuilder,
    ) -> Self {
        let manager = rekindle::HotReload::builder(site.root()).start().await.expect("the engine starts");
        let live = options(LiveReload::builder(&manager)).start().expect("live reload starts");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let mut connections = JoinSet::new();
        connections.spawn(accept(listener, live.clone()));
        Self { live, address, manager, _connections: connections }
    }

    /// An answer to a request, as the whole text.
    pub(crate) async fn ask(&self, request: Request<Full<Bytes>>) -> Response<String> {
        let (parts, body) = self.send(request).await.into_parts();
        let body = soon(body.collect()).await.expect("a whole answer").to_bytes();
        Response::from_parts(parts, String::from_utf8(body.to_vec()).expect("UTF-8"))
    }

    /// An answer to a request whose body is still to come.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Response<Incoming> {
        let stream = TcpStream::connect(self.address).await.expect("the server is there");
        let (mut client, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("a connection");
        tokio::spawn(connection);
        soon(client.send_request(request)).await.expect("an answer")
    }

    pub(crate) fn get(&self, path: &str) -> http::request::Builder {
        Request::get(path).header("host", self.address.to_string())
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The token, as a page of before asks for it.
    pub(crate) async fn token(&self) -> String {
        let request = Request::post("/_rekindle/renew")
            .header("host", self.address.to_string())
            .header("origin", self.origin());
        let answer = self.ask(request.body(Full::default()).unwrap()).await;
        let answer: Value = serde_json::from_str(answer.body()).expect("JSON");
        answer["token"].as_str().expect("a token").to_owned()
    }

    /// The client's tag in the program's page: the revision and the templates.
    pub(crate) async fn page(&self) -> (String, Vec<String>) {
        let page = self.ask(self.get("/").body(Full::default()).unwrap()).await;
        let tag =
            page.body().split("live.js?").nth(1).and_then(|rest| rest.split('"').next()).expect("a tag");
        let mut parts = tag.split('.').skip(1).map(str::to_owned);
        (parts.next().expect("a revision"), parts.collect())
    }

    /// A WebSocket, if it is let in.
    pub(crate) async fn socket(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Client, StatusCode> {
        Client::connect(self.address, path, headers).await
    }

    /// A client that has said hello and was told that nothing is wrong.
    pub(crate) async fn client(&self) -> Client {
        self.client_with(&self.token().await).await
    }

    pub(crate) async fn client_with(&self, token: &str) -> Client {
        let path = format!("/_rekindle/socket?token={token}");
        let mut client = self.socket(&path, &[("origin", &self.origin())]).await.expect("it is let in");
        client.send(json!({"command": "hello", "protocols": [OWN], "token": token})).await;
        assert_eq!(client.next().await["protocols"], json!([OWN]));
        assert_eq!(client.next().await["problems"], json!([]));
        client
    }

    /// Has what a page is rendered from changed.
    pub(crate) fn page_changes(&self) {
        let update = Update::Page { templates: vec!["page.html".to_owned()] };
        self.live.publish([Change { resource: "page.html".to_owned(), content: Some(2), update }]);
    }

    /// Has a stylesheet changed.
    pub(crate) fn style(&self, name: &str, content: u64) {
        let address = format!("/{name}.css");
        let update = Update::Style { old: address.clone(), new: address };
        self.live.publish([Change { resource: name.to_owned(), content: Some(content), update }]);
    }
}

async fn accept(listener: TcpListener, live: LiveReload) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let service = TowerToHyperService::new(live.layer().layer(Program));
        tokio::spawn(async move {
            let http = hyper::server::conn::http1::Builder::new();
            let _broken = http.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
        });
    }
}

/// The program.
#[derive(Clone)]
struct Program;

impl tower_service::Service<Request<Incoming>> for Program {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        std::future::ready(Ok(program(request.uri().path())))
    }
}

fn program(path: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from("<!doctype html><head><title>A page</title></head><p>Hello"));
    response.headers_mut().insert("content-type", "text/html; charset=utf-8".parse().unwrap());
    if path == "/dead-end" {
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    }
    if path == "/broken" {
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response.extensions_mut().insert(Problem::new(
            "template:a.html",
            "Template error",
            "<b> is not closed",
        ));
    }
    response
}

/// The other end of a WebSocket.
pub(crate) struct Client {
    socket: WebSocketStream<TcpStream>,
}

impl Client {
    pub(crate) async fn connect(
        address: SocketAddr,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, StatusCode> {
        let mut request = format!("ws://{address}{path}").into_client_request().expect("an address");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        let stream = TcpStream::connect(address).await.expect("the server is there");
        match soon(tokio_tungstenite::client_async(request, stream)).await {
            Ok((socket, _)) => Ok(Self { socket }),
            Err(Error::Http(answer)) => Err(answer.status()),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn send(&mut self, message: Value) {
        self.send_text(message.to_string()).await;
    }

    pub(crate) async fn send_text(&mut self, text: String) {
        soon(self.socket.send(Message::Text(text.into()))).await.expect("it is sent");
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            match soon(self.socket.next()).await.expect("no end").expect("no error") {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                Message::Ping(_) => {}
                other => panic!("{other:?} came"),
            }
        }
    }

    /// Why the connection was closed.
    pub(crate) async fn closed(&mut self) -> Option<CloseFrame> {
        loop {
            match soon(self.socket.next()).await {
                Some(Ok(Message::Close(frame))) => return frame,
                Some(Ok(_)) => {}
                None | Some(Err(_)) => return None,
            }
        }
    }

    /// Says what a page shows, and hears what it has to do.
    pub(crate) async fn show(&mut self, id: u32, revision: &str) -> Value {
        self.send(json!({"command": "page", "id": id, "revision": revision, "path": "/"})).await;
        self.next().await
    }
}
