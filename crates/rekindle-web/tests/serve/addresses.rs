//! Where the server listens changes while it serves.

use std::error::Error as _;
use std::os::unix::fs::PermissionsExt;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::kit::*;

#[tokio::test]
async fn what_is_answered_changes_and_the_connection_does_not() {
    let mut stand = Stand::open(&config("hello", "web = '127.0.0.1:0'")).await;
    let mut client = stand.client("web").await;
    let answer = client.ask("/").await;
    assert_eq!((answer.status, answer.body.as_str(), answer.closes), (200, "hello", false));
    let before = stand.address("web");
    stand.go_over(&config("welcome", "web = '127.0.0.1:0'")).await;
    let answer = client.ask("/").await;
    assert_eq!((answer.body.as_str(), answer.closes), ("welcome", false));
    assert_eq!(stand.address("web"), before);
    assert!(stand.retired().await.error.is_none());
}

#[tokio::test]
async fn another_address_is_served_before_the_old_one_sends_its_clients_away() {
    let mut stand = Stand::open(&config("hello", "web = '127.0.0.1:0'")).await;
    let (mut idle, mut busy, mut silent) =
        (stand.client("web").await, stand.client("web").await, stand.client("web").await);
    assert_eq!(idle.ask("/").await.body, "hello");
    busy.send("/slow").await;
    let old = stand.address("web");
    let elsewhere = free();
    stand.go_over(&config("welcome", &format!("web = '{elsewhere}'"))).await;
    assert_eq!(stand.address("web").to_string(), elsewhere);
    assert_eq!(stand.client("web").await.ask("/").await.body, "welcome");
    // Whoever still comes to the old address is served, and told to go.
    let answer = Client::to(&old).await.expect("it still accepts").ask("/").await;
    assert_eq!((answer.body.as_str(), answer.closes), ("welcome", true));
    let answer = idle.ask("/").await;
    assert_eq!((answer.body.as_str(), answer.closes), ("welcome", true));
    idle.ends().await;
    stand.till.gate.add_permits(1);
    let answer = busy.answer().await;
    assert_eq!((answer.body.as_str(), answer.closes), ("at last", true));
    // One that has never asked may have written in this very moment: it is waited for, and answered.
    let answer = silent.ask("/").await;
    assert_eq!((answer.body.as_str(), answer.closes), ("welcome", true));
    let retirement = stand.retired().await;
    assert!(!retirement.cut && retirement.error.is_none(), "{retirement:?}");
    assert!(Client::to(&old).await.is_err());
}

#[tokio::test]
async fn two_ports_are_swapped_in_one_change() {
    let (one, two) = (free(), free());
    let listen = |web: &str, admin: &str| config("hello", &format!("web = '{web}'\nadmin = '{admin}'"));
    let mut stand = Stand::open(&listen(&one, &two)).await;
    let mut client = stand.client("web").await;
    client.ask("/").await;
    stand.go_over(&listen(&two, &one)).await;
    assert_eq!((stand.address("web").to_string(), stand.address("admin").to_string()), (two, one));
    assert!(!client.ask("/").await.closes);
    assert!(stand.retired().await.error.is_none());
}

#[tokio::test]
async fn a_port_that_is_taken_refuses_the_change_and_nothing_else_happens() {
    let mut stand = Stand::open(&config("hello", "web = '127.0.0.1:0'")).await;
    let before = stand.address("web");
    let somebody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = somebody.local_addr().expect("it is bound");
    let receipt = stand.save(&config("welcome", &format!("other = '127.0.0.1:0'\nweb = '{taken}'"))).await;
    let [refusal] = receipt.refusals() else { panic!("{receipt:?}") };
    let said = refusal.error.to_string();
    assert!(said.contains("config/app.toml:7:7: ") && said.contains(&taken.to_string()), "{said}");
    let reason = refusal.error.source().and_then(|cause| cause.downcast_ref::<rekindle::Error>());
    let cause = reason.and_then(|reason| reason.source()?.downcast_ref::<std::io::Error>());
    assert_eq!(cause.map(std::io::Error::kind), Some(std::io::ErrorKind::AddrInUse));
    assert_eq!((stand.address("web"), stand.server.load().addresses().len()), (before, 1));
    assert_eq!(stand.client("web").await.ask("/").await.body, "hello");
}

#[tokio::test]
async fn a_generation_that_says_it_is_ill_is_refused() {
    let mut stand = Stand::open(&config("hello", "web = '127.0.0.1:0'")).await;
    let said = stand.refused(&config("ill", "web = '127.0.0.1:0'")).await;
    assert!(said.contains("config/app.toml:3:10: "), "{said}");
    assert!(said.contains("it is not well: /health answered 503"), "{said}");
    let said = stand.refused(&config("ill", &format!("web = '{}'", free()))).await;
    assert!(said.contains("it is not well: /health answered 503"), "{said}");
    assert_eq!(stand.client("web").await.ask("/").await.body, "hello");
}

#[tokio::test]
async fn an_address_that_is_given_up_and_wanted_again_was_never_let_go() {
    let (one, two) = (free(), free());
    let at = |address: &str| config("hello", &format!("web = '{address}'")).replace("100ms", "1h");
    let mut stand = Stand::open(&at(&one)).await;
    stand.go_over(&at(&two)).await;
    stand.go_over(&at(&one)).await;
    assert!(stand.retired().await.error.is_none());
    let mut client = stand.client("web").await;
    assert!(!client.ask("/").await.closes);
}

#[tokio::test]
async fn a_stop_lets_requests_under_way_end() {
    let stand = Stand::open(&config("hello", "web = '127.0.0.1:0'")).await;
    let mut busy = stand.client("web").await;
    busy.send("/slow").await;
    let (address, gate) = (stand.address("web"), stand.till.gate.clone());
    let stop = tokio::spawn(stand.server.stop());
    gate.add_permits(1);
    assert_eq!(busy.answer().await.body, "at last");
    let retirement = soon("the stop", stop).await.expect("no panic").expect("the runtime runs");
    assert!(!retirement.cut, "{retirement:?}");
    assert!(Client::to(&address).await.is_err());
}

#[tokio::test]
async fn who_waits_to_be_accepted_when_a_socket_closes_is_answered() {
    let stand = Stand::open(&with("limits.connections = 1")).await;
    let mut first = stand.client("web").await;
    first.ask("/").await;
    // The one place is taken: these are connected by the system's word alone.
    let mut waiting = Vec::new();
    for _ in 0..20 {
        let mut client = stand.client("web").await;
        client.send("/").await;
        waiting.push(client);
    }
    let stop = tokio::spawn(stand.server.stop());
    for client in &mut waiting {
        let answer = client.answer().await;
        assert_eq!((answer.body.as_str(), answer.closes), ("hello", true));
    }
    assert!(!soon("the stop", stop).await.expect("no panic").expect("the runtime runs").cut);
}

#[tokio::test]
async fn a_unix_socket_is_an_address_as_any_other() {
    let site = rekindle_test::Site::new();
    let (one, two) = (site.path("one.sock"), site.path("two.sock"));
    let at = |path: &std::path::Path, mode: &str| {
        config("hello", &format!("web = {{ address = 'unix:{}', mode = '{mode}' }}", path.display()))
    };
    let mut stand = Stand::open_on(site, &at(&one, "0600")).await;
    let ask = async |path: &std::path::Path| {
        let mut stream = tokio::net::UnixStream::connect(path).await.expect("a connection");
        stream
            .write_all(b"GET /origin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await
            .expect("it is written");
        let mut answer = String::new();
        soon("an answer", stream.read_to_string(&mut answer)).await.expect("an answer");
        answer
    };
    assert!(ask(&one).await.ends_with("web false true"));
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&one), 0o600);
    stand.go_over(&at(&one, "0660")).await;
    stand.retired().await;
    assert_eq!(mode(&one), 0o660);
    stand.go_over(&at(&two, "0600")).await;
    assert!(ask(&two).await.ends_with("web false true"));
    stand.retired().await;
    assert!(!one.exists() && two.exists());
    let two_still = two.clone();
    soon("the stop", stand.server.stop()).await.expect("the runtime runs");
    assert!(!two_still.exists());
}
