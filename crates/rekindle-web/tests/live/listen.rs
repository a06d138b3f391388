//! Server-sent events and polling, for clients that have no socket.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rekindle_test::Site;
use rekindle_web::Problem;
use serde_json::{Value, json};

use crate::server::{Server, soon};

fn query(token: &str, pages: &Value) -> String {
    format!("token={token}&pages={}", utf8_percent_encode(&pages.to_string(), NON_ALPHANUMERIC))
}

/// The data of the next event.
async fn event(body: &mut Incoming) -> Value {
    loop {
        let frame = soon(body.frame()).await.expect("no end").expect("no error").into_data().expect("data");
        let text = String::from_utf8(frame.to_vec()).expect("UTF-8");
        if let Some(data) = text.strip_prefix("data: ") {
            return serde_json::from_str(data.strip_suffix("\n\n").expect("a whole event")).expect("JSON");
        }
    }
}

#[tokio::test]
async fn events_tell_what_a_socket_tells() {
    let site = Site::new();
    let server = Server::start(&site).await;
    let (revision, _) = server.page().await;
    let pages = json!([{"id": 3, "revision": revision, "templates": []}]);
    let path = format!("/_rekindle/events?{}", query(&server.token().await, &pages));
    let answer = server.send(server.get(&path).body(Default::default()).unwrap()).await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut body = answer.into_body();
    assert_eq!(event(&mut body).await["command"], "hello");
    assert_eq!(event(&mut body).await["problems"], json!([]));
    assert_eq!(event(&mut body).await["updates"], json!([]));
    server.style("app", 1);
    let told = event(&mut body).await;
    assert_eq!((&told["page"], &told["updates"][0]["new"]), (&json!(3), &json!("/app.css")));
    drop(body);
    server.manager.clone().shutdown().await.unwrap();
}

#[tokio::test]
async fn a_poll_is_answered_with_what_was_missed_and_waits_when_there_is_nothing() {
    let site = Site::new();
    let server = Server::start(&site).await;
    let token = server.token().await;
    let poll = async |revision: &str, more: &str| {
        let pages = json!([{"id": 3, "revision": revision}]);
        let path = format!("/_rekindle/poll?{}{more}", query(&token, &pages));
        let answer = server.ask(server.get(&path).body(Default::default()).unwrap()).await;
        serde_json::from_str::<Value>(answer.body()).expect("JSON")["messages"].as_array().unwrap().clone()
    };
    let (revision, _) = server.page().await;
    let first = poll(&revision, "").await;
    assert_eq!((first.len(), &first[0]["problems"]), (1, &json!([])));
    let known = format!("&problems={}", first[0]["version"].as_str().unwrap());
    // Nothing is new, so this one waits.
    let (waited, ()) = tokio::join!(poll(&revision, &known), async {
        while server.live.clients() == 0 {
            tokio::task::yield_now().await;
        }
        server.style("app", 1);
    });
    assert_eq!((waited.len(), &waited[0]["updates"][0]["kind"]), (1, &json!("style")));
    server.live.set_problems("test", vec![Problem::new("a", "A", "wrong")]);
    let told = poll(&revision, &known).await;
    assert_eq!((told.len(), &told[0]["problems"][0]["id"]), (2, &json!("a")));
}

#[tokio::test]
async fn what_is_no_list_of_pages_is_refused() {
    let site = Site::new();
    let server = Server::start(&site).await;
    let token = server.token().await;
    let many: Vec<Value> = (0..65).map(|id| json!({"id": id})).collect();
    for pages in [json!({}), json!([{"id": -1}]), json!(many)] {
        for name in ["events", "poll"] {
            let path = format!("/_rekindle/{name}?{}", query(&token, &pages));
            assert_eq!(server.ask(server.get(&path).body(Default::default()).unwrap()).await.status(), 400);
        }
    }
}
