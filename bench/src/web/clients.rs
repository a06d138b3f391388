//! `clients`: a stylesheet is saved, and a thousand browsers are told.
//!
//! The server is a process of its own. The clients are in this one, on the other end of real sockets.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::server::{self, BY_HAND, LIVERELOAD, REKINDLE};
use super::site::Site;
use crate::harness::child::{self, Case};
use crate::harness::process::{cpu, let_more_files_be_open, memory};
use crate::harness::stats::{Times, float, median, millis};
use crate::harness::table::{Row, Table};
use crate::harness::tally::Tally;
use crate::harness::{Result, Size};

const ABOUT: &str = "From the rename that saves a stylesheet until the first and the last client has been told of it, in milliseconds: \
    medians; of the last also the 90th percentile and the slowest. CPU and memory are the server's, in a process of its own; memory per client with \
    all of them connected. By hand is notify, a broadcast channel and server-sent events.";

/// How browsers listen to a server.
struct Listener {
    name: &'static str,
    server: &'static str,
    connect: Connect,
}

#[derive(Debug, Clone, Copy)]
enum Connect {
    Socket,
    Events,
    LiveReload,
    /// Server-sent events of others, at that address.
    Plain(&'static str),
}

const ALL: [Listener; 5] = [
    Listener { name: "rekindle, WebSocket", server: REKINDLE, connect: Connect::Socket },
    Listener { name: "rekindle, server-sent events", server: REKINDLE, connect: Connect::Events },
    Listener { name: "rekindle, LiveReload 7", server: REKINDLE, connect: Connect::LiveReload },
    Listener {
        name: "tower-livereload and notify",
        server: LIVERELOAD,
        connect: Connect::Plain("/_tower-livereload/event-stream"),
    },
    Listener { name: "by hand", server: BY_HAND, connect: Connect::Plain("/events") },
];

/// What the server has used so far.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Used {
    cpu_ms: f64,
    bytes: u64,
}

/// One save.
#[derive(Debug, Clone, Copy)]
struct Round {
    first_ms: f64,
    last_ms: f64,
    cpu_ms: f64,
}

pub(crate) fn measure(size: Size) -> Result<Vec<Table>> {
    let columns = ["first", "last", "last, p90", "last, slowest", "CPU", "KiB each"];
    let mut table = Table::new("Clients", ABOUT, "clients", &columns);
    let_more_files_be_open()?;
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let count = size.pick(1_000, 20);
    for listener in &ALL {
        let row = row(listener, count, size.pick(50, 2), &runtime);
        table
            .rows
            .push(row.unwrap_or_else(|why| Row::failed(count.to_string(), listener.name, why.to_string())));
    }
    Ok(vec![table])
}

fn row(listener: &Listener, count: u64, rounds: usize, runtime: &Runtime) -> Result<Row> {
    let site = Site::new()?;
    let root = site.root().to_string_lossy().into_owned();
    let mut server = Case::start(&["clients", listener.server, &root])?;
    let port = server.ask::<u16>("port")?;
    let before = server.ask::<Used>("used")?;
    let tally = Arc::new(Tally::new());
    let clients = runtime.block_on(connect_all(listener.connect, port, count, &tally))?;
    // One that does not count: now all hold what they hold.
    round(&site, &mut server, count, &tally)?;
    let bytes = server.ask::<Used>("used")?.bytes.saturating_sub(before.bytes);
    let mut told = Vec::new();
    for _ in 0..rounds {
        told.push(round(&site, &mut server, count, &tally)?);
    }
    clients.iter().for_each(tokio::task::JoinHandle::abort);
    let last = Times::of_millis(&told.iter().map(|round| round.last_ms).collect::<Vec<_>>())?;
    let middle = |of: &dyn Fn(&Round) -> f64| median(&told.iter().map(of).collect::<Vec<_>>());
    let values = vec![
        middle(&|round| round.first_ms),
        middle(&|round| round.last_ms),
        last.ms(0.9),
        last.ms(1.0),
        middle(&|round| round.cpu_ms),
        // Of a few, the pages of memory are all that would be seen.
        (count >= 1_000).then(|| float(bytes / count) / 1024.0),
    ];
    Ok(Row::new(count.to_string(), listener.name, values))
}

fn round(site: &Site, server: &mut Case, count: u64, tally: &Tally) -> Result<Round> {
    // Whatever the last save still brings; those whose events have ended connect again.
    std::thread::sleep(Duration::from_millis(200));
    tally.assemble(count)?;
    let before = server.ask::<Used>("used")?;
    let began = site.save_style(|| tally.begin())?;
    let (first_ms, last_ms) = tally.wait(count, began)?;
    Ok(Round { first_ms, last_ms, cpu_ms: server.ask::<Used>("used")?.cpu_ms - before.cpu_ms })
}

/// In the child: serves the directory.
pub(crate) fn case(name: &str, root: &str) -> Result<()> {
    let_more_files_be_open()?;
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (port, _guard) = runtime.block_on(server::serve(name, Path::new(root)))?;
    child::serve(|question| match question {
        "port" => Ok(json!(port)),
        _ => Ok(serde_json::to_value(Used { cpu_ms: millis(cpu()), bytes: memory()? })?),
    })
}

type Client = tokio::task::JoinHandle<Result<()>>;

async fn connect_all(connect: Connect, port: u16, count: u64, tally: &Arc<Tally>) -> Result<Vec<Client>> {
    let mut clients = Vec::new();
    for _ in 0..count {
        let tally = Arc::clone(tally);
        clients.push(match connect {
            Connect::Socket => tokio::spawn(hear(socket(port).await?, "\"style\"", tally)),
            Connect::LiveReload => tokio::spawn(hear(livereload(port).await?, "\"reload\"", tally)),
            Connect::Events => tokio::spawn(read(port, events(port).await?, "\"style\"", tally)),
            Connect::Plain(address) => tokio::spawn(read(port, address.into(), "reload", tally)),
        });
    }
    Ok(clients)
}

/// The address of the events of a page.
async fn events(port: u16) -> Result<String> {
    let (token, revision) = page(port).await?;
    let pages = format!("%5B%7B%22id%22:1,%22revision%22:%22{revision}%22,%22templates%22:%5B%5D%7D%5D");
    Ok(format!("/_rekindle/events?token={token}&pages={pages}"))
}

/// What the tag of a page says: the token and the revision.
async fn page(port: u16) -> Result<(String, String)> {
    let mut connection = get(port, "/").await?;
    let mut page = String::new();
    connection.read_to_string(&mut page).await?;
    let tag =
        page.split("live.js?").nth(1).and_then(|rest| rest.split('"').next()).ok_or("no tag in the page")?;
    let mut parts = tag.split('.').map(str::to_owned);
    Ok((parts.next().unwrap_or_default(), parts.next().ok_or("no revision in the tag")?))
}

async fn get(port: u16, address: &str) -> Result<TcpStream> {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await?;
    let request = format!("GET {address} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await?;
    Ok(connection)
}

type Socket = WebSocketStream<TcpStream>;

async fn socket(port: u16) -> Result<Socket> {
    let (token, revision) = page(port).await?;
    let mut socket = open(port, &format!("/_rekindle/socket?token={token}")).await?;
    say(&mut socket, &json!({"command": "hello", "protocols": ["urn:rekindle:live:1"], "token": token}))
        .await?;
    say(&mut socket, &json!({"command": "page", "id": 1, "revision": revision, "templates": []})).await?;
    // The hello, the problems, and that there is no update.
    for _ in 0..3 {
        socket.next().await.ok_or("the server closed the connection")??;
    }
    Ok(socket)
}

async fn livereload(port: u16) -> Result<Socket> {
    let mut socket = open(port, "/livereload").await?;
    let protocols = ["http://livereload.com/protocols/official-7"];
    say(&mut socket, &json!({"command": "hello", "protocols": protocols})).await?;
    socket.next().await.ok_or("the server closed the connection")??;
    Ok(socket)
}

async fn open(port: u16, address: &str) -> Result<Socket> {
    let connection = TcpStream::connect(("127.0.0.1", port)).await?;
    let mut request = format!("ws://127.0.0.1:{port}{address}").into_client_request()?;
    request.headers_mut().insert("origin", format!("http://127.0.0.1:{port}").parse()?);
    Ok(tokio_tungstenite::client_async(request, connection).await?.0)
}

async fn say(socket: &mut Socket, message: &Value) -> Result<()> {
    Ok(socket.send(Message::text(message.to_string())).await?)
}

/// Counts the changes it is told of by a message with that text in it.
async fn hear(mut socket: Socket, text: &str, tally: Arc<Tally>) -> Result<()> {
    let mut last = 0;
    tally.came();
    while let Some(message) = socket.next().await {
        if message?.to_text()?.contains(text) {
            tally.told_once(&mut last);
        }
    }
    Ok(())
}

/// The same of events. As a browser does, it connects again when they end.
async fn read(port: u16, address: String, text: &str, tally: Arc<Tally>) -> Result<()> {
    let (mut piece, mut last) = ([0; 4096], 0);
    loop {
        let mut events = get(port, &address).await?;
        let mut length = events.read(&mut piece).await?;
        // It has answered, so it knows of this client.
        tally.came();
        while length > 0 {
            if String::from_utf8_lossy(&piece[..length]).contains(text) {
                tally.told_once(&mut last);
            }
            length = events.read(&mut piece).await?;
        }
        tally.went();
    }
}
