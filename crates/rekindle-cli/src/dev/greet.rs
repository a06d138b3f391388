//! The first lines: where to look, and who else can.
//!
//! Pure, but for [`listen::likely_address`].

use std::net::SocketAddr;

use super::args::DevArgs;
use super::listen::{self, PORT};
use crate::render::{BOLD, DIM, WARNING};
use crate::text::printable;

/// What is said at the start.
pub(super) fn greeting(args: &DevArgs, bound: SocketAddr, what: &str) -> String {
    let mut text = format!("\n  {BOLD}{}{BOLD:#}", listen::local_url(bound));
    if args.port.is_none() && bound.port() != PORT {
        text += &format!("  {DIM}(port {PORT} is taken){DIM:#}");
    }
    text.push('\n');
    for name in &args.allow_host {
        text += &format!("  {BOLD}{}{BOLD:#}\n", listen::url(name, bound.port()));
    }
    text += &format!("  {DIM}{}; Ctrl-C ends it{DIM:#}\n", printable(what));
    text + &exposure(args, bound) + "\n"
}

/// What listening beyond this machine means.
fn exposure(args: &DevArgs, bound: SocketAddr) -> String {
    if bound.ip().is_loopback() {
        return String::new();
    }
    let mut text = format!(
        "\n  {WARNING}Whoever can reach this machine can see these pages.{WARNING:#} Reloads and the dashboard stay \
         behind this run's token.\n"
    );
    if args.allow_host.is_empty() && bound.ip().is_unspecified() {
        let likely = listen::likely_address().map_or_else(|| "ADDRESS".to_owned(), |ip| ip.to_string());
        text += &format!("  Nobody is answered by a name that is not given yet: try --allow-host {likely}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn said(words: &[&str], bound: &str) -> String {
        let words = ["rekindle", "dev"].into_iter().chain(words.iter().copied());
        let Command::Dev(args) = Cli::parse_from(words).command else { panic!("it is `dev`") };
        anstream::adapter::strip_str(&greeting(&args, bound.parse().unwrap(), "templates/")).to_string()
    }

    #[test]
    fn the_address_comes_first() {
        let expected = "\n  http://127.0.0.1:7878/\n  templates/; Ctrl-C ends it\n\n";
        assert_eq!(said(&[], "127.0.0.1:7878"), expected);
    }

    #[test]
    fn another_port_than_usual_is_explained_unless_it_was_asked_for() {
        assert!(said(&[], "127.0.0.1:7879").contains("http://127.0.0.1:7879/  (port 7878 is taken)\n"));
        assert!(!said(&["--port", "7879"], "127.0.0.1:7879").contains("taken"));
    }

    #[test]
    fn listening_beyond_this_machine_says_what_it_means() {
        let all = said(&["--host", "0.0.0.0"], "0.0.0.0:7878");
        assert!(
            all.contains("  http://127.0.0.1:7878/\n") && all.contains("Whoever can reach this machine"),
            "{all}"
        );
        assert!(all.contains("try --allow-host "), "{all}");
        let named = said(&["--host", "0.0.0.0", "--allow-host", "laptop.local"], "0.0.0.0:7878");
        assert!(named.contains("  http://laptop.local:7878/\n") && !named.contains("try"), "{named}");
    }
}
