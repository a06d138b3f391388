//! What must hold when all is quiet, each as a function that gives what does not.

use rekindle::{ConfigState, Snapshot, Status};

use crate::disk::Disk;
use crate::oracle::{self, Said};
use crate::play::End;

/// Everything that does not hold.
pub(crate) fn faults(end: &End) -> Vec<String> {
    let view = view(&end.disk, &end.snapshot, &end.status);
    [missed(end), view, values(end), last_values(end), end.ledger.faults(&end.disk.moments)].concat()
}

/// Every configuration's value is what the disk says; where that is nothing good, the status says so.
pub(crate) fn view(disk: &Disk, snapshot: &Snapshot, status: &Status) -> Vec<String> {
    let names = oracle::names(&disk.moments);
    names.iter().filter_map(|name| view_of(name, disk, snapshot, status)).collect()
}

fn view_of(name: &str, disk: &Disk, snapshot: &Snapshot, status: &Status) -> Option<String> {
    let said = oracle::said(name, disk.now());
    let in_use = snapshot.get(name);
    let state = status.configs.get(name).map(|config| &config.state);
    let degraded = matches!(state, Some(ConfigState::Degraded(_)));
    let holds = match &said {
        Said::Value(value) => in_use == Some(value) && !degraded,
        Said::Invalid => degraded,
        // One that never had a good value is forgotten with its last file.
        Said::Gone => degraded || in_use.is_none(),
    };
    (!holds).then(|| format!("{name}: the disk says {said:?}, in use is {in_use:?}, its state is {state:?}"))
}

/// Every value that was delivered, or is in use, was once the whole content of the files.
fn values(end: &End) -> Vec<String> {
    let told = end.told.iter().map(|(name, value)| (name.as_str(), value));
    let streamed =
        end.streams.iter().flat_map(|(name, values)| values.iter().map(move |value| (*name, value)));
    let names = oracle::names(&end.disk.moments);
    let in_use = names.iter().filter_map(|name| Some((name.as_str(), end.snapshot.get(name)?)));
    let all = told.chain(streamed).chain(in_use);
    let never = all.filter(|(name, value)| !oracle::was_whole(name, value, &end.disk.moments));
    never.map(|(name, value)| format!("{name}: {value} was delivered, and never was on disk")).collect()
}

/// The last value of every stream, and the last that was told, is the one in use.
fn last_values(end: &End) -> Vec<String> {
    let streamed = end.streams.iter().filter_map(|(name, values)| Some((*name, values.last()?)));
    let told = end.told.iter().map(|(name, value)| (name.as_str(), value));
    let last_told: std::collections::BTreeMap<_, _> = told.collect();
    let last = streamed.chain(last_told).filter(|(name, value)| end.snapshot.get(name) != Some(value));
    last.map(|(name, value)| {
        format!("{name}: the last delivered is {value}, in use is {:?}", end.snapshot.get(name))
    })
    .collect()
}

/// What did not hold, or was not applied, until everything was looked at.
fn missed(end: &End) -> Vec<String> {
    let applied = end.receipt.applied().iter();
    let applied = applied.map(|name| format!("{name} was not applied until everything was looked at"));
    end.missed.iter().map(|fault| format!("missed: {fault}")).chain(applied).collect()
}
