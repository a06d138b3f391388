use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rekindle::ErrorKind;
use tempfile::TempDir;

use super::super::{Address, Bound, Peer, Socket};
use super::{STARTING, accept, bind, refusal, talk};
use crate::serve::Mode;

fn place() -> (TempDir, PathBuf, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("http.sock");
    let address = format!("unix:{}", path.display());
    (directory, path, address)
}

/// Leaves the socket of one who is gone.
fn leave_stale(path: &Path) {
    drop(UnixListener::bind(path).unwrap());
    assert!(path.exists());
}

fn names(directory: &TempDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory.path()).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn connections_come_through_a_unix_socket_and_it_is_known_from_whom() {
    let (directory, path, address) = place();
    let socket = bind(&address).await.unwrap();
    assert_eq!(socket.bound(), &Bound::Unix(path.clone()));
    assert_eq!(names(&directory), [path]);
    let client = Socket::connect(socket.bound()).await.unwrap();
    let (server, peer) = accept(&socket).await;
    let uid = rustix::process::getuid().as_raw();
    assert!(matches!(peer, Peer::Unix { uid: Some(theirs), .. } if theirs == uid), "{peer:?}");
    talk(client, server).await;
}

#[tokio::test]
async fn what_waits_at_a_unix_socket_is_accepted_without_waiting() {
    let (_directory, path, address) = place();
    let socket = bind(&address).await.unwrap();
    assert!(socket.accept_waiting().is_none());
    let _clients = [(); 2].map(|()| UnixStream::connect(&path).unwrap());
    assert!(socket.accept_waiting().unwrap().is_ok());
    assert!(socket.accept_waiting().unwrap().is_ok());
    assert!(socket.accept_waiting().is_none());
}

#[tokio::test]
async fn the_file_of_a_socket_has_the_mode_that_was_asked_for() {
    let (_directory, path, _) = place();
    let _socket = Socket::bind(&Address::Unix(path.clone()), Some(Mode(0o620))).await.unwrap();
    let found = fs::symlink_metadata(&path).unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o777, 0o620);
}

#[tokio::test]
async fn the_socket_of_one_who_is_gone_is_replaced() {
    let _nobody_starts = STARTING.read().await;
    let (_directory, path, address) = place();
    leave_stale(&path);
    let socket = bind(&address).await.unwrap();
    let (connected, accepted) = tokio::join!(Socket::connect(socket.bound()), accept(&socket));
    talk(connected.unwrap(), accepted.0).await;
}

#[tokio::test]
async fn a_socket_that_answers_is_taken_and_left_as_it_is() {
    let (_directory, path, address) = place();
    let socket = bind(&address).await.unwrap();
    let expected =
        format!("somebody else listens on {address} already (`ss -lxp src {}` says who)", path.display());
    assert_eq!(refusal(&address).await, (ErrorKind::Conflict, expected));
    let (connected, accepted) = tokio::join!(Socket::connect(socket.bound()), accept(&socket));
    assert!(connected.is_ok());
    drop(accepted);
}

#[tokio::test]
async fn a_socket_whose_queue_is_full_is_taken() {
    let (_directory, path, address) = place();
    let busy = tokio::net::UnixSocket::new_stream().unwrap();
    busy.bind(&path).unwrap();
    let _busy = busy.listen(0).unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = tokio::net::UnixStream::connect(&path).await {
        waiting.push(stream);
    }
    assert_eq!(refusal(&address).await.0, ErrorKind::Conflict);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_find_the_socket_of_one_who_is_gone_exactly_one_wins() {
    let _nobody_starts = STARTING.read().await;
    let (_directory, path, address) = place();
    for _ in 0..20 {
        leave_stale(&path);
        let attempts: Vec<_> = (0..8).map(|_| tokio::spawn(attempt(address.clone()))).collect();
        let mut winners = Vec::new();
        for attempt in attempts {
            winners.extend(attempt.await.unwrap());
        }
        assert_eq!(winners.len(), 1);
        let client = UnixStream::connect(&path);
        assert!(client.is_ok() && winners[0].accept_waiting().is_some());
    }
}

async fn attempt(address: String) -> Option<Socket> {
    match bind(&address).await {
        Ok(socket) => Some(socket),
        Err(error) if error.kind() == ErrorKind::Conflict => None,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn what_is_no_socket_stays() {
    let (_directory, path, address) = place();
    fs::write(&path, "precious").unwrap();
    let expected =
        format!("{} is there already, and is no socket (remove it, or choose another path)", path.display());
    assert_eq!(refusal(&address).await, (ErrorKind::NotAFile, expected));
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[tokio::test]
async fn a_link_to_a_socket_stays() {
    let (directory, path, address) = place();
    let elsewhere = directory.path().join("elsewhere.sock");
    leave_stale(&elsewhere);
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    assert_eq!(refusal(&address).await.0, ErrorKind::NotAFile);
    assert!(path.is_symlink() && elsewhere.exists());
}

#[tokio::test]
async fn a_missing_directory_is_named() {
    let (directory, ..) = place();
    let missing = directory.path().join("missing");
    let path = missing.join("http.sock");
    let (kind, text) = refusal(&format!("unix:{}", path.display())).await;
    assert_eq!(kind, ErrorKind::Io);
    let expected = format!("there is no directory {} for the socket {}", missing.display(), path.display());
    assert!(text.starts_with(&expected), "{text}");
}

#[tokio::test]
async fn a_path_that_is_too_long_for_a_socket_is_refused() {
    let (directory, ..) = place();
    let path = directory.path().join("a".repeat(120));
    let (kind, text) = refusal(&format!("unix:{}", path.display())).await;
    assert_eq!(kind, ErrorKind::Io);
    let length = path.as_os_str().len();
    let expected = format!("{} ({length} bytes) cannot be the path of a Unix socket", path.display());
    assert!(text.starts_with(&expected), "{text}");
}

#[tokio::test]
async fn a_directory_that_another_process_keeps_locked_is_an_error_that_says_so() {
    tokio::time::pause();
    let (directory, _, address) = place();
    let lock = fs::File::open(directory.path()).unwrap();
    lock.lock().unwrap();
    let error = bind(&address).await.unwrap_err();
    let expected = format!("another process holds a lock on {}", directory.path().display());
    assert!(error.message().starts_with(&expected), "{error}");
    lock.unlock().unwrap();
    assert!(bind(&address).await.is_ok());
}

#[tokio::test]
async fn a_closed_socket_takes_its_file_with_it() {
    let (directory, _, address) = place();
    drop(bind(&address).await.unwrap());
    assert!(names(&directory).is_empty());
}

#[tokio::test]
async fn what_somebody_put_in_the_place_of_a_sockets_file_stays() {
    let (_directory, path, address) = place();
    let socket = bind(&address).await.unwrap();
    fs::remove_file(&path).unwrap();
    let _theirs = UnixListener::bind(&path).unwrap();
    drop(socket);
    assert!(path.exists());
}
