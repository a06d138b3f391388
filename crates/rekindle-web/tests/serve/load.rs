//! Many clients ask while everything changes that can: no request fails, and each answer is of one generation.
//!
//! `REKINDLE_SWAPS=1000` is the long form.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rekindle_load::{Answer, Ended, Judge, Load, Protocol, Target, Watch};
use rekindle_test::Site;
use rekindle_web::serve::Bound;
use tokio::sync::watch;

use crate::kit::*;
use crate::tls::pair;

/// Changes, every tenth of which is to be refused.
const SWAPS: u64 = 100;

/// Addresses that take turns.
const PORTS: u64 = 12;

/// Requests for each change.
const REQUESTS: u64 = 1000;

/// Which generations may be seen: from the newest that is known to serve, to the newest that was saved.
#[derive(Clone, Default)]
struct Times {
    serves: Arc<AtomicU64>,
    saved: Arc<AtomicU64>,
    refused: Arc<std::sync::Mutex<Vec<u64>>>,
}

impl Judge for Times {
    type Token = u64;

    fn before(&self) -> u64 {
        self.serves.load(Ordering::SeqCst)
    }

    fn after(&self, at_least: u64, answer: &Answer) -> Result<(), String> {
        let body = String::from_utf8_lossy(&answer.body);
        if answer.status != 200 {
            return Err(format!("{} {body}", answer.status));
        }
        // The routes, the greeting and the filling are of the same number, or it is of two generations.
        let numbers: BTreeMap<_, _> = body.split(' ').filter_map(|word| word.split_once('=')).collect();
        let all: Vec<u64> = ["route", "greeting", "limit"]
            .iter()
            .filter_map(|name| numbers.get(name)?.parse().ok())
            .collect();
        let [route, greeting, limit] = all[..] else { return Err(format!("half of an answer: {body}")) };
        if (route, limit) != (greeting, greeting) {
            return Err(format!("of several generations: {body}"));
        }
        let at_most = self.saved.load(Ordering::SeqCst);
        if !(at_least..=at_most).contains(&route) || self.refused.lock().expect("no panic").contains(&route) {
            return Err(format!("{route}, and {at_least} to {at_most} were to be"));
        }
        Ok(())
    }
}

/// The listeners, and what each change makes of them.
struct Layout {
    ports: Vec<String>,
    taken: std::net::TcpListener,
}

impl Layout {
    /// What the configuration says at a change: limits and routes each time, ports and certificates in turn.
    fn at(&self, number: u64, wrong: Option<u64>) -> String {
        let port =
            |offset: u64| &self.ports[usize::try_from((number / 2 + offset) % PORTS).expect("it is small")];
        let pair = if (number / 3).is_multiple_of(2) { "a" } else { "b" };
        let (mut plain, mut secure) = (port(0).clone(), port(PORTS / 2).clone());
        let (mut certificate, mut key) = (format!("tls/{pair}.pem"), format!("tls/{pair}.key"));
        // Two ports change places, and back.
        if (number / 5).is_multiple_of(2) {
            std::mem::swap(&mut plain, &mut secure);
        }
        match wrong {
            Some(0) => plain = self.taken.local_addr().expect("it is bound").to_string(),
            Some(1) => key = "tls/other.key".into(),
            Some(_) => certificate = "tls/unreadable".into(),
            None => {}
        }
        let listen = format!(
            "steady = '127.0.0.1:0'\nplain = '{plain}'\nsecure = {{ address = '{secure}', tls = {{ certificate = '{certificate}', key = '{key}' }} }}"
        );
        let limits = format!("limits.connections = {}\nlimits.streams = {}", 500 + number, 100 + number);
        let config =
            config(&number.to_string(), &listen).replace("[server]\n", &format!("[server]\n{limits}\n"));
        // Long enough for this test to hear of the new address, and to tell its clients, on a busy machine.
        config.replace("lame_duck = '100ms'", "lame_duck = '2s'")
    }
}

/// Another's client, as a second witness: at an address that stays, while all else changes.
struct Wrk(Option<Child>);

impl Wrk {
    fn start(address: &str) -> Self {
        let mut command = Command::new("wrk");
        command.args(["-t1", "-c2", "-d1h", &format!("http://{address}/whole")]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        Self(Some(child.expect("wrk is installed")))
    }

    /// Ends it, and looks at what it has seen.
    fn stop(mut self) {
        let wrk = self.0.take().expect("it runs until now");
        let id = wrk.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill runs").success());
        let output = wrk.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stdout);
        println!("{said}");
        assert!(said.contains(" requests in "), "{said}");
        assert!(!said.contains("Socket errors") && !said.contains("Non-2xx"), "{said}");
    }
}

impl Drop for Wrk {
    fn drop(&mut self) {
        if let Some(mut wrk) = self.0.take() {
            let _ended_already = wrk.kill();
        }
    }
}

fn targets(stand: &Stand) -> Vec<Target> {
    let address = |name| match stand.address(name) {
        Bound::Tcp(address) => address,
        other => panic!("no TCP: {other}"),
    };
    let (plain, secure) = (address("plain"), address("secure"));
    let target = |address, tls, protocol| Target { address, tls, protocol };
    vec![
        target(plain, false, Protocol::Http1),
        target(secure, true, Protocol::Http1),
        target(plain, false, Protocol::Http2),
        target(secure, true, Protocol::Http2),
    ]
}

fn swaps() -> u64 {
    std::env::var("REKINDLE_SWAPS").ok().and_then(|swaps| swaps.parse().ok()).unwrap_or(SWAPS)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_everything_changes() {
    let site = Site::new();
    std::fs::create_dir_all(site.path("tls/unreadable")).expect("a directory");
    for name in ["a", "b", "other"] {
        pair().save(&site, name);
    }
    let layout = Layout {
        ports: (0..PORTS).map(|_| free()).collect(),
        taken: std::net::TcpListener::bind("127.0.0.1:0").expect("a port"),
    };
    let mut stand = Stand::open_on(site, &layout.at(0, None)).await;
    let (tell, told) = watch::channel(targets(&stand));
    let times = Times::default();
    let load = Load::new(told.clone(), times.clone()).clients(8).path("/whole").fresh_every(50).start();
    let wrk = Wrk::start(&stand.address("steady").to_string());
    let socket = Watch::web_socket(told.clone(), "/count/socket");
    let events = Watch::events(told, "/count/events");
    let (mut applied, mut refused) = (0, BTreeMap::<u64, u64>::new());
    for number in 1..=swaps() {
        load.more(REQUESTS).await;
        let wrong = number.is_multiple_of(10).then_some(number / 10 % 3);
        times.saved.store(number, Ordering::SeqCst);
        if let Some(wrong) = wrong {
            times.refused.lock().expect("no panic").push(number);
            let (before, said) =
                (stand.server.load().addresses(), stand.refused(&layout.at(number, Some(wrong))).await);
            let reason = [
                "somebody else listens on",
                "the key is not that of the certificate",
                "tls/unreadable is no file",
            ];
            let reason = reason[usize::try_from(wrong).expect("it is small")];
            assert!(said.contains(reason), "{said}");
            assert_eq!(stand.server.load().addresses(), before);
            *refused.entry(wrong).or_default() += 1;
        } else {
            stand.go_over(&layout.at(number, None)).await;
            times.serves.store(number, Ordering::SeqCst);
            tell.send_replace(targets(&stand));
            applied += 1;
        }
    }
    load.more(REQUESTS).await;
    let (report, socket, events) = (load.stop().await, socket.stop().await, events.stop().await);
    wrk.stop();
    println!("{applied} changes, {refused:?} refused\n{report}");
    println!("WebSocket: {} messages, {:?}", socket.messages, socket.counted());
    println!("events: {} messages, {:?}", events.messages, events.counted());
    assert_eq!(report.failures(), 0, "{report}");
    assert!(report.answers() >= swaps() * REQUESTS, "{report}");
    assert_eq!(refused.values().sum::<u64>(), swaps() / 10);
    // Closed only with a farewell, and the clients were on the plain port when that went.
    assert!(
        socket.ends.iter().all(|end| matches!(end, Ended::Closed(1001) | Ended::Left)),
        "{:?}",
        socket.counted()
    );
    assert!(
        events.ends.iter().all(|end| matches!(end, Ended::Whole | Ended::Left)),
        "{:?}",
        events.counted()
    );
    assert!(socket.gaps.is_empty() && events.gaps.is_empty(), "{:?} {:?}", socket.gaps, events.gaps);
    let retirement = soon("the stop", stand.server.stop()).await.expect("the runtime runs");
    assert!(!retirement.cut, "{retirement:?}");
}
