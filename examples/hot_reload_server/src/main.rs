//! ```text
//! cargo run -p hot_reload_server [DIR]
//! ```
//!
//! Serves as `DIR/config/server.toml` says; without `DIR`, as the one beside this example's sources does.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use hot_reload_server::Server;

#[tokio::main]
async fn main() -> ExitCode {
    let directory = std::env::args_os().nth(1).unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    match serve(&PathBuf::from(directory)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(directory: &Path) -> rekindle::Result<()> {
    let server = Server::start(directory).await?;
    println!("listening on {}", server.addresses());
    println!("change {} while it runs; Ctrl-C ends it", directory.join("config/server.toml").display());
    server.run(interrupted()).await?;
    println!("all requests answered");
    Ok(())
}

/// Resolves at Ctrl-C.
async fn interrupted() {
    match tokio::signal::ctrl_c().await {
        Ok(()) => println!("finishing the requests under way"),
        Err(error) => {
            eprintln!("Ctrl-C cannot be waited for: {error}");
            std::future::pending::<()>().await;
        }
    }
}
