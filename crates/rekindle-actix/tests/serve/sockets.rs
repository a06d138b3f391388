//! WebSockets.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, rt};
use actix_ws::Message;
use futures_util::{SinkExt, StreamExt};
use http::{Method, Request, StatusCode};
use hyper::ext::Protocol;
use hyper_util::rt::TokioIo;
use rekindle_web::Body;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Sent;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::kit::{Alive, Shop, Stand, Till, soon};

fn routes(config: &mut ServiceConfig, _: &Shop) {
    config.route("/socket", web::get().to(socket));
}

async fn socket(
    request: HttpRequest,
    payload: web::Payload,
    till: Data<Till>,
) -> actix_web::Result<HttpResponse> {
    let (response, mut session, mut messages) = actix_ws::handle(&request, payload)?;
    rt::spawn(async move {
        let _alive = Alive::new(&till.alive);
        while let Some(Ok(message)) = messages.next().await {
            let sent = match message {
                Message::Text(text) => session.text(text).await,
                Message::Close(reason) => {
                    let _gone = session.close(reason).await;
                    return;
                }
                _ => Ok(()),
            };
            if sent.is_err() {
                return;
            }
        }
    });
    Ok(response)
}

async fn echoes<S>(socket: &mut WebSocketStream<S>, text: &str)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    soon("to send", socket.send(Sent::text(text))).await.expect("it is sent");
    let echo = soon("an echo", socket.next()).await.expect("an echo").expect("an echo");
    assert!(echo == Sent::text(text), "{} bytes", echo.len());
}

#[tokio::test]
async fn a_websocket_speaks_both_ways_until_it_is_closed() {
    let stand = Stand::open(routes).await;
    let stream = stand.stream().await;
    let opening = tokio_tungstenite::client_async("ws://shop.example/socket", stream);
    let (mut socket, _) = soon("a handshake", opening).await.expect("a handshake");
    echoes(&mut socket, "one").await;
    echoes(&mut socket, &"x".repeat(50_000)).await;
    socket.close(None).await.expect("it is sent");
    while let Some(message) = soon("the end", socket.next()).await {
        assert!(message.expect("a proper end").is_close());
    }
    stand.till.until_alive(0).await;
}

#[tokio::test]
async fn a_websocket_over_http2_speaks_both_ways() {
    let stand = Stand::open(routes).await;
    let mut client = stand.client_http2().await;
    let request = Request::builder()
        .method(Method::CONNECT)
        .uri("http://shop.example/socket")
        .header("sec-websocket-version", "13")
        .extension(Protocol::from_static("websocket"))
        .body(Body::empty());
    let asking = client.send_request(request.expect("a request"));
    let response = soon("an answer", asking).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!response.headers().contains_key("sec-websocket-accept"), "{response:?}");
    let upgraded = soon("the stream", hyper::upgrade::on(response)).await.expect("the stream");
    let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, None).await;
    echoes(&mut socket, "one").await;
    echoes(&mut socket, &"x".repeat(50_000)).await;
}

#[tokio::test]
async fn a_handler_of_a_websocket_sees_that_its_client_has_left() {
    let stand = Stand::open(routes).await;
    let stream = stand.stream().await;
    let opening = tokio_tungstenite::client_async("ws://shop.example/socket", stream);
    let (mut socket, _) = soon("a handshake", opening).await.expect("a handshake");
    echoes(&mut socket, "one").await;
    drop(socket);
    stand.till.until_alive(0).await;
}

#[tokio::test]
async fn a_websocket_outlives_the_generation_that_opened_it() {
    let mut stand = Stand::open(routes).await;
    let stream = stand.stream().await;
    let opening = tokio_tungstenite::client_async("ws://shop.example/socket", stream);
    let (mut socket, _) = soon("a handshake", opening).await.expect("a handshake");
    stand.go_over("good day").await;
    echoes(&mut socket, "two").await;
}

#[tokio::test]
async fn what_asks_for_a_websocket_where_there_is_none_is_answered() {
    let stand = Stand::open(routes).await;
    let request = Request::get("/nowhere").header("connection", "upgrade").header("upgrade", "websocket");
    assert_eq!(stand.client().await.send(request).await.status(), StatusCode::NOT_FOUND);
}
