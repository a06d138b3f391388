//! What has to hold with every framework, with actix-web.

use std::convert::Infallible;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{App, FromRequest, HttpRequest, HttpResponse, HttpServer, Responder};
use futures_util::stream;
use rekindle_actix::{Config, Page, assets, live_reload};
use rekindle_adaptor_test::{Program, SLOW, Server, SiteConfig, gzip, suite};

suite!(serve);

fn serve(program: &Program, listener: std::net::TcpListener) {
    let program = program.clone();
    let server = HttpServer::new(move || {
        App::new().configure(|config| routes(config, &program)).wrap(live_reload(&program.live))
    });
    let server = server.workers(1).disable_signals().listen(listener).unwrap();
    tokio::spawn(server.run());
}

fn routes(config: &mut ServiceConfig, program: &Program) {
    config
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
        .service(web::scope("/nested").route("", web::get().to(page)).wrap(live_reload(&program.live)));
}

/// The same, as a tower service.
#[cfg(feature = "serve")]
mod as_a_service {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use hyper_util::server::conn::auto::Builder;
    use hyper_util::service::TowerToHyperService;
    use rekindle_actix::serve::{ActixService, Workers};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    suite!(serve);

    fn serve(program: &Program, listener: std::net::TcpListener) {
        let program = program.clone();
        tokio::spawn(async move {
            listener.set_nonblocking(true).unwrap();
            let listener = TcpListener::from_std(listener).unwrap();
            let app = move || {
                App::new().configure(|config| routes(config, &program)).wrap(live_reload(&program.live))
            };
            let service = Workers::new(2).start(app).await.unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, service.clone()));
            }
        });
    }

    async fn connection(stream: TcpStream, service: ActixService) {
        let server = Builder::new(TokioExecutor::new());
        let service = TowerToHyperService::new(service);
        // A client that breaks off is none of its business.
        let _ended = server.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
    }
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
