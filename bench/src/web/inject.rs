//! `inject`: what the layer costs a page that goes through it.
//!
//! The services are called in this process, without a connection: the difference between them is the layer's alone.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body::{Body, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, StreamBody};
use rekindle::{HotReload, HotReloadManager};
use rekindle_web::LiveReload;
use tokio::runtime::Runtime;
use tower_layer::Layer;
use tower_livereload::LiveReloadLayer;
use tower_service::Service;

use super::site::Site;
use crate::harness::stats::{float, median};
use crate::harness::table::{Row, Table};
use crate::harness::{Result, Size};
use crate::peers::runtime;

const ABOUT: &str = "Pages that go through the layer, read to their end, on one thread: megabytes of HTML in a second, and \
    microseconds a page more than without one. The body comes in pieces of 16 KiB.";

const NONE: &str = "no layer";

/// As a streaming server gives them.
const PIECE: usize = 16 * 1024;

type PageBody = UnsyncBoxBody<Bytes, Infallible>;

pub(crate) fn measure(size: Size) -> Result<Vec<Table>> {
    let columns = ["MB/s", "added, µs"];
    let mut table = Table::new("Injection", ABOUT, "page", &columns);
    let (site, runtime) = (Site::new()?, runtime()?);
    let (live, _manager) = live(&site, &runtime)?;
    for (group, bytes) in [("10 kB", 10_000), ("1 MB", 1_000_000)] {
        table.rows.extend(rows(group, &Program::new(bytes), &live, &runtime, size)?);
    }
    table.add_ratio("speed, by no layer's", "MB/s", NONE);
    Ok(vec![table])
}

fn live(site: &Site, runtime: &Runtime) -> Result<(LiveReload, HotReloadManager)> {
    runtime.block_on(async {
        let manager = HotReload::builder(site.root()).start().await?;
        let live = LiveReload::builder(&manager).in_release(true).start()?;
        Ok((live, manager))
    })
}

/// The cases take turns.
fn rows(
    group: &str,
    program: &Program,
    live: &LiveReload,
    runtime: &Runtime,
    size: Size,
) -> Result<Vec<Row>> {
    let time = size.pick(Duration::from_secs(1), Duration::from_millis(20));
    let mut bare = program.clone();
    let mut ours = live.layer().layer(program.clone());
    let mut theirs = LiveReloadLayer::new().layer(program.clone());
    for (name, page) in [
        ("rekindle", runtime.block_on(read(&mut ours))),
        ("tower-livereload", runtime.block_on(read(&mut theirs))),
    ] {
        if !page.contains("<script") {
            return Err(format!("{name} put no script in").into());
        }
    }
    let mut costs: [Vec<f64>; 3] = Default::default();
    for _ in 0..size.pick(9, 1) {
        costs[0].push(runtime.block_on(micros(&mut bare, time)));
        costs[1].push(runtime.block_on(micros(&mut ours, time)));
        costs[2].push(runtime.block_on(micros(&mut theirs, time)));
    }
    let middles = costs.map(|costs| median(&costs).unwrap_or(f64::NAN));
    let row = |(name, cost): (&str, f64)| {
        let speed = float(program.bytes()) / cost;
        Row::new(group, name, vec![Some(speed), Some(cost - middles[0])])
    };
    Ok([NONE, "rekindle", "tower-livereload"].into_iter().zip(middles).map(row).collect())
}

/// Microseconds a page.
async fn micros<S, B>(service: &mut S, time: Duration) -> f64
where
    S: Service<Request<Empty<Bytes>>, Response = Response<B>>,
    B: Body<Data = Bytes> + Unpin,
{
    let (began, mut pages) = (Instant::now(), 0_u64);
    while began.elapsed() < time {
        each_piece(service, |piece| drop(black_box(piece))).await;
        pages += 1;
    }
    began.elapsed().as_secs_f64() * 1e6 / float(pages.max(1))
}

/// The whole page.
async fn read<S, B>(service: &mut S) -> String
where
    S: Service<Request<Empty<Bytes>>, Response = Response<B>>,
    B: Body<Data = Bytes> + Unpin,
{
    let mut page = Vec::new();
    each_piece(service, |piece| page.extend_from_slice(&piece)).await;
    String::from_utf8_lossy(&page).into_owned()
}

async fn each_piece<S, B>(service: &mut S, mut take: impl FnMut(Bytes))
where
    S: Service<Request<Empty<Bytes>>, Response = Response<B>>,
    B: Body<Data = Bytes> + Unpin,
{
    let mut request = Request::new(Empty::new());
    request.headers_mut().insert("host", HeaderValue::from_static("localhost"));
    request.headers_mut().insert("accept", HeaderValue::from_static("text/html"));
    let Ok(mut page) = service.call(request).await else { return };
    while let Some(Ok(piece)) = page.body_mut().frame().await {
        piece.into_data().into_iter().for_each(&mut take);
    }
}

/// A program of one page.
#[derive(Debug, Clone)]
struct Program {
    pieces: Vec<Bytes>,
}

impl Program {
    fn new(bytes: usize) -> Self {
        let row = "<li class=\"odd\"><a href=\"/items/1\">An item</a> &amp; <b>its price</b>: 12</li>\n";
        let mut page = "<!doctype html><html><head><title>A list</title></head><body><ul>\n".to_owned();
        page.extend(std::iter::repeat_n(row, bytes / row.len()));
        let page = Bytes::from(page + "</ul></body></html>\n");
        let pieces = (0..page.len()).step_by(PIECE);
        Self { pieces: pieces.map(|at| page.slice(at..page.len().min(at + PIECE))).collect() }
    }

    fn bytes(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }

    fn page(&self) -> Response<PageBody> {
        let pieces = self.pieces.clone().into_iter();
        let pieces = pieces.map(|piece| Ok(Frame::data(piece)));
        let body = StreamBody::new(futures_util::stream::iter(pieces));
        let mut page = Response::new(body.boxed_unsync());
        page.headers_mut().insert("content-type", HeaderValue::from_static("text/html; charset=utf-8"));
        page
    }
}

impl Service<Request<Empty<Bytes>>> for Program {
    type Response = Response<PageBody>;
    type Error = Infallible;
    type Future = Ready<std::result::Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::result::Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Empty<Bytes>>) -> Self::Future {
        ready(Ok(self.page()))
    }
}
