//! The site on actix-web.

use std::error::Error;

use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use rekindle_actix::{assets, live_reload};
use rekindle_browser_servers::{Site, address};
use rekindle_templates::TemplateError;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let site = Site::start().await?;
    let listener = std::net::TcpListener::bind(address()?)?;
    println!("http://{}", listener.local_addr()?);
    let app = move || {
        App::new()
            .app_data(web::Data::new(site.clone()))
            .service(assets(&site.assets))
            .default_service(web::to(page))
            .wrap(live_reload(&site.live))
    };
    Ok(HttpServer::new(app).listen(listener)?.run().await?)
}

async fn page(request: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let (mut head, body) = site.page(request.path()).into_parts();
    let status = StatusCode::from_u16(head.status.as_u16()).expect("the numbers are the same");
    let mut response = HttpResponse::build(status);
    for (name, value) in &head.headers {
        response.append_header((name.as_str(), value.as_bytes()));
    }
    if let Some(error) = head.extensions.remove::<TemplateError>() {
        response.extensions_mut().insert(error);
    }
    response.body(body)
}
