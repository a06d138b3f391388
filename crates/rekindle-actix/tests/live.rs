//! What has to hold with every framework, with actix-web.

use std::convert::Infallible;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, FromRequest, HttpRequest, HttpResponse, HttpServer, Responder};
use futures_util::stream;
use rekindle_actix::{Config, Page, assets, live_reload};
use rekindle_adaptor_test::{Program, SLOW, Server, SiteConfig, gzip, suite};

suite!(serve);

fn serve(program: &Program, listener: std::net::TcpListener) {
    let program = program.clone();
    let app = move || {
        App::new()
            .app_data(program.site.clone())
            .app_data(Data::new(program.clone()))
            .service(assets(&program.assets))
            .route("/", web::get().to(page))
            .route("/", web::head().to(page))
            .route("/broken", web::get().to(broken))
            .route("/echo", web::post().to(echo))
            .route("/gzip/page", web::get().to(|| compressed("text/html")))
            .route("/gzip/data", web::get().to(|| compressed("text/plain")))
            .route("/slow", web::get().to(slow))
            .route("/torn", web::get().to(torn))
            .route("/twice", web::get().to(twice))
            .service(web::scope("/nested").route("", web::get().to(page)).wrap(live_reload(&program.live)))
            .wrap(live_reload(&program.live))
    };
    let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap();
    tokio::spawn(server.run());
}

#[test]
fn a_part_of_an_application_that_is_wrapped_as_well_has_one_tag() {
    suite::run(async {
        let server = Server::start(serve).await;
        let page = server.get("/nested").await;
        assert_eq!(page.body().matches("live.js").count(), 1, "{page:?}");
    });
}

async fn page(site: Config<SiteConfig>, program: Data<Program>) -> Page {
    Page(program.templates.render("page.html", &*site))
}

async fn broken(program: Data<Program>) -> Page {
    Page(program.templates.render("broken.html", &()))
}

async fn echo(body: Bytes) -> impl Responder {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/plain")).body(body)
}

async fn compressed(mime: &'static str) -> impl Responder {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, mime))
        .insert_header((CONTENT_ENCODING, "gzip"))
        .body(gzip())
}

async fn slow(program: Data<Program>) -> impl Responder {
    let chunks = stream::unfold((0, program), async |(index, program)| {
        let chunk = SLOW.get(index)?;
        if index > 0 {
            program.wait_at_the_gate().await;
        }
        Some((Ok::<_, Infallible>(Bytes::from_static(chunk.as_bytes())), (index + 1, program)))
    });
    HttpResponse::Ok().content_type("text/html").streaming(Box::pin(chunks))
}

async fn torn() -> impl Responder {
    let chunks = [Ok(Bytes::from_static(SLOW[0].as_bytes())), Err("torn")];
    HttpResponse::Ok().content_type("text/html").streaming(stream::iter(chunks))
}

async fn twice(request: HttpRequest, program: Data<Program>) -> actix_web::Result<String> {
    let first = Config::<SiteConfig>::extract(&request).await?;
    program.rename().await;
    let second = Config::<SiteConfig>::extract(&request).await?;
    Ok(format!("{} {}", first.title, second.title))
}
