//! Limits and timeouts change for the connections that are open, and what goes wrong stays with its request.

use crate::kit::*;

#[tokio::test]
async fn a_limit_holds_from_the_next_request_on() {
    let mut stand = Stand::open(&with("")).await;
    let (mut busy, mut client) = (stand.client("web").await, stand.client("web").await);
    busy.send("/slow").await;
    assert_eq!(client.ask("/").await.status, 200);
    stand.under_way(1).await;
    stand.go_over(&with("limits.requests = 1")).await;
    let answer = client.ask("/").await;
    assert_eq!((answer.status, answer.closes), (503, false), "{answer:?}");
    stand.till.gate.add_permits(1);
    assert_eq!(busy.answer().await.body, "at last");
    stand.under_way(0).await;
    assert_eq!(client.ask("/").await.status, 200);
}

#[tokio::test]
async fn connections_above_the_limit_wait_until_there_is_room() {
    let mut stand = Stand::open(&with("limits.connections = 1")).await;
    let mut first = stand.client("web").await;
    assert_eq!(first.ask("/").await.status, 200);
    let mut second = stand.client("web").await;
    second.send("/").await;
    assert_eq!(stand.server.load().connections(), 1);
    stand.go_over(&with("limits.connections = 2")).await;
    assert_eq!(second.answer().await.status, 200);
    let mut third = stand.client("web").await;
    third.send("/").await;
    drop(first);
    assert_eq!(third.answer().await.status, 200);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_dropped_and_its_connection_lives_on() {
    let mut stand = Stand::open(&with("timeouts.request = '10ms'")).await;
    let mut client = stand.client("web").await;
    let answer = client.ask("/slow").await;
    assert_eq!((answer.status, answer.body.as_str()), (503, "the request took too long\n"));
    stand.go_over(&with("")).await;
    stand.till.gate.add_permits(1);
    assert_eq!(client.ask("/slow").await.body, "at last");
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed_in_time() {
    let stand = Stand::open(&with("timeouts.idle = '20ms'")).await;
    let (mut silent, mut slow, mut busy) =
        (stand.client("web").await, stand.client("web").await, stand.client("web").await);
    busy.send("/slow").await;
    slow.send_raw("GET / HT").await;
    silent.ends().await;
    slow.ends().await;
    stand.till.gate.add_permits(1);
    assert_eq!(busy.answer().await.body, "at last");
    busy.ends().await;
}

#[tokio::test]
async fn a_panic_is_the_end_of_a_request_and_of_nothing_else() {
    let stand = Stand::open(&with("")).await;
    let mut client = stand.client("web").await;
    let answer = client.ask("/panic").await;
    assert_eq!((answer.status, answer.body.as_str(), answer.closes), (500, "internal error\n", false));
    assert_eq!(client.ask("/").await.status, 200);
    stand.under_way(0).await;
}

#[tokio::test]
async fn a_request_knows_which_way_it_has_come() {
    let stand = Stand::open(&with("")).await;
    assert_eq!(stand.client("web").await.ask("/origin").await.body, "web false true");
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_where_it_stands() {
    let mut stand = Stand::open(&with("")).await;
    for (lines, said) in [
        (
            "listen.other = '127.0.0.1:0'",
            "config/app.toml:3:14: the handler server refused it: `other` listens on 127.0.0.1:0 already",
        ),
        ("listen.other = '8080'", "config/app.toml:5:16: `8080` is no address to listen on"),
        (
            "listen.other = 'unix:here.sock'",
            "config/app.toml:5:16: `unix:here.sock` is no address to listen on",
        ),
        (
            "health = 'health'",
            "config/app.toml:5:10: the handler server refused it: `health` is no path of an address",
        ),
        ("timeouts.idle = '5 parsecs'", "config/app.toml:5:17: `5 parsecs` is no duration"),
        ("timeouts.idle = '-5s'", "config/app.toml:5:17: `-5s` is no duration"),
        ("limits.requets = 5", "config/app.toml:5:18: unknown field `requets`"),
    ] {
        let refused = stand.refused(&with(lines)).await;
        assert!(refused.starts_with(said), "{refused}");
    }
    let refused = stand.refused("greeting = ''\n[server]\nlisten = {}\n").await;
    assert!(
        refused
            .starts_with("config/app.toml:3:10: the handler server refused it: a server listens somewhere"),
        "{refused}"
    );
    assert_eq!(stand.client("web").await.ask("/").await.status, 200);
}
