//! The tests. Each gets what has a framework serve a program.

pub mod assets;
pub mod configs;
pub mod endpoints;
pub mod pages;
pub mod sockets;

/// Runs a test to its end.
///
/// # Panics
///
/// When it fails.
pub fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(test);
}
