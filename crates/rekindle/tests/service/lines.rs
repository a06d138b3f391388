//! What is logged. A process has one log for all threads, and it has to be there before anything is said.

use std::io;
use std::sync::{Mutex, Once};

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Lines;

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps warnings from now on.
pub(crate) fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let to_lines = tracing_subscriber::fmt().with_writer(|| Lines).with_ansi(false);
        let subscriber = to_lines.with_max_level(tracing::Level::WARN).finish();
        tracing::subscriber::set_global_default(subscriber).expect("it is the first");
    });
}

/// All that was kept.
pub(crate) fn all() -> String {
    String::from_utf8(LINES.lock().expect("no panic").clone()).expect("text")
}
