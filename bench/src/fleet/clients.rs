//! In the child: clients of a store, and changes made when asked for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use etcd_client::EventType;
use rekindle_cluster::store::{Store, Write, open};
use rekindle_cluster::{Client, ClusterStatus, Document, Key, Member, Options, Payload, Plan};

use super::engine::{Memory, Tally};
use super::rollout::{self, Fault};
use super::{APPLY, PUBLISH, Ready, Told, WATCH};
use crate::harness::Result;
use crate::harness::child;
use crate::harness::process::{cpu, let_more_files_be_open, memory};
use crate::harness::stats::millis;

/// What a release holds, beside its number: as much as a configuration of a program.
const SIZE: usize = 1_000;

/// How long what follows from a change is waited for.
const REST: Duration = Duration::from_millis(500);

/// In the child: starts the clients of a case, then does what it is asked for.
pub(crate) fn case(name: &str, address: &str, count: u64) -> Result<()> {
    let_more_files_be_open()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let count = usize::try_from(count)?;
    let before = memory()?;
    let ready = || -> Result<Ready> { Ok(Ready { bytes: memory()?.saturating_sub(before) }) };
    let handle = runtime.handle();
    match name {
        WATCH => {
            let mut watches = handle.block_on(Watches::start(address, count))?;
            child::say(&ready()?)?;
            child::serve(|question| watched(question, || handle.block_on(watches.change())))
        }
        "a bare watch of SQLite" => {
            let mut watches = handle.block_on(StoreWatches::start(address, count))?;
            child::say(&ready()?)?;
            child::serve(|question| watched(question, || handle.block_on(watches.change())))
        }
        APPLY | "instances on SQLite" | PUBLISH => {
            let mut fleet = handle.block_on(Fleet::start(address, count, Fault::None))?;
            child::say(&ready()?)?;
            child::serve(|question| match question {
                // Nothing is to be known before.
                "prepare" if name == PUBLISH => Ok(None),
                "prepare" => handle.block_on(fleet.validate()).map(|()| None),
                _ => handle.block_on(fleet.change(name != PUBLISH)).map(Some),
            })
        }
        _ => {
            let fault = Fault::named(name)?;
            let mut fleet = handle.block_on(Fleet::start(address, count, fault))?;
            child::say(&ready()?)?;
            child::serve(|_| handle.block_on(rollout::play(&mut fleet, fault)))
        }
    }
}

/// A watch needs no preparation.
fn watched(question: &str, change: impl FnOnce() -> Result<Told>) -> Result<Option<Told>> {
    if question == "prepare" { Ok(None) } else { change().map(Some) }
}

fn text(kind: &str, number: u64) -> String {
    format!("{kind} = '{}' # {number}", "x".repeat(SIZE))
}

/// When each has it, from a moment on, and what that cost here; with what is done after it.
async fn told(tally: &Tally, number: u64, count: usize, began: Instant, cpu_before: Duration) -> Told {
    let times = tally.all(number, count).await;
    // What they write of it, and what follows from that.
    tokio::time::sleep(REST).await;
    let ms = times.iter().map(|at| millis(at.saturating_duration_since(began))).collect();
    Told { ms, cpu_ms: millis(cpu().saturating_sub(cpu_before)) }
}

/// Bare watches of etcd, each over a connection of its own.
struct Watches {
    writer: etcd_client::Client,
    tally: Arc<Tally>,
    count: usize,
    number: u64,
}

impl Watches {
    async fn start(address: &str, count: usize) -> Result<Self> {
        let endpoint = address.trim_start_matches("etcd:").split('/').next().unwrap_or_default().to_owned();
        let tally = Arc::new(Tally::default());
        // When this answers the server is there.
        drop(connected(address).await?);
        for _ in 0..count {
            let mut client = etcd_client::Client::connect([&endpoint], None).await?;
            let mut watch = client.watch("bare", None).await?;
            let tally = Arc::clone(&tally);
            tokio::spawn(async move {
                let _client = client;
                while let Ok(Some(told)) = watch.message().await {
                    for event in told.events().iter().filter(|event| event.event_type() == EventType::Put) {
                        let value = event.kv().map_or(&b""[..], |kv| kv.value());
                        let number = String::from_utf8_lossy(value);
                        tally.note(number.split(' ').next_back().and_then(|n| n.parse().ok()).unwrap_or(0));
                    }
                }
            });
        }
        let writer = etcd_client::Client::connect([&endpoint], None).await?;
        Ok(Self { writer, tally, count, number: 0 })
    }

    async fn change(&mut self) -> Result<Told> {
        self.number += 1;
        let (cpu, began) = (cpu(), Instant::now());
        self.writer.put("bare", text("watch", self.number), None).await?;
        Ok(told(&self.tally, self.number, self.count, began, cpu).await)
    }
}

/// Bare watches of a store.
struct StoreWatches {
    writer: Arc<dyn Store>,
    tally: Arc<Tally>,
    count: usize,
    number: u64,
}

impl StoreWatches {
    async fn start(address: &str, count: usize) -> Result<Self> {
        let tally = Arc::new(Tally::default());
        for _ in 0..count {
            let store = open(address).await?;
            let revision = store.list("").await?.revision;
            let mut watch = store.watch("head", revision).await?;
            let tally = Arc::clone(&tally);
            tokio::spawn(async move {
                while let Ok(changes) = watch.next().await {
                    for change in changes {
                        let rekindle_cluster::store::Change::Put(entry) = change else { continue };
                        let number = String::from_utf8_lossy(&entry.value).into_owned();
                        tally.note(number.split(' ').next_back().and_then(|n| n.parse().ok()).unwrap_or(0));
                    }
                }
            });
        }
        Ok(Self { writer: open(address).await?, tally, count, number: 0 })
    }

    async fn change(&mut self) -> Result<Told> {
        self.number += 1;
        let (cpu, began) = (cpu(), Instant::now());
        self.writer.write(Write::put(Key::head(), text("watch", self.number).into_bytes())).await?;
        Ok(told(&self.tally, self.number, self.count, began, cpu).await)
    }
}

/// Instances, each over a connection of its own.
pub(super) struct Fleet {
    pub(super) client: Client,
    pub(super) applied: Arc<Tally>,
    pub(super) faults: Arc<Tally>,
    pub(super) count: usize,
    pub(super) number: u64,
    validated: Option<Payload>,
    _members: Vec<Member>,
}

/// A store that answers.
async fn connected(address: &str) -> Result<Arc<dyn Store>> {
    let store = open(address).await?;
    let end = Instant::now() + Duration::from_secs(30);
    while let Err(error) = store.list("").await {
        if Instant::now() > end {
            return Err(error.into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(store)
}

impl Fleet {
    async fn start(address: &str, count: usize, fault: Fault) -> Result<Self> {
        let (applied, faults) = (Arc::new(Tally::default()), Arc::new(Tally::default()));
        let client = Client::new(connected(address).await?);
        let mut members = Vec::new();
        for number in 0..count {
            let mut engine = Memory::new(Arc::clone(&applied));
            let odd = |kind: &str| Some((kind.as_bytes().to_vec(), Arc::clone(&faults)));
            match fault {
                Fault::Refused if number == 0 => engine.refuses = odd("bad"),
                Fault::Sick => engine.sickens = odd("bad"),
                _ => {}
            }
            let options = Options::new(format!("i{number:04}"));
            members.push(Member::join(open(address).await?, Arc::new(engine), None, options));
        }
        let fleet = Self { client, applied, faults, count, number: 0, validated: None, _members: members };
        fleet.until(|status| status.instances.len() == count).await?;
        Ok(fleet)
    }

    pub(super) fn next(&mut self, kind: &str) -> Payload {
        self.number += 1;
        Payload::new([Document::new("app", "toml", text(kind, self.number))])
    }

    /// Waits until it is so. Not too often: it asks the server.
    pub(super) async fn until(&self, is: impl Fn(&ClusterStatus) -> bool) -> Result<()> {
        let end = Instant::now() + Duration::from_secs(120);
        while Instant::now() < end {
            if self.client.status().await.is_ok_and(|status| is(&status)) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Err("the fleet does not come to rest".into())
    }

    /// Has all of them look at the next release. It waits for a person when they have answered, who takes it back then.
    async fn validate(&mut self) -> Result<()> {
        let payload = self.next("good");
        self.client.publish(&payload, Plan { manual: true, ..Plan::at_once() }).await?;
        self.until(|status| {
            status.head.candidate.as_ref().is_some_and(|candidate| candidate.paused.is_some())
        })
        .await?;
        self.client.abort("measured").await?;
        self.until(|status| status.head.candidate.is_none()).await?;
        // What they hear of that is not what is measured.
        tokio::time::sleep(REST).await;
        self.validated = Some(payload);
        Ok(())
    }

    async fn change(&mut self, validated: bool) -> Result<Told> {
        let payload = self.validated.take().unwrap_or_else(|| self.next("good"));
        let digest = payload.digest();
        let (cpu, began) = (cpu(), Instant::now());
        if validated {
            self.client.publish_at_once(&payload).await?;
        } else {
            self.client.publish(&payload, Plan::at_once()).await?;
        }
        let told = told(&self.applied, self.number, self.count, began, cpu).await;
        self.until(|status| {
            let stable = status.head.stable.filter(|stable| stable.payload == digest);
            stable.is_some() && status.instances.iter().all(|instance| instance.applied == stable)
        })
        .await?;
        Ok(told)
    }
}
