//! Configurations, as handlers take them.

use crate::{Server, Start};

/// In the middle of the request another value comes into use.
pub async fn a_request_sees_one_value_of_a_configuration(serve: Start) {
    let server = Server::start(serve).await;
    assert_eq!(server.get("/twice").await.body(), "One One");
    assert_eq!(server.get("/twice").await.body(), "Two Two");
}
