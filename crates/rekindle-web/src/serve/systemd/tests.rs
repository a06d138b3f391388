//! What a program tells a service manager: the ignored tests below are that program, started by the others, which
//! are the manager at the other end of `NOTIFY_SOCKET`.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rekindle_test::{LIMIT, Site};
use rustix::process::{Pid, Signal, kill_process};
use rustix::time::{ClockId, clock_gettime};

use super::{Systemd, asked};
use crate::serve::socket::tests::STARTING;

/// A service manager with one unit.
struct Manager {
    socket: UnixDatagram,
    directory: tempfile::TempDir,
}

/// A program that it started; it is killed in the end.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _has_ended = self.0.kill();
        let _is_gone = self.0.wait();
    }
}

impl Manager {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(directory.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        Self { socket, directory }
    }

    fn start(&self, body: &str, root: &Path, variables: &[(&str, &str)]) -> Program {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "--nocapture", &format!("serve::systemd::tests::{body}")]);
        command.env("NOTIFY_SOCKET", self.directory.path().join("notify")).env("TEST_ROOT", root);
        command.envs(variables.iter().copied()).stdin(Stdio::piped());
        let _starting = STARTING.blocking_write();
        Program(command.spawn().unwrap())
    }

    /// The next notice, as its lines.
    fn told(&self) -> Vec<String> {
        let mut notice = [0; 8192];
        let length = self.socket.recv(&mut notice).expect("a notice in time");
        String::from_utf8_lossy(&notice[..length]).lines().map(str::to_owned).collect()
    }

    fn told_of_reload_begun_at(&self) -> i128 {
        let told = self.told();
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(told[0], "RELOADING=1");
        told[1].strip_prefix("MONOTONIC_USEC=").expect("when it was begun").parse().unwrap()
    }
}

impl Program {
    /// Asks for a reload as systemd does. Gives the time before it.
    fn reload(&self) -> i128 {
        let asked = now();
        kill_process(Pid::from_child(&self.0), Signal::HUP).unwrap();
        asked
    }

    fn ends_well(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success(), "see above what it said");
    }
}

fn now() -> i128 {
    let now = clock_gettime(ClockId::Monotonic);
    i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1000
}

#[test]
fn each_signal_is_answered_whether_anything_changed_or_was_refused() {
    let (manager, site) = (Manager::new(), Site::new().with("config/app.toml", "x = 1\n"));
    let program = manager.start("that_is_followed", site.root(), &[]);
    assert_eq!(manager.told(), ["READY=1", "STATUS=generation 1, 2 listeners"]);

    let asked = program.reload();
    let begun = manager.told_of_reload_begun_at();
    assert!((asked..=now()).contains(&begun));
    assert_eq!(manager.told(), ["READY=1", "STATUS=generation 1, 2 listeners"]);

    site.write("config/app.toml", "x = 2\n");
    let _the_files = manager.told_of_reload_begun_at();
    assert_eq!(manager.told(), ["READY=1", "STATUS=generation 2, 2 listeners"]);

    site.write("config/app.toml", "x = [\n");
    let asked = program.reload();
    // The engine may have found it by itself first.
    let mut begun = manager.told_of_reload_begun_at();
    while begun < asked {
        assert!(manager.told()[1].contains("app is refused"));
        begun = manager.told_of_reload_begun_at();
    }
    let ready = manager.told();
    assert!(
        ready[1].starts_with("STATUS=generation 2, 2 listeners; app is refused: config/app.toml:"),
        "{ready:?}"
    );

    program.ends_well();
    let mut last = manager.told();
    while last != ["STOPPING=1"] {
        last = manager.told();
    }
}

#[tokio::test]
#[ignore = "a process that another test starts"]
async fn that_is_followed() {
    let Some(root) = std::env::var_os("TEST_ROOT") else { return };
    let builder = rekindle::HotReload::builder(root).reload_on_sighup(true);
    let manager = builder.start().await.unwrap();
    let systemd = Systemd::start_with(&manager, || "2 listeners".to_owned()).unwrap();
    // Until the test closes it.
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()))
        .await
        .unwrap()
        .unwrap();
    systemd.stopping();
    manager.shutdown().await.unwrap();
}

#[test]
fn a_program_says_that_it_is_alive_as_often_as_the_manager_wants() {
    let (manager, site) = (Manager::new(), Site::new());
    let program = manager.start("that_is_followed", site.root(), &[("WATCHDOG_USEC", "20000")]);
    assert_eq!(manager.told()[0], "READY=1");
    for _ in 0..3 {
        assert_eq!(manager.told(), ["WATCHDOG=1"]);
    }
    program.ends_well();
}

#[test]
fn a_watchdog_that_is_another_processs_or_nonsense_is_not_fed() {
    for variables in
        [[("WATCHDOG_USEC", "20000"), ("WATCHDOG_PID", "1")], [("WATCHDOG_USEC", "0"), ("WATCHDOG_PID", "")]]
    {
        let (manager, site) = (Manager::new(), Site::new());
        let program = manager.start("that_is_followed", site.root(), &variables);
        assert_eq!(manager.told()[0], "READY=1");
        program.ends_well();
        assert_eq!(manager.told(), ["STOPPING=1"]);
    }
}

#[test]
fn a_manager_that_cannot_be_told_is_an_error_at_the_start() {
    let (manager, site) = (Manager::new(), Site::new());
    let nowhere = manager.directory.path().join("nowhere").display().to_string();
    let program = manager.start("that_cannot_tell", site.root(), &[("NOTIFY_SOCKET", &*nowhere)]);
    program.ends_well();
}

#[tokio::test]
#[ignore = "a process that another test starts"]
async fn that_cannot_tell() {
    let Some(root) = std::env::var_os("TEST_ROOT") else { return };
    let manager = rekindle::HotReload::builder(root).start().await.unwrap();
    let error = Systemd::start(&manager).unwrap_err();
    assert_eq!(error.kind(), rekindle::ErrorKind::Io);
    assert!(
        error.message().starts_with("the service manager cannot be told that the program is ready: "),
        "{error}"
    );
    manager.shutdown().await.unwrap();
}

#[test]
fn a_remark_that_panics_is_none() {
    assert_eq!(asked(&|| "2 listeners".to_owned()), "2 listeners");
    assert_eq!(asked(&|| panic!("a panic for the test")), "");
}

#[tokio::test]
async fn without_a_manager_it_does_nothing() {
    let site = Site::new().with("config/app.toml", "x = 1\n");
    let manager = rekindle::HotReload::builder(site.root()).start().await.unwrap();
    let systemd = Systemd::start(&manager).unwrap();
    assert_eq!(format!("{systemd:?}"), "Systemd { is_there: false }");
    systemd.stopping();
    manager.shutdown().await.unwrap();
}
