//! Every way in which a server can fail a request is counted as what it is, and no other is.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use rekindle_load::{Answer, Ended, Load, Phase, Protocol, Report, Target, Watch};
use rekindle_test::LIMIT;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const GOOD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn plain(address: SocketAddr) -> Target {
    Target { address, tls: false, protocol: Protocol::Http1 }
}

/// A server that does with each connection as it is told.
async fn server<F, Fut>(behave: F) -> SocketAddr
where
    F: Fn(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(behave(stream));
        }
    });
    address
}

/// Reads one request.
async fn request(stream: &mut TcpStream) -> bool {
    let mut buffer = [0; 4096];
    stream.read(&mut buffer).await.is_ok_and(|read| read > 0)
}

fn good(answer: &Answer) -> Result<(), String> {
    if answer.body == "ok" { Ok(()) } else { Err(format!("{:?}", answer.body)) }
}

/// What comes of a few requests of one client.
async fn asked(address: SocketAddr, requests: u64) -> Report {
    let (_keep, targets) = watch::channel(vec![plain(address)]);
    let load = Load::new(targets, good).clients(1).start();
    tokio::time::timeout(LIMIT, load.more(requests)).await.expect("requests come to an end");
    load.stop().await
}

fn only(report: &Report, phase: Phase) {
    assert_eq!(report.failed.keys().collect::<Vec<_>>(), [&phase], "{report}");
    assert_eq!(report.answers(), report.failed.get(&Phase::Wrong).copied().unwrap_or(0), "{report}");
}

#[tokio::test]
async fn a_good_server_fails_nobody_and_keeps_its_connection() {
    let address = server(
        async |mut stream: TcpStream| {
            while request(&mut stream).await && stream.write_all(GOOD).await.is_ok() {}
        },
    );
    let report = asked(address.await, 50).await;
    assert_eq!(
        (report.failures(), report.connections, report.with_status(200)),
        (0, 1, report.requests()),
        "{report}"
    );
    assert!(report.percentile(99.0) > Duration::ZERO);
}

#[tokio::test]
async fn a_server_that_is_not_there_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it is bound");
    drop(listener);
    only(&asked(address, 3).await, Phase::Refused);
}

#[tokio::test]
async fn an_end_after_the_request_is_a_reset() {
    let address = server(async |mut stream: TcpStream| {
        request(&mut stream).await;
    });
    only(&asked(address.await, 3).await, Phase::ResetBeforeReply);
}

#[tokio::test]
async fn half_an_answer_is_truncated() {
    for half in [
        &GOOD[..10],
        &GOOD[..GOOD.len() - 1],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
    ] {
        let address = server(move |mut stream: TcpStream| async move {
            request(&mut stream).await;
            stream.write_all(half).await.ok();
        });
        only(&asked(address.await, 3).await, Phase::Truncated);
    }
}

#[tokio::test]
async fn what_is_no_answer_is_a_fault_of_the_protocol_and_what_is_not_right_is_wrong() {
    for (text, phase) in [
        (&b"SSH-2.0-OpenSSH\r\n\r\n"[..], Phase::Protocol),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", Phase::Wrong),
    ] {
        let address = server(move |mut stream: TcpStream| async move {
            while request(&mut stream).await && stream.write_all(text).await.is_ok() {}
        });
        only(&asked(address.await, 3).await, phase);
    }
}

#[tokio::test]
async fn a_farewell_is_followed_and_an_idle_end_is_no_failure() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nok",
    ] {
        let address = server(move |mut stream: TcpStream| async move {
            request(&mut stream).await;
            stream.write_all(answer).await.ok();
        });
        let report = asked(address.await, 5).await;
        assert_eq!((report.failures(), report.connections), (0, report.requests()), "{report}");
        assert!(report.told_to_go > 0, "{report}");
    }
}

#[tokio::test]
async fn a_connection_that_ended_while_nothing_was_asked_is_left_without_a_failure() {
    let address = server(async |mut stream: TcpStream| {
        request(&mut stream).await;
        stream.write_all(GOOD).await.ok();
        stream.shutdown().await.ok();
    });
    let (_keep, targets) = watch::channel(vec![plain(address.await)]);
    // With a pause in which the end is bound to arrive.
    let load = Load::new(targets, good).clients(1).pause(Duration::from_millis(500)).start();
    tokio::time::timeout(LIMIT, load.more(3)).await.expect("requests come to an end");
    let report = load.stop().await;
    assert_eq!((report.failures(), report.connections), (0, report.requests()), "{report}");
}

#[tokio::test]
async fn a_stream_of_events_that_breaks_off_is_abrupt() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (rest, whole) in [
        ("9\r\ndata: 1\n\n\r\n0\r\n\r\n", true),
        ("9\r\ndata: 1\n\n\r\n", false),
        ("7\r\ndata: 1\r\n0\r\n\r\n", false),
    ] {
        let address = server(move |mut stream: TcpStream| async move {
            request(&mut stream).await;
            stream.write_all(format!("{head}{rest}").as_bytes()).await.ok();
        });
        let (_keep, targets) = watch::channel(vec![plain(address.await)]);
        let mut events = Watch::events(targets, "/");
        tokio::time::timeout(LIMIT, events.until_ended(1)).await.expect("it ends");
        let story = events.stop().await;
        assert_eq!(story.ends.first() == Some(&Ended::Whole), whole, "{:?}", story.counted());
    }
}
