//! [`Server`]: a running server, and the requests to it.

use std::net::{SocketAddr, TcpListener};

use bytes::Bytes;
use http::{Request, Response, request};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rekindle::HotReload;
use rekindle_templates::{Assets, MiniJinja, Templates};
use rekindle_test::{LIMIT, Site};
use rekindle_web::LiveReload;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::{Program, Tab};

/// Has a framework serve a program.
pub type Start = fn(&Program, TcpListener);

/// A program that is served, on a site of its own.
#[derive(Debug)]
pub struct Server {
    /// Its files.
    pub site: Site,
    /// What is served.
    pub program: Program,
    /// Where it is.
    pub address: SocketAddr,
}

/// Waits for something that is bound to happen.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(LIMIT, what).await.expect("it happens in time")
}

impl Server {
    /// Has it served.
    ///
    /// # Panics
    ///
    /// When something fails, as all of it does.
    pub async fn start(serve: Start) -> Self {
        let site = site();
        let program = program(&site).await.expect("the program starts");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("it can be set");
        let address = listener.local_addr().expect("an address");
        serve(&program, listener);
        Self { site, program, address }
    }

    /// A request to it, as a browser would begin one.
    pub fn request(&self, method: &str, path: &str) -> request::Builder {
        Request::builder().method(method).uri(path).header("host", self.address.to_string())
    }

    /// The whole answer to a request.
    pub(crate) async fn ask(&self, request: request::Builder, body: impl Into<Bytes>) -> Response<Bytes> {
        let (parts, body) = self.send(request, body).await.into_parts();
        let body = soon(body.collect()).await.expect("a whole answer").to_bytes();
        Response::from_parts(parts, body)
    }

    /// The answer to a request, whose body is still to come.
    pub async fn send(&self, request: request::Builder, body: impl Into<Bytes>) -> Response<Incoming> {
        let stream = TcpStream::connect(self.address).await.expect("the server is there");
        let (mut client, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("a connection");
        tokio::spawn(connection);
        let request = request.body(Full::new(body.into())).expect("a request");
        soon(client.send_request(request)).await.expect("an answer")
    }

    /// What is at a path.
    pub async fn get(&self, path: &str) -> Response<String> {
        let answer = self.ask(self.request("GET", path), "").await;
        answer.map(|body| String::from_utf8(body.to_vec()).expect("UTF-8"))
    }

    /// A page as a browser opens it, with its end of the socket.
    pub(crate) async fn open(&self, path: &str) -> Tab {
        Tab::open(self, self.get(path).await.body()).await
    }
}

fn site() -> Site {
    Site::new()
        .with("config/site.toml", "title = 'One'")
        .with(
            "templates/page.html",
            "<!doctype html><head></head><body>{{ title }}{% include 'part.html' %}</body>",
        )
        .with("templates/part.html", "<p>part</p>")
        .with("templates/other.html", "other")
        .with("templates/broken.html", "<!doctype html><head></head><body>{% if %}</body>")
        .with("static/app.css", "a { color: red }")
}

async fn program(site: &Site) -> rekindle::Result<Program> {
    let manager = HotReload::builder(site.root()).start().await?;
    let templates = Templates::<MiniJinja>::watch(&manager, "templates/**").await?;
    let assets = Assets::watch(&manager, "static/**").await?;
    let live =
        LiveReload::builder(&manager).templates(&templates).assets(&assets).in_release(true).start()?;
    Ok(Program {
        site: manager.watch("site").await?.live(),
        root: site.root().to_owned(),
        gate: Semaphore::new(0).into(),
        templates,
        assets,
        live,
    })
}
