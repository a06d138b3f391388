//! [`Watch`]: a WebSocket or an event stream that is held open, and how it ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use crate::Target;
use crate::wire::connect;

/// How long to wait for a message before the next look whether it is to stop.
const LOOK: Duration = Duration::from_millis(20);

/// How a stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// A WebSocket, by a Close frame with this code.
    Closed(u16),
    /// An event stream, after its last chunk, with nothing cut off.
    Whole,
    /// In the middle of something, or without a word.
    Abrupt(String),
    /// By the client, which was told to stop.
    Left,
}

/// What a watcher has seen.
#[derive(Debug, Clone, Default)]
pub struct Story {
    /// Messages, or events.
    pub messages: u64,
    /// How each connection ended.
    pub ends: Vec<Ended>,
    /// Messages that were not the ones that were to come.
    pub gaps: Vec<String>,
}

impl Story {
    /// How many connections ended in each way.
    pub fn counted(&self) -> BTreeMap<String, usize> {
        let mut counted = BTreeMap::new();
        for end in &self.ends {
            *counted.entry(format!("{end:?}")).or_default() += 1;
        }
        counted
    }
}

/// Holds a stream open, and connects anew to the newest target when it ends.
///
/// The server counts: each message is the number after the one before, and a connection begins anywhere.
#[derive(Debug)]
pub struct Watch {
    stopped: Arc<AtomicBool>,
    ended: watch::Receiver<usize>,
    task: JoinHandle<Story>,
}

/// What is held open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    WebSocket,
    Events,
}

impl Watch {
    /// A WebSocket at a path of the first target.
    pub fn web_socket(targets: watch::Receiver<Vec<Target>>, path: &str) -> Self {
        Self::start(Kind::WebSocket, targets, path)
    }

    /// An event stream at a path of the first target.
    pub fn events(targets: watch::Receiver<Vec<Target>>, path: &str) -> Self {
        Self::start(Kind::Events, targets, path)
    }

    fn start(kind: Kind, targets: watch::Receiver<Vec<Target>>, path: &str) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let (count, ended) = watch::channel(0);
        let watcher = Watcher {
            count,
            path: path.to_owned(),
            stopped: Arc::clone(&stopped),
            story: Story::default(),
            last: None,
        };
        Self { stopped, ended, task: tokio::spawn(watcher.watch(kind, targets)) }
    }

    /// Waits until so many connections have ended.
    pub async fn until_ended(&mut self, connections: usize) {
        // Its other end goes with the watcher, whose connections have ended then.
        let _ended = self.ended.wait_for(|ended| *ended >= connections).await;
    }

    /// Leaves, and tells.
    ///
    /// # Panics
    ///
    /// When the watcher has.
    pub async fn stop(self) -> Story {
        self.stopped.store(true, Ordering::Relaxed);
        self.task.await.expect("it does not panic")
    }
}

struct Watcher {
    count: watch::Sender<usize>,
    path: String,
    stopped: Arc<AtomicBool>,
    story: Story,
    /// The number that came last over this connection.
    last: Option<u64>,
}

impl Watcher {
    async fn watch(mut self, kind: Kind, targets: watch::Receiver<Vec<Target>>) -> Story {
        loop {
            let target = targets.borrow()[0];
            self.last = None;
            let held = match kind {
                Kind::WebSocket => self.web_socket(target).await,
                Kind::Events => self.events(target).await,
            };
            let ended = held.unwrap_or_else(|error| Ended::Abrupt(error.to_string()));
            let left = ended == Ended::Left;
            if matches!(ended, Ended::Abrupt(_)) {
                tokio::time::sleep(LOOK).await;
            }
            self.story.ends.push(ended);
            self.count.send_modify(|count| *count += 1);
            if left {
                return self.story;
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    async fn web_socket(
        &mut self,
        target: Target,
    ) -> Result<Ended, Box<dyn std::error::Error + Send + Sync>> {
        let address = format!("ws://localhost{}", self.path);
        let (mut socket, _) = client_async(address, connect(target).await?).await?;
        while !self.is_stopped() {
            match timeout(LOOK, socket.next()).await {
                Err(_) => {}
                Ok(None) => return Ok(Ended::Abrupt("it ended without a Close frame".into())),
                Ok(Some(Ok(Message::Close(frame)))) => {
                    let code = frame.map_or(1005, |frame| frame.code.into());
                    // The answer to it leaves with the next look.
                    while socket.next().await.is_some_and(|message| message.is_ok()) {}
                    return Ok(Ended::Closed(code));
                }
                Ok(Some(Ok(Message::Text(text)))) => self.note(text.as_str()),
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(error))) => return Err(error.into()),
            }
        }
        socket.send(Message::Close(None)).await?;
        Ok(Ended::Left)
    }

    async fn events(&mut self, target: Target) -> Result<Ended, Box<dyn std::error::Error + Send + Sync>> {
        let (mut sender, connection) = http1::handshake(TokioIo::new(connect(target).await?)).await?;
        tokio::spawn(async { connection.await.ok() });
        let request = Request::get(&self.path).header("host", "localhost").body(Empty::<Bytes>::new())?;
        let mut body = sender.send_request(request).await?.into_body();
        let mut text = String::new();
        while !self.is_stopped() {
            match timeout(LOOK, body.frame()).await {
                Err(_) => {}
                Ok(None) if text.is_empty() => return Ok(Ended::Whole),
                Ok(None) => return Ok(Ended::Abrupt(format!("it ended within {text:?}"))),
                Ok(Some(frame)) => {
                    let data = frame?.into_data().unwrap_or_default();
                    text.push_str(std::str::from_utf8(&data)?);
                    while let Some((event, rest)) = text.split_once("\n\n") {
                        self.note(event.trim_start_matches("data: "));
                        text = rest.to_owned();
                    }
                }
            }
        }
        Ok(Ended::Left)
    }

    /// Each number is the one after the one before.
    fn note(&mut self, text: &str) {
        self.story.messages += 1;
        let number = text.trim().parse::<u64>().ok();
        if number.is_none() || self.last.is_some_and(|last| number != Some(last + 1)) {
            self.story.gaps.push(format!("{text:?} after {:?}", self.last));
        }
        self.last = number;
    }
}
