//! The server under change: what it answers while its configuration is edited, on real sockets.

use std::io;
use std::path::Path;
use std::process::Stdio;

use hot_reload_server::Server;
use rekindle::{ChangeEvent, Workspace, WorkspaceExt};
use rekindle_test::LIMIT;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::{broadcast, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A request that is held until the configuration lets it go.
const HELD: u64 = 60_000;

/// What `config/server.toml` says.
#[derive(Clone)]
struct Config {
    message: String,
    requests: usize,
    slow_ms: u64,
    address: String,
}

fn config(message: &str, requests: usize, slow_ms: u64) -> Config {
    Config { message: message.to_owned(), requests, slow_ms, address: "127.0.0.1:0".to_owned() }
}

/// Writes `config/server.toml`, as an editor would that writes in place.
fn save(root: &Path, config: &Config) {
    let Config { message, requests, slow_ms, address } = config;
    let text = format!(
        "message = {message:?}\nslow_ms = {slow_ms}\ndebug = false\n[http]\nhealth = '/health'\n\
         listen.web = {address:?}\nlimits.requests = {requests}\ntimeouts.lame_duck = '100ms'\n"
    );
    std::fs::write(root.join("config/server.toml"), text).unwrap();
}

/// A directory with the configuration, and the schema that the example comes with.
fn directory(config: &Config) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("config")).unwrap();
    let schema = include_str!("../config/server.schema.json");
    std::fs::write(directory.path().join("config/server.schema.json"), schema).unwrap();
    save(directory.path(), config);
    directory
}

/// A server in this process.
struct Running {
    directory: TempDir,
    address: String,
    events: broadcast::Receiver<ChangeEvent>,
    end: oneshot::Sender<()>,
    server: JoinHandle<rekindle::Result<()>>,
}

impl Running {
    async fn start(config: &Config) -> Self {
        let directory = directory(config);
        let server = Server::start(directory.path()).await.unwrap();
        let address = server.addresses();
        println!("listening on {address}");
        // Joins the engine that the server started.
        let events = Workspace::new(directory.path()).start_hot_reload().await.unwrap().subscribe();
        let (end, ended) = oneshot::channel();
        let server = tokio::spawn(server.run(async { ended.await.unwrap() }));
        Self { directory, address, events, end, server }
    }

    /// Saves, and waits until the next request is answered by it.
    async fn change(&mut self, config: &Config) {
        save(self.directory.path(), config);
        let of_it = |event: &ChangeEvent| match event {
            ChangeEvent::ConfigChanged { new_value, .. } => new_value["message"] == config.message.as_str(),
            _ => false,
        };
        self.event(of_it).await;
        let served = async {
            while get(&self.address, "/").await.body != format!("{}\n", config.message) {
                tokio::task::yield_now().await;
            }
        };
        timeout(LIMIT, served).await.expect("it serves");
    }

    async fn event(&mut self, wanted: impl Fn(&ChangeEvent) -> bool) -> ChangeEvent {
        let next = async {
            loop {
                let event = self.events.recv().await.unwrap();
                if wanted(&event) {
                    return event;
                }
            }
        };
        timeout(LIMIT, next).await.expect("the engine tells of the change")
    }

    async fn stop(self) {
        self.end.send(()).unwrap();
        timeout(LIMIT, self.server).await.expect("the server ends").unwrap().unwrap();
    }
}

/// One connection, kept open from request to request.
struct Client(BufReader<TcpStream>);

struct Answer {
    status: u16,
    retry_after: Option<String>,
    body: String,
}

impl Client {
    async fn connect(address: &str) -> io::Result<Self> {
        TcpStream::connect(address).await.map(|stream| Self(BufReader::new(stream)))
    }

    async fn get(&mut self, path: &str) -> io::Result<Answer> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        self.0.get_mut().write_all(request.as_bytes()).await?;
        let status_line = self.line().await?;
        let status = status_line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let (mut length, mut retry_after) = (0, None);
        while let Some((name, value)) = self.line().await?.split_once(": ") {
            match name {
                "content-length" => length = value.parse().unwrap(),
                "retry-after" => retry_after = Some(value.to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        let body = String::from_utf8(body).unwrap();
        Ok(Answer { status: status.ok_or(io::ErrorKind::UnexpectedEof)?, retry_after, body })
    }

    /// A line without its end; empty at the end of the header, and of the connection.
    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).await?;
        Ok(line.trim_end().to_owned())
    }
}

/// One request on a connection of its own.
async fn get(address: &str, path: &str) -> Answer {
    let answer = async { Client::connect(address).await?.get(path).await };
    timeout(LIMIT, answer).await.expect("an answer in time").expect("an answer")
}

/// Begins a `/slow` request, and returns when it is under way.
async fn hold(address: &str) -> JoinHandle<Answer> {
    let to = address.to_owned();
    let held = tokio::spawn(async move { get(&to, "/slow").await });
    let under_way = async {
        while state(address).await["held"] == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, under_way).await.expect("the request gets there");
    held
}

async fn state(address: &str) -> Value {
    serde_json::from_str(&get(address, "/config").await.body).unwrap()
}

#[tokio::test]
async fn message_and_limit_change_while_a_request_is_under_way() {
    let mut server = Running::start(&config("one", 2, HELD)).await;
    let address = server.address.clone();
    assert_eq!(get(&address, "/").await.body, "one\n");
    let held = hold(&address).await;
    let also_held = {
        let address = address.clone();
        tokio::spawn(async move { get(&address, "/slow").await })
    };
    let full = async {
        loop {
            let answer = get(&address, "/").await;
            if answer.status == 503 {
                return answer;
            }
        }
    };
    let full = timeout(LIMIT, full).await.expect("both are held");
    assert_eq!(full.retry_after.as_deref(), Some("1"));

    server.change(&config("two", 3, HELD)).await;
    assert_eq!(state(&address).await["generation"], 2);
    server.change(&config("three", 3, 0)).await;
    for held in [held, also_held] {
        let answer = held.await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "one\nthree\n"), "no reload dropped it");
    }
    server.stop().await;
}

#[tokio::test]
async fn an_invalid_configuration_keeps_the_old_message() {
    let mut server = Running::start(&config("good", 10, 0)).await;
    let refused = |part: &'static str| {
        move |event: &ChangeEvent| match event {
            ChangeEvent::ValidationFailed { error, .. } => error.contains(part),
            _ => false,
        }
    };
    for (text, part) in [("debug = ", "server.toml:1:"), ("message = \"half of it\"", "required")] {
        std::fs::write(server.directory.path().join("config/server.toml"), text).unwrap();
        server.event(refused(part)).await;
        assert_eq!(get(&server.address, "/").await.body, "good\n");
    }
    save(server.directory.path(), &config("no limit", 0, 0));
    server.event(refused("server.toml:7:19")).await;
    assert_eq!(state(&server.address).await["generation"], 1);

    server.change(&config("good again", 10, 0)).await;
    assert_eq!(get(&server.address, "/").await.body, "good again\n");
    server.stop().await;
}

/// Asks on one connection until told to stop: every answer is there, and none is older than the one before.
async fn ask(address: String, stop: watch::Receiver<bool>) -> usize {
    let mut client = Client::connect(&address).await.unwrap();
    let (mut answers, mut newest) = (0, 0);
    while !*stop.borrow() {
        let answer = timeout(LIMIT, client.get("/")).await.expect("an answer in time").expect("an answer");
        assert_eq!(answer.status, 200);
        let number: u32 = answer.body.trim().parse().unwrap();
        assert!(number >= newest, "{number} after {newest}");
        (answers, newest) = (answers + 1, number);
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_dropped_while_fifty_reloads_happen() {
    let mut server = Running::start(&config("0", 100, HELD)).await;
    let address = server.address.clone();
    // First of all: it knows that it is under way by nothing else being so.
    let held = hold(&address).await;
    let (stop, stopped) = watch::channel(false);
    let asking: Vec<_> = (0..4).map(|_| tokio::spawn(ask(address.clone(), stopped.clone()))).collect();

    for reload in 1..=50 {
        server.change(&config(&reload.to_string(), 100, HELD)).await;
        assert_eq!(get(&address, "/").await.body, format!("{reload}\n"), "on a new connection");
    }
    assert_eq!(state(&address).await["generation"], 51, "each was a reload of its own");
    stop.send(true).unwrap();
    for asking in asking {
        assert!(asking.await.unwrap() > 0);
    }
    server.change(&config("end", 100, 0)).await;
    assert_eq!(held.await.unwrap().body, "0\nend\n");
    server.stop().await;
}

/// An address that was free a moment ago.
fn free() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_port_changes_and_no_request_is_dropped() {
    let mut server = Running::start(&config("0", 100, 0)).await;
    for port in 1..=5 {
        let old = Client::connect(&server.address).await.unwrap();
        let mut kept = old;
        assert_eq!(kept.get("/").await.unwrap().status, 200);
        server.address = free();
        let address = server.address.clone();
        server.change(&Config { address, ..config(&port.to_string(), 100, 0) }).await;
        assert_eq!(
            kept.get("/").await.unwrap().body,
            format!("{port}\n"),
            "over the connection to the old one"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn a_taken_port_is_refused_and_a_missing_configuration_told_of() {
    let mut server = Running::start(&config("first", 10, 0)).await;
    let somebody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = Config { address: somebody.local_addr().unwrap().to_string(), ..config("second", 10, 0) };
    save(server.directory.path(), &taken);
    let refused = |event: &ChangeEvent| matches!(event, ChangeEvent::ValidationFailed { error, .. } if error.contains(&taken.address));
    server.event(refused).await;
    assert_eq!(get(&server.address, "/").await.body, "first\n");

    let second = directory(&taken);
    let error = Server::start(second.path()).await.unwrap_err().to_string();
    assert!(error.starts_with("config/server.toml:6:") && error.contains(&taken.address), "{error}");
    std::fs::remove_file(second.path().join("config/server.toml")).unwrap();
    let error = Server::start(second.path()).await.unwrap_err().to_string();
    assert!(error.contains("there is no configuration"), "{error}");
    server.stop().await;
}

/// The program itself, what it says, and where it says that it listens.
#[cfg(unix)]
async fn program(directory: &Path) -> (Child, Lines<BufReader<ChildStdout>>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hot_reload_server"));
    let mut child = command.arg(directory).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = timeout(LIMIT, lines.next_line()).await.expect("a line in time").unwrap().unwrap();
    let address = line.strip_prefix("listening on ").expect("says where").to_owned();
    (child, lines, address)
}

/// Waits for a line of the program's.
#[cfg(unix)]
async fn said(lines: &mut Lines<BufReader<ChildStdout>>, wanted: &str) {
    let line = async { while lines.next_line().await.unwrap().expect("the program goes on") != wanted {} };
    timeout(LIMIT, line).await.expect("it is said");
}

#[cfg(unix)]
#[tokio::test]
async fn the_program_says_what_it_does_and_lets_requests_end_at_ctrl_c() {
    let directory = directory(&config("begun", 10, HELD));
    let (mut child, mut lines, address) = program(directory.path()).await;
    let held = hold(&address).await;

    save(directory.path(), &config("changed", 10, HELD));
    said(&mut lines, &format!("generation 1 has ended; listening on {address}")).await;

    let interrupt = format!("kill -INT {}", child.id().unwrap());
    assert!(Command::new("sh").args(["-c", &interrupt]).status().await.unwrap().success());
    let refuses = async { while TcpStream::connect(&address).await.is_ok() {} };
    timeout(LIMIT, refuses).await.expect("takes no new connections");
    save(directory.path(), &config("changed", 10, 0));

    assert_eq!(timeout(LIMIT, held).await.expect("it is let go").unwrap().body, "begun\nchanged\n");
    said(&mut lines, "all requests answered").await;
    assert!(timeout(LIMIT, child.wait()).await.expect("the program ends").unwrap().success());
}
