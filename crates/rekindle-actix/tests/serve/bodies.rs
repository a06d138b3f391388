//! Bodies, either way: large ones, slow ones, torn ones.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix_web::body::{BodySize, MessageBody, SizedStream};
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{Error, HttpResponse};
use futures_util::{Stream, StreamExt, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use rekindle_web::{Body, BoxError};

use crate::kit::{Alive, Shop, Stand, Till, at_rest, soon, text, until};

const CHUNK: usize = 64 * 1024;

/// More than sockets hold: 64 MiB.
const CHUNKS: usize = 1024;

fn routes(config: &mut ServiceConfig, _: &Shop) {
    config
        .route("/upload", web::to(upload))
        .route("/wait", web::to(wait))
        .route(
            "/download",
            web::to(async |till: Data<Till>| HttpResponse::Ok().streaming(counted(till).take(CHUNKS))),
        )
        .route("/endless", web::to(async |till: Data<Till>| HttpResponse::Ok().streaming(counted(till))))
        .route(
            "/sized",
            web::to(async |till: Data<Till>| {
                HttpResponse::Ok().body(SizedStream::new((CHUNKS * CHUNK) as u64, counted(till).take(CHUNKS)))
            }),
        )
        .route("/events", web::to(events))
        .route(
            "/torn",
            web::to(async || {
                HttpResponse::Ok().streaming(stream::iter([Ok(Bytes::from("half")), Err("torn")]))
            }),
        )
        .route(
            "/short",
            web::to(async || {
                HttpResponse::Ok()
                    .body(SizedStream::new(10, stream::iter([Ok::<_, Error>(Bytes::from("half"))])))
            }),
        )
        .route("/panic", web::to(async || HttpResponse::Ok().body(Panics(false))));
}

/// Chunks without end, each of them counted as it is made.
fn counted(till: Data<Till>) -> impl Stream<Item = Result<Bytes, Error>> {
    let alive = Alive::new(&till.alive);
    Box::pin(stream::repeat(()).map(move |()| {
        let _alive = &alive;
        till.count.fetch_add(CHUNK, Ordering::SeqCst);
        Ok(Bytes::from_static(&[b'x'; CHUNK]))
    }))
}

async fn upload(mut payload: web::Payload, till: Data<Till>) -> Result<String, Error> {
    till.wait().await;
    let mut length = 0;
    while let Some(chunk) = payload.next().await {
        length += chunk?.len();
    }
    Ok(length.to_string())
}

async fn wait(till: Data<Till>) -> &'static str {
    let _alive = Alive::new(&till.alive);
    till.wait().await;
    "at last"
}

async fn events(till: Data<Till>) -> HttpResponse {
    let events = stream::unfold(0, move |number| {
        let till = till.clone();
        async move {
            till.wait().await;
            Some((Ok::<_, Error>(Bytes::from(format!("data: {number}\n\n"))), number + 1))
        }
    });
    HttpResponse::Ok().content_type("text/event-stream").streaming(Box::pin(events))
}

/// A body that panics after its first chunk.
struct Panics(bool);

impl MessageBody for Panics {
    type Error = Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Bytes, Error>>> {
        assert!(!self.0, "the cup fell");
        self.0 = true;
        std::task::Poll::Ready(Some(Ok(Bytes::from("half"))))
    }
}

async fn length(response: Response<Incoming>) -> usize {
    let mut body = response.into_body();
    let mut length = 0;
    while let Some(frame) = soon("a chunk", body.frame()).await {
        length += frame.expect("a whole body").data_ref().map_or(0, Bytes::len);
    }
    length
}

#[tokio::test]
async fn a_download_is_made_no_faster_than_it_is_read() {
    let stand = Stand::open(routes).await;
    let mut client = stand.client().await;
    for (path, said) in [("/download", None), ("/sized", Some("67108864"))] {
        stand.till.count.store(0, Ordering::SeqCst);
        let response = client.get(path).await;
        assert_eq!(
            response.headers().get("content-length").map(|length| length.to_str().expect("text")),
            said
        );
        assert!(soon("a rest", at_rest(&stand.till.count)).await < CHUNKS * CHUNK);
        assert_eq!(length(response).await, CHUNKS * CHUNK);
    }
}

#[tokio::test]
async fn an_upload_is_taken_no_faster_than_it_is_read() {
    let stand = Stand::open(routes).await;
    let sent = Arc::clone(&stand.till);
    let chunks = stream::iter(0..CHUNKS).map(move |_| {
        sent.count.fetch_add(CHUNK, Ordering::SeqCst);
        Ok::<_, BoxError>(Frame::data(Bytes::from_static(&[b'x'; CHUNK])))
    });
    let mut client = stand.client().await;
    let answer = client.post(Request::post("/upload"), Body::new(StreamBody::new(chunks)));
    let (answer, ()) = tokio::join!(answer, async {
        assert!(soon("a rest", at_rest(&stand.till.count)).await < CHUNKS * CHUNK);
        stand.till.gate.add_permits(1);
    });
    assert_eq!(text(answer).await, (CHUNKS * CHUNK).to_string());
}

#[tokio::test]
async fn a_whole_upload_has_its_length() {
    let stand = Stand::open(routes).await;
    stand.till.gate.add_permits(2);
    let mut client = stand.client().await;
    let ten = Bytes::from(vec![b'x'; 10_000_000]);
    assert_eq!(text(client.post(Request::post("/upload"), Body::from(ten)).await).await, "10000000");
    assert_eq!(text(client.post(Request::post("/upload"), Body::empty()).await).await, "0");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_seen_to_be_broken() {
    let stand = Stand::open(routes).await;
    for path in ["/torn", "/short", "/panic"] {
        let whole = stand.client().await.whole(path).await;
        assert!(whole.is_err(), "{path} was whole: {whole:?}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_seen_to_be_broken_over_http2() {
    let stand = Stand::open(routes).await;
    let mut client = stand.client_http2().await;
    for path in ["/torn", "/short", "/panic"] {
        let request = Request::get(format!("http://shop.example{path}")).body(Body::empty());
        let asking = client.send_request(request.expect("a request"));
        let whole = soon("the body", async { asking.await?.into_body().collect().await }).await;
        assert!(whole.is_err(), "{path} was whole: {whole:?}");
    }
}

#[tokio::test]
async fn when_a_client_leaves_its_handler_is_dropped() {
    let stand = Stand::open(routes).await;
    let mut client = stand.client().await;
    let asking = tokio::spawn(async move { client.get("/wait").await.status() });
    stand.till.until_alive(1).await;
    asking.abort();
    stand.till.until_alive(0).await;
}

#[tokio::test]
async fn when_a_client_leaves_the_body_of_its_answer_is_dropped() {
    let stand = Stand::open(routes).await;
    let response = stand.client().await.get("/endless").await;
    stand.till.until_alive(1).await;
    drop(response);
    stand.till.until_alive(0).await;
}

#[tokio::test]
async fn a_client_that_leaves_amid_its_upload_is_seen_to_have_left() {
    let stand = Stand::open(routes).await;
    stand.till.gate.add_permits(1);
    let chunks = stream::iter([Ok(Frame::data(Bytes::from("half"))), Err(BoxError::from("torn"))]);
    let mut client = stand.client_http2().await;
    let body = Body::new(StreamBody::new(chunks));
    let request = Request::post("http://shop.example/upload").body(body).expect("a request");
    assert!(soon("an end", client.send_request(request)).await.is_err());
    until("no request", || stand.server.load().requests() == 0).await;
}

#[tokio::test]
async fn events_come_one_by_one() {
    let stand = Stand::open(routes).await;
    let mut body = stand.client().await.get("/events").await.into_body();
    for number in 0..3 {
        stand.till.gate.add_permits(1);
        let frame = soon("an event", body.frame()).await.expect("an event").expect("an event");
        assert_eq!(frame.into_data().expect("data"), format!("data: {number}\n\n"));
    }
}
