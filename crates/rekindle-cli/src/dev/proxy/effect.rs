//! What a saved file means for the pages of another server: a path in, the updates out.
//!
//! Pure.

use rekindle_web::Update;

use super::seen::Seen;
use crate::dev::meaning::Kind;

/// What follows of a save.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::dev) struct Effect {
    /// What the browsers do.
    pub(in crate::dev) updates: Vec<Update>,
    /// Whether the other server may be built and started anew because of it.
    pub(in crate::dev) restarts: bool,
}

/// Of a file, by its path relative to the directory.
pub(in crate::dev) fn of(file: &str, is_gone: bool, seen: &Seen) -> Effect {
    let known = if is_gone { Vec::new() } else { seen.of(file) };
    let (updates, restarts) = match Kind::of(file) {
        Kind::Style => (exchange(known, |old, new| Update::Style { old, new }), false),
        Kind::Image => (exchange(known, |old, new| Update::Image { old, new }), false),
        Kind::Program => (vec![Update::Reload], false),
        Kind::Page => (vec![Update::all_pages()], false),
        Kind::Other => (vec![Update::all_pages()], true),
    };
    Effect { updates, restarts }
}

/// What is at no address that was asked for may be a part of something else: only loading all of it anew shows it.
fn exchange(known: Vec<String>, update: impl Fn(String, String) -> Update) -> Vec<Update> {
    if known.is_empty() {
        return vec![Update::Reload];
    }
    known.into_iter().map(|address| update(address.clone(), address)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> Seen {
        let mut seen = Seen::default();
        seen.note("/s/app.css", "text/css");
        seen.note("/s/logo.PNG", "image/png");
        seen
    }

    #[test]
    fn what_was_asked_for_is_exchanged() {
        let (old, new) = ("/s/app.css".to_owned(), "/s/app.css".to_owned());
        let style = Effect { updates: vec![Update::Style { old, new }], restarts: false };
        assert_eq!(of("static/app.css", false, &seen()), style);
        let image = of("static/logo.PNG", false, &seen());
        assert!(matches!(&image.updates[..], [Update::Image { old, .. }] if old == "/s/logo.PNG"));
    }

    #[test]
    fn what_is_gone_or_was_never_asked_for_takes_a_reload() {
        for (file, is_gone) in
            [("static/app.css", true), ("other.css", false), ("app.js", false), ("a.woff2", false)]
        {
            assert_eq!(of(file, is_gone, &seen()), Effect { updates: vec![Update::Reload], restarts: false });
        }
    }

    #[test]
    fn a_source_may_restart_the_server() {
        assert_eq!(
            of("src/main.rs", false, &seen()),
            Effect { updates: vec![Update::all_pages()], restarts: true }
        );
        assert_eq!(
            of("Makefile", false, &seen()),
            Effect { updates: vec![Update::all_pages()], restarts: true }
        );
        assert_eq!(
            of("views/a.html", false, &seen()),
            Effect { updates: vec![Update::all_pages()], restarts: false }
        );
    }
}
