//! Who is connected: how many there may be, and what the dashboard tells of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::watch;

use crate::dashboard::Browser;

/// How many clients are served at a time; one is a browser rather than a page.
pub(crate) const MOST_CLIENTS: usize = 4096;

/// The clients of a hub.
#[derive(Debug)]
pub(crate) struct Clients {
    table: Mutex<Table>,
    /// Counts what a dashboard may want to know of.
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Table {
    seated: BTreeMap<u64, Browser>,
    last: u64,
}

/// The place of one client, which is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    clients: Arc<Clients>,
    number: u64,
}

impl Clients {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { table: Mutex::default(), changed: watch::Sender::new(0) })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Each change is a single call that cannot panic half way.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more; `None` when there are too many.
    pub(crate) fn seat(self: &Arc<Self>, transport: &str, agent: Option<String>) -> Option<Seat> {
        let mut table = self.table();
        if table.seated.len() >= MOST_CLIENTS {
            return None;
        }
        table.last += 1;
        let number = table.last;
        let browser =
            Browser { pages: Vec::new(), transport: transport.into(), agent, since: SystemTime::now() };
        table.seated.insert(number, browser);
        drop(table);
        self.stir();
        Some(Seat { clients: Arc::clone(self), number })
    }

    /// Everyone who is there, those who came first before the others.
    pub(crate) fn browsers(&self) -> Vec<Browser> {
        self.table().seated.values().cloned().collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.table().seated.len()
    }

    /// Changes whenever somebody comes or goes, and when [`stir`](Self::stir) says so.
    pub(crate) fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// There is something new beside the clients.
    pub(super) fn stir(&self) {
        self.changed.send_modify(|count| *count += 1);
    }
}

impl Seat {
    /// Which pages are open there, by the path of each.
    pub(crate) fn shows(&self, pages: Vec<String>) {
        if let Some(browser) = self.clients.table().seated.get_mut(&self.number) {
            browser.pages = pages;
        }
        self.clients.stir();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.clients.table().seated.remove(&self.number);
        self.clients.stir();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_so_many_and_a_seat_is_free_again() {
        let clients = Clients::new();
        let mut seats: Vec<_> = (0..MOST_CLIENTS).map_while(|_| clients.seat("poll", None)).collect();
        assert_eq!(seats.len(), MOST_CLIENTS);
        assert!(clients.seat("poll", None).is_none());
        seats.pop();
        assert!(clients.seat("poll", None).is_some());
        drop(seats);
        assert_eq!(clients.count(), 0);
    }
}
