//! [`Listener`]: a socket that is held, from its binding until its last connection has ended.
//!
//! ```text
//! Trial ──► Serving ◄──► LameDuck ──► Closing ──► Closed
//!   └── nobody wants it ─────────────────▲
//! ```
//!
//! Those who want it hold a [`Claim`]. It is closed when nobody does, and not before: a generation that wants an
//! address which another one has given up finds it still held.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::config::Mode;
use super::farewell::Signals;
use super::policy::Policy;
use super::secured::Secured;
use super::socket::{Address, Bound};

/// A socket that is held.
pub(super) struct Listener {
    pub(super) address: Address,
    pub(super) bound: Bound,
    /// What holds of connections to come.
    pub(super) terms: ArcSwap<InForce>,
    /// By what the server's own questions are answered while it is on trial. Other requests wait until it serves: they
    /// are not to know of a generation that may never be.
    pub(super) trial: ArcSwapOption<Policy>,
    pub(super) connections: TaskTracker,
    state: watch::Sender<State>,
    /// What those are told by who are accepted now.
    farewell: ArcSwap<CancellationToken>,
    /// Connections end as soon as no request is under way.
    closing: CancellationToken,
    /// Connections end at once.
    cut: CancellationToken,
}

/// What holds of a connection, from its beginning on.
pub(super) struct Terms {
    /// What the configuration calls the listener.
    pub(super) name: Arc<str>,
    pub(super) tls: Option<Arc<Secured>>,
    /// Of a Unix socket's file.
    pub(super) mode: Option<Mode>,
}

/// What holds of connections to come, and for a while what did: when TLS begins or ends at an address, those who have
/// not heard of it come with the other.
pub(super) struct InForce {
    pub(super) terms: Arc<Terms>,
    before: Option<(Arc<Terms>, Instant)>,
}

impl InForce {
    fn new(terms: Arc<Terms>) -> Self {
        Self { terms, before: None }
    }

    /// What held until a moment ago of connections with TLS, if those to come have none, or the other way round.
    pub(super) fn before(&self) -> Option<&Arc<Terms>> {
        let (before, until) = self.before.as_ref()?;
        (Instant::now() < *until).then_some(before)
    }
}

#[derive(Clone, Copy)]
struct State {
    phase: Phase,
    claims: usize,
}

/// What becomes of a listener.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// It is bound, and nobody has been told of it.
    Trial,
    Serving,
    /// It is not wanted any more, and still accepts: clients learn of it by the answers. Since when.
    LameDuck(Instant),
    /// What waits to be accepted is accepted, and that is all.
    Closing,
    Closed,
}

/// The wish that a listener stays.
pub(super) struct Claim {
    listener: Arc<Listener>,
    resigned: bool,
}

impl Listener {
    pub(super) fn new(address: Address, bound: Bound, terms: Arc<Terms>, policy: Arc<Policy>) -> Arc<Self> {
        Arc::new(Self {
            address,
            bound,
            terms: ArcSwap::from_pointee(InForce::new(terms)),
            trial: ArcSwapOption::from(Some(policy)),
            connections: TaskTracker::new(),
            state: watch::Sender::new(State { phase: Phase::Trial, claims: 0 }),
            farewell: ArcSwap::default(),
            closing: CancellationToken::new(),
            cut: CancellationToken::new(),
        })
    }

    pub(super) fn phase(&self) -> Phase {
        self.state.borrow().phase
    }

    /// Whether clients are to go elsewhere.
    pub(super) fn sends_away(&self) -> bool {
        !self.is_in_use()
    }

    /// A claim; `None` when it is too late for one.
    pub(super) fn claim(self: &Arc<Self>) -> Option<Claim> {
        let claimed = self.state.send_if_modified(|state| {
            let in_time = !matches!(state.phase, Phase::Closing | Phase::Closed);
            state.claims += usize::from(in_time);
            in_time
        });
        claimed.then(|| Claim { listener: Arc::clone(self), resigned: false })
    }

    /// A generation that is being prepared puts it on trial for itself, if it does not serve yet.
    pub(super) fn try_out(&self, policy: &Arc<Policy>, terms: &Arc<Terms>) {
        if self.phase() == Phase::Trial {
            self.trial.store(Some(Arc::clone(policy)));
            self.terms.store(Arc::new(InForce::new(Arc::clone(terms))));
        }
    }

    /// Serves for the generation that is in use from now on.
    pub(super) fn serve(&self, terms: &Arc<Terms>, lame_duck: Duration) {
        let before = Arc::clone(&self.terms.load().terms);
        let turned = before.tls.is_some() != terms.tls.is_some();
        let kept = turned.then(|| (Arc::clone(&before), Instant::now() + lame_duck));
        self.terms.store(Arc::new(InForce { terms: Arc::clone(terms), before: kept }));
        self.trial.store(None);
        self.state.send_modify(|state| state.phase = Phase::Serving);
        if turned {
            // A connection in the clear is not to outlive the wish for TLS, nor the other way round.
            self.bid_farewell();
        }
        let new_mode = terms.mode.filter(|mode| before.mode != Some(*mode));
        if let (Bound::Unix(path), Some(mode)) = (&self.bound, new_mode) {
            set_mode(path, mode);
        }
    }

    /// Sends clients away, if it serves.
    pub(super) fn turn_lame(&self) {
        let turned = self.state.send_if_modified(|state| {
            let serves = state.phase == Phase::Serving;
            if serves {
                state.phase = Phase::LameDuck(Instant::now());
            }
            serves
        });
        if turned {
            self.bid_farewell();
        }
    }

    /// Tells those who are connected; whoever comes from now on is told the next time.
    fn bid_farewell(&self) {
        self.farewell.swap(Arc::default()).cancel();
    }

    /// One claim less; what becomes of it when that was the last one.
    fn let_go(&self, unwanted: impl FnOnce(Phase) -> Phase) {
        let mut turned_lame = false;
        self.state.send_modify(|state| {
            state.claims -= 1;
            if state.claims == 0 {
                let before = state.phase;
                state.phase = unwanted(before);
                turned_lame = before == Phase::Serving && matches!(state.phase, Phase::LameDuck(_));
            }
        });
        if turned_lame {
            self.bid_farewell();
        }
    }

    fn is_in_use(&self) -> bool {
        matches!(self.phase(), Phase::Trial | Phase::Serving)
    }

    /// Closes unless somebody wants it.
    fn close(&self) {
        self.state.send_if_modified(|state| {
            let unwanted = state.claims == 0 && !matches!(state.phase, Phase::Closing | Phase::Closed);
            if unwanted {
                state.phase = Phase::Closing;
            }
            unwanted
        });
    }

    /// The socket is closed.
    pub(super) fn closed(&self) {
        self.bid_farewell();
        self.closing.cancel();
        self.connections.close();
        self.state.send_modify(|state| state.phase = Phase::Closed);
    }

    /// Waits until it is on trial no longer.
    pub(super) async fn until_decided(&self) {
        self.until(|phase| phase != Phase::Trial).await;
    }

    /// Waits until the socket is to be closed.
    pub(super) async fn until_closing(&self) {
        self.until(|phase| matches!(phase, Phase::Closing | Phase::Closed)).await;
    }

    /// Waits until the socket is closed.
    pub(super) async fn until_closed(&self) {
        self.until(|phase| phase == Phase::Closed).await;
    }

    async fn until(&self, reached: impl Fn(Phase) -> bool) {
        let mut state = self.state.subscribe();
        // Its other end is in `self`.
        let _reached = state.wait_for(|state| reached(state.phase)).await;
    }

    /// Sees it through its lame duck, and the connections to their end; returns early when it serves again.
    pub(super) async fn retire(&self, lame_duck: Duration) {
        let mut state = self.state.subscribe();
        loop {
            let State { phase, claims } = *state.borrow_and_update();
            match phase {
                Phase::Trial | Phase::Serving => return,
                Phase::Closed => break,
                Phase::LameDuck(since) if claims == 0 && since.elapsed() >= lame_duck => self.close(),
                Phase::LameDuck(since) if claims == 0 => tokio::select! {
                    () = sleep_until(since + lame_duck) => {}
                    _changed = state.changed() => {}
                },
                Phase::LameDuck(_) | Phase::Closing => {
                    let _changed = state.changed().await;
                }
            }
        }
        self.connections.wait().await;
    }

    /// Ends everything of it, unless somebody wants it.
    pub(super) fn cut(&self) {
        self.close();
        if matches!(self.phase(), Phase::Closing | Phase::Closed) {
            self.cut.cancel();
        }
    }

    /// What a connection that begins now is told by.
    pub(super) fn signals(&self) -> Signals {
        Signals { farewell: (**self.farewell.load()).clone(), cut: self.cut.clone() }
    }

    pub(super) fn closing(&self) -> &CancellationToken {
        &self.closing
    }
}

impl Claim {
    pub(super) fn listener(&self) -> &Arc<Listener> {
        &self.listener
    }

    /// Wants it no longer, in good order: when nobody else does, clients are sent away.
    pub(super) fn resign(mut self) {
        self.resigned = true;
        self.listener.let_go(|phase| match phase {
            Phase::Serving => Phase::LameDuck(Instant::now()),
            other => other,
        });
    }
}

impl Drop for Claim {
    /// When nobody else wants it, it closes: nobody has been told of it, or there is nobody to see it through.
    fn drop(&mut self) {
        if !self.resigned {
            self.listener.let_go(|phase| match phase {
                Phase::Trial | Phase::Serving => Phase::Closing,
                other => other,
            });
        }
    }
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: Mode) {
    use std::os::unix::fs::PermissionsExt;
    let set = std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode.0));
    if let Err(error) = set {
        tracing::warn!(path = %path.display(), %error, "cannot set the mode of a socket");
    }
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: Mode) {}
