//! What an application sees of a request, and a client of its answer.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::{self, ReqData, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use http::{Request, StatusCode};
use rekindle_test::Site;
use rekindle_web::Body;
use rekindle_web::serve::{Farewell, Origin};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::kit::{Client, Shop, Stand, soon, text};

fn routes(config: &mut ServiceConfig, _: &Shop) {
    config
        .route("/seen/{name}", web::to(seen))
        .route("/answer", web::to(answer))
        .route("/whole", web::to(|| async { "whole" }))
        .route("/closes", web::to(|| async { HttpResponse::Ok().force_close().finish() }))
        .route("/panic", web::to(panics))
        .route("/error", web::to(error));
}

async fn seen(request: HttpRequest, origin: ReqData<Origin>, farewell: ReqData<Farewell>) -> String {
    let header = |name: &str| {
        let values = request.headers().get_all(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        values.collect::<Vec<_>>().join("|")
    };
    let connection = request.connection_info().clone();
    assert_eq!(
        origin.peer.as_ref().map(ToString::to_string),
        request.peer_addr().map(|peer| peer.to_string())
    );
    assert!(!farewell.is_told());
    format!(
        "{} {} {:?} name={} query={} x={} cookie={} {}://{} peer={} real={} listener={}",
        request.method(),
        request.path(),
        request.version(),
        request.match_info().query("name"),
        request.query_string(),
        header("x-many"),
        header("cookie"),
        connection.scheme(),
        connection.host(),
        connection.peer_addr().unwrap_or("-"),
        connection.realip_remote_addr().unwrap_or("-"),
        origin.listener,
    )
}

async fn answer() -> HttpResponse {
    HttpResponse::Created()
        .append_header((header::SET_COOKIE, "a=1"))
        .append_header((header::SET_COOKIE, "b=2; HttpOnly"))
        .insert_header(("x-latin", header::HeaderValue::from_bytes(b"caf\xe9").expect("a value")))
        .body("made")
}

async fn panics() -> &'static str {
    panic!("the kettle fell")
}

async fn error() -> actix_web::Result<&'static str> {
    Err(actix_web::error::ErrorImATeapot("short and stout"))
}

#[tokio::test]
async fn a_handler_sees_the_request_as_it_was_sent() {
    let stand = Stand::open(routes).await;
    let request = Request::put("/seen/caf%C3%A9?q=1&r=%20")
        .header("x-many", "one")
        .header("x-many", "two")
        .header("x-forwarded-for", "192.0.2.7")
        .header("cookie", "a=1; b=2");
    let seen = text(stand.client().await.send(request).await).await;
    let expected = "PUT /seen/caf%C3%A9 HTTP/1.1 name=café query=q=1&r=%20 x=one|two cookie=a=1; b=2 \
                    http://shop.example peer=127.0.0.1 real=192.0.2.7 listener=web";
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn over_http2_a_handler_sees_the_same() {
    let stand = Stand::open(routes).await;
    let mut client = stand.client_http2().await;
    let request = Request::get("http://shop.example/seen/tea?q=1").body(Body::empty()).expect("a request");
    let response = soon("an answer", client.send_request(request)).await.expect("an answer");
    assert_eq!(response.version(), http::Version::HTTP_2);
    let expected = "GET /seen/tea HTTP/2.0 name=tea query=q=1 x= cookie= \
                    http://shop.example peer=127.0.0.1 real=127.0.0.1 listener=web";
    assert_eq!(text(response).await, expected);
}

#[tokio::test]
async fn over_tls_a_handler_sees_https() {
    let issued = rcgen::generate_simple_self_signed(["shop.example".to_owned()]).expect("a certificate");
    let site = Site::new()
        .with("config/app.toml", SECURE)
        .with("tls/cert.pem", &issued.cert.pem())
        .with("tls/key.pem", &issued.signing_key.serialize_pem());
    let stand = Stand::open_in(site, routes).await;
    let mut roots = RootCertStore::empty();
    roots.add(issued.cert.der().clone()).expect("a certificate");
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = "shop.example".try_into().expect("a name");
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stand.stream().await);
    let mut client = Client::over(soon("a handshake", connecting).await.expect("a handshake")).await;
    let expected = "GET /seen/tea HTTP/1.1 name=tea query=q=1 x= cookie= \
                    https://shop.example peer=127.0.0.1 real=127.0.0.1 listener=web";
    assert_eq!(client.text("/seen/tea?q=1").await, expected);
}

/// A configuration with one listener, with TLS.
const SECURE: &str = "
greeting = 'hello'
[server.listen]
web = { address = '127.0.0.1:0', tls = { certificate = 'tls/cert.pem', key = 'tls/key.pem' } }
";

#[tokio::test]
async fn a_client_gets_the_answer_as_it_was_made() {
    let stand = Stand::open(routes).await;
    let mut client = stand.client().await;
    let response = client.get("/answer").await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2; HttpOnly"]);
    assert_eq!(response.headers()["x-latin"].as_bytes(), b"caf\xe9");
    assert_eq!(response.headers()["content-length"], "4");
    assert!(!response.headers().contains_key("connection"));
    assert_eq!(text(response).await, "made");
    let response = client.get("/nowhere").await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let response = client.get("/error").await;
    assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(text(response).await, "short and stout");
}

#[tokio::test]
async fn the_answer_to_head_says_how_long_it_would_be() {
    let stand = Stand::open(routes).await;
    let mut client = stand.client().await;
    let response = client.send(Request::head("/whole")).await;
    assert_eq!(response.headers()["content-length"], "5");
    assert_eq!(text(response).await, "");
    assert_eq!(client.text("/whole").await, "whole");
}

#[tokio::test]
async fn a_handler_can_have_the_connection_closed() {
    let stand = Stand::open(routes).await;
    let response = stand.client().await.get("/closes").await;
    assert_eq!(response.headers()["connection"], "close");
}

#[tokio::test]
async fn a_handler_that_panics_costs_its_request_alone() {
    let stand = Stand::open(routes).await;
    let mut client = stand.client().await;
    // More often than there are threads.
    for _ in 0..5 {
        let response = client.get("/panic").await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(text(response).await, "internal error\n");
    }
    assert_eq!(client.text("/whole").await, "whole");
}
