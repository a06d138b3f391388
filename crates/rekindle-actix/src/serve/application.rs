//! [`Application`]: one of actix-web's, on its thread.

use std::any::Any;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use actix_http::{Request, Response};
use actix_service::{IntoServiceFactory, Service, ServiceFactory};
use actix_web::HttpResponse;
use actix_web::body::MessageBody;
use actix_web::dev::AppConfig;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use rekindle::{Error, ErrorKind, Result};

/// An application, whatever its type.
#[derive(Clone)]
pub(super) struct Application(Rc<dyn Fn(Request) -> LocalBoxFuture<'static, HttpResponse>>);

impl Application {
    /// Makes one, as the server of actix-web does.
    pub(super) async fn make<I, S, B>(app: impl Fn() -> I) -> Result<Self>
    where
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = AppConfig>,
        S::Service: 'static,
        S::Error: Into<actix_web::Error>,
        S::Response: Into<Response<B>>,
        B: MessageBody + 'static,
    {
        let making = async { app().into_factory().new_service(AppConfig::default()).await };
        match AssertUnwindSafe(making).catch_unwind().await {
            Ok(Ok(service)) => Ok(Self::new(service)),
            Ok(Err(_)) => Err(not_made()),
            Err(panic) => Err(panicked(&*panic)),
        }
    }

    fn new<S, B>(service: S) -> Self
    where
        S: Service<Request> + 'static,
        S::Error: Into<actix_web::Error>,
        S::Response: Into<Response<B>>,
        B: MessageBody + 'static,
    {
        let service = Rc::new(service);
        Self(Rc::new(move |request| answer(Rc::clone(&service), request).boxed_local()))
    }

    pub(super) async fn answer(&self, request: Request) -> HttpResponse {
        (self.0)(request).await
    }
}

async fn answer<S, B>(service: Rc<S>, request: Request) -> HttpResponse
where
    S: Service<Request>,
    S::Error: Into<actix_web::Error>,
    S::Response: Into<Response<B>>,
    B: MessageBody + 'static,
{
    let answering = async {
        poll_fn(|context| service.poll_ready(context)).await?;
        service.call(request).await
    };
    match answering.await {
        Ok(response) => HttpResponse::from(response.into().map_into_boxed_body()),
        Err(error) => HttpResponse::from_error(error),
    }
}

fn not_made() -> Error {
    let error = Error::new(ErrorKind::Other, "the application cannot be made");
    error.help("actix-web has logged which of its data or services could not be")
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("it does not say why");
    Error::new(ErrorKind::Panic, format!("it panicked as the application was made: {text}"))
}
