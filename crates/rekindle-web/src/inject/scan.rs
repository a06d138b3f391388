//! [`Scanner`]: finds where the tag goes, and the policies that a page states itself.
//!
//! The place is where the tree construction of the HTML standard has the beginning of the head: right after `<head>` if
//! that is the first element but for `<html>`; else the head is implied right before the first element, and a later
//! `<head>` is ignored (<https://html.spec.whatwg.org/multipage/parsing.html#the-before-head-insertion-mode>). So the first
//! elements decide, and neither scripts nor templates nor anything else in a page can mislead.
//!
//! lol_html is the tokenizer. Its output is counted and thrown away: what was read goes out from the bytes it came in,
//! cut at the source locations, and so cannot come out differently.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use lol_html::html_content::{Attribute, Doctype};
use lol_html::send::{Element, ElementContentHandlers, HtmlRewriter, Settings};
use lol_html::{HandlerResult, MemorySettings, OutputSink, Selector, doctype};

use super::decide::Markup;

/// What an unfinished token may take, in bytes, before the search is given up.
const TOKEN_LIMIT: usize = 256 << 10;

static EVERY: LazyLock<Selector> = LazyLock::new(|| "*".parse().expect("it is a selector"));

/// The elements that a head can hold.
const OF_HEAD: [&str; 13] = [
    "head", "html", "base", "basefont", "bgsound", "link", "meta", "noframes", "noscript", "script", "style",
    "template", "title",
];

/// What is known of a document by now. Offsets are bytes from its beginning.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// A doctype, `<html>`, `<head>` or `<body>` was at the beginning.
    pub(super) whole: bool,
    /// Where the tag goes.
    pub(super) point: Option<usize>,
    /// What comes after the point is known, and is not a tag that was put in before.
    pub(super) sure: bool,
    /// It has such a tag.
    pub(super) ours: bool,
    /// The policies in its head, in their order; taken out as they are dealt with.
    pub(super) policies: Vec<MetaPolicy>,
    /// How far it is made of whole tokens.
    pub(super) passed: usize,
}

/// `<meta http-equiv="Content-Security-Policy" content="…">`
#[derive(Debug)]
pub(super) struct MetaPolicy {
    /// Where the content is, without its quotes.
    pub(super) at: Range<usize>,
    /// The content as it is written, entities and all.
    pub(super) content: String,
}

/// Reads the beginning of a document, up to the end of its head.
pub(super) struct Scanner {
    rewriter: HtmlRewriter<'static, Passed>,
    found: Arc<Mutex<Found>>,
}

impl Scanner {
    /// `path` is the address by which a tag is recognised.
    pub(super) fn new(markup: Markup, path: &str) -> Self {
        let found = Arc::new(Mutex::new(Found::default()));
        let reader = Reader { markup, path: path.to_owned(), found: Arc::clone(&found) };
        let rewriter = HtmlRewriter::new(settings(reader), Passed(Arc::clone(&found)));
        Self { rewriter, found }
    }

    /// Reads on; `false` if there is nothing more to be found, and it must not be called again.
    ///
    /// That is so at the end of the head, and where a token is larger than can be kept.
    pub(super) fn write(&mut self, chunk: &[u8]) -> bool {
        self.rewriter.write(chunk).is_ok()
    }

    pub(super) fn found(&self) -> MutexGuard<'_, Found> {
        locked(&self.found)
    }
}

fn locked(found: &Mutex<Found>) -> MutexGuard<'_, Found> {
    // Nothing is left half done in it: every field stands for itself.
    found.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts what the rewriter passes on: nothing is changed, so it is as long as what it read.
struct Passed(Arc<Mutex<Found>>);

impl OutputSink for Passed {
    fn handle_chunk(&mut self, chunk: &[u8]) {
        locked(&self.0).passed += chunk.len();
    }
}

fn settings(reader: Reader) -> Settings<'static, 'static> {
    let found = Arc::clone(&reader.found);
    let whole = move |_: &mut Doctype<'_>| {
        let mut found = locked(&found);
        found.whole |= found.point.is_none();
        Ok(())
    };
    let every = ElementContentHandlers::default()
        .element(move |element: &mut Element<'_, '_>| reader.element(element));
    let memory = MemorySettings::new().with_max_allowed_memory_usage(TOKEN_LIMIT);
    Settings::new_send()
        // What is ambiguous begins in `<select>` or `<frameset>`, and the search ends before those.
        .with_strict(false)
        .with_memory_settings(memory)
        .append_document_content_handler(doctype!(whole))
        .append_element_content_handler((Cow::Borrowed(&*EVERY), every))
}

/// What the rewriter calls.
struct Reader {
    markup: Markup,
    path: String,
    found: Arc<Mutex<Found>>,
}

/// Ends the rewriter's run.
#[derive(Debug)]
struct HeadEnds;

impl std::fmt::Display for HeadEnds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the head ends here")
    }
}

impl std::error::Error for HeadEnds {}

impl Reader {
    fn element(&self, element: &Element<'_, '_>) -> HandlerResult {
        let name = element.tag_name();
        let mut found = locked(&self.found);
        if found.point.is_some() {
            found.sure = true;
        } else {
            found.point = self.point(&name, element, found.whole);
            found.sure = name != "head";
            found.whole |= matches!(&*name, "html" | "head" | "body");
        }
        found.ours |= name == "script" && self.is_ours(element);
        if name == "meta" {
            found.policies.extend(policy(element));
        }
        let goes_on = OF_HEAD.contains(&&*name) && (name == "html" || found.point.is_some());
        if goes_on { Ok(()) } else { Err(HeadEnds.into()) }
    }

    /// Where the head begins, if it does with this element.
    fn point(&self, name: &str, element: &Element<'_, '_>, whole: bool) -> Option<usize> {
        let at = element.source_location().bytes();
        match (self.markup, name) {
            (_, "html") => None,
            (Markup::Html, "head") => Some(at.end),
            (Markup::Html, _) => Some(at.start),
            // XML implies nothing: a head that is not there, or is closed at once, is none to put something into.
            (Markup::Xhtml, "head") if whole && !element.is_self_closing() => Some(at.end),
            (Markup::Xhtml, _) => None,
        }
    }

    fn is_ours(&self, element: &Element<'_, '_>) -> bool {
        let Some(address) = element.get_attribute("src") else { return false };
        let path = address.split(['?', '#']).next().unwrap_or_default();
        path.ends_with(&self.path)
    }
}

fn policy(element: &Element<'_, '_>) -> Option<MetaPolicy> {
    let state = element.get_attribute("http-equiv")?;
    if !state.trim().eq_ignore_ascii_case("content-security-policy") {
        return None;
    }
    let content: &Attribute<'_> = element.attributes().iter().find(|it| it.name() == "content")?;
    Some(MetaPolicy { at: content.value_source_location()?.bytes(), content: content.value() })
}
