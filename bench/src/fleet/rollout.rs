//! Rollouts in steps: how long a good one takes, and how long a bad one is about.

use std::time::Instant;

use rekindle_cluster::{Plan, Step};

use super::clients::Fleet;
use crate::harness::Result;
use crate::harness::stats::millis;

/// The number of what there is to go back to.
const STABLE: u64 = 1;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// One instance refuses it.
    Refused,
    /// Nobody is well with it.
    Sick,
}

impl Fault {
    pub(super) fn named(name: &str) -> Result<Self> {
        Ok(match name {
            "a good one" => Self::None,
            "refused by one" => Self::Refused,
            "a sick canary" => Self::Sick,
            _ => return Err("no such case".into()),
        })
    }
}

fn plan() -> Plan {
    let steps = vec![Step::Share(100), Step::Share(500), Step::Share(1000)];
    Plan { steps, ..Plan::at_once() }
}

/// One rollout; the milliseconds that matter in it.
pub(super) async fn play(fleet: &mut Fleet, fault: Fault) -> Result<f64> {
    if fleet.number == 0 {
        let good = fleet.next("good");
        fleet.client.publish_at_once(&good).await?;
        fleet.applied.all(fleet.number, fleet.count).await;
    }
    let kind = if fault == Fault::None { "good" } else { "bad" };
    let payload = fleet.next(kind);
    let number = fleet.number;
    let mut watch = fleet.client.watch();
    // Looks before it begins, so that nothing of it is missed.
    watch.current().await?;
    let began = Instant::now();
    let release = fleet.client.publish(&payload, plan()).await?;
    loop {
        let head = watch.next().await?.head;
        if head.candidate.is_none() && head.last.is_some_and(|last| last.release == release) {
            break;
        }
    }
    let over = Instant::now();
    let took = match fault {
        Fault::None => millis(over - began),
        Fault::Refused => {
            let refused = fleet.faults.all(number, 1).await;
            millis(over.saturating_duration_since(refused[0]))
        }
        Fault::Sick => {
            let sick = fleet.faults.all(number, 1).await;
            let first = sick.iter().min().copied().unwrap_or(began);
            fleet
                .until(|status| status.instances.iter().all(|one| one.applied == status.head.stable))
                .await?;
            // Those who had it apply what was stable again.
            let back = fleet.applied.all(STABLE, 1).await;
            millis(back.iter().max().copied().unwrap_or(over).saturating_duration_since(first))
        }
    };
    Ok(took)
}
