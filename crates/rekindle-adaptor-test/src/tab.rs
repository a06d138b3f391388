//! [`Tab`]: an open page, as the client in a browser has it.

use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::Server;
use crate::server::soon;

/// What a tag says of its page.
#[derive(Debug)]
pub(crate) struct Tag {
    pub(crate) token: String,
    pub(crate) revision: String,
    /// The templates, in a short form, and whether the page answers a post.
    pub(crate) rest: Vec<String>,
}

impl Tag {
    /// The one tag of a page.
    ///
    /// # Panics
    ///
    /// When it has none, or several.
    pub(crate) fn of(page: &str) -> Self {
        let found: Vec<&str> = page.split("<script src=\"/_rekindle/live.js?").skip(1).collect();
        let [tag] = found[..] else { panic!("not one tag in {page}") };
        let mut parts = tag.split('"').next().expect("an address").split('.').map(str::to_owned);
        let mut next = || parts.next().expect("a token and a revision");
        Self { token: next(), revision: next(), rest: parts.collect() }
    }
}

/// An open page, and its socket.
#[derive(Debug)]
pub struct Tab {
    socket: WebSocketStream<TcpStream>,
    /// What is wrong, as it was told in the beginning.
    pub(crate) problems: Value,
}

impl Tab {
    /// A socket, if it is let in.
    pub(crate) async fn connect(
        server: &Server,
        token: &str,
    ) -> Result<WebSocketStream<TcpStream>, StatusCode> {
        let uri = format!("ws://{}/_rekindle/socket?token={token}", server.address);
        let stream = TcpStream::connect(server.address).await.expect("the server is there");
        match soon(tokio_tungstenite::client_async(uri, stream)).await {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(answer)) => Err(answer.status()),
            Err(error) => panic!("{error}"),
        }
    }

    /// The socket of a page, which has said hello and what is shown.
    pub(crate) async fn open(server: &Server, page: &str) -> Self {
        let tag = Tag::of(page);
        let socket = Self::connect(server, &tag.token).await.expect("it is let in");
        let mut tab = Self { socket, problems: Value::Null };
        tab.say(&json!({"command": "hello", "protocols": ["urn:rekindle:live:1"], "token": tag.token})).await;
        assert_eq!(tab.hear().await["command"], "hello");
        tab.problems = tab.hear().await["problems"].take();
        let shown = json!({"command": "page", "id": 1, "revision": tag.revision, "templates": tag.rest});
        tab.say(&shown).await;
        assert_eq!(tab.hear().await["updates"], json!([]), "a page that was just made is up to date");
        tab
    }

    pub(crate) async fn say(&mut self, message: &Value) {
        self.say_text(&message.to_string()).await;
    }

    pub(crate) async fn say_text(&mut self, text: &str) {
        soon(self.socket.send(Message::text(text))).await.expect("it is sent");
    }

    /// The next message.
    pub(crate) async fn hear(&mut self) -> Value {
        let message = soon(self.socket.next()).await.expect("no end").expect("no error");
        serde_json::from_str(message.to_text().expect("a text")).expect("JSON")
    }

    /// Why the other side ends it.
    pub(crate) async fn end(&mut self) -> Option<CloseFrame> {
        match soon(self.socket.next()).await {
            Some(Ok(Message::Close(frame))) => frame,
            other => panic!("{other:?} came"),
        }
    }

    /// Leaves as a browser does.
    pub(crate) async fn close(mut self) {
        soon(self.socket.close(None)).await.expect("it can be said");
        while let Some(Ok(_)) = soon(self.socket.next()).await {}
    }
}
