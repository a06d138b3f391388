//! Sockets that the process was started with: by systemd, by `systemfd`, or by whoever speaks as they do.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
#[cfg(unix)]
use std::os::unix::net::UnixListener;
#[cfg(unix)]
use std::path::Path;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use listenfd::ListenFd;
use rekindle::{Error, ErrorKind};

use super::{Bound, Socket};

/// The sockets of this process, looked at when one is first asked for.
///
/// One for all of the process, as the numbers of descriptors are: who takes number 3 for a socket owns it, and
/// would have it closed by a second one who took it, too. `listenfd` removes `LISTEN_FDS` and `LISTEN_PID` from
/// the environment with that, as systemd's own library does: a child would take its own descriptors for sockets.
static INHERITED: LazyLock<Mutex<Inherited>> = LazyLock::new(|| Mutex::new(Inherited::of_process()));

/// More sockets than anybody starts a process with, and few enough to make a list of.
const MOST: usize = 1024;

fn inherited() -> MutexGuard<'static, Inherited> {
    INHERITED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The socket of that number or name.
pub(super) fn claim(which: &str) -> rekindle::Result<Socket> {
    inherited().claim(which)
}

/// The socket that listens at the first of the addresses at which one does, if it is still to be had.
pub(super) fn at_tcp(addresses: &[SocketAddr]) -> Option<rekindle::Result<Socket>> {
    let mut inherited = inherited();
    addresses.iter().find_map(|address| inherited.at(|bound| *bound == Bound::Tcp(*address)))
}

/// The socket that listens at a path, if it is still to be had.
#[cfg(unix)]
pub(super) fn at_unix(path: &Path) -> Option<rekindle::Result<Socket>> {
    inherited().at(|bound| matches!(bound, Bound::Unix(theirs) if is_same(theirs, path)))
}

/// Those on the port of an address that could not be listened at: they may be what is in the way.
pub(super) fn on_port_of(address: SocketAddr) -> Option<String> {
    let on_port =
        |held: &&Held| matches!(held.what, Ok(Bound::Tcp(theirs)) if theirs.port() == address.port());
    inherited().held.iter().find(on_port).map(Held::to_string)
}

/// `/var/run` is `/run` by another name.
#[cfg(unix)]
fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    one == other || real(one).is_some_and(|one| real(other) == Some(one))
}

#[derive(Debug, Default)]
struct Inherited {
    held: Vec<Held>,
    /// Why there are none, though the environment speaks of some.
    problem: Option<String>,
}

/// One that the process was started with.
#[derive(Debug)]
struct Held {
    number: usize,
    name: Option<String>,
    /// Where it listens, or what it is instead.
    what: Result<Bound, String>,
    /// Until somebody has it.
    listener: Option<Listener>,
}

#[derive(Debug)]
enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

impl Inherited {
    fn of_process() -> Self {
        match told(|name| std::env::var(name).ok(), std::process::id()) {
            Ok(names) => Self::of(ListenFd::from_env(), &names),
            Err(problem) => Self { held: Vec::new(), problem: Some(problem) },
        }
    }

    fn of(mut descriptors: ListenFd, names: &[String]) -> Self {
        let held = (0..descriptors.len()).map(|number| {
            let (what, listener) = match take(&mut descriptors, number) {
                Ok((bound, listener)) => (Ok(bound), Some(listener)),
                Err(fault) => (Err(fault.to_string()), None),
            };
            let name = names.get(number).filter(|name| !name.is_empty()).cloned();
            Held { number, name, what, listener }
        });
        Self { held: held.collect(), problem: None }
    }

    fn claim(&mut self, which: &str) -> rekindle::Result<Socket> {
        let all = self.to_string();
        let Some(held) = self.find(which)? else {
            return Err(fault(format!("the process was not started with a socket `{which}`"), all));
        };
        if let Err(why) = &held.what {
            return Err(fault(format!("the inherited socket `{which}` cannot be used: {why}"), all));
        }
        held.take().unwrap_or_else(|| {
            let message = format!("the inherited socket `{which}` was had already");
            Err(fault(message, "each is to be had once, and not again after it was closed".to_owned()))
        })
    }

    /// The one of that number, or else of that name.
    fn find(&mut self, which: &str) -> rekindle::Result<Option<&mut Held>> {
        let all = self.to_string();
        if let Some(number) = self.held.iter().position(|held| held.number.to_string() == which) {
            return Ok(self.held.get_mut(number));
        }
        let mut found = self.held.iter_mut().filter(|held| held.name.as_deref() == Some(which));
        match (found.next(), found.next()) {
            (_, Some(_)) => {
                let message =
                    format!("several inherited sockets are called `{which}`: say which by its number");
                Err(fault(message, all))
            }
            (found, None) => Ok(found),
        }
    }

    fn at(&mut self, is_there: impl Fn(&Bound) -> bool) -> Option<rekindle::Result<Socket>> {
        let there = |held: &&mut Held| held.listener.is_some() && held.what.as_ref().is_ok_and(&is_there);
        self.held.iter_mut().find(there)?.take()
    }
}

impl Held {
    fn take(&mut self) -> Option<rekindle::Result<Socket>> {
        let socket = match (self.listener.take()?, &self.what) {
            (Listener::Tcp(listener), _) => Socket::of_tcp(listener),
            // Its file is who made it's to remove.
            #[cfg(unix)]
            (Listener::Unix(listener), Ok(Bound::Unix(path))) => {
                Socket::of_unix(listener, path.clone(), None)
            }
            #[cfg(unix)]
            (Listener::Unix(_), _) => return None,
        };
        let failed = |cause: io::Error| {
            let message = format!("the inherited socket {self} cannot be used: {cause}");
            Error::new(ErrorKind::Io, message).about("/address").because(cause)
        };
        Some(socket.map_err(failed))
    }
}

fn fault(message: String, help: String) -> Error {
    Error::new(ErrorKind::Io, message).about("/address").help(help)
}

impl fmt::Display for Inherited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(problem) = &self.problem {
            return f.write_str(problem);
        }
        if self.held.is_empty() {
            return f.write_str("it came with none: have systemd's socket activation or `systemfd` start it");
        }
        f.write_str("it came with ")?;
        for (before, held) in self.held.iter().enumerate() {
            write!(f, "{}{held}", if before == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number)?;
        if let Some(name) = &self.name {
            write!(f, " `{name}`")?;
        }
        match &self.what {
            Ok(bound) if self.listener.is_some() => write!(f, " ({bound})"),
            Ok(bound) => write!(f, " ({bound}, had already)"),
            Err(why) => write!(f, " ({why})"),
        }
    }
}

/// The names of the sockets that the environment speaks of; without a name they have an empty one.
///
/// # Errors
///
/// What is wrong with it: it is nonsense, or it was meant for another process and came down to this one.
fn told(variable: impl Fn(&str) -> Option<String>, process: u32) -> Result<Vec<String>, String> {
    let Some(text) = variable("LISTEN_FDS") else { return Ok(Vec::new()) };
    let count = text.parse::<usize>().ok().filter(|count| *count <= MOST);
    let count = count.ok_or_else(|| {
        format!("the variable LISTEN_FDS is `{text}`, and no number of sockets up to {MOST}")
    })?;
    let first = variable("LISTEN_FDS_FIRST_FD").and_then(|first| first.parse::<i32>().ok());
    if first.is_some_and(|first| !(0..1 << 20).contains(&first)) {
        return Err("the variable LISTEN_FDS_FIRST_FD is no number of a descriptor".to_owned());
    }
    // Left out by who cannot know it, as `systemfd --no-pid`.
    let whose = variable("LISTEN_PID").unwrap_or_default();
    if !whose.is_empty() && whose != process.to_string() {
        let problem = "the variable LISTEN_PID says that the sockets are those of process";
        return Err(format!("{problem} {whose}; this is {process}"));
    }
    let names = variable("LISTEN_FDNAMES").unwrap_or_default();
    let mut names: Vec<_> = names.split(':').map(str::to_owned).collect();
    names.resize(count, String::new());
    Ok(names)
}

/// Takes the descriptor for what it is, if it is a socket that listens. Any other is left alone.
fn take(descriptors: &mut ListenFd, number: usize) -> io::Result<(Bound, Listener)> {
    match descriptors.take_tcp_listener(number) {
        Ok(Some(listener)) => tcp(listener),
        Ok(None) => Err(io::Error::other("it is nothing to listen on")),
        #[cfg(unix)]
        Err(_) => unix(descriptors.take_unix_listener(number)),
        #[cfg(not(unix))]
        Err(fault) => Err(fault),
    }
}

fn tcp(listener: TcpListener) -> io::Result<(Bound, Listener)> {
    if !listens(&listener) {
        leave_open(listener);
        return Err(not_listening());
    }
    Ok((Bound::Tcp(listener.local_addr()?), Listener::Tcp(listener)))
}

#[cfg(unix)]
fn unix(taken: io::Result<Option<UnixListener>>) -> io::Result<(Bound, Listener)> {
    let listener =
        taken.ok().flatten().ok_or_else(|| io::Error::other("not a stream socket, TCP or Unix"))?;
    if !listens(&listener) {
        leave_open(listener);
        return Err(not_listening());
    }
    match listener.local_addr()?.as_pathname() {
        Some(path) => Ok((Bound::Unix(path.to_path_buf()), Listener::Unix(listener))),
        None => Err(io::Error::other("a Unix socket without a path")),
    }
}

fn not_listening() -> io::Error {
    io::Error::other("a connection, not a socket that listens")
}

/// Whether it is a socket that listens, and not a connection. macOS does not say.
#[cfg(all(unix, not(target_vendor = "apple")))]
fn listens(socket: &impl std::os::fd::AsFd) -> bool {
    // Where the system does not say, it shows at the first `accept`.
    rustix::net::sockopt::socket_acceptconn(socket).unwrap_or(true)
}

#[cfg(not(all(unix, not(target_vendor = "apple"))))]
fn listens<T>(_socket: &T) -> bool {
    true
}

/// Lets go of a descriptor that is for somebody else, without closing it.
#[cfg(unix)]
fn leave_open(socket: impl std::os::fd::IntoRawFd) {
    let _theirs = socket.into_raw_fd();
}

#[cfg(not(unix))]
fn leave_open<T>(_socket: T) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_by(variables: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let find =
            |name: &str| variables.iter().find(|(its, _)| *its == name).map(|(_, value)| (*value).to_owned());
        told(find, 4711)
    }

    #[test]
    fn the_environment_says_how_many_sockets_there_are_and_what_they_are_called() {
        let count = ("LISTEN_FDS", "2");
        let told_with = |further: &[(&str, &str)]| told_by(&[&[count], further].concat()).unwrap();
        assert_eq!(told_with(&[]), ["", ""]);
        assert_eq!(told_with(&[("LISTEN_PID", "")]), ["", ""]);
        assert_eq!(told_with(&[("LISTEN_PID", "4711"), ("LISTEN_FDNAMES", "web:")]), ["web", ""]);
        assert_eq!(told_with(&[("LISTEN_FDNAMES", "web")]), ["web", ""]);
        assert_eq!(told_with(&[("LISTEN_FDNAMES", "web:app:more")]), ["web", "app"]);
        assert!(told_by(&[("LISTEN_FDS", "0")]).unwrap().is_empty());
        assert!(told_by(&[("LISTEN_PID", "4711"), ("LISTEN_FDNAMES", "web")]).unwrap().is_empty());
    }

    #[test]
    fn an_environment_that_is_nonsense_or_anothers_is_a_problem_that_says_so() {
        let other = told_by(&[("LISTEN_FDS", "1"), ("LISTEN_PID", "12")]).unwrap_err();
        assert_eq!(
            other,
            "the variable LISTEN_PID says that the sockets are those of process 12; this is 4711"
        );
        for nonsense in ["", "three", "-1", "1025", "99999999999999999999"] {
            let problem = told_by(&[("LISTEN_FDS", nonsense)]).unwrap_err();
            let expected =
                format!("the variable LISTEN_FDS is `{nonsense}`, and no number of sockets up to 1024");
            assert_eq!(problem, expected);
        }
    }

    #[test]
    fn a_first_number_beyond_all_descriptors_is_a_problem() {
        for first in ["-1", "2147483647"] {
            let variables = [("LISTEN_FDS", "2"), ("LISTEN_FDS_FIRST_FD", first)];
            let expected = "the variable LISTEN_FDS_FIRST_FD is no number of a descriptor";
            assert_eq!(told_by(&variables).unwrap_err(), expected);
        }
    }

    #[test]
    fn without_inherited_sockets_it_says_how_to_come_by_one() {
        let error = Inherited::default().claim("web").unwrap_err();
        let expected = "the process was not started with a socket `web` (it came with none: have systemd's socket \
                        activation or `systemfd` start it)";
        assert_eq!(error.to_string(), expected);
        let problem = "the variable LISTEN_PID is wrong".to_owned();
        let error = Inherited { problem: Some(problem.clone()), held: Vec::new() }.claim("0").unwrap_err();
        assert_eq!(error.advice(), Some(&*problem));
    }
}
