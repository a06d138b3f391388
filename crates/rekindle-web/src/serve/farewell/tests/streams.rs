//! Event streams, other protocols and plain answers, over real connections.

use std::convert::Infallible;
use std::io::ErrorKind;

use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::server::{AnyIo, Raw, Server, soon, tcp};
use super::*;
use crate::Body;

/// A stream of what is sent.
type Events = UnboundedSender<Frame<Bytes>>;

/// A stream and who sends on it.
fn events() -> (Events, impl http_body::Body<Data = Bytes, Error = Infallible> + Unpin + Send) {
    let (events, mut source) = unbounded_channel();
    let source = stream::poll_fn(move |context| source.poll_recv(context).map(|frame| frame.map(Ok)));
    (events, StreamBody::new(source))
}

fn send(events: &Events, text: &'static str) {
    events.send(Frame::data(Bytes::from_static(text.as_bytes()))).unwrap();
}

/// What the client has of an answer with a stream of events, and the stream.
async fn streamed(server: &Server, version: Version) -> (Response<Incoming>, Events) {
    let (near, far) = tcp().await;
    let (events, source) = events();
    let source = std::sync::Mutex::new(Some(source));
    server.serve(near, move |_, farewell, _| {
        let body = FarewellBody::new(source.lock().unwrap().take().unwrap(), &farewell);
        let answer = Response::builder().header(CONTENT_TYPE, "text/event-stream");
        std::future::ready(answer.body(Body::new(body)).unwrap())
    });
    (answer(far, version).await, events)
}

async fn answer(io: AnyIo, version: Version) -> Response<Incoming> {
    let request = Request::get("http://here/").version(version).body(Empty::<Bytes>::new()).unwrap();
    if version == Version::HTTP_2 {
        let (mut client, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(io)).await.unwrap();
        tokio::spawn(connection);
        return soon(client.send_request(request)).await.unwrap();
    }
    let (mut client, connection) = http1::handshake(TokioIo::new(io)).await.unwrap();
    tokio::spawn(connection);
    soon(client.send_request(request)).await.unwrap()
}

/// What comes next. The end of a stream of HTTP/2 may be a frame without a byte.
async fn next(answer: &mut Response<Incoming>) -> Option<Bytes> {
    loop {
        let frame = soon(answer.frame()).await?.expect("the stream does not break");
        let data = frame.into_data().expect("there are no trailers");
        if !data.is_empty() {
            return Some(data);
        }
    }
}

#[tokio::test]
async fn an_idle_stream_of_events_ends_whole() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let server = Server::new();
        let (mut answer, events) = streamed(&server, version).await;
        send(&events, "data: 1\n\n");
        assert_eq!(next(&mut answer).await.unwrap(), "data: 1\n\n");
        server.signals.farewell.cancel();
        assert_eq!(next(&mut answer).await, None);
        // Its source is told as if the client had gone.
        soon(events.closed()).await;
    }
}

#[tokio::test]
async fn a_stream_on_which_nothing_was_sent_ends_at_once() {
    let server = Server::new();
    server.signals.farewell.cancel();
    let (mut answer, _events) = streamed(&server, Version::HTTP_11).await;
    assert_eq!(next(&mut answer).await, None);
}

#[tokio::test]
async fn a_stream_in_the_middle_of_an_event_ends_after_it() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let server = Server::new();
        let (mut answer, events) = streamed(&server, version).await;
        send(&events, "data: 1\n\ndata: 2\n");
        assert_eq!(next(&mut answer).await.unwrap(), "data: 1\n\ndata: 2\n");
        server.signals.farewell.cancel();
        send(&events, "data: of two\n");
        assert_eq!(next(&mut answer).await.unwrap(), "data: of two\n");
        send(&events, "\ndata: 3\n\ndata: 4");
        assert_eq!(next(&mut answer).await.unwrap(), "\ndata: 3\n\n");
        assert_eq!(next(&mut answer).await, None);
    }
}

#[tokio::test]
async fn a_stream_that_never_pauses_ends() {
    let server = Server::new();
    let (near, far) = tcp().await;
    server.serve(near, |_, farewell, _| {
        let events = stream::repeat_with(|| Ok::<_, Infallible>(Frame::data("a\n\ndata: ".into())));
        std::future::ready(Response::new(Body::new(FarewellBody::new(StreamBody::new(events), &farewell))))
    });
    let mut answer = answer(far, Version::HTTP_11).await;
    next(&mut answer).await.unwrap();
    server.signals.farewell.cancel();
    let mut last = Bytes::new();
    while let Some(data) = next(&mut answer).await {
        last = data;
    }
    assert!(last.ends_with(b"\n\n"), "{last:?}");
}

#[tokio::test]
async fn a_stream_that_has_ended_is_left_as_it_is() {
    let server = Server::new();
    let (mut answer, events) = streamed(&server, Version::HTTP_11).await;
    send(&events, "data: 1");
    drop(events);
    assert_eq!(next(&mut answer).await.unwrap(), "data: 1");
    assert_eq!(next(&mut answer).await, None);
    server.signals.farewell.cancel();
}

#[tokio::test]
async fn a_stream_whose_program_waits_for_the_farewell_ends_when_that_does() {
    let (signals, (events, source)) = (signals(), events());
    let farewell = Farewell::new(&signals);
    let mut body = FarewellBody::new(source, &farewell);
    signals.farewell.cancel();
    soon(farewell.told()).await;
    send(&events, "data: back in a moment\n\n");
    drop(events);
    let sent = soon(body.frame()).await.unwrap().unwrap();
    assert_eq!(sent.into_data().unwrap(), "data: back in a moment\n\n");
    assert!(soon(body.frame()).await.is_none());
}

#[tokio::test]
async fn a_body_of_a_known_length_is_sent_to_its_end() {
    let signals = signals();
    signals.farewell.cancel();
    let body = FarewellBody::new(Full::new(Bytes::from_static(b"data: 1\n\n")), &Farewell::new(&signals));
    assert_eq!(http_body::Body::size_hint(&body).exact(), Some(9));
    assert_eq!(soon(body.collect()).await.unwrap().to_bytes(), "data: 1\n\n");
}

#[test]
fn only_streams_of_events_of_no_known_length_that_can_be_read_are_ended() {
    let headers = |kind: &'static str| HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
    assert!(FarewellBody::is_for(&headers("text/event-stream")));
    assert!(FarewellBody::is_for(&headers("Text/Event-Stream ; charset=utf-8")));
    assert!(!FarewellBody::is_for(&headers("text/event-streams")));
    assert!(!FarewellBody::is_for(&HeaderMap::new()));
    for (name, value) in [(CONTENT_ENCODING, "gzip"), (CONTENT_LENGTH, "9")] {
        let mut headers = headers("text/event-stream");
        headers.insert(name, HeaderValue::from_static(value));
        assert!(!FarewellBody::is_for(&headers));
    }
}

#[tokio::test]
async fn what_switched_to_another_protocol_is_only_cut() {
    let server = Server::new();
    let program = |mut raw: Raw, farewell: Farewell| async move {
        soon(farewell.told()).await;
        raw.write_all(b"still here").await.unwrap();
        raw.read_u8().await.unwrap_err().kind()
    };
    let (mut client, program) = server.upgraded_to("echo", tcp().await, program).await;
    server.signals.farewell.cancel();
    let mut came = [0; 10];
    soon(client.read_exact(&mut came)).await.unwrap();
    assert_eq!(&came, b"still here");
    server.signals.cut.cancel();
    assert_eq!(soon(program).await.unwrap(), ErrorKind::ConnectionAborted);
    server.closed().await;
}

#[tokio::test]
async fn http_is_left_to_others() {
    let server = Server::new();
    server.signals.farewell.cancel();
    server.signals.cut.cancel();
    let (near, far) = tcp().await;
    server.serve(near, |_, _, _| std::future::ready(Response::new(Body::from("all of it"))));
    let answer = answer(far, Version::HTTP_11).await;
    assert_eq!(soon(answer.collect()).await.unwrap().to_bytes(), "all of it");
    server.closed().await;
}
