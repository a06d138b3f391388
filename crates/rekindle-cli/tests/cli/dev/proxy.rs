//! `rekindle dev --proxy`: in front of real servers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;

use super::Dev;
use super::http::{ask, connect};
use super::tab::Tab;
use crate::support::{LIMIT, Project};

/// Another server: answers each connection by a function that is given what was asked.
struct Upstream {
    address: String,
    asked: Receiver<String>,
}

impl Upstream {
    fn start(answer: impl Fn(&mut TcpStream) + Send + Sync + Clone + 'static) -> Self {
        Self::at("127.0.0.1:0", answer)
    }

    fn at(address: &str, answer: impl Fn(&mut TcpStream) + Send + Sync + Clone + 'static) -> Self {
        Self::telling(address, move |stream: &mut TcpStream, _: &str| answer(stream))
    }

    /// With the head of the request given to the function.
    fn telling(address: &str, answer: impl Fn(&mut TcpStream, &str) + Send + Sync + Clone + 'static) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (tell, asked) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, tell, answer) = (stream.unwrap(), tell.clone(), answer.clone());
                std::thread::spawn(move || {
                    let head = head(&mut stream);
                    if head.is_empty() {
                        return;
                    }
                    // The test may have seen enough.
                    let _over = tell.send(head.clone());
                    answer(&mut stream, &head);
                });
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> String {
        self.asked.recv_timeout(LIMIT).expect("a request within the limit")
    }

    fn dev(&self, project: &Project, options: &[&str]) -> Dev {
        let url = format!("http://{}", self.address);
        let options: Vec<&str> = ["--proxy", &url].into_iter().chain(options.iter().copied()).collect();
        Dev::start(project.root(), &options)
    }
}

/// The head of a request, without a byte of what follows.
fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        bytes.push(byte[0]);
    }
    String::from_utf8(bytes).unwrap()
}

fn say(text: &'static str) -> impl Fn(&mut TcpStream) + Send + Sync + Clone {
    move |stream: &mut TcpStream| stream.write_all(text.as_bytes()).unwrap()
}

#[test]
fn an_answer_comes_through_and_the_request_says_where_it_was_made() {
    let upstream = Upstream::start(say(
        "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\nX-Own: yes\r\nKeep-Alive: timeout=5\r\nConnection: close\r\n\r\n{}",
    ));
    let project = Project::new(&[]);
    let dev = upstream.dev(&project, &[]);
    let address = &dev.address;
    let answer = ask(
        address,
        &format!(
            "POST /a%2fb?c=%20 HTTP/1.1\r\nHost: {address}\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody"
        ),
    );
    assert_eq!((answer.status, answer.body.as_str(), answer.header("x-own")), (201, "{}", Some("yes")));
    assert_eq!(answer.header("keep-alive"), None);
    let asked = upstream.asked().to_lowercase();
    assert!(asked.starts_with("post /a%2fb?c=%20 http/1.1\r\n"), "{asked}");
    for line in [
        format!("host: {address}"),
        format!("x-forwarded-host: {address}"),
        "x-forwarded-for: 127.0.0.1".into(),
        "x-forwarded-proto: http".into(),
        "content-length: 4".into(),
    ] {
        assert!(asked.contains(&format!("\r\n{line}\r\n")), "{line}\n{asked}");
    }
}

#[test]
fn a_large_body_streams_both_ways() {
    const SIZE: usize = 32 << 20;
    let upstream = Upstream::start(|stream: &mut TcpStream| {
        let mut input = stream.try_clone().unwrap().take(SIZE as u64);
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {SIZE}\r\n\r\n"
        )
        .unwrap();
        std::io::copy(&mut input, stream).unwrap();
    });
    let project = Project::new(&[]);
    let dev = upstream.dev(&project, &[]);
    let mut stream = connect(&dev.address);
    write!(
        stream,
        "POST /echo HTTP/1.1\r\nHost: {}\r\nContent-Length: {SIZE}\r\nConnection: close\r\n\r\n",
        dev.address
    )
    .unwrap();
    let mut output = stream.try_clone().unwrap();
    let writer = std::thread::spawn(move || {
        let block: Vec<u8> = (0..=250).cycle().take(1 << 16).collect();
        for _ in 0..SIZE / block.len() {
            output.write_all(&block).unwrap();
        }
    });
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    writer.join().unwrap();
    let body = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(bytes.len() - body, SIZE);
    assert_eq!(&bytes[body + (1 << 16)..body + (1 << 16) + 3], &[0, 1, 2]);
}

#[test]
fn events_arrive_one_by_one_while_the_stream_goes_on() {
    let (next, wait) = channel::<()>();
    let wait = std::sync::Arc::new(std::sync::Mutex::new(wait));
    let upstream = Upstream::start(move |stream: &mut TcpStream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n").unwrap();
        for event in ["one", "two", "three"] {
            stream.write_all(format!("data: {event}\n\n").as_bytes()).unwrap();
            // The next is only sent when this one has arrived: a buffer anywhere would hang the test.
            wait.lock().unwrap().recv_timeout(LIMIT).unwrap();
        }
    });
    let project = Project::new(&[]);
    let dev = upstream.dev(&project, &[]);
    let mut stream = connect(&dev.address);
    write!(stream, "GET /events HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\n\r\n", dev.address)
        .unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    for event in ["one", "two", "three"] {
        assert!(lines.any(|line| line == format!("data: {event}")));
        next.send(()).unwrap();
    }
}

#[tokio::test]
async fn a_web_socket_passes_through_byte_for_byte() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let echo = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        while let Some(Ok(message)) = socket.next().await {
            if message.is_close() {
                break;
            }
            socket.send(message).await.unwrap();
        }
    });
    let project = Project::new(&[]);
    let dev = Dev::start(project.root(), &["--proxy", &url]);
    let stream = tokio::net::TcpStream::connect(&dev.address).await.unwrap();
    let address = format!("ws://{}/chat", dev.address);
    let (mut socket, _) = tokio_tungstenite::client_async(address, stream).await.unwrap();
    let large: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    for message in [Message::text("hello"), Message::binary(large), Message::text("")] {
        socket.send(message.clone()).await.unwrap();
        let back = tokio::time::timeout(LIMIT, socket.next()).await.unwrap();
        assert_eq!(back.unwrap().unwrap(), message);
    }
    socket.close(None).await.unwrap();
    tokio::time::timeout(LIMIT, echo).await.expect("the end is passed on, too").unwrap();
}

#[test]
fn an_upgrade_that_is_refused_is_an_answer() {
    let upstream = Upstream::start(say(
        "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\nUpgrade: other\r\n\r\nno",
    ));
    let project = Project::new(&[]);
    let dev = upstream.dev(&project, &[]);
    let address = &dev.address;
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n\r\n"
    );
    let answer = ask(address, &request);
    assert_eq!((answer.status, answer.body.as_str()), (426, "no"));
    assert!(upstream.asked().to_lowercase().contains("\r\nupgrade: websocket\r\n"));
}

#[test]
fn a_server_that_is_away_is_told_of_and_asked_again() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let project = Project::new(&[]);
    let dev = Dev::start(project.root(), &["--proxy", &format!("http://{free}")]);
    let away = dev.get("/page");
    assert_eq!(away.status, 502);
    assert!(away.body.contains(&format!("Waiting for <code>http://{free}</code>")), "{}", away.body);
    let for_a_program = ask(
        &dev.address,
        &format!("GET /api HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", dev.address),
    );
    assert_eq!(for_a_program.header("content-type"), Some("text/plain; charset=utf-8"));
    let _upstream = Upstream::at(&free, say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nback"));
    assert_eq!(dev.get("/page").body, "back");
}

#[test]
fn a_server_that_was_restarted_is_asked_anew() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let first = std::thread::spawn(move || {
        // It keeps its connection open, as servers do, and is gone with it.
        let (mut stream, _) = listener.accept().unwrap();
        head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst").unwrap();
    });
    let project = Project::new(&[]);
    let dev = Dev::start(project.root(), &["--proxy", &format!("http://{address}")]);
    assert_eq!(dev.get("/").body, "first");
    first.join().unwrap();
    let _second = Upstream::at(&address, say("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond"));
    assert_eq!(dev.get("/").body, "second");
}

#[test]
fn an_upstream_that_talks_nonsense_is_a_bad_gateway() {
    let upstream = Upstream::start(say("SSH-2.0-OpenSSH_9.9\r\n\r\n"));
    let project = Project::new(&[]);
    let dev = upstream.dev(&project, &[]);
    assert_eq!(dev.get("/").status, 502);
}

/// A server with a page and a stylesheet at an address of its own.
fn site(stream: &mut TcpStream, head: &str) {
    let (kind, body) = if head.starts_with("GET /assets/v2/app.css ") {
        ("text/css", "p { color: red }")
    } else {
        (
            "text/html",
            "<!doctype html><html><head><link rel=stylesheet href=/assets/v2/app.css></head><p>Hi</p></html>",
        )
    };
    let length = body.len();
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).unwrap();
}

#[tokio::test]
async fn a_save_is_seen_in_the_pages_of_the_other_server() {
    let upstream = Upstream::telling("127.0.0.1:0", site);
    let project = Project::new(&[("static/app.css", "p { color: red }")]);
    let dev = upstream.dev(&project, &[]);
    let mut tab = Tab::open(&dev, "/").await;
    project.write("static/app.css", "p { color: green }");
    assert_eq!(tab.updates().await, ["reload"], "nobody has asked for the stylesheet yet");
    assert_eq!(dev.get("/assets/v2/app.css").body, "p { color: red }");
    let mut tab = Tab::open(&dev, "/").await;
    project.write("static/app.css", "p { color: blue }");
    assert_eq!(tab.updates().await, ["style /assets/v2/app.css"]);
    project.write("templates/page.html", "<p>");
    assert_eq!(tab.updates().await, ["page"]);
    project.write("static/app.js", "1");
    assert_eq!(tab.updates().await, ["reload"]);
}

#[tokio::test]
async fn a_page_that_waits_turns_into_the_page_when_the_server_is_back() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let project = Project::new(&[]);
    let dev = Dev::start(project.root(), &["--proxy", &format!("http://{free}")]);
    let mut tab = Tab::open(&dev, "/").await;
    let _upstream = Upstream::telling(&free, site);
    assert_eq!(tab.updates().await, ["reload"]);
    assert!(dev.get("/").body.contains("<p>Hi</p>"));
}
