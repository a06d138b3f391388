//! [`Tab`]: what an open page says and hears, by `docs/protocol.md`.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::Dev;
use super::http::Answer;
use crate::support::LIMIT;

const DIALECT: &str = "urn:rekindle:live:1";

/// What the script's address says: `TOKEN.REVISION.T1.T2`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tag {
    pub(crate) token: String,
    pub(crate) revision: String,
    pub(crate) templates: Vec<String>,
}

impl Tag {
    /// Of a page, which has exactly one.
    pub(crate) fn of(page: &Answer) -> Self {
        let mut found = page.body.split("/_rekindle/live.js?").skip(1);
        let address = found.next().unwrap_or_else(|| panic!("no tag: {page:?}"));
        assert!(found.next().is_none(), "two tags: {page:?}");
        let mut parts = address.split('"').next().unwrap().split('.').map(String::from);
        let (token, revision) = (parts.next().unwrap(), parts.next().unwrap());
        Self { token, revision, templates: parts.collect() }
    }
}

/// An open page.
pub(crate) struct Tab {
    socket: WebSocketStream<TcpStream>,
}

impl Tab {
    /// Opens a page, and its connection.
    pub(crate) async fn open(dev: &Dev, path: &str) -> Self {
        let page = dev.get(path);
        Self::of(dev, &Tag::of(&page)).await
    }

    /// The connection of a page.
    pub(crate) async fn of(dev: &Dev, tag: &Tag) -> Self {
        let stream = TcpStream::connect(&dev.address).await.unwrap();
        let mut request = format!("ws://{}/_rekindle/socket?token={}", dev.address, tag.token)
            .into_client_request()
            .unwrap();
        request.headers_mut().insert("origin", format!("http://{}", dev.address).parse().unwrap());
        let (socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
        let mut tab = Self { socket };
        tab.say(&json!({"command": "hello", "protocols": [DIALECT], "token": tag.token})).await;
        tab.say(&json!({"command": "page", "id": 1, "revision": tag.revision, "templates": tag.templates}))
            .await;
        tab
    }

    async fn say(&mut self, message: &Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The next updates that there are, in short: `style /static/app.css`, `page`.
    pub(crate) async fn updates(&mut self) -> Vec<String> {
        loop {
            let message = self.message("updates").await;
            let updates = message["updates"].as_array().unwrap().iter().map(brief).collect::<Vec<_>>();
            if !updates.is_empty() {
                return updates;
            }
        }
    }

    /// The next list of problems that fits.
    pub(crate) async fn problems(&mut self, fits: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        loop {
            let message = self.message("problems").await;
            let problems = message["problems"].as_array().unwrap().clone();
            if fits(&problems) {
                return problems;
            }
        }
    }

    /// The next message of a kind; those before it are passed over.
    async fn message(&mut self, command: &str) -> Value {
        let wait = async {
            loop {
                let Message::Text(text) = self.socket.next().await.expect("it is open").unwrap() else {
                    continue;
                };
                let message: Value = serde_json::from_str(&text).unwrap();
                if message["command"] == command {
                    return message;
                }
            }
        };
        tokio::time::timeout(LIMIT, wait).await.unwrap_or_else(|_| panic!("no {command} within the limit"))
    }
}

fn brief(update: &Value) -> String {
    let kind = update["kind"].as_str().unwrap();
    // Without the fingerprint.
    match update["new"].as_str() {
        Some(new) => format!("{kind} {new}"),
        None => kind.to_owned(),
    }
}
