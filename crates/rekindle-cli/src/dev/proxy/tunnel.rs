//! What follows an upgrade: two connections in, every byte of each carried to the other, until both have ended.

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

/// Carries bytes both ways.
pub(super) async fn carry(browser: OnUpgrade, upstream: OnUpgrade) {
    let Ok((browser, upstream)) = tokio::try_join!(browser, upstream) else { return };
    let (mut browser, mut upstream) = (TokioIo::new(browser), TokioIo::new(upstream));
    // Either side may break off at any time; the other then sees the end of its connection.
    let _broken_off = copy_bidirectional(&mut browser, &mut upstream).await;
}
