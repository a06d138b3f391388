//! What a process does that is started with sockets: an ignored test below is that process, and is started anew by
//! the tests with what it is to inherit. Numbers 0 to 2 are all that can be given to a process without `unsafe`; a
//! shell moves them up.

use std::fs::{self, File};
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rekindle::ErrorKind;

use super::super::{Address, Bound, Socket};
use super::{STARTING, bind, said, talk};

/// Moves what it was given to 3 and up, waits for a word, has its own output in a file, and becomes the test with its
/// own number in `LISTEN_PID` unless told another.
const SHELL: &str = r#"exec 3<&0 4<&1 5<&2 0</dev/null 1>"$SAID" 2>&1
read _ <"$BEGIN"
[ -n "$LISTEN_PID" ] || export LISTEN_PID=$$
exec "$@""#;

/// Runs an ignored test as a process with sockets, which has to end well.
fn run(body: &str, sockets: [OwnedFd; 3], variables: &[(&str, &str)]) {
    let directory = tempfile::tempdir().unwrap();
    let (said, begin) = (directory.path().join("said"), directory.path().join("begin"));
    let mut command = Command::new("sh");
    command.args(["-c", SHELL, "sh"]).arg(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "--nocapture"]);
    command.arg(format!("serve::socket::tests::inherited::{body}"));
    command.env("SAID", &said).env("BEGIN", &begin).env("LISTEN_FDS", "3").envs(variables.iter().copied());
    let (mut child, _word) = start(command, sockets, &begin);
    let ended_well = child.wait().unwrap().success();
    let said = fs::read_to_string(said).unwrap();
    assert!(ended_well && said.contains("1 passed"), "{said}");
}

/// Starts it, and has it begin when nobody else has the sockets: what it closes is to be closed. The word is there for
/// as long as the file is kept.
fn start(mut command: Command, sockets: [OwnedFd; 3], begin: &Path) -> (Child, File) {
    let _starting = STARTING.blocking_write();
    assert!(Command::new("mkfifo").arg(begin).status().unwrap().success());
    let [first, second, third] = sockets.map(Stdio::from);
    let child = command.stdin(first).stdout(second).stderr(third).spawn().unwrap();
    drop(command);
    // For reading, too: to open it waits for no reader then.
    let mut word = File::options().read(true).write(true).open(begin).unwrap();
    word.write_all(b"begin\n").unwrap();
    (child, word)
}

fn nothing() -> OwnedFd {
    File::open("/dev/null").unwrap().into()
}

#[test]
fn a_process_uses_the_sockets_that_it_was_started_with() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("http.sock");
    let (tcp, unix) = (TcpListener::bind("127.0.0.1:0").unwrap(), UnixListener::bind(&path).unwrap());
    let place = tcp.local_addr().unwrap();
    // They wait since before the process is there.
    let _waits = (TcpStream::connect(place).unwrap(), UnixStream::connect(&path).unwrap());
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (tcp_place, unix_place) = (place.to_string(), path.display().to_string());
    let variables =
        [("LISTEN_FDNAMES", "web:app:odd"), ("TEST_TCP", &*tcp_place), ("TEST_UNIX", &*unix_place)];
    run("that_was_started_with_sockets", [tcp.into(), unix.into(), datagrams.into()], &variables);
    assert!(path.exists(), "the file of an inherited socket is not its to remove");
}

#[tokio::test]
#[ignore = "a process that another test starts"]
async fn that_was_started_with_sockets() {
    let Ok(place) = std::env::var("TEST_TCP") else { return };
    let (place, path) =
        (place.parse::<SocketAddr>().unwrap(), PathBuf::from(std::env::var("TEST_UNIX").unwrap()));
    nonsense_is_refused(place, &path).await;

    let tcp = bind(&place.to_string()).await.unwrap();
    assert_eq!(tcp.bound(), &Bound::Tcp(place));
    assert!(tcp.accept_waiting().unwrap().is_ok(), "it waited since before the process was there");
    assert!(tcp.accept_waiting().is_none());
    serves(&tcp).await;

    let unix = bind("inherited:app").await.unwrap();
    assert_eq!(unix.bound(), &Bound::Unix(path.clone()));
    assert!(unix.accept_waiting().unwrap().is_ok(), "it waited since before the process was there");
    serves(&unix).await;

    let had = said(&bind("inherited:0").await.unwrap_err());
    let expected = "the inherited socket `0` was had already (each is to be had once, and not again after it was closed)";
    assert_eq!(had, (ErrorKind::Io, expected.to_owned()));
    let taken = bind(&place.to_string()).await.unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::Conflict);
    assert!(taken.advice().unwrap().contains(&format!("0 `web` ({place}, had already)")), "{taken}");

    drop((tcp, unix));
    assert!(path.exists());
    serves(&bind(&place.to_string()).await.unwrap()).await;
    serves(&Socket::bind(&Address::Unix(path.clone()), None).await.unwrap()).await;
    UnixListener::bind(&path).unwrap();
}

async fn nonsense_is_refused(place: SocketAddr, path: &Path) {
    let all = format!(
        "it came with 0 `web` ({place}), 1 `app` (unix:{}), 2 `odd` (not a stream socket, TCP or Unix)",
        path.display()
    );
    for (which, message) in [
        ("3", "the process was not started with a socket `3`"),
        ("wep", "the process was not started with a socket `wep`"),
        ("odd", "the inherited socket `odd` cannot be used: not a stream socket, TCP or Unix"),
        ("2", "the inherited socket `2` cannot be used: not a stream socket, TCP or Unix"),
    ] {
        let refusal = said(&bind(&format!("inherited:{which}")).await.unwrap_err());
        assert_eq!(refusal, (ErrorKind::Io, format!("{message} ({all})")));
    }
}

async fn serves(socket: &Socket) {
    let (connected, accepted) = tokio::join!(Socket::connect(socket.bound()), super::accept(socket));
    talk(connected.unwrap(), accepted.0).await;
}

#[test]
fn a_unix_socket_is_found_by_its_path_and_connections_are_no_listeners() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("http.sock");
    let unix = UnixListener::bind(&path).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let connection = TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
    let path = path.display().to_string();
    let variables = [("LISTEN_FDNAMES", "same:x:same"), ("TEST_UNIX", &*path)];
    run("that_was_started_with_a_connection", [connection.into(), unix.into(), nothing()], &variables);
}

#[tokio::test]
#[ignore = "a process that another test starts"]
async fn that_was_started_with_a_connection() {
    let Ok(path) = std::env::var("TEST_UNIX") else { return };
    let connection = bind("inherited:0").await.unwrap_err();
    let expected = "the inherited socket `0` cannot be used: a connection, not a socket that listens";
    assert_eq!(connection.message(), expected);
    let ambiguous = bind("inherited:same").await.unwrap_err();
    let expected = "several inherited sockets are called `same`: say which by its number";
    assert_eq!(ambiguous.message(), expected);
    let socket = bind(&format!("unix:{path}")).await.unwrap();
    serves(&socket).await;
    drop(socket);
    assert!(fs::exists(&path).unwrap());
    assert_eq!(UnixStream::connect(&path).unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
}

#[test]
fn sockets_that_are_another_processs_are_not_taken() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    run("that_was_started_beside_another", [tcp.into(), nothing(), nothing()], &[("LISTEN_PID", "1")]);
}

#[tokio::test]
#[ignore = "a process that another test starts"]
async fn that_was_started_beside_another() {
    let error = bind("inherited:0").await.unwrap_err();
    assert_eq!(error.message(), "the process was not started with a socket `0`");
    if std::env::var_os("LISTEN_PID").is_some() {
        let expected = "the variable LISTEN_PID says that the sockets are those of process 1; this is ";
        assert!(error.advice().unwrap().starts_with(expected), "{error}");
    }
}
