//! What has to hold with every framework, with warp.

use std::convert::Infallible;
use std::future::pending;

use futures_util::stream;
use http_body_util::BodyExt;
use hyper::body::Bytes;
use rekindle_adaptor_test::{Program, SLOW, Server, SiteConfig, gzip, suite};
use rekindle_test::LIMIT;
use rekindle_warp::{Config, Page, assets, config, live_reload, serve};
use tokio::net::TcpListener;
use warp::http::Response;
use warp::{Filter, Rejection, Reply};

suite!(start);

fn start(program: &Program, listener: std::net::TcpListener) {
    let listener = TcpListener::from_std(listener).unwrap();
    let app = live_reload(routes(program), &program.live);
    tokio::spawn(serve(listener, app, pending()));
}

#[test]
fn an_answer_that_is_under_way_is_sent_before_the_end() {
    suite::run(async {
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let server = Server::start(|_, _| ()).await;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let server = Server { address: listener.local_addr().unwrap(), ..server };
        let app = live_reload(routes(&server.program), &server.program.live);
        let served = tokio::spawn(serve(listener, app, async { _ = ended.await }));
        let answer = server.send(server.request("GET", "/slow"), "").await;
        end.send(()).unwrap();
        while tokio::net::TcpStream::connect(server.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        server.program.gate.add_permits(1);
        let page = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(page.ends_with(SLOW[1].as_bytes()));
        tokio::time::timeout(LIMIT, served).await.unwrap().unwrap();
    });
}

fn routes(program: &Program) -> impl Filter<Extract = impl Reply + use<>, Error = Rejection> + Clone + use<> {
    let site = config(&program.site);
    let with_program = {
        let program = program.clone();
        warp::any().map(move || program.clone())
    };
    let page = warp::path::end().and(warp::get().or(warp::head()).unify());
    let page =
        page.and(site.clone()).and(with_program.clone()).map(|site: Config<SiteConfig>, program: Program| {
            Page(program.templates.render("page.html", &*site))
        });
    let broken = warp::path("broken")
        .and(with_program.clone())
        .map(|program: Program| Page(program.templates.render("broken.html", &())));
    let echo = warp::path("echo").and(warp::post()).and(warp::body::bytes());
    let echo = echo.map(|body: Bytes| answer("text/plain", body));
    let gzip_page = warp::path!("gzip" / "page").map(|| compressed("text/html"));
    let gzip_data = warp::path!("gzip" / "data").map(|| compressed("text/plain"));
    let slow = warp::path("slow").and(with_program.clone()).map(slow);
    let torn = warp::path("torn").map(torn);
    let twice = warp::path("twice").and(site.clone()).and(with_program).then(rename).and(site);
    let twice = twice.map(|first, second: Config<SiteConfig>| format!("{first} {}", second.title));
    page.or(broken)
        .or(echo)
        .or(gzip_page)
        .or(gzip_data)
        .or(slow)
        .or(torn)
        .or(twice)
        .or(assets(&program.assets))
}

fn compressed(mime: &str) -> impl Reply + use<> {
    warp::reply::with_header(answer(mime, gzip()), "content-encoding", "gzip")
}

fn answer(mime: &str, body: Bytes) -> Response<Bytes> {
    Response::builder().header("content-type", mime).body(body).unwrap()
}

fn slow(program: Program) -> impl Reply {
    let chunks = stream::unfold((0, program), |(index, program)| async move {
        let chunk = SLOW.get(index)?;
        if index > 0 {
            program.wait_at_the_gate().await;
        }
        Some((Ok::<_, Infallible>(Bytes::from_static(chunk.as_bytes())), (index + 1, program)))
    });
    warp::reply::with_header(warp::reply::stream(chunks), "content-type", "text/html")
}

fn torn() -> impl Reply {
    let chunks = stream::iter([Ok(SLOW[0]), Err("torn")]);
    warp::reply::with_header(warp::reply::stream(chunks), "content-type", "text/html")
}

async fn rename(first: Config<SiteConfig>, program: Program) -> String {
    program.rename().await;
    first.title.clone()
}
