//! An engine that takes any release at once, and notes when.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rekindle_cluster::{Engine, Payload, Release, Sick};

/// Who has it, and when.
#[derive(Debug, Default)]
pub(super) struct Tally {
    told: Mutex<Vec<(u64, Instant)>>,
}

impl Tally {
    /// Somebody has the change of that number.
    pub(super) fn note(&self, change: u64) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push((change, Instant::now()));
    }

    /// Waits until so many have it; when each of them got it.
    pub(super) async fn all(&self, change: u64, count: usize) -> Vec<Instant> {
        loop {
            let times: Vec<Instant> = {
                let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
                told.iter().filter(|(number, _)| *number == change).map(|(_, at)| *at).collect()
            };
            if times.len() >= count {
                self.told.lock().unwrap_or_else(PoisonError::into_inner).clear();
                return times;
            }
            // Whoever notes it is not to wait for whoever counts.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// An engine, and what is wrong with it.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) applied: Arc<Tally>,
    /// Refuses these, and notes when.
    pub(super) refuses: Option<(Vec<u8>, Arc<Tally>)>,
    /// Is not well with these, and notes when.
    pub(super) sickens: Option<(Vec<u8>, Arc<Tally>)>,
    last: Mutex<u64>,
}

impl Memory {
    pub(super) fn new(applied: Arc<Tally>) -> Self {
        Self { applied, refuses: None, sickens: None, last: Mutex::default() }
    }
}

/// The number in a release, and how its text begins.
pub(super) fn number(payload: &Payload) -> u64 {
    let text = payload.documents.first().map_or("", |document| &document.text);
    text.split(' ').next_back().and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn begins(payload: &Payload, with: &[u8]) -> bool {
    payload.documents.first().is_some_and(|document| document.text.as_bytes().starts_with(with))
}

#[async_trait]
impl Engine for Memory {
    async fn check(&self, payload: &Payload) -> Result<(), String> {
        match &self.refuses {
            Some((these, tally)) if begins(payload, these) => {
                tally.note(number(payload));
                Err("not this one".to_owned())
            }
            _ => Ok(()),
        }
    }

    async fn apply(&self, payload: Option<(Release, &Payload)>) -> Result<u64, String> {
        let Some((_, payload)) = payload else { return Ok(0) };
        let number = number(payload);
        let sick = self.sickens.as_ref().is_some_and(|(these, _)| begins(payload, these));
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = if sick { number } else { 0 };
        self.applied.note(number);
        Ok(number)
    }

    async fn health(&self, generation: u64) -> Result<(), Sick> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &self.sickens {
            Some((_, tally)) if last == generation && last > 0 => {
                tally.note(generation);
                Err(Sick { reason: "it does not answer".to_owned(), went_back: false })
            }
            _ => Ok(()),
        }
    }
}
