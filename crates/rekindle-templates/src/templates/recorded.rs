//! [`recorded`]: which templates something was rendered from.

use std::cell::RefCell;
use std::future::Future;

tokio::task_local! {
    static RENDERED: RefCell<Vec<String>>;
}

/// Runs a future and says which templates [`Templates::render`](crate::Templates::render) was asked for in
/// it: each name once, in the order of the first time. Templates that those include are not named.
///
/// What is rendered on another task or thread that the future started is not seen.
///
/// # Cancel safety
///
/// That of the future.
pub async fn recorded<F: Future>(future: F) -> (F::Output, Vec<String>) {
    let scope = RENDERED.scope(RefCell::default(), async {
        let output = future.await;
        (output, RENDERED.with(RefCell::take))
    });
    scope.await
}

/// Notes that a template is rendered.
pub(super) fn note(name: &str) {
    // Outside of a scope nobody asks.
    let _unasked = RENDERED.try_with(|rendered| {
        let mut rendered = rendered.borrow_mut();
        if rendered.iter().all(|known| known != name) {
            rendered.push(name.to_owned());
        }
    });
}
