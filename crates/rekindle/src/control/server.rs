//! The server: a thread with the socket and its clients. It never keeps the engine waiting, nor alive.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, broadcast, oneshot};

use super::connection;
use super::socket::Claim;
use crate::engine::{EngineHandle, Receipt};
use crate::error::{Error, Result};
use crate::observe::Observe;

/// How many clients are served at a time.
const CLIENTS: usize = 16;

/// How long until another try at a socket that another process has.
const RETRY: Duration = Duration::from_secs(1);

/// How long the end of an engine waits for the socket to be gone.
const FAREWELL: Duration = Duration::from_millis(500);

/// The handle of the thread. When it is dropped, the socket goes.
#[derive(Debug)]
pub(crate) struct Server {
    _stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<()>,
}

impl Server {
    /// Starts the thread. When it resolves, the socket is there, or the status says why not.
    pub(crate) async fn start(engine: &Arc<EngineHandle>, path: PathBuf) -> Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (ended, when_ended) = oneshot::channel();
        let (tried, first_try) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .thread_name("rekindle-control-work")
            .build()?;
        let door = Door {
            engine: Arc::downgrade(engine),
            observe: Arc::clone(&engine.shared().observe),
            root: engine.root().to_path_buf(),
            path,
        };
        let receipts = door.observe.subscribe_to_receipts();
        std::thread::Builder::new().name("rekindle-control".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = door.attend(tried) => {}
                    _ = stopped => {}
                    () = closed(receipts) => {}
                }
            });
            door.observe.control(Ok(None));
            // A request that hangs must not hold the thread.
            runtime.shutdown_background();
            // Nobody may be waiting for it.
            let _dropped = ended.send(());
        })?;
        let _ended_already = first_try.await;
        Ok(Self { _stop: stop, ended: when_ended })
    }

    /// Removes the socket.
    pub(crate) async fn close(self) {
        let Self { _stop: stop, ended } = self;
        drop(stop);
        // Longer than this nobody waits for a shutdown.
        let _in_time = tokio::time::timeout(FAREWELL, ended).await;
    }
}

/// Resolves when the engine has ended.
async fn closed(mut receipts: broadcast::Receiver<Receipt>) {
    while !matches!(receipts.recv().await, Err(broadcast::error::RecvError::Closed)) {}
}

/// The way in.
struct Door {
    engine: Weak<EngineHandle>,
    observe: Arc<Observe>,
    root: PathBuf,
    path: PathBuf,
}

impl Door {
    /// Opens the socket as soon as that can be done, and serves who comes.
    async fn attend(&self, tried: oneshot::Sender<()>) {
        let mut tried = Some(tried);
        loop {
            let claim = Claim::take(&self.path, &self.root).and_then(|claim| {
                let listener = UnixListener::from_std(claim.listener.try_clone()?)?;
                Ok((claim, listener))
            });
            self.observe.control(claim.as_ref().map(|_| Some(self.path.as_path())));
            let _nobody_waits = tried.take().map(|tried| tried.send(()));
            match claim {
                Ok((_claim, listener)) => return self.serve(&listener).await,
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        }
    }

    async fn serve(&self, listener: &UnixListener) {
        let places = Arc::new(Semaphore::new(CLIENTS));
        loop {
            match listener.accept().await {
                Ok((client, _)) => self.admit(client, &places),
                // The process has no descriptors left, which passes.
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        }
    }

    /// Serves a client on a task of its own: one who may ask, and if there is room.
    fn admit(&self, client: UnixStream, places: &Arc<Semaphore>) {
        let engine = Weak::clone(&self.engine);
        let place = Arc::clone(places).try_acquire_owned();
        tokio::spawn(async move {
            match (is_allowed(&client), place) {
                (Err(refused), _) => connection::turn_away(client, &refused).await,
                (Ok(()), Err(_)) => connection::turn_away(client, &busy()).await,
                (Ok(()), Ok(_place)) => connection::serve(client, engine).await,
            }
        });
    }
}

fn busy() -> Error {
    format!("{CLIENTS} clients are connected already, which is as many as are served at a time").into()
}

/// Whoever the program runs as may ask, and root.
fn is_allowed(client: &UnixStream) -> Result<()> {
    let (own, other) = (rustix::process::geteuid().as_raw(), client.peer_cred()?.uid());
    if other == own || other == 0 {
        return Ok(());
    }
    Err(format!("this program answers to user {own} and to root, and not to user {other}").into())
}
