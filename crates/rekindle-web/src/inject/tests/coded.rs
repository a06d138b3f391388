//! Pages in a content coding.

use async_compression::Level;
use async_compression::tokio::{bufread, write};
use rekindle_test::LIMIT;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::super::recode::Source;
use super::*;
use crate::BoxError;

const CODINGS: [&str; 4] = ["gzip", "x-gzip", "br", "zstd"];
const PAGE: &str = "<!doctype html><html><head><title>t</title></head><body>x</body></html>";

async fn encode(coding: &str, parts: &[&[u8]]) -> Vec<Vec<u8>> {
    match coding {
        "br" => {
            encoded(write::BrotliEncoder::with_quality(Vec::new(), Level::Fastest), |it| it.get_mut(), parts)
                .await
        }
        "zstd" => {
            encoded(write::ZstdEncoder::with_quality(Vec::new(), Level::Fastest), |it| it.get_mut(), parts)
                .await
        }
        _ => {
            encoded(write::GzipEncoder::with_quality(Vec::new(), Level::Fastest), |it| it.get_mut(), parts)
                .await
        }
    }
}

/// Each part as it is after a flush, and the end.
async fn encoded<E: AsyncWriteExt + Unpin>(
    mut encoder: E,
    out: impl Fn(&mut E) -> &mut Vec<u8>,
    parts: &[&[u8]],
) -> Vec<Vec<u8>> {
    let mut chunks = Vec::new();
    for part in parts {
        encoder.write_all(part).await.unwrap();
        encoder.flush().await.unwrap();
        chunks.push(std::mem::take(out(&mut encoder)));
    }
    encoder.shutdown().await.unwrap();
    chunks.push(std::mem::take(out(&mut encoder)));
    chunks
}

fn reader<'r>(
    coding: &str,
    from: impl tokio::io::AsyncBufRead + Send + Unpin + 'r,
) -> Box<dyn tokio::io::AsyncRead + Send + Unpin + 'r> {
    match coding {
        "br" => Box::new(bufread::BrotliDecoder::new(from)),
        "zstd" => Box::new(bufread::ZstdDecoder::new(from)),
        _ => Box::new(bufread::GzipDecoder::new(from)),
    }
}

async fn decode(coding: &str, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    reader(coding, bytes).read_to_end(&mut out).await.unwrap();
    out
}

fn coded(coding: &str, body: Body) -> Response<Body> {
    response(&[("content-type", "text/html"), ("content-encoding", coding)], body)
}

#[tokio::test]
async fn a_page_in_a_coding_gets_the_tag_and_keeps_the_coding() {
    for coding in CODINGS {
        let page = encode(coding, &[PAGE.as_bytes()]).await.concat();
        for size in [1, 10, 1000] {
            let answer = apply(&navigation(&[]), TAG, coded(coding, chunked(page.chunks(size))));
            assert_eq!(answer.headers()["content-encoding"], coding);
            let out = decode(coding, &bytes(answer.into_body())).await;
            assert_eq!(
                String::from_utf8(out).unwrap(),
                PAGE.replace("<head>", &format!("<head>{TAG}")),
                "{coding}"
            );
        }
    }
}

#[tokio::test]
async fn a_page_that_is_pushed_in_parts_arrives_in_parts_in_every_coding() {
    let said = ["<!doctype html><html><head>", "<title>t</title></head><body>", "<p>one", "<p>two"];
    // What follows the head's start tells whether a tag is there: until then it is not said.
    let arrives = ["<!doctype html><html><head>", "@<title>t</title></head><body>", "<p>one", "<p>two"];
    for coding in CODINGS {
        let chunks = encode(coding, &said.map(str::as_bytes)).await;
        let (teller, told) = mpsc::unbounded_channel();
        let body =
            StreamBody::new(stream::unfold(told, |mut told: mpsc::UnboundedReceiver<Vec<u8>>| async {
                let chunk = told.recv().await?;
                Some((Ok::<_, Infallible>(Frame::data(Bytes::from(chunk))), told))
            }));
        let answer = apply(&navigation(&[]), TAG, coded(coding, Body::new(body)));
        let mut shown = reader(coding, Source::new(answer.into_body()));
        for (chunk, arrives) in chunks.iter().zip(arrives) {
            teller.send(chunk.clone()).unwrap();
            let arrives = arrives.replace('@', TAG);
            let mut seen = vec![0; arrives.len()];
            timeout(LIMIT, shown.read_exact(&mut seen))
                .await
                .expect("it arrives before the next is said")
                .unwrap();
            assert_eq!(String::from_utf8(seen).unwrap(), arrives, "{coding}");
        }
        teller.send(chunks[said.len()].clone()).unwrap();
        drop(teller);
        assert_eq!(shown.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn several_members_in_a_row_are_one_page() {
    for coding in ["gzip", "zstd"] {
        let (first, second) = PAGE.split_at(30);
        let members = [encode(coding, &[first.as_bytes()]).await, encode(coding, &[second.as_bytes()]).await];
        let answer = apply(&navigation(&[]), TAG, coded(coding, members.concat().concat().into()));
        let out = decode(coding, &bytes(answer.into_body())).await;
        assert_eq!(
            String::from_utf8(out).unwrap(),
            PAGE.replace("<head>", &format!("<head>{TAG}")),
            "{coding}"
        );
    }
}

#[tokio::test]
async fn a_page_that_is_cut_off_or_no_such_coding_ends_in_an_error() {
    for coding in CODINGS {
        let page = encode(coding, &[PAGE.as_bytes()]).await.concat();
        for broken in [&page[..page.len() / 2], b"<!doctype html><head></head>"] {
            let answer = apply(&navigation(&[]), TAG, coded(coding, broken.to_vec().into()));
            answer.into_body().collect().await.expect_err(coding);
        }
    }
}

#[test]
fn a_body_of_nothing_stays_one_in_every_coding() {
    for coding in CODINGS {
        for nothing in [Body::empty(), chunked([]), chunked([&b""[..]])] {
            let answer = apply(&navigation(&[]), TAG, coded(coding, nothing));
            assert_eq!(bytes(answer.into_body()), "", "{coding}");
        }
    }
}

#[test]
fn an_error_of_the_body_is_passed_on_as_it_is() {
    let broken = stream::iter([Err::<Frame<Bytes>, _>(BoxError::from("the database went away"))]);
    let answer = apply(&navigation(&[]), TAG, coded("br", Body::new(StreamBody::new(broken))));
    let error = answer.into_body().collect().now_or_never().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the database went away");
}

#[tokio::test]
async fn trailers_follow_the_end_of_the_coding() {
    let page = encode("gzip", &[PAGE.as_bytes()]).await.concat();
    let trailers = HeaderMap::from_iter([("server-timing".parse().unwrap(), "db;dur=5".parse().unwrap())]);
    let frames = [Ok::<_, Infallible>(Frame::data(Bytes::from(page))), Ok(Frame::trailers(trailers.clone()))];
    let answer =
        apply(&navigation(&[]), TAG, coded("gzip", Body::new(StreamBody::new(stream::iter(frames)))));
    let whole = answer.into_body().collect().await.unwrap();
    assert_eq!(whole.trailers(), Some(&trailers));
}

#[tokio::test]
async fn a_page_that_unpacks_to_very_much_is_never_unpacked_at_once() {
    for coding in CODINGS {
        let bomb = bomb(coding).await;
        let asked = bomb.len();
        let mut body = apply(&navigation(&[]), TAG, coded(coding, bomb.into())).into_body();
        let mut most = 0;
        let mut frames = 0;
        while let Some(frame) = body.frame().await {
            most = most.max(frame.unwrap().into_data().unwrap().len());
            frames += 1;
        }
        // What is waiting to be sent is one frame, and each stands for a bounded part of the page.
        assert!(most < 64 << 10, "{coding}: {most} bytes at once, of {asked}");
        assert!(frames > 24, "{coding}: {frames} frames");
    }
}

/// 8 MiB of a page, in a few KiB.
async fn bomb(coding: &str) -> Vec<u8> {
    let mut page = b"<html><head></head>".to_vec();
    page.resize(8 << 20, b' ');
    encode(coding, &[&page]).await.concat()
}
