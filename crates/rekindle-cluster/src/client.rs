//! [`Client`]: what people and programs ask of a cluster, whether they are an instance of it or not.

use std::sync::Arc;

use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::mirror::{View, mirror};
use crate::model::{Digest, Head, Instance, Key, Payload, Plan, Release, from_bytes, to_bytes};
use crate::rollout::request;
use crate::signature::Signer;
use crate::store::{Expected, Store, Write};

/// How often a write is tried that somebody else came before.
const TRIES: usize = 20;

/// What is asked of a cluster.
#[derive(Debug, Clone)]
pub struct Client {
    store: Arc<dyn Store>,
    signer: Option<Arc<Signer>>,
}

/// Something that was published, whatever became of it.
#[derive(Debug, Clone)]
pub struct Published {
    /// What it is called.
    pub digest: Digest,
    /// What it is, if this version can read it.
    pub payload: Result<Payload>,
}

/// How a cluster is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterStatus {
    /// What all are to use, and how far a rollout is.
    pub head: Head,
    /// Those that live, by name.
    pub instances: Vec<Instance>,
    /// Who coordinates.
    pub coordinator: Option<String>,
    /// Why it may be old.
    pub trouble: Option<Error>,
}

impl Client {
    /// Of the cluster whose documents are there.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, signer: None }
    }

    /// Signs what is published from here on.
    pub fn signing(self, signer: Signer) -> Self {
        Self { signer: Some(Arc::new(signer)), ..self }
    }

    /// Begins a rollout of a payload.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] while another is on its way: of those who publish at the same time one wins, and the
    /// others are told so. [`Error::Plan`], [`Error::Unavailable`].
    pub async fn publish(&self, payload: &Payload, plan: Plan) -> Result<Release> {
        self.begin(payload, plan, |_| Ok(())).await
    }

    /// Begins a rollout of a payload that was made of another one, if that is still what is stable: what somebody else
    /// published meanwhile is not taken back by it. `None` is nothing.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish), and [`Error::Conflict`] when something else is stable.
    pub async fn publish_over(
        &self,
        stable: Option<Digest>,
        payload: &Payload,
        plan: Plan,
    ) -> Result<Release> {
        self.begin(payload, plan, |head| request::still_stable(head, stable)).await
    }

    async fn begin(
        &self,
        payload: &Payload,
        plan: Plan,
        check: impl Fn(&Head) -> Result<()>,
    ) -> Result<Release> {
        plan.check()?;
        let salt = salt()?;
        let make = |head: &Head| {
            check(head)?;
            request::publish(head, payload.digest(), plan.clone(), salt.clone())
        };
        let head = self.keep_and_change(payload, make).await?;
        head.candidate
            .map(|candidate| candidate.release)
            .ok_or_else(|| Error::unavailable("it was not begun"))
    }

    /// Makes a payload stable at once, asking nobody: each instance validates it for itself.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish).
    pub async fn publish_at_once(&self, payload: &Payload) -> Result<Release> {
        self.make_stable(payload, |_| Ok(())).await
    }

    /// As [`publish_at_once`](Self::publish_at_once), of a payload that was made of another one, if that is still what is
    /// stable.
    ///
    /// # Errors
    ///
    /// As [`publish_over`](Self::publish_over).
    pub async fn publish_over_at_once(&self, stable: Option<Digest>, payload: &Payload) -> Result<Release> {
        self.make_stable(payload, |head| request::still_stable(head, stable)).await
    }

    async fn make_stable(&self, payload: &Payload, check: impl Fn(&Head) -> Result<()>) -> Result<Release> {
        let make = |head: &Head| {
            check(head)?;
            request::publish_at_once(head, payload.digest())
        };
        let head = self.keep_and_change(payload, make).await?;
        head.stable.ok_or_else(|| Error::unavailable("it was not made stable"))
    }

    /// Lets a rollout that waits for a person go on.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] when none does, [`Error::Unavailable`].
    pub async fn approve(&self) -> Result<Head> {
        self.change(request::approve).await
    }

    /// Stops a rollout where it is.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] when there is none, [`Error::Unavailable`].
    pub async fn pause(&self, reason: &str) -> Result<Head> {
        self.change(|head| request::pause(head, reason)).await
    }

    /// Ends a rollout: everybody goes back to what is stable.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] when there is none, [`Error::Unavailable`].
    pub async fn abort(&self, reason: &str) -> Result<Head> {
        self.change(|head| request::abort(head, reason)).await
    }

    /// How the cluster is.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`], [`Error::Malformed`].
    pub async fn status(&self) -> Result<ClusterStatus> {
        let head = self.head().await?.map_or_else(|| Head::new(0), |(head, _)| head);
        let listing = self.store.list(Key::INSTANCES).await?;
        let instances = listing.entries.iter().map(|entry| from_bytes(entry.key.as_str(), &entry.value));
        let coordinator = self.store.get(&Key::coordinator()).await?;
        let coordinator = coordinator.map(|entry| String::from_utf8_lossy(&entry.value).into_owned());
        let instances = instances.collect::<Result<_>>()?;
        Ok(ClusterStatus { head, instances, coordinator, trouble: None })
    }

    /// How the cluster is, as that changes.
    pub fn watch(&self) -> ClusterWatch {
        let follow = |prefix: &str| mirror(Arc::clone(&self.store), prefix);
        ClusterWatch {
            heads: follow(Key::head().as_str()),
            instances: follow(Key::INSTANCES),
            coordinators: follow(Key::coordinator().as_str()),
            last: None,
        }
    }

    /// A payload.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] when it is not what was published, [`Error::Unavailable`].
    pub async fn payload(&self, release: Release) -> Result<Option<Payload>> {
        let entry = self.store.get(&Key::payload(release.payload)).await?;
        entry.map(|entry| Payload::read(release.payload, &entry.value)).transpose()
    }

    /// All that was ever published, the newest first.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn published(&self) -> Result<Vec<Published>> {
        let mut entries = self.store.list(Key::PAYLOADS).await?.entries;
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.revision));
        let published = entries.iter().filter_map(|entry| {
            let digest = entry.key.payload_digest()?;
            Some(Published { digest, payload: Payload::read(digest, &entry.value) })
        });
        Ok(published.collect())
    }

    /// The one payload whose name begins so.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when there is none, or more than one; [`Error::Malformed`], [`Error::Unavailable`].
    pub async fn find(&self, beginning: &str) -> Result<(Digest, Payload)> {
        let is_digits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if beginning.is_empty() || !beginning.bytes().all(is_digits) {
            return Err(Error::NotFound(format!("{beginning:?} is no beginning of a payload's hash")));
        }
        let mut listing = self.store.list(Key::PAYLOADS).await?;
        listing.entries.retain(|entry| entry.key.as_str()[Key::PAYLOADS.len()..].starts_with(beginning));
        match &listing.entries[..] {
            [] => Err(Error::NotFound(format!("there is no payload {beginning}"))),
            [entry] => {
                let digest = entry.key.payload_digest().ok_or_else(|| {
                    Error::malformed(entry.key.as_str(), "it is not named after its content")
                })?;
                Ok((digest, Payload::read(digest, &entry.value)?))
            }
            several => Err(Error::NotFound(format!("{beginning} begins {} payloads", several.len()))),
        }
    }

    async fn head(&self) -> Result<Option<(Head, u64)>> {
        let entry = self.store.get(&Key::head()).await?;
        entry.map(|entry| Ok((from_bytes("head", &entry.value)?, entry.revision))).transpose()
    }

    /// Stores a payload, and writes the head that names it. What is refused at the first look leaves nothing behind.
    async fn keep_and_change(&self, payload: &Payload, make: impl Fn(&Head) -> Result<Head>) -> Result<Head> {
        let key = Key::payload(payload.digest());
        let (found, kept) = tokio::join!(self.found(), self.store.get(&key));
        let (found, is_kept) = (found?, kept?.is_some());
        make(&found.0)?;
        self.keep(payload, is_kept).await?;
        self.change_from(found, make).await
    }

    /// Stores a payload, unless it is there, and its signature. Whoever has stored it before has stored the same.
    async fn keep(&self, payload: &Payload, is_kept: bool) -> Result<()> {
        let digest = payload.digest();
        if !is_kept {
            let write = Write::put(Key::payload(digest), payload.to_bytes());
            match self.store.write(write.expecting(Expected::Absent)).await {
                Err(Error::Conflict(_)) | Ok(_) => {}
                Err(other) => return Err(other),
            }
        }
        if let Some(signer) = &self.signer {
            let (key, signature) = signer.sign(digest);
            self.store.write(Write::put(key, signature)).await?;
        }
        Ok(())
    }

    /// Writes the next head in the place of the one it is made of. What somebody else wrote meanwhile is looked at
    /// anew: that a step was taken does not concern everything that can be asked.
    async fn change(&self, make: impl Fn(&Head) -> Result<Head>) -> Result<Head> {
        self.change_from(self.found().await?, make).await
    }

    async fn change_from(
        &self,
        (mut head, mut expected): (Head, Expected),
        make: impl Fn(&Head) -> Result<Head>,
    ) -> Result<Head> {
        let mut tries = 1;
        loop {
            let next = make(&head)?;
            match self.store.write(Write::put(Key::head(), to_bytes(&next)).expecting(expected)).await {
                Ok(_) => return Ok(next),
                Err(Error::Conflict(_)) if tries < TRIES => {}
                Err(other) => return Err(other),
            }
            tries += 1;
            (head, expected) = self.found().await?;
        }
    }

    /// The head, or the first one, and what has to be the case for another to take its place.
    async fn found(&self) -> Result<(Head, Expected)> {
        Ok(match self.head().await? {
            Some((head, revision)) => (head, Expected::Revision(revision)),
            None => (Head::new(line()?), Expected::Absent),
        })
    }
}

/// How a cluster is, as that changes. While the store is away it says so, and goes on when that is back.
#[derive(Debug)]
pub struct ClusterWatch {
    heads: watch::Receiver<View>,
    instances: watch::Receiver<View>,
    coordinators: watch::Receiver<View>,
    last: Option<ClusterStatus>,
}

impl ClusterWatch {
    /// How it is now, if it was not so at the last call; otherwise how it is next. What is between may be passed over.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] when there is something in the store that cannot be read.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped.
    pub async fn next(&mut self) -> Result<ClusterStatus> {
        loop {
            if let Some(status) = self.look()?.filter(|status| self.last.as_ref() != Some(status)) {
                self.last = Some(status.clone());
                return Ok(status);
            }
            tokio::select! {
                changed = self.heads.changed() => changed.map_err(Error::unavailable)?,
                changed = self.instances.changed() => changed.map_err(Error::unavailable)?,
                changed = self.coordinators.changed() => changed.map_err(Error::unavailable)?,
            }
        }
    }

    /// How it is now, if that is known; otherwise how it is next.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped.
    pub async fn current(&mut self) -> Result<ClusterStatus> {
        match self.look()? {
            Some(status) => Ok(self.last.insert(status).clone()),
            None => self.next().await,
        }
    }

    /// `None` before everything has been read once.
    fn look(&mut self) -> Result<Option<ClusterStatus>> {
        let (heads, instances) =
            (self.heads.borrow_and_update().clone(), self.instances.borrow_and_update().clone());
        let coordinators = self.coordinators.borrow_and_update().clone();
        if ![&heads, &instances, &coordinators].iter().all(|view| view.is_known) {
            return Ok(None);
        }
        let head = heads.get(&Key::head()).map(|entry| from_bytes("head", &entry.value));
        let coordinator = coordinators.get(&Key::coordinator());
        let trouble = [&heads, &instances, &coordinators].into_iter().find_map(|view| view.trouble.clone());
        let entries = instances.entries.values();
        let instances = entries.map(|entry| from_bytes(entry.key.as_str(), &entry.value));
        Ok(Some(ClusterStatus {
            head: head.transpose()?.unwrap_or_else(|| Head::new(0)),
            instances: instances.collect::<Result<_>>()?,
            coordinator: coordinator.map(|entry| String::from_utf8_lossy(&entry.value).into_owned()),
            trouble,
        }))
    }
}

/// Makes the places of the instances others in each rollout.
fn salt() -> Result<String> {
    line().map(|number| format!("{number:014x}"))
}

/// A number that JSON can say exactly, and that nobody has drawn before.
pub(crate) fn line() -> Result<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(Error::local)?;
    Ok(u64::from_be_bytes(bytes) >> 11)
}
