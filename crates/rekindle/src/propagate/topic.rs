//! A topic: one type that one or more configurations are decoded into, and everybody who reads it.

use std::any::Any;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::broadcast;

use super::mailbox::Mailbox;
use crate::error::{Error, ErrorKind, Result};
use crate::load::Candidate;
use crate::validate::type_message;

/// How many values a slow `subscribe()` receiver may be behind before it is told that it lags.
const RECEIVER_CAPACITY: usize = 16;

/// Finds a configuration's value by name.
pub(crate) type Find<'a> = dyn Fn(&str) -> Option<Arc<Candidate>> + 'a;

/// Merges the values of several configurations into one; `None` for a topic of one configuration.
pub(crate) type Merge<T> = Option<fn(T, T) -> T>;

/// What a topic is decoded from: configurations, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) names: Vec<String>,
    /// A JSON pointer; the whole where there is none.
    pub(crate) pointer: Option<String>,
}

/// A topic, whatever its type.
pub(crate) trait Topic: Send + Sync + fmt::Debug {
    /// What it is decoded from.
    fn part(&self) -> &Part;
    /// The configurations it is decoded from.
    fn names(&self) -> &[String] {
        &self.part().names
    }
    /// Decodes a value to hand out. `None` when none of its configurations exists.
    fn decode(self: Arc<Self>, find: &Find<'_>, root: &Path) -> Result<Option<Box<dyn Ready>>>;
    /// Whether a `subscribe()` receiver is there. Streams and live handles own their topic instead.
    fn has_receivers(&self) -> bool;
    /// Ends all streams and receivers.
    fn close(&self);
    /// For finding the topic of a type again.
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

/// A decoded value on its way out.
pub(crate) trait Ready: Send + fmt::Debug {
    /// Whether a change of this configuration is one for its readers.
    fn concerns(&self, name: &str, old: Option<&Value>, new: Option<&Value>) -> bool;
    /// Hands it to everybody who reads the topic.
    fn publish(self: Box<Self>, version: u64);
}

/// A topic of type `T`.
pub(crate) struct Typed<T> {
    part: Part,
    merge: Merge<T>,
    readers: Mutex<Readers<T>>,
}

struct Readers<T> {
    /// The version of what was published last.
    version: u64,
    mailboxes: Vec<Weak<Mailbox<T>>>,
    sender: Option<broadcast::Sender<T>>,
    /// Set by the first `live()`; it knows that `T` is `Sync`, which nothing else here does.
    cell: Option<Cell<T>>,
}

/// Where `live()` handles look: a type-erased atomic pointer, and how to store into it.
struct Cell<T> {
    any: Weak<dyn Any + Send + Sync>,
    store: Arc<dyn Fn(T) + Send + Sync>,
}

impl<T: DeserializeOwned + Send + Clone + 'static> Typed<T> {
    /// A topic over configurations, the later ones merged over the earlier, or over a part of one.
    pub(crate) fn new(part: Part, merge: Merge<T>) -> Arc<Self> {
        let sender = Some(broadcast::Sender::new(RECEIVER_CAPACITY));
        let readers = Readers { version: 0, mailboxes: Vec::new(), sender, cell: None };
        Arc::new(Self { part, merge, readers: Mutex::new(readers) })
    }

    /// Decodes the value that the configurations have now.
    pub(crate) fn value(&self, find: &Find<'_>, root: &Path) -> Result<Option<T>> {
        let mut value = None;
        for candidate in self.part.names.iter().filter_map(|name| find(name)) {
            let next = decode::<T>(&candidate, self.part.pointer.as_deref().unwrap_or(""), root)?;
            value = Some(match (value, self.merge) {
                (Some(below), Some(merge)) => merge(below, next),
                _ => next,
            });
        }
        Ok(value)
    }

    fn lock(&self) -> MutexGuard<'_, Readers<T>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A mailbox for a reader that starts with the value of `version`; `None` if that is outdated.
    pub(crate) fn open_mailbox(&self, version: u64) -> Option<Arc<Mailbox<T>>> {
        let mut readers = self.lock();
        if readers.version > version {
            return None;
        }
        let mailbox = Arc::new(Mailbox::new(version));
        if readers.sender.is_none() {
            mailbox.close();
        }
        readers.mailboxes.push(Arc::downgrade(&mailbox));
        Some(mailbox)
    }

    /// A receiver of every value from now on.
    pub(crate) fn receiver(&self) -> broadcast::Receiver<T> {
        // After the end: a receiver whose sender is gone, which says so.
        self.lock().sender.as_ref().map_or_else(|| broadcast::channel(1).1, broadcast::Sender::subscribe)
    }

    /// The cell of the topic's `live()` handles, if one is in use.
    pub(crate) fn cell(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        self.lock().cell.as_ref().and_then(|cell| cell.any.upgrade())
    }

    /// Sets the cell, unless a newer version than the one it starts with has been published or
    /// another caller was faster. Says whether it was set.
    pub(crate) fn set_cell(
        &self,
        version: u64,
        any: Weak<dyn Any + Send + Sync>,
        store: Arc<dyn Fn(T) + Send + Sync>,
    ) -> bool {
        let mut readers = self.lock();
        let taken = readers.cell.as_ref().is_some_and(|cell| cell.any.strong_count() > 0);
        let free = !taken && readers.version <= version;
        if free {
            readers.cell = Some(Cell { any, store });
        }
        free
    }
}

/// Decodes one configuration, or a part of it; an error points at the value that does not fit.
///
/// What is not there is decoded as null: a type for which that makes no sense says so.
fn decode<T: DeserializeOwned>(candidate: &Candidate, part: &str, root: &Path) -> Result<T> {
    let found = candidate.value.pointer(part);
    serde_path_to_error::deserialize(found.unwrap_or(&Value::Null)).map_err(|fault| {
        let pointer = format!("{part}{}", pointer(fault.path()));
        let said = match found {
            Some(_) => type_message(&fault.inner().to_string(), &pointer, candidate),
            None => format!("there is nothing at {part}"),
        };
        let message = format!("{said} (in {})", std::any::type_name::<T>());
        let error = Error::new(ErrorKind::Type, message).about(&pointer);
        candidate.point(error, &pointer, root)
    })
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        let step = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            Segment::Enum { .. } | Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&step);
    }
    pointer
}

impl<T: DeserializeOwned + Send + Clone + 'static> Topic for Typed<T> {
    fn part(&self) -> &Part {
        &self.part
    }

    fn decode(self: Arc<Self>, find: &Find<'_>, root: &Path) -> Result<Option<Box<dyn Ready>>> {
        let value = self.value(find, root)?;
        Ok(value.map(|value| Box::new(Decoded { topic: self, value }) as Box<dyn Ready>))
    }

    fn has_receivers(&self) -> bool {
        self.lock().sender.as_ref().is_some_and(|sender| sender.receiver_count() > 0)
    }

    fn close(&self) {
        let (sender, mailboxes) = {
            let mut readers = self.lock();
            (readers.sender.take(), std::mem::take(&mut readers.mailboxes))
        };
        drop(sender);
        mailboxes.iter().filter_map(Weak::upgrade).for_each(|mailbox| mailbox.close());
    }

    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl<T> fmt::Debug for Typed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Topic<{}>({})", std::any::type_name::<T>(), self.part.names.join(" < "))
    }
}

struct Decoded<T> {
    topic: Arc<Typed<T>>,
    value: T,
}

impl<T> fmt::Debug for Decoded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value for {:?}", self.topic)
    }
}

impl<T: DeserializeOwned + Send + Clone + 'static> Ready for Decoded<T> {
    fn concerns(&self, name: &str, old: Option<&Value>, new: Option<&Value>) -> bool {
        let Part { names, pointer } = &self.topic.part;
        let part = |value: Option<&Value>| value?.pointer(pointer.as_deref()?).cloned();
        names.iter().any(|own| own == name) && (pointer.is_none() || part(old) != part(new))
    }

    fn publish(self: Box<Self>, version: u64) {
        let Self { topic, value } = *self;
        let (mailboxes, sender, store) = {
            let mut readers = topic.lock();
            readers.version = version;
            readers.mailboxes.retain(|mailbox| mailbox.strong_count() > 0);
            let mailboxes: Vec<_> = readers.mailboxes.iter().filter_map(Weak::upgrade).collect();
            let live = readers.cell.as_ref().filter(|cell| cell.any.strong_count() > 0);
            (mailboxes, readers.sender.clone(), live.map(|cell| Arc::clone(&cell.store)))
        };
        if let Some(store) = store {
            store(value.clone());
        }
        for mailbox in mailboxes {
            mailbox.put(value.clone(), version);
        }
        if let Some(sender) = sender.filter(|sender| sender.receiver_count() > 0) {
            // Only fails when the last receiver has just gone.
            drop(sender.send(value));
        }
    }
}
