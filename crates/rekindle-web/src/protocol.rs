//! Both dialects of the socket, as messages. The document is `docs/protocol.md`.

use serde::{Deserialize, Deserializer, Serialize};

use crate::hub::Revision;
use crate::{Problem, Update};

/// What our own clients offer in their hello.
pub(crate) const OWN: &str = "urn:rekindle:live:1";

/// The protocol of LiveReload that is spoken, <http://livereload.com/api/protocol/>.
pub(crate) const LIVERELOAD: &str = "http://livereload.com/protocols/official-7";

/// How large a message of a client may be, in bytes.
pub(crate) const LARGEST: usize = 64 * 1024;

/// How many pages share a connection at most.
pub(crate) const MOST_PAGES: usize = 64;

/// How many templates a page names at most.
pub(crate) const MOST_TEMPLATES: usize = 64;

/// How much of a page's path is kept, in characters.
const LONGEST_PATH: usize = 500;

/// A message of a client, in either dialect.
#[derive(Debug, Deserialize)]
#[serde(tag = "command", rename_all = "lowercase")]
pub(crate) enum Incoming {
    Hello {
        #[serde(default)]
        protocols: Vec<String>,
        token: Option<String>,
    },
    Page(Page),
    Gone {
        id: u32,
    },
    /// What is of no concern here, as the `info` and `url` of LiveReload.
    #[serde(other)]
    Other,
}

/// A page that is open somewhere.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Page {
    pub(crate) id: u32,
    /// What it was built from, as 16 hex digits; `None` when it does not say, and wants to know.
    #[serde(default, deserialize_with = "revision")]
    pub(crate) revision: Option<Revision>,
    /// The ids of the templates it was rendered from; none when that is not known.
    #[serde(default, deserialize_with = "few")]
    pub(crate) templates: Vec<String>,
    /// The path of its address, for people.
    #[serde(default, deserialize_with = "short")]
    pub(crate) path: String,
}

/// What is no revision was built from nothing that is known.
fn revision<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Revision>, D::Error> {
    let text = Option::<String>::deserialize(from)?.filter(|text| !text.is_empty());
    Ok(text.map(|text| read(&text).unwrap_or_default()))
}

/// Of a page that is made of too much, anything may be a part.
fn few<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let all = Vec::<String>::deserialize(from)?;
    Ok(if all.len() > MOST_TEMPLATES { Vec::new() } else { all })
}

fn short<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(String::deserialize(from)?.chars().take(LONGEST_PATH).collect())
}

/// A message to a client.
#[derive(Debug, Serialize)]
#[serde(tag = "command", rename_all = "lowercase")]
pub(crate) enum Message<'a> {
    Hello {
        protocols: &'a [&'a str],
        #[serde(rename = "serverName")]
        server_name: &'a str,
    },
    Updates {
        page: u32,
        revision: String,
        updates: Vec<Step<'a>>,
    },
    Problems {
        /// By which a client says that it knows them.
        version: String,
        problems: &'a [Problem],
    },
    /// LiveReload's word for all changes.
    Reload {
        path: &'a str,
        #[serde(rename = "liveCSS")]
        live_css: bool,
        #[serde(rename = "liveImg")]
        live_img: bool,
    },
}

/// An update in the own dialect.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Step<'a> {
    Style { old: &'a str, new: &'a str },
    Image { old: &'a str, new: &'a str },
    Page,
    Reload,
}

impl<'a> Step<'a> {
    /// An update for a page; `None` when it does not concern it.
    pub(crate) fn of(update: &'a Update, concerns: impl Fn(&[String]) -> bool) -> Option<Self> {
        match update {
            Update::Style { old, new } => Some(Self::Style { old, new }),
            Update::Image { old, new } => Some(Self::Image { old, new }),
            Update::Page { templates } => concerns(templates).then_some(Self::Page),
            Update::Reload => Some(Self::Reload),
        }
    }
}

/// A revision as it is written.
pub(crate) fn written(revision: Revision) -> String {
    format!("{revision:016x}")
}

/// A revision that was written.
pub(crate) fn read(text: &str) -> Option<Revision> {
    let is_one = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_one.then(|| Revision::from_str_radix(text, 16).ok())?
}

impl Message<'_> {
    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers can be written as JSON")
    }

    /// The server's answer to a hello, in the dialects that both speak.
    pub(crate) fn hello(protocols: &[&str]) -> String {
        Message::Hello { protocols, server_name: "rekindle" }.text()
    }

    /// LiveReload's message for an update.
    pub(crate) fn reload(update: &Update) -> String {
        let (path, live_css, live_img) = match update {
            Update::Style { new, .. } => (new.as_str(), true, false),
            Update::Image { new, .. } => (new.as_str(), true, true),
            Update::Page { .. } | Update::Reload => ("/", false, false),
        };
        Message::Reload { path, live_css, live_img }.text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_both_dialects_are_understood() {
        let parse = |text| serde_json::from_str::<Incoming>(text);
        let text =
            r#"{"command":"hello","protocols":["http://livereload.com/protocols/official-7"],"ver":"4.0.2"}"#;
        assert!(
            matches!(parse(text), Ok(Incoming::Hello { protocols, token: None }) if protocols == [LIVERELOAD])
        );
        let text = r#"{"command":"page","id":3,"revision":"00000000000000ff","templates":["a1b2c3"]}"#;
        assert!(
            matches!(parse(text), Ok(Incoming::Page(page)) if page.id == 3 && page.revision == Some(255))
        );
        assert!(matches!(parse(r#"{"command":"info","plugins":{}}"#), Ok(Incoming::Other)));
        assert!(parse("[]").is_err());
        assert!(
            matches!(parse(r#"{"command":"page","id":3,"revision":"?"}"#), Ok(Incoming::Page(page)) if page.revision == Some(0))
        );
        assert!(
            matches!(parse(r#"{"command":"page","id":3,"revision":""}"#), Ok(Incoming::Page(page)) if page.revision.is_none())
        );
    }

    #[test]
    fn what_is_told_has_the_documented_form() {
        assert_eq!(
            Message::hello(&[OWN]),
            r#"{"command":"hello","protocols":["urn:rekindle:live:1"],"serverName":"rekindle"}"#
        );
        let update = Update::Style { old: "/a.css".into(), new: "/a.css".into() };
        let step = Step::of(&update, |_| true).unwrap();
        let told = Message::Updates { page: 1, revision: written(255), updates: vec![step] };
        assert_eq!(
            told.text(),
            r#"{"command":"updates","page":1,"revision":"00000000000000ff","updates":[{"kind":"style","old":"/a.css","new":"/a.css"}]}"#
        );
        assert_eq!(
            Message::reload(&update),
            r#"{"command":"reload","path":"/a.css","liveCSS":true,"liveImg":false}"#
        );
    }
}
