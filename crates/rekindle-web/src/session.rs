//! [`Session`]: a connection with a browser, without the connection.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use crate::Update;
use crate::guard::Token;
use crate::hub::{Hub, Revision, template_id};
use crate::protocol::{self, Incoming, LARGEST, LIVERELOAD, MOST_PAGES, OWN, Outgoing, Page, Step};

/// What is said on one connection, whatever carries it: texts come in, and texts are there to be sent.
///
/// Nothing is queued: [`next`](Self::next) tells the difference to now at the moment in which something can be
/// sent, so a slow browser is caught up with.
#[derive(Debug)]
pub struct Session {
    hub: Arc<Hub>,
    stirred: watch::Receiver<u64>,
    token: Token,
    /// Whether the token was shown already.
    trusted: bool,
    dialect: Dialect,
    hello: Option<String>,
    /// What there is yet to be said in LiveReload's words, which are one for each address.
    words: VecDeque<String>,
    pages: BTreeMap<u32, Shown>,
    problems_told: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// Nothing was said yet.
    Unknown,
    /// LiveReload's, as far as this revision.
    LiveReload(Revision),
    Own,
}

/// A page, and what it shows as far as it was told.
#[derive(Debug)]
struct Shown {
    page: Page,
    /// Whether it knows that `page.revision` is its revision.
    is_told: bool,
}

/// Why a connection is ended by this side, as a close frame says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close {
    /// The code, <https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1>.
    pub code: u16,
    /// A few words.
    pub reason: &'static str,
}

impl fmt::Display for Close {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.reason, self.code)
    }
}

impl std::error::Error for Close {}

const POLICY: u16 = 1008;

/// How many addresses a LiveReload client is told at once; of more it loads the page.
const MOST_WORDS: usize = 32;

const fn refuse(reason: &'static str) -> Result<(), Close> {
    Err(Close { code: POLICY, reason })
}

impl Session {
    pub(crate) fn new(hub: Arc<Hub>, token: Token, trusted: bool) -> Self {
        let mut stirred = hub.stirred();
        stirred.mark_unchanged();
        Self {
            hub,
            stirred,
            token,
            trusted,
            dialect: Dialect::Unknown,
            hello: None,
            words: VecDeque::new(),
            pages: BTreeMap::new(),
            problems_told: None,
        }
    }

    /// One that has said hello: where a request says it all.
    pub(crate) fn greeted(hub: Arc<Hub>, token: Token, pages: Vec<Page>) -> Result<Self, Close> {
        let mut session = Self::new(hub, token, true);
        session.dialect = Dialect::Own;
        pages.into_iter().try_for_each(|page| session.show(page))?;
        Ok(session)
    }

    /// Whether a hello was understood. A connection without one should not be held for long.
    pub fn is_greeted(&self) -> bool {
        self.dialect != Dialect::Unknown
    }

    /// How many pages are shown on the other side.
    pub fn pages(&self) -> usize {
        self.pages.len()
    }

    /// Takes a message of the browser's.
    ///
    /// # Errors
    ///
    /// How the connection is to be closed, when it is too long, makes no sense or lacks the token.
    pub fn receive(&mut self, text: &str) -> Result<(), Close> {
        if text.len() > LARGEST {
            return Err(Close { code: 1009, reason: "the message is too long" });
        }
        match serde_json::from_str(text) {
            Ok(Incoming::Hello { protocols, token }) => self.greet(&protocols, token.as_deref()),
            Ok(_) if !self.is_greeted() => refuse("a hello comes first"),
            Ok(Incoming::Page(page)) if self.dialect == Dialect::Own => self.show(page),
            Ok(Incoming::Gone { id }) => {
                self.pages.remove(&id);
                Ok(())
            }
            // Of no concern here; LiveReload has its clients tell more of themselves.
            Ok(_) => Ok(()),
            Err(_) => refuse("the message makes no sense"),
        }
    }

    fn greet(&mut self, protocols: &[String], token: Option<&str>) -> Result<(), Close> {
        self.trusted |= token.is_some_and(|token| self.token.is(token));
        let offers = |protocol| protocols.iter().any(|offered| offered == protocol);
        match (offers(OWN), offers(LIVERELOAD)) {
            (true, _) if !self.trusted => refuse("the token is missing or is that of another run"),
            (true, _) => {
                self.dialect = Dialect::Own;
                self.hello = Some(Outgoing::hello(&[OWN]));
                Ok(())
            }
            (false, true) => {
                self.dialect = Dialect::LiveReload(self.hub.revision());
                self.hello = Some(Outgoing::hello(&[LIVERELOAD]));
                Ok(())
            }
            (false, false) => refuse("no protocol that is spoken here was offered"),
        }
    }

    fn show(&mut self, page: Page) -> Result<(), Close> {
        if self.pages.len() >= MOST_PAGES && !self.pages.contains_key(&page.id) {
            return refuse("these are too many pages for one connection");
        }
        self.pages.insert(page.id, Shown { page, is_told: false });
        Ok(())
    }

    /// The next message, as soon as there is one.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what is not returned was not told.
    pub async fn next(&mut self) -> String {
        loop {
            // Seen before it is looked for, so that what comes in between is looked for again.
            self.stirred.mark_unchanged();
            if let Some(text) = self.take() {
                return text;
            }
            if self.stirred.changed().await.is_err() {
                // The hub lives as long as this session does.
                std::future::pending::<()>().await;
            }
        }
    }

    /// The next message, if there is one by now.
    pub(crate) fn take(&mut self) -> Option<String> {
        if let Some(hello) = self.hello.take() {
            return Some(hello);
        }
        match self.dialect {
            Dialect::Unknown => None,
            Dialect::LiveReload(revision) => self.take_reload(revision),
            Dialect::Own => self.take_problems().or_else(|| self.take_updates()),
        }
    }

    /// LiveReload has a message for each address.
    fn take_reload(&mut self, revision: Revision) -> Option<String> {
        if let Some(word) = self.words.pop_front() {
            return Some(word);
        }
        let news = self.hub.news(revision)?;
        self.dialect = Dialect::LiveReload(news.revision);
        if news.updates.len() > MOST_WORDS {
            return Some(Outgoing::reload(&Update::Reload));
        }
        self.words = news.updates.iter().map(Outgoing::reload).collect();
        self.words.pop_front()
    }

    fn take_problems(&mut self) -> Option<String> {
        if self.problems_told == Some(self.hub.problems_version()) {
            return None;
        }
        let (version, problems) = self.hub.problems();
        self.problems_told = Some(version);
        Some(Outgoing::Problems { problems: &problems }.text())
    }

    fn take_updates(&mut self) -> Option<String> {
        let hub = &self.hub;
        self.pages.values_mut().find_map(|shown| shown.take(hub))
    }
}

impl Shown {
    fn take(&mut self, hub: &Hub) -> Option<String> {
        let Some(news) = hub.news(self.page.revision) else {
            let is_told = std::mem::replace(&mut self.is_told, true);
            return (!is_told).then(|| self.told(Vec::new()));
        };
        self.page.revision = news.revision;
        self.is_told = true;
        let updates = news.updates.iter().filter_map(|update| Step::of(update, |names| self.concerns(names)));
        Some(self.told(updates.collect()))
    }

    fn told(&self, updates: Vec<Step<'_>>) -> String {
        let revision = protocol::written(self.page.revision);
        Outgoing::Updates { page: self.page.id, revision, updates }.text()
    }

    /// Whether a change of these templates, of all when there are none, concerns the page.
    fn concerns(&self, names: &[String]) -> bool {
        let mine = &self.page.templates;
        mine.is_empty() || names.is_empty() || names.iter().any(|name| mine.contains(&template_id(name)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn hub() -> Arc<Hub> {
        Arc::new(Hub::new(1))
    }

    fn change(hub: &Hub, content: u64, update: Update) {
        hub.publish("test", HashMap::from([("it".to_owned(), content)]), vec![update]);
    }

    fn style() -> Update {
        Update::Style { old: "/a.css".into(), new: "/a.css".into() }
    }

    fn told(session: &mut Session) -> Vec<serde_json::Value> {
        std::iter::from_fn(|| session.take()).map(|text| serde_json::from_str(&text).unwrap()).collect()
    }

    fn own(hub: &Arc<Hub>) -> Session {
        let token = Token::new().unwrap();
        let mut session = Session::new(Arc::clone(hub), token.clone(), false);
        let hello = serde_json::json!({"command": "hello", "protocols": [OWN], "token": token.as_str()});
        session.receive(&hello.to_string()).unwrap();
        assert_eq!(told(&mut session).len(), 2);
        session
    }

    fn page(session: &mut Session, id: u32, revision: Revision, templates: &[String]) {
        let revision = protocol::written(revision);
        let page =
            serde_json::json!({"command": "page", "id": id, "revision": revision, "templates": templates});
        session.receive(&page.to_string()).unwrap();
    }

    #[test]
    fn a_page_that_is_up_to_date_is_told_its_revision_and_no_update() {
        let hub = hub();
        let mut session = own(&hub);
        page(&mut session, 1, hub.revision(), &[]);
        let told = told(&mut session);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["updates"], serde_json::json!([]));
        assert_eq!(session.take(), None);
    }

    #[test]
    fn one_that_was_away_is_caught_up_with_in_one_message() {
        let hub = hub();
        let before = hub.revision();
        (2..50).for_each(|content| change(&hub, content, style()));
        let mut session = own(&hub);
        page(&mut session, 1, before, &[]);
        let told = told(&mut session);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["updates"].as_array().unwrap().len(), 1);
        assert_eq!(told[0]["revision"], protocol::written(hub.revision()));
    }

    #[test]
    fn a_template_concerns_only_the_pages_that_were_made_of_it() {
        let hub = hub();
        let mut session = own(&hub);
        page(&mut session, 1, hub.revision(), &[template_id("home.html")]);
        page(&mut session, 2, hub.revision(), &[template_id("about.html")]);
        page(&mut session, 3, hub.revision(), &[]);
        told(&mut session);
        change(&hub, 2, Update::Page { templates: vec!["about.html".into()] });
        let counts: Vec<_> =
            told(&mut session).iter().map(|message| message["updates"].as_array().unwrap().len()).collect();
        assert_eq!(counts, [0, 1, 1]);
    }

    #[test]
    fn nobody_is_told_anything_without_the_token() {
        let hub = hub();
        for token in ["\"\"", "null", "\"AAAAAAAAAAAAAAAA\""] {
            let mut session = Session::new(Arc::clone(&hub), Token::new().unwrap(), false);
            let hello = format!(r#"{{"command":"hello","protocols":["{OWN}"],"token":{token}}}"#);
            assert_eq!(session.receive(&hello).unwrap_err().code, POLICY);
            assert_eq!(session.take(), None);
        }
    }

    #[test]
    fn livereload_clients_are_told_in_their_own_words() {
        let hub = hub();
        let mut session = Session::new(Arc::clone(&hub), Token::new().unwrap(), false);
        session.receive(&format!(r#"{{"command":"hello","protocols":["{LIVERELOAD}"],"ver":"4"}}"#)).unwrap();
        assert_eq!(told(&mut session)[0]["protocols"], serde_json::json!([LIVERELOAD]));
        session.receive(r#"{"command":"info","plugins":{}}"#).unwrap();
        session.receive(r#"{"command":"url","url":"http://localhost/"}"#).unwrap();
        change(&hub, 2, style());
        let told = told(&mut session);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["command"], "reload");
        assert_eq!(told[0]["path"], "/a.css");
    }

    #[test]
    fn what_makes_no_sense_ends_the_connection() {
        let hub = hub();
        let fresh = || Session::new(Arc::clone(&hub), Token::new().unwrap(), true);
        assert_eq!(fresh().receive("{").unwrap_err().code, POLICY);
        assert_eq!(fresh().receive(r#"{"command":"gone","id":1}"#).unwrap_err().code, POLICY);
        assert_eq!(fresh().receive(&" ".repeat(LARGEST + 1)).unwrap_err().code, 1009);
        let mut session = own(&hub);
        (0..64).for_each(|id| page(&mut session, id, 1, &[]));
        page(&mut session, 0, 2, &[]);
        let one_more = r#"{"command":"page","id":64,"revision":"1"}"#;
        assert_eq!(session.receive(one_more).unwrap_err().code, POLICY);
    }
}
