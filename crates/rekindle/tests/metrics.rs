//! What a real Prometheus exporter shows of reloads, scraped over HTTP.
//!
//! A process has one recorder and one set of figures, so this is one test in a binary of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use metrics_exporter_prometheus::{BuildError, ExporterFuture, PrometheusBuilder, PrometheusRecorder};
use rekindle::prelude::*;
use rekindle_test::{LIMIT, LONG_WINDOW, Site};
use tokio::sync::broadcast;

/// Where the figures are to be had.
struct Exporter(SocketAddr);

impl Exporter {
    /// Installs a recorder, and serves what it holds on a port that is free.
    fn start() -> Self {
        let mut tries = (0..20).map(|_| Self::listen());
        let (at, (recorder, server)) = tries.find_map(Result::ok).expect("there is a free port");
        metrics::set_global_recorder(recorder).expect("it is the first");
        tokio::spawn(server);
        Self(at)
    }

    /// Fails when somebody else takes the port before the exporter does.
    fn listen() -> Result<(SocketAddr, (PrometheusRecorder, ExporterFuture)), BuildError> {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let at = free.expect("the machine has a loopback");
        let builder = PrometheusBuilder::new().with_http_listener(at).set_buckets(&[0.001, 0.1, 10.0])?;
        Ok((at, builder.build()?))
    }

    /// Everything there is, as Prometheus gets it.
    fn scrape(&self) -> String {
        let mut connection = TcpStream::connect(self.0).expect("it listens");
        connection.set_read_timeout(Some(LIMIT)).expect("a limit that is not 0");
        let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        connection.write_all(request.as_bytes()).expect("it takes requests");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("it answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer
    }

    /// One figure, by its name with its labels.
    fn get(&self, name: &str) -> f64 {
        let all = self.scrape();
        let value = all.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("there is no {name} in:\n{all}")).parse().expect("a number")
    }

    fn reloads(&self) -> [f64; 4] {
        let of = |outcome| self.get(&format!("rekindle_reloads_total{{outcome=\"{outcome}\"}}"));
        [of("applied"), of("unchanged"), of("refused"), of("rolled-back")]
    }

    /// Degraded, and whether the last reload was successful.
    fn health(&self) -> (f64, f64) {
        (self.get("rekindle_degraded"), self.get("rekindle_last_reload_successful"))
    }
}

/// Fails for one port.
fn binds(event: ChangeEvent) -> Result<()> {
    match event {
        ChangeEvent::ConfigChanged { new_value, .. } if new_value["port"] == 1 => Err("taken".into()),
        _ => Ok(()),
    }
}

async fn next(receipts: &mut broadcast::Receiver<Receipt>) -> Receipt {
    tokio::time::timeout(LIMIT, receipts.recv()).await.expect("a receipt in time").expect("a receipt")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exporter_shows_what_became_of_reloads() {
    let exporter = Exporter::start();
    let site = Site::new().with("config/app.toml", "port = 80\n");
    let critical = Registration::new(binds).named("server").critical();
    // What is broken is refused when somebody asks, and not before.
    let builder = HotReload::builder(site.root()).debounce(LONG_WINDOW);
    let manager = builder.register(critical).start().await.expect("an engine");
    let mut receipts = manager.receipts();
    assert_eq!(exporter.reloads(), [0.0; 4], "a start is no reload");
    assert_eq!(exporter.health(), (0.0, 1.0));
    assert_eq!(exporter.get("rekindle_watched_dirs"), manager.status().watched_dirs as f64);
    assert!(!exporter.scrape().contains("success_timestamp_seconds "), "there was none yet");

    site.replace("config/app.toml", "port = 8080\n");
    let applied = next(&mut receipts).await;
    assert_eq!(exporter.reloads(), [1.0, 0.0, 0.0, 0.0]);
    let at = applied.at.duration_since(std::time::UNIX_EPOCH).expect("later").as_secs_f64();
    assert_eq!(exporter.get("rekindle_last_reload_success_timestamp_seconds"), at);

    site.replace("config/app.toml", "port = [\n");
    manager.reload_now().await.expect("an answer");
    assert_eq!(exporter.reloads(), [1.0, 0.0, 1.0, 0.0]);
    assert_eq!(exporter.health(), (1.0, 0.0));

    site.replace("config/app.toml", "port = 8081\n");
    while !next(&mut receipts).await.is_applied() {}
    assert_eq!(exporter.health(), (0.0, 1.0));

    site.replace("config/app.toml", "port = 1\n");
    while next(&mut receipts).await.outcome.as_str() != "rolled-back" {}
    assert_eq!(exporter.reloads(), [2.0, 0.0, 1.0, 1.0]);
    assert_eq!(exporter.health(), (1.0, 0.0));
    assert_eq!(exporter.get("rekindle_handler_failures_total"), 1.0);
    assert_eq!(exporter.get("rekindle_overflows_total"), 0.0);

    two_engines_add_up(&exporter, &manager).await;
    every_figure_is_described_and_its_labels_are_bounded(&exporter);
    manager.shutdown().await.expect("a clean end");
    assert_eq!(exporter.get("rekindle_watched_dirs"), 0.0);
    assert_eq!(exporter.health(), (0.0, 1.0), "an engine that has ended is not degraded");
}

async fn two_engines_add_up(exporter: &Exporter, first: &HotReloadManager) {
    let site = Site::new().with("config/app.toml", "port = [\n");
    let second = HotReload::builder(site.root()).queue_limit(0).start().await.expect("an engine");
    let mut events = second.subscribe();
    assert_eq!(exporter.health(), (2.0, 0.0));
    let dirs = (first.status().watched_dirs + second.status().watched_dirs) as f64;
    assert_eq!(exporter.get("rekindle_watched_dirs"), dirs);
    site.replace("config/app.toml", "port = 80\n");
    second.reload_now().await.expect("an answer");
    let rescanned = async { while !matches!(events.recv().await, Ok(ChangeEvent::Rescanned { .. })) {} };
    tokio::time::timeout(LIMIT, rescanned).await.expect("it is told");
    assert_eq!(exporter.health(), (1.0, 0.0), "the first is as it was");
    let ended = second.clone();
    second.shutdown().await.expect("a clean end");
    let overflows = ended.status().overflows;
    assert!(overflows > 0, "no notice at all is believed to be all");
    assert_eq!(exporter.get("rekindle_overflows_total"), overflows as f64);
    assert_eq!(exporter.get("rekindle_watched_dirs"), first.status().watched_dirs as f64);
}

fn every_figure_is_described_and_its_labels_are_bounded(exporter: &Exporter) {
    let all = exporter.scrape();
    for line in all.lines().filter(|line| line.starts_with("rekindle_")) {
        let (series, _) = line.split_once(' ').expect("a name and a value");
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let family = name.trim_end_matches("_bucket").trim_end_matches("_sum").trim_end_matches("_count");
        assert!(all.contains(&format!("# HELP {family} ")), "{family} is not described");
        let labels = labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty());
        let known = ["outcome=\"", "stage=\"", "le=\""];
        let is_known = |label: &str| known.iter().any(|known| label.starts_with(known));
        assert!(labels.into_iter().all(is_known), "{line}");
    }
    for stage in ["settle", "load", "validate", "commit", "notify", "total"] {
        let count = exporter.get(&format!("rekindle_reload_duration_seconds_count{{stage=\"{stage}\"}}"));
        assert!(count >= 1.0, "{stage}");
    }
}
