//! Bodies that take their time, end early, or never.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use http_body::{Body as _, SizeHint};
use rekindle_test::LIMIT;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::BoxError;

/// A body that says what it is sent.
struct Told(mpsc::UnboundedReceiver<Result<Frame<Bytes>, BoxError>>);

type Teller = mpsc::UnboundedSender<Result<Frame<Bytes>, BoxError>>;

impl http_body::Body for Told {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.poll_recv(context)
    }
}

fn told() -> (Teller, Body) {
    let (teller, told) = mpsc::unbounded_channel();
    (teller, Body::new(Told(told)))
}

fn tell(teller: &Teller, text: &str) {
    teller.send(Ok(Frame::data(Bytes::copy_from_slice(text.as_bytes())))).unwrap();
}

/// Reads until this text has come, and no further.
async fn await_text(body: &mut Body, text: &str) {
    let mut seen = Vec::new();
    while String::from_utf8_lossy(&seen).replace(TAG, "@") != text {
        let frame =
            timeout(LIMIT, body.frame()).await.expect("the text comes").expect("it is not over").unwrap();
        seen.extend_from_slice(&frame.into_data().unwrap());
    }
}

#[tokio::test]
async fn a_page_that_is_pushed_in_parts_arrives_in_parts() {
    let (teller, body) = told();
    let mut page = apply(&navigation(&[]), TAG, html(body)).into_body();
    for (said, arrives) in [
        ("<!doctype html>\n", "<!doctype html>\n"),
        ("<html>", "<html>"),
        ("<head><title>t</title>", "<head>@<title>t</title>"),
        ("</head>", "</head>"),
        ("<body><p>one", "<body><p>one"),
        ("<p>two", "<p>two"),
    ] {
        tell(&teller, said);
        await_text(&mut page, arrives).await;
    }
    drop(teller);
    assert!(page.frame().await.is_none());
    assert!(page.is_end_stream());
}

#[tokio::test]
async fn text_after_the_head_is_not_waited_behind() {
    let (teller, body) = told();
    let mut page = apply(&navigation(&[]), TAG, html(body)).into_body();
    tell(&teller, "<head>text");
    await_text(&mut page, "<head>@text").await;
}

#[tokio::test]
async fn trailers_come_last_without_digests_of_another_body() {
    let (teller, body) = told();
    tell(&teller, "text");
    let mut trailers = HeaderMap::new();
    trailers.insert("server-timing", "db;dur=5".parse().unwrap());
    trailers.insert("repr-digest", "sha-256=:AA==:".parse().unwrap());
    teller.send(Ok(Frame::trailers(trailers))).unwrap();

    let page = apply(&navigation(&[]), TAG, html(body)).into_body().collect().await.unwrap();
    let trailers = page.trailers().unwrap();
    assert_eq!(trailers["server-timing"], "db;dur=5");
    assert_eq!(trailers.len(), 1);
    assert_eq!(page.to_bytes(), format!("text{TAG}"));
}

#[tokio::test]
async fn an_error_of_the_body_is_passed_on_as_it_is() {
    let (teller, body) = told();
    tell(&teller, "<!doctype html>");
    teller.send(Err("the database went away".into())).unwrap();
    let mut page = apply(&navigation(&[]), TAG, html(body)).into_body();
    await_text(&mut page, "<!doctype html>").await;
    let mut last = None;
    while let Some(frame) = page.frame().await {
        last = Some(frame);
    }
    assert_eq!(last.unwrap().unwrap_err().to_string(), "the database went away");
}

/// Counts how often it is asked.
struct Counted(Arc<AtomicUsize>);

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"<p>and so on without an end")))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(27)
    }
}

#[tokio::test]
async fn no_more_is_read_than_the_client_takes() {
    let asked = Arc::new(AtomicUsize::new(0));
    let endless = Body::new(Counted(Arc::clone(&asked)));
    let mut page = apply(&navigation(&[]), TAG, html(endless)).into_body();
    for taken in 1..=20 {
        page.frame().await.unwrap().unwrap();
        assert!(asked.load(Ordering::Relaxed) <= taken);
    }
}

#[test]
fn the_length_of_the_former_body_is_not_told_for_the_new_one() {
    let page = apply(&navigation(&[]), TAG, html("<p>x"));
    assert_eq!(page.body().size_hint().exact(), None);
    let alone = apply(&navigation(&[]), TAG, response(&[("content-type", "text/css")], "x"));
    assert_eq!(alone.body().size_hint().exact(), Some(1));
}

#[test]
fn what_follows_the_head_is_handed_on_without_a_copy() {
    let rest = Bytes::from_static(b"<p>a chunk of its own");
    let body = StreamBody::new(stream::iter([
        Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"<html><head></head><body>"))),
        Ok(Frame::data(rest.clone())),
    ]));
    let mut page = apply(&navigation(&[]), TAG, html(Body::new(body))).into_body();
    let mut last = Bytes::new();
    while let Some(frame) = page.frame().now_or_never().unwrap() {
        last = frame.unwrap().into_data().unwrap();
    }
    assert_eq!(last.as_ptr(), rest.as_ptr());
}
