//! [`Seen`]: the addresses of stylesheets and images that went by in, those of a file out.
//!
//! Where another server shows its files it alone knows; but what has been asked for is known, and a file
//! has the end of its path in common with its address. Pure.

use std::collections::BTreeSet;

/// How many addresses are remembered. With more of them, a page is rendered anew instead.
const MOST: usize = 4096;

/// The paths of answers that can be exchanged in a page.
#[derive(Debug, Default)]
pub(in crate::dev) struct Seen(BTreeSet<String>);

impl Seen {
    /// Remembers an answer.
    pub(super) fn note(&mut self, path: &str, content_type: &str) {
        if is_exchangeable(content_type) && self.0.len() < MOST {
            self.0.insert(path.to_owned());
        }
    }

    /// The addresses that a file most likely has: its name, and as many directories before it as any has.
    pub(in crate::dev) fn of(&self, file: &str) -> Vec<String> {
        let shared = |path: &str| {
            path.rsplit('/').zip(file.rsplit('/')).take_while(|(one, other)| one == other).count()
        };
        let most = self.0.iter().map(|path| shared(path)).max().unwrap_or(0);
        let best = self.0.iter().filter(|path| most > 0 && shared(path) == most);
        best.cloned().collect()
    }
}

fn is_exchangeable(content_type: &str) -> bool {
    let kind = content_type.to_ascii_lowercase();
    kind.starts_with("text/css") || kind.starts_with("image/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_end_of_its_path_in_common_with_its_address() {
        let mut seen = Seen::default();
        for path in ["/assets/css/app.css", "/admin/app.css", "/logo.svg", "/a/app.css"] {
            seen.note(path, "text/css; charset=utf-8");
        }
        assert_eq!(seen.of("web/static/css/app.css"), ["/assets/css/app.css"]);
        assert_eq!(seen.of("app.css"), ["/a/app.css", "/admin/app.css", "/assets/css/app.css"]);
        assert_eq!(seen.of("public/logo.svg"), ["/logo.svg"]);
        assert!(seen.of("other.css").is_empty() && Seen::default().of("app.css").is_empty());
    }

    #[test]
    fn only_what_can_be_exchanged_is_remembered_and_not_without_end() {
        let mut seen = Seen::default();
        seen.note("/app.js", "text/javascript");
        assert!(seen.of("app.js").is_empty());
        (0..2 * MOST).for_each(|n| seen.note(&format!("/{n}.png"), "IMAGE/PNG"));
        assert_eq!(seen.0.len(), MOST);
    }
}
