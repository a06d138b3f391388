//! [`ControlClient`]: the other end of the socket.

use std::path::Path;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::socket;
use crate::error::{Error, ErrorKind, Result};

/// A connection to the control socket of a running program.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> rekindle::Result<()> {
/// # let root = tempfile::tempdir()?;
/// # std::fs::create_dir(root.path().join("config"))?;
/// # std::fs::write(root.path().join("config/app.toml"), "port = 80")?;
/// use rekindle::{ControlClient, HotReload, control_socket_path};
/// use serde_json::json;
///
/// // In the program.
/// let manager = HotReload::builder(root.path()).control_socket(true).start().await?;
/// // Anywhere else.
/// let mut client = ControlClient::connect(control_socket_path(root.path())).await?;
/// let request = json!({"rekindle": 1, "cmd": "get", "config_name": "app", "pointer": "/port"});
/// let answer = client.ask(&request).await?;
/// assert_eq!((&answer["ok"], &answer["value"]), (&true.into(), &80.into()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ControlClient {
    input: BufReader<OwnedReadHalf>,
    output: OwnedWriteHalf,
}

impl ControlClient {
    /// Connects to the program that listens at `path`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when nobody listens there, [`ErrorKind::Io`] when the system does not let
    /// this process connect.
    pub async fn connect(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_path_buf();
        // A program that is stopped lets a connection wait.
        let connected = tokio::task::spawn_blocking(move || socket::connect(&path)).await?;
        let stream = connected.map_err(|cause| {
            let kind = match cause.kind() {
                std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused => ErrorKind::NotFound,
                _ => ErrorKind::Io,
            };
            Error::new(kind, format!("cannot reach the program: {cause}")).because(cause)
        })?;
        stream.set_nonblocking(true)?;
        let (input, output) = UnixStream::from_std(stream)?.into_split();
        Ok(Self { input: BufReader::new(input), output })
    }

    /// Sends a request and waits for its answer. It may take as long as a reload does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] when the program has gone, or closed the connection because it was idle for
    /// 5 seconds. That the program refused is in the answer.
    ///
    /// # Cancel safety
    ///
    /// None: the answer to a request that was given up on would be taken for that to the next.
    pub async fn ask(&mut self, request: &Value) -> Result<Value> {
        let line = format!("{request}\n");
        // What was refused on sight is answered without being read to its end.
        let sent = self.output.write_all(line.as_bytes()).await;
        match self.next().await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(sent.err().map_or_else(gone, Error::from)),
            Err(error) => Err(error),
        }
    }

    /// The next line: after a request for `events`, the next event. `None` when the program has gone.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] when the connection broke, or what came is no JSON.
    ///
    /// # Cancel safety
    ///
    /// None: a part of a line may be lost.
    pub async fn next(&mut self) -> Result<Option<Value>> {
        let mut line = String::new();
        if self.input.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let no_json = |cause| {
            Error::new(ErrorKind::Io, format!("the program's answer is no JSON: {cause}")).because(cause)
        };
        serde_json::from_str(&line).map(Some).map_err(no_json)
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Io, "the program closed the connection")
}
