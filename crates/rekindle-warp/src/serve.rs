//! [`serve`]: a server for services.

use std::pin::pin;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rekindle_web::BoxError;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower_service::Service;

/// How long nobody is accepted when the system has no descriptor left.
const BREATH: Duration = Duration::from_millis(50);

/// Serves a filter with [live reload](crate::live_reload) around it, or any other service, over HTTP/1.1 with WebSockets,
/// until `end` resolves and the answers that are under way by then are sent.
///
/// Answers that never end, such as the events of a browser that has no WebSocket, end with live reload: shut the engine
/// down where `end` resolves. In filters [`warp::addr::remote`] is `None`, which warp's own server alone can set.
///
/// ```no_run
/// # async fn serve<S>(app: S, manager: rekindle::HotReloadManager) -> std::io::Result<()>
/// # where S: tower_service::Service<http::Request<hyper::body::Incoming>, Response = http::Response<rekindle_web::Body>,
/// #     Error = std::convert::Infallible, Future: Send> + Clone + Send + 'static {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
/// let end = async {
///     let _signal = tokio::signal::ctrl_c().await;
///     let _already = manager.shutdown().await;
/// };
/// rekindle_warp::serve(listener, app, end).await;
/// # Ok(())
/// # }
/// ```
pub async fn serve<S, B>(listener: TcpListener, service: S, end: impl Future<Output = ()>)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + 'static,
    B: http_body::Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    let (is_over, over) = watch::channel(false);
    let mut end = pin!(end);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut end => break,
        };
        match accepted {
            Ok((stream, _)) => connect(stream, service.clone(), over.clone()),
            // One that broke off already, or no descriptors: the next may do better.
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
    drop((listener, over));
    is_over.send_replace(true);
    // When the last connection is gone, nobody listens to that any more.
    is_over.closed().await;
}

fn connect<S, B>(stream: TcpStream, service: S, mut over: watch::Receiver<bool>)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + 'static,
    B: http_body::Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    // A few bytes of a message are not to wait for more; where it cannot be set they do.
    let _waits = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    tokio::spawn(async move {
        let mut connection = pin!(connection);
        // What breaks a connection concerns the two ends of it.
        tokio::select! {
            _broken = connection.as_mut() => return,
            _ = over.wait_for(|is_over| *is_over) => connection.as_mut().graceful_shutdown(),
        }
        let _broken = connection.await;
    });
}
