//! One client: lines in, lines out, with a bound on everything that it could let grow or wait.

use std::io;
use std::sync::Weak;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

use super::answer::answer;
use super::{Request, events, wire};
use crate::engine::{EngineHandle, Receipt};
use crate::error::Error;
use crate::event::ChangeEvent;
use crate::manager::HotReloadManager;

/// The longest request, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// How long a client may take for a request, and for reading an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers a client's requests until it goes, or is too slow.
pub(super) async fn serve(client: UnixStream, engine: Weak<EngineHandle>) {
    let (input, output) = client.into_split();
    let mut client = Client { input: BufReader::new(input), output };
    // A client that has gone is none to tell of that.
    let _gone = client.serve(&engine).await;
}

/// Tells a client why it is not served.
pub(super) async fn turn_away(client: UnixStream, why: &Error) {
    let (_input, mut output) = client.into_split();
    let _gone = write(&mut output, &wire::refusal(why.message(), None)).await;
}

/// What was read.
enum Line {
    Whole(Vec<u8>),
    TooLong,
    End,
}

struct Client {
    input: BufReader<OwnedReadHalf>,
    output: OwnedWriteHalf,
}

impl Client {
    async fn serve(&mut self, engine: &Weak<EngineHandle>) -> io::Result<()> {
        loop {
            let line = match timeout(PATIENCE, self.read()).await {
                Err(_) => return self.refuse("no whole line came for 5 seconds").await,
                Ok(line) => line?,
            };
            match line {
                Line::End => return Ok(()),
                Line::TooLong => return self.refuse("a line has 1 MiB at the most").await,
                Line::Whole(line) => {
                    let Some(engine) = engine.upgrade() else { return Ok(()) };
                    self.answer(&line, HotReloadManager::new(engine)).await?;
                }
            }
        }
    }

    async fn read(&mut self) -> io::Result<Line> {
        let mut line = Vec::new();
        let read = (&mut self.input).take(LONGEST + 1).read_until(b'\n', &mut line).await?;
        Ok(match line.last() {
            None => Line::End,
            Some(b'\n') => Line::Whole(line),
            Some(_) if read as u64 > LONGEST => Line::TooLong,
            Some(_) => Line::Whole(line),
        })
    }

    async fn refuse(&mut self, why: &str) -> io::Result<()> {
        write(&mut self.output, &wire::refusal(why, None)).await
    }

    async fn answer(&mut self, line: &[u8], manager: HotReloadManager) -> io::Result<()> {
        let root = manager.root().to_path_buf();
        let answer = match Request::read_line(line) {
            Err((fault, id)) => wire::refusal(&fault, id),
            Ok((Request::Events {}, id)) => {
                let stream = Stream::of(&manager);
                let begun = wire::fields(serde_json::json!({"generation": manager.snapshot().generation()}));
                write(&mut self.output, &wire::answer(Ok(begun), id, &root)).await?;
                // The stream must not keep the engine alive.
                drop(manager);
                return self.tell(stream).await;
            }
            Ok((request, id)) => wire::answer(answer(&manager, request).await, id, &root),
        };
        write(&mut self.output, &answer).await
    }

    /// Tells of everything, until the client goes or says anything.
    async fn tell(&mut self, mut stream: Stream) -> io::Result<()> {
        let mut byte = [0];
        loop {
            let told = tokio::select! {
                told = stream.next() => told,
                _ = self.input.read(&mut byte) => None,
            };
            let Some(told) = told else { return Err(io::ErrorKind::ConnectionAborted.into()) };
            write(&mut self.output, &told).await?;
        }
    }
}

/// Everything that an engine tells.
struct Stream {
    root: std::path::PathBuf,
    events: Receiver<ChangeEvent>,
    receipts: Receiver<Receipt>,
}

impl Stream {
    fn of(manager: &HotReloadManager) -> Self {
        let root = manager.root().to_path_buf();
        Self { root, events: manager.subscribe(), receipts: manager.receipts() }
    }

    /// The next, or `None` when the engine has ended.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped.
    async fn next(&mut self) -> Option<Value> {
        tokio::select! {
            // What happened on the way to a receipt was told before it.
            biased;
            event = self.events.recv() => match event {
                Ok(event) => Some(events::of_event(&event, &self.root)),
                Err(RecvError::Lagged(missed)) => Some(events::of_gap(missed)),
                Err(RecvError::Closed) => None,
            },
            receipt = self.receipts.recv() => match receipt {
                Ok(receipt) => Some(events::of_receipt(&receipt, &self.root)),
                Err(RecvError::Lagged(missed)) => Some(events::of_gap(missed)),
                Err(RecvError::Closed) => None,
            },
        }
    }
}

/// Writes one line.
async fn write(output: &mut OwnedWriteHalf, answer: &Value) -> io::Result<()> {
    let mut line = answer.to_string();
    line.push('\n');
    timeout(PATIENCE, output.write_all(line.as_bytes())).await?
}
