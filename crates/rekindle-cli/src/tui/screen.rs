//! [`Screen`]: the terminal, taken over and given back.
//!
//! Given back at the end of its life, on the way of an error or a signal as well, and before a panic is told.

use std::io::{self, IsTerminal, Stdout, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, Event};
use ratatui::crossterm::execute;
use ratatui::crossterm::style::force_color_output;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use tokio::sync::mpsc;

use crate::stop::Stop;

/// Whether the terminal is taken over at present. There is one, and a panic has to know.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Keys that may wait to be worked on.
const KEYS: usize = 64;

/// A terminal that is taken over.
#[derive(Debug)]
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    /// Whether there are colours.
    pub(super) coloured: bool,
}

/// That there is a terminal.
///
/// # Errors
///
/// [`Stop::NoTerminal`] when keys or screen are something else.
pub(crate) fn needs_a_terminal() -> Result<(), Stop> {
    let is_one = io::stdin().is_terminal() && io::stdout().is_terminal();
    if is_one { Ok(()) } else { Err(Stop::NoTerminal) }
}

impl Screen {
    /// Takes the terminal over.
    pub(super) fn open() -> io::Result<Self> {
        let coloured = anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
        // What was decided by then is not to be decided again by other rules.
        force_color_output(coloured);
        give_back_on_panic();
        TAKEN.store(true, Ordering::SeqCst);
        let terminal = take().and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        match terminal {
            Ok(terminal) => Ok(Self { terminal, coloured }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Draws what has changed since.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut ratatui::Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(draw).map(|_| ())
    }

    /// Forgets what is on the screen: all of it is drawn next time.
    pub(super) fn forget(&mut self) -> io::Result<()> {
        self.terminal.clear()
    }

    /// The columns of the terminal.
    pub(super) fn width(&self) -> usize {
        self.terminal.size().map_or(80, |size| usize::from(size.width))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen)
}

/// Once, however often it is asked for. Where the terminal has gone there is nothing left to mend.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _gone = execute!(io::stdout(), LeaveAlternateScreen, Show);
        let _gone = disable_raw_mode();
        let _gone = io::stdout().flush();
    }
}

/// The words of a panic would be lost with the screen they are on. Panics of other threads are none of the
/// program's: the screen stays.
fn give_back_on_panic() {
    static HOOKED: Once = Once::new();
    let drawing: ThreadId = std::thread::current().id();
    HOOKED.call_once(|| {
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().id() == drawing {
                give_back();
            }
            tell(panic);
        }));
    });
}

/// What is typed, and that the terminal has another size. Ends when the terminal cannot be read any more.
///
/// A thread of its own, since reading waits for ever; the end of the process ends it.
pub(super) fn typed() -> io::Result<mpsc::Receiver<Event>> {
    let (tell, told) = mpsc::channel(KEYS);
    let read = move || {
        while let Ok(event) = event::read() {
            if tell.blocking_send(event).is_err() {
                break;
            }
        }
    };
    std::thread::Builder::new().name("keys".into()).spawn(read)?;
    Ok(told)
}

/// Resolves when the terminal has been hung up.
#[cfg(unix)]
pub(super) async fn hung_up() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::hangup()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

/// Never resolves here.
#[cfg(not(unix))]
pub(super) async fn hung_up() {
    std::future::pending().await
}
