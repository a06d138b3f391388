//! The only place that prints: text with styles in, bytes on standard output or standard error out.
//!
//! Styles are dropped on the way where nobody would see them (no terminal, `NO_COLOR`, `--color never`).

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::stop::Stop;
use crate::text::printable;

/// Prints a text as it is, and hands it on at once.
///
/// # Errors
///
/// [`Stop::Closed`] when nobody reads any more.
pub(crate) fn print(text: &str) -> Result<(), Stop> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// As [`print`], while the caller stays responsive: a full pipe blocks a thread of its own.
pub(crate) async fn print_apart(text: String) -> Result<(), Stop> {
    let printed = tokio::task::spawn_blocking(move || print(&text)).await;
    printed.unwrap_or_else(|panicked| Err(io::Error::other(panicked).into()))
}

/// Prints what went wrong, on standard error.
pub(crate) fn complain(message: &str) {
    const ERROR: Style = AnsiColor::Red.on_default().bold();
    // When standard error is closed as well there is nobody left to tell.
    let _closed = writeln!(anstream::stderr(), "{ERROR}error:{ERROR:#} {}", printable(message));
}

/// Prints something to know, on standard error.
pub(crate) fn note(message: &str) {
    const NOTE: Style = AnsiColor::Yellow.on_default();
    // When standard error is closed as well there is nobody left to tell.
    let _closed = writeln!(anstream::stderr(), "{NOTE}note:{NOTE:#} {message}");
}

/// Prints a report on what went wrong, on standard error: text with styles in.
pub(crate) fn explain(report: &str) {
    let _closed = anstream::stderr().write_all(report.as_bytes());
}

/// How many columns the terminal has; `None` where there is none.
pub(crate) fn width() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0))
}

/// Resolves when nobody reads standard output any more, as far as the system tells of that.
///
/// A pipe's writer learns of it only by writing, and there may be nothing to write for hours.
#[cfg(unix)]
pub(crate) async fn closed() {
    use rustix::event::{PollFd, PollFlags, poll};

    let (tell, told) = tokio::sync::oneshot::channel();
    let wait = move || {
        let stdout = io::stdout();
        // Asks for nothing: errors and hang-ups are told of in any case.
        let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
        loop {
            match poll(&mut watched, None) {
                Ok(_) => {
                    // Whoever waited has ended meanwhile.
                    let _ended = tell.send(());
                    break;
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => break,
            }
        }
    };
    // A thread of its own, since it may wait for ever; the end of the process ends it.
    let waiting = std::thread::Builder::new().name("stdout".into()).spawn(wait);
    if waiting.is_err() || told.await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Never resolves here: the next line tells.
#[cfg(not(unix))]
pub(crate) async fn closed() {
    std::future::pending().await
}
