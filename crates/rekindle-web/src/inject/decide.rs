//! Whether an answer is a page that a tag belongs into: a function of the wish, the status and the headers.

use encoding_rs::Encoding;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, StatusCode};

use super::wish::{Page, Wish};

/// What kind of document a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Markup {
    Html,
    /// XML: a page that is not well-formed is not shown at all.
    Xhtml,
}

/// A content coding that can be taken off and put on again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Brotli,
    Zstd,
}

/// How a body is rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) page: Page,
    pub(super) markup: Markup,
    /// `None` if there is none.
    pub(super) coding: Option<Coding>,
}

/// How the body is to be rewritten, or why not.
pub(super) fn decide(wish: &Wish, status: StatusCode, headers: &HeaderMap) -> Result<Plan, &'static str> {
    let page = wish.page().ok_or("no page was asked for")?;
    check_status(status)?;
    check_disposition(headers)?;
    check_transformable(headers)?;
    Ok(Plan { page, markup: markup(headers)?, coding: coding(headers)? })
}

/// Successes with content of their own, and error pages: those have to heal by themselves.
///
/// A redirection's page is not shown.
fn check_status(status: StatusCode) -> Result<(), &'static str> {
    let whole = match status {
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::PARTIAL_CONTENT => false,
        _ => status.is_success() || status.is_client_error() || status.is_server_error(),
    };
    whole.then_some(()).ok_or("the status is not that of a whole page")
}

fn check_disposition(headers: &HeaderMap) -> Result<(), &'static str> {
    let inline =
        |value: &str| value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("inline"));
    match headers.get(CONTENT_DISPOSITION) {
        // Whatever is not known is taken for a download: RFC 6266, 4.2.
        Some(value) if !value.to_str().is_ok_and(inline) => Err("it is a download"),
        _ => Ok(()),
    }
}

fn check_transformable(headers: &HeaderMap) -> Result<(), &'static str> {
    let forbidden = tokens(headers, &CACHE_CONTROL).any(|token| token.eq_ignore_ascii_case("no-transform"));
    if forbidden { Err("it says no-transform") } else { Ok(()) }
}

fn markup(headers: &HeaderMap) -> Result<Markup, &'static str> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (types.next(), types.next()) else { return Err("it has not one content type") };
    let value = value.to_str().map_err(|_| "its content type is not text")?;
    let (essence, parameters) = value.split_once(';').unwrap_or((value, ""));
    check_charset(parameters)?;
    match essence.trim() {
        html if html.eq_ignore_ascii_case("text/html") => Ok(Markup::Html),
        xhtml if xhtml.eq_ignore_ascii_case("application/xhtml+xml") => Ok(Markup::Xhtml),
        _ => Err("it is not HTML"),
    }
}

/// The tag is ASCII, and the tokenizer looks for ASCII: in UTF-16 there is none.
fn check_charset(parameters: &str) -> Result<(), &'static str> {
    let label = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    let encoding = label.and_then(|label| Encoding::for_label(label.as_bytes()));
    if encoding.is_none_or(Encoding::is_ascii_compatible) {
        Ok(())
    } else {
        Err("its charset is not built on ASCII")
    }
}

fn coding(headers: &HeaderMap) -> Result<Option<Coding>, &'static str> {
    if headers.get_all(CONTENT_ENCODING).iter().any(|value| value.to_str().is_err()) {
        return Err("its content coding is not text");
    }
    let mut codings = tokens(headers, &CONTENT_ENCODING).filter(|it| !it.eq_ignore_ascii_case("identity"));
    let coding = match codings.next().map(str::to_ascii_lowercase).as_deref() {
        None => None,
        Some("gzip" | "x-gzip") => Some(Coding::Gzip),
        Some("br") => Some(Coding::Brotli),
        Some("zstd") => Some(Coding::Zstd),
        // `deflate` is used for two formats, and by next to nobody: RFC 9110, 8.4.1.2.
        Some(_) => return Err("its content coding is not known"),
    };
    if codings.next().is_some() { Err("it has several content codings") } else { Ok(coding) }
}

fn tokens<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|token| !token.is_empty())
}
