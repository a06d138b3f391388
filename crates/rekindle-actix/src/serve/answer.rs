//! The way of one request through an application.

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use http::response::Parts;
use rekindle_web::Body;
use tokio::sync::oneshot;

use super::application::Application;
use super::request;
use super::response::{self, Asked};
use super::tunnel::Tunnel;
use super::worker::{Job, Place};
use crate::body;

/// Answers a request, unless nobody waits for it any more.
pub(super) async fn answer(application: &Application, job: Job) {
    let Job { mut request, mut reply, place } = job;
    let asked = Asked::of(&request);
    let (tunnel, payload) = Tunnel::asked_for(&mut request).unzip();
    let answering = async {
        match request::convert(request, payload) {
            Some(request) => application.answer(request).await,
            None => HttpResponse::new(StatusCode::BAD_REQUEST),
        }
    };
    let response = tokio::select! {
        response = answering => response,
        () = reply.closed() => return,
    };
    let (head, body) = response::convert(response, &asked);
    match tunnel.filter(|tunnel| tunnel.is_accepted(head.status)) {
        Some(tunnel) => open(tunnel, head, body, reply).await,
        None => deliver(head, body, reply, place).await,
    }
}

type Reply = oneshot::Sender<http::Response<Body>>;

async fn open(tunnel: Tunnel, mut head: Parts, body: BoxBody, reply: Reply) {
    tunnel.finish(&mut head);
    if reply.send(http::Response::from_parts(head, Body::empty())).is_ok() {
        tunnel.carry(body).await;
    }
}

async fn deliver(head: Parts, body: BoxBody, reply: Reply, place: Place) {
    let (body, pump) = body::detached(body);
    // Where nothing is left to do, the place is free by the time that the client asks again.
    let _place = pump.is_some().then_some(place);
    if reply.send(http::Response::from_parts(head, body)).is_ok()
        && let Some(pump) = pump
    {
        pump.await;
    }
}
