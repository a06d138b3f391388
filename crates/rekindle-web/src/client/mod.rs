//! What runs in the browser, as it is served: the sources joined, without a build step.
//!
//! | served as | what it is |
//! |---|---|
//! | `live.js` | the page's client: `channel` to the connection, `page` what is done with an update, and how: `styles`, `images`, `mirror` and `align` and `morph`, `state` (what a reload keeps), `overlay` |
//! | `worker.js` | the SharedWorker that holds the one connection of all pages |
//! | `/livereload.js` | for pages that include it themselves: loads `live.js` |
//!
//! `connection` is in both of the first: a page that can have no worker holds a connection of its own.
//!
//! What the client relies on, beside the protocol:
//!
//! - `live.js` is included by `<script src="/_rekindle/live.js?TOKEN.REVISION.T1.T2" defer>`; a part `post` after the
//!   revision says that the page answers a request that must not be repeated, and the page then never loads itself anew.
//! - `<html data-rekindle="error">` marks the page that is shown when nothing can be rendered: it has no overlay, and
//!   loads itself anew when something changed or nothing is wrong any more.

/// The client of a page.
pub(crate) const LIVE: &str = concat!(
    "(() => {\n'use strict';\n\n",
    include_str!("connection.js"),
    include_str!("trusted.js"),
    include_str!("channel.js"),
    include_str!("addresses.js"),
    include_str!("styles.js"),
    include_str!("images.js"),
    include_str!("mirror.js"),
    include_str!("align.js"),
    include_str!("morph.js"),
    include_str!("state.js"),
    include_str!("overlay-style.js"),
    include_str!("overlay.js"),
    include_str!("page.js"),
    include_str!("start.js"),
    "})();\n",
);

/// The worker that all pages share.
pub(crate) const WORKER: &str =
    concat!("'use strict';\n\n", include_str!("connection.js"), include_str!("worker.js"));

/// The loader for pages that include it by its LiveReload name.
pub(crate) const LIVERELOAD: &str = include_str!("livereload.js");
