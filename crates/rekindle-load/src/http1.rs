//! HTTP/1.1 over a connection that is kept alive, read to the last byte.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::Answer;
use crate::report::Phase;
use crate::wire::{Wire, is_closed};

/// Headers that an answer may have.
const HEADERS: usize = 64;

/// A connection.
pub(crate) struct Http1 {
    wire: Wire,
    read: BytesMut,
    /// The server has said that there is no further answer.
    closes: bool,
}

/// How a body is delimited.
enum Length {
    Known(usize),
    Chunked,
    UntilTheEnd,
}

impl Http1 {
    pub(crate) fn new(wire: Wire) -> Self {
        Self { wire, read: BytesMut::new(), closes: false }
    }

    /// Whether a request may be written. A server may close a connection on which nothing is asked.
    pub(crate) async fn is_open(&mut self) -> bool {
        !self.closes && !is_closed(&mut self.wire).await
    }

    pub(crate) fn was_told_to_go(&self) -> bool {
        self.closes
    }

    pub(crate) async fn ask(&mut self, path: &str) -> Result<Answer, (Phase, String)> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let before = |error: io::Error| (Phase::ResetBeforeReply, error.to_string());
        self.wire.write_all(request.as_bytes()).await.map_err(before)?;
        self.wire.flush().await.map_err(before)?;
        let (status, headers, length) = self.head().await?;
        let body = self.body(length).await.map_err(|error| (Phase::Truncated, error.to_string()))?;
        Ok(Answer { status, headers, body })
    }

    async fn head(&mut self) -> Result<(StatusCode, HeaderMap, Length), (Phase, String)> {
        loop {
            match parse(&self.read).map_err(|fault| (Phase::Protocol, fault))? {
                Some((taken, status, headers)) => {
                    self.read.advance(taken);
                    let length = length(status, &headers);
                    let says_close = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"close");
                    self.closes = headers.get("connection").is_some_and(says_close)
                        || matches!(length, Length::UntilTheEnd);
                    return Ok((status, headers, length));
                }
                None => {
                    let phase = if self.read.is_empty() { Phase::ResetBeforeReply } else { Phase::Truncated };
                    self.more().await.map_err(|error| (phase, error.to_string()))?;
                }
            }
        }
    }

    async fn body(&mut self, length: Length) -> io::Result<Bytes> {
        match length {
            Length::Known(length) => self.exactly(length).await,
            Length::Chunked => self.chunks().await,
            Length::UntilTheEnd => {
                while self.more().await.is_ok() {}
                Ok(self.read.split().freeze())
            }
        }
    }

    async fn chunks(&mut self) -> io::Result<Bytes> {
        let mut body = BytesMut::new();
        loop {
            let length = loop {
                match httparse::parse_chunk_size(&self.read).map_err(|_| io::Error::other("no chunk"))? {
                    httparse::Status::Complete((taken, length)) => {
                        self.read.advance(taken);
                        break usize::try_from(length).map_err(io::Error::other)?;
                    }
                    httparse::Status::Partial => self.more().await?,
                }
            };
            let chunk = self.exactly(length + 2).await?;
            if length == 0 {
                return Ok(body.freeze());
            }
            body.extend_from_slice(&chunk[..length]);
        }
    }

    async fn exactly(&mut self, length: usize) -> io::Result<Bytes> {
        while self.read.len() < length {
            self.more().await?;
        }
        Ok(self.read.split_to(length).freeze())
    }

    async fn more(&mut self) -> io::Result<()> {
        self.read.reserve(4096);
        match self.wire.read_buf(&mut self.read).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// A whole head: how long it is, and what it says.
fn parse(read: &[u8]) -> Result<Option<(usize, StatusCode, HeaderMap)>, String> {
    let mut lines = [httparse::EMPTY_HEADER; HEADERS];
    let mut head = httparse::Response::new(&mut lines);
    let taken = match head.parse(read).map_err(|fault| fault.to_string())? {
        httparse::Status::Complete(taken) => taken,
        httparse::Status::Partial => return Ok(None),
    };
    let status = StatusCode::from_u16(head.code.unwrap_or_default()).map_err(|fault| fault.to_string())?;
    let mut headers = HeaderMap::new();
    for line in head.headers {
        let name = HeaderName::try_from(line.name).map_err(|fault| fault.to_string())?;
        let value = HeaderValue::from_bytes(line.value).map_err(|fault| fault.to_string())?;
        headers.append(name, value);
    }
    Ok(Some((taken, status, headers)))
}

fn length(status: StatusCode, headers: &HeaderMap) -> Length {
    if status.is_informational() || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED {
        return Length::Known(0);
    }
    if headers.get("transfer-encoding").is_some_and(|value| value.as_bytes().ends_with(b"chunked")) {
        return Length::Chunked;
    }
    let length = headers.get("content-length").and_then(|value| value.to_str().ok()?.parse().ok());
    length.map_or(Length::UntilTheEnd, Length::Known)
}
