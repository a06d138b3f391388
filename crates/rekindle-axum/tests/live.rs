//! A real server, real files, and a browser's side of the socket.

use axum::{Router, extract::State, response::Html, routing::get};
use futures_util::{SinkExt, StreamExt};
use rekindle::{HotReload, Live};
use rekindle_axum::{Config, RouterExt};
use rekindle_templates::{MiniJinja, Templates};
use rekindle_test::LIMIT;
use rekindle_web::LiveReload;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

#[derive(Debug, Clone, serde::Deserialize)]
struct Site {
    title: String,
}

#[derive(Clone)]
struct App {
    site: Live<Site>,
    templates: Templates<MiniJinja>,
}

impl axum::extract::FromRef<App> for Live<Site> {
    fn from_ref(app: &App) -> Self {
        app.site.clone()
    }
}

async fn page(site: Config<Site>, State(app): State<App>) -> Html<String> {
    Html(
        app.templates
            .render("page.html", &json!({"title": site.title}))
            .unwrap_or_else(|error| error.to_string()),
    )
}

struct Server {
    root: tempfile::TempDir,
    address: std::net::SocketAddr,
}

impl Server {
    async fn start() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("config")).unwrap();
        std::fs::create_dir_all(root.path().join("templates")).unwrap();
        let server = Self { root, address: ([127, 0, 0, 1], 0).into() };
        server.write("config/site.toml", "title = 'One'");
        server.write(
            "templates/page.html",
            "<html><head></head><body>{{ title }}{% include 'part.html' %}</body></html>",
        );
        server.write("templates/part.html", "<p>part</p>");
        server.write("templates/other.html", "other");
        server.serve().await
    }

    async fn serve(mut self) -> Self {
        let manager = HotReload::builder(self.root.path()).start().await.unwrap();
        let templates = Templates::<MiniJinja>::watch(&manager, "templates/**").await.unwrap();
        let site = manager.watch("site").await.unwrap().live();
        let live = LiveReload::builder(&manager).templates(&templates).in_release(true).start().unwrap();
        let app = Router::new().route("/", get(page)).with_state(App { site, templates }).live_reload(&live);
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        self
    }

    fn write(&self, path: &str, text: &str) {
        std::fs::write(self.root.path().join(path), text).unwrap();
    }

    async fn get(&self, path: &str) -> String {
        let mut connection = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address);
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// A page as a browser opens it.
    async fn open(&self) -> Tab {
        let page = self.get("/").await;
        let address =
            page.split("src=\"/_rekindle/live.js?").nth(1).expect("the tag").split('"').next().unwrap();
        let mut parts = address.split('.').map(str::to_owned);
        let (token, revision) = (parts.next().unwrap(), parts.next().unwrap());
        let templates: Vec<String> = parts.collect();
        let uri = format!("ws://{}/_rekindle/socket?token={token}", self.address);
        let connection = TcpStream::connect(self.address).await.unwrap();
        let (socket, _) = tokio_tungstenite::client_async(uri, connection).await.expect("a socket");
        let mut tab = Tab { socket };
        tab.say(&json!({"command": "hello", "protocols": ["urn:rekindle:live:1"], "token": token})).await;
        assert_eq!(tab.hear().await["command"], "hello");
        assert_eq!(tab.hear().await["problems"], json!([]));
        tab.say(&json!({"command": "page", "id": 1, "revision": revision, "templates": templates})).await;
        assert_eq!(tab.hear().await["updates"], json!([]));
        tab
    }
}

struct Tab {
    socket: WebSocketStream<TcpStream>,
}

impl Tab {
    async fn say(&mut self, message: &Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        let message = tokio::time::timeout(LIMIT, self.socket.next()).await.expect("a message in time");
        serde_json::from_str(message.unwrap().unwrap().to_text().unwrap()).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_is_told_to_the_pages_that_it_concerns() {
    let server = Server::start().await;
    let mut tab = server.open().await;
    server.write("templates/part.html", "<p>another</p>");
    assert_eq!(tab.hear().await["updates"], json!([{"kind": "page"}]));
    assert!(server.get("/").await.contains("<p>another</p>"));
    server.write("templates/other.html", "of no concern");
    assert_eq!(tab.hear().await["updates"], json!([]));
    server.write("config/site.toml", "title = 'Two'");
    assert_eq!(tab.hear().await["updates"], json!([{"kind": "page"}]));
    assert!(server.get("/").await.contains("Two"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_is_told_until_it_is_mended() {
    let server = Server::start().await;
    let mut tab = server.open().await;
    server.write("templates/part.html", "<p>{% if %}</p>");
    let told = tab.hear().await;
    assert_eq!(told["problems"][0]["file"], "templates/part.html");
    assert_eq!(told["problems"][0]["line"], 1);
    assert!(server.get("/").await.contains("<p>part</p>"), "the last good one is shown");
    server.write("templates/part.html", "<p>part</p>");
    assert_eq!(tab.hear().await["problems"], json!([]));
    server.write("config/site.toml", "title = ");
    let told = tab.hear().await;
    assert_eq!(told["problems"][0]["id"], "config:site");
    assert_eq!(told["problems"][0]["file"], "config/site.toml");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_and_the_scripts_are_there() {
    let server = Server::start().await;
    for path in [
        "/_rekindle/",
        "/_rekindle/live.js",
        "/_rekindle/worker.js",
        "/livereload.js",
        "/_rekindle/dashboard.css",
    ] {
        let answer = server.get(path).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{path}: {answer}");
    }
    for path in ["/_rekindle/events", "/_rekindle/poll?token=AAAAAAAAAAAAAAAA"] {
        let answer = server.get(path).await;
        assert!(answer.starts_with("HTTP/1.1 403 Forbidden"), "{path}: {answer}");
    }
}
