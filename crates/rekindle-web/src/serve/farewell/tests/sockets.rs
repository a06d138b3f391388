//! WebSockets, and other protocols, over real connections.

use std::io::ErrorKind;

use futures_util::future::poll_immediate;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::server::{AnyIo, Raw, Server, Socket, soon, tcp, tls};
use super::*;

const CLOSE: &[u8] = b"\x88\x0c\x03\xe9going away";

/// A program that only listens.
async fn listen(mut socket: Socket, _: Farewell) -> Vec<Message> {
    let mut heard = Vec::new();
    while let Some(Ok(message)) = socket.next().await {
        heard.push(message);
    }
    heard
}

/// What comes in, to the end of the connection.
async fn all(client: &mut WebSocketStream<AnyIo>) -> Vec<Message> {
    let mut all = Vec::new();
    while let Some(Ok(message)) = soon(client.next()).await {
        all.push(message);
    }
    all
}

fn goodbye(reason: &str) -> Message {
    Message::Close(Some(CloseFrame { code: 1001.into(), reason: reason.into() }))
}

#[tokio::test]
async fn an_idle_websocket_is_closed_with_1001_and_its_program_sees_the_answer() {
    for wire in [tcp().await, tls().await] {
        let server = Server::new();
        let (mut client, program) = server.websocket_over(wire, listen).await;
        client.send(Message::text("hello")).await.unwrap();
        server.signals.farewell.cancel();
        assert_eq!(all(&mut client).await, [goodbye("going away")]);
        assert_eq!(soon(program).await.unwrap(), [Message::text("hello"), goodbye("going away")]);
        server.closed().await;
    }
}

#[tokio::test]
async fn a_websocket_that_begins_after_the_farewell_is_closed_at_once() {
    let server = Server::new();
    server.signals.farewell.cancel();
    let (mut client, _program) = server.websocket(listen).await;
    assert_eq!(all(&mut client).await, [goodbye("going away")]);
    server.closed().await;
}

#[tokio::test]
async fn a_close_frame_may_stand_between_two_fragments_but_not_within_one() {
    let server = Server::new();
    let (resume, resumed) = oneshot::channel();
    let program = |mut raw: Raw, _: Farewell| async move {
        raw.write_all(b"\x41\x04frag\x00\x06me").await.unwrap();
        resumed.await.unwrap();
        assert_eq!(poll_immediate(raw.read_u8()).await.map(|read| read.is_ok()), None);
        raw.write_all(b"nted\x80\x01!").await.unwrap();
        raw.flush().await.unwrap();
        raw.read_to_end(&mut Vec::new()).await.unwrap();
    };
    let (mut client, program) = server.upgraded(tcp().await, program).await;
    server.signals.farewell.cancel();
    resume.send(()).unwrap();
    let expected = [b"\x41\x04frag\x00\x06mented", CLOSE].concat();
    let mut came = vec![0; expected.len()];
    soon(client.read_exact(&mut came)).await.unwrap();
    assert_eq!(came, expected);
    client.shutdown().await.unwrap();
    soon(program).await.unwrap();
    assert_eq!(soon(client.read(&mut [0])).await.unwrap(), 0);
    server.closed().await;
}

/// A program that only talks, and tells when the connection takes no more. It returns how often it has.
async fn flood(mut socket: Socket, full: oneshot::Sender<()>) -> (usize, Error) {
    let mut full = Some(full);
    for sent in 0.. {
        let mut send = std::pin::pin!(tokio::task::unconstrained(socket.send(message(sent))));
        let sending = match poll_immediate(&mut send).await {
            Some(done) => done,
            None => {
                full.take().map(|full| full.send(()));
                send.await
            }
        };
        if let Err(error) = sending {
            return (sent, error);
        }
        tokio::task::yield_now().await;
    }
    unreachable!("it talks for ever")
}

fn message(number: usize) -> Message {
    Message::text(format!("{number} {}", "x".repeat(number % 100_000)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_to_a_slow_client_ends_with_a_whole_message_and_a_close_frame() {
    for wire in [tcp().await, tls().await] {
        let server = Server::new();
        let (full, filled) = oneshot::channel();
        let (mut client, program) = server.websocket_over(wire, |socket, _| flood(socket, full)).await;
        soon(filled).await.unwrap();
        server.signals.farewell.cancel();
        let mut came = all(&mut client).await;
        assert_eq!(came.pop(), Some(goodbye("going away")));
        assert!(came.iter().enumerate().all(|(number, text)| *text == message(number)));
        let (sent, error) = soon(program).await.unwrap();
        assert!(sent > came.len(), "it was not told until it went on talking");
        assert!(matches!(error, Error::Io(error) if error.kind() == ErrorKind::BrokenPipe));
        server.closed().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_and_a_writer_on_two_tasks_are_both_told() {
    for wire in [tcp().await, tls().await] {
        let server = Server::new();
        let (full, filled) = oneshot::channel();
        let program = |mut raw: Raw, _: Farewell| async move {
            // Whole frames, as long as they are taken, with the last bytes always at a place between two.
            raw.flush().await.unwrap();
            let (mut reader, mut writer) = tokio::io::split(raw);
            let writing = tokio::spawn(async move {
                let (mut full, frame) = (Some(full), [b"\x82\x7e\xff\xff".as_slice(), &[7; 65_535]].concat());
                loop {
                    let mut write = std::pin::pin!(tokio::task::unconstrained(writer.write_all(&frame)));
                    let written = match poll_immediate(&mut write).await {
                        Some(written) => written,
                        None => {
                            full.take().map(|full| full.send(()));
                            write.await
                        }
                    };
                    if let Err(error) = written {
                        return error.kind();
                    }
                }
            });
            let mut heard = Vec::new();
            reader.read_to_end(&mut heard).await.unwrap();
            (heard.len(), writing.await.unwrap())
        };
        let (mut client, program) = server.upgraded(wire, program).await;
        soon(filled).await.unwrap();
        server.signals.farewell.cancel();
        let mut came = vec![0; 65_539];
        loop {
            soon(client.read_exact(&mut came[..4])).await.unwrap();
            if came[0] == CLOSE[0] {
                break;
            }
            soon(client.read_exact(&mut came[4..])).await.unwrap();
        }
        client.write_all(b"bye").await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(soon(program).await.unwrap(), (3, ErrorKind::BrokenPipe));
        server.closed().await;
    }
}

#[tokio::test]
async fn a_program_that_waits_for_the_farewell_says_goodbye_in_its_own_words() {
    let server = Server::new();
    let (wait, waiting) = oneshot::channel();
    let program = |mut socket: Socket, farewell: Farewell| async move {
        let mut told = Box::pin(farewell.told());
        assert_eq!(poll_immediate(&mut told).await, None);
        wait.send(()).unwrap();
        tokio::select! {
            () = &mut told => {}
            message = socket.next() => panic!("{message:?}"),
        }
        socket.send(Message::text("back in a moment")).await.unwrap();
        socket.send(goodbye("in my own words")).await.unwrap();
        listen(socket, farewell.clone()).await
    };
    let (mut client, program) = server.websocket(program).await;
    soon(waiting).await.unwrap();
    server.signals.farewell.cancel();
    let expected = [Message::text("back in a moment"), goodbye("in my own words")];
    assert_eq!(all(&mut client).await, expected);
    assert_eq!(soon(program).await.unwrap(), [goodbye("in my own words")]);
    server.closed().await;
}

#[tokio::test]
async fn a_program_that_has_closed_already_is_left_to_it() {
    let server = Server::new();
    let program = |mut raw: Raw, _: Farewell| async move {
        raw.write_all(b"\x88\x02\x03\xe8").await.unwrap();
        raw.read_to_end(&mut Vec::new()).await.unwrap();
    };
    let (mut client, program) = server.upgraded(tcp().await, program).await;
    let mut came = vec![0; 4];
    soon(client.read_exact(&mut came)).await.unwrap();
    server.signals.farewell.cancel();
    client.shutdown().await.unwrap();
    soon(program).await.unwrap();
    soon(client.read_to_end(&mut came)).await.unwrap();
    assert_eq!(came, b"\x88\x02\x03\xe8");
    server.closed().await;
}

#[tokio::test]
async fn a_client_that_does_not_answer_is_cut() {
    let server = Server::new();
    let program = |mut raw: Raw, _: Farewell| async move { raw.read_u8().await.unwrap_err().kind() };
    let (mut client, program) = server.upgraded(tcp().await, program).await;
    server.signals.farewell.cancel();
    let mut came = [0; CLOSE.len()];
    soon(client.read_exact(&mut came)).await.unwrap();
    assert_eq!(came, CLOSE);
    assert!(!program.is_finished());
    server.signals.cut.cancel();
    assert_eq!(soon(program).await.unwrap(), ErrorKind::ConnectionAborted);
    server.closed().await;
    assert_eq!(soon(client.read(&mut [0])).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_takes_nothing_is_cut() {
    for wire in [tcp().await, tls().await] {
        let server = Server::new();
        let (full, filled) = oneshot::channel();
        let (client, program) = server.websocket_over(wire, |socket, _| flood(socket, full)).await;
        soon(filled).await.unwrap();
        server.signals.farewell.cancel();
        server.signals.cut.cancel();
        let (_, error) = soon(program).await.unwrap();
        assert!(matches!(error, Error::Io(error) if error.kind() == ErrorKind::ConnectionAborted));
        server.closed().await;
        drop(client);
    }
}
