use super::*;
use crate::Change;
use crate::hub::template_id;

fn hub() -> Arc<Hub> {
    Arc::new(Hub::new(1))
}

fn change(hub: &Hub, resource: &str, content: u64, update: Update) {
    hub.change("test", [Change { resource: resource.to_owned(), content: Some(content), update }]);
}

fn style() -> Update {
    Update::Style { old: "/a.css".into(), new: "/a.css".into() }
}

fn told(session: &mut Session) -> Vec<serde_json::Value> {
    std::iter::from_fn(|| session.take()).map(|text| serde_json::from_str(&text).unwrap()).collect()
}

fn session(hub: &Arc<Hub>, has_token: bool) -> (Session, Token) {
    let (seat, token) = (hub.clients().seat("test", None).unwrap(), Token::new().unwrap());
    let admission = Admission { token: token.clone(), has_token, livereload: true };
    (Session::new(Arc::clone(hub), seat, admission), token)
}

fn own(hub: &Arc<Hub>) -> Session {
    let (mut session, token) = session(hub, false);
    let hello = serde_json::json!({"command": "hello", "protocols": [OWN], "token": token.as_str()});
    session.receive(&hello.to_string()).unwrap();
    assert_eq!(told(&mut session).len(), 2);
    session
}

fn page(session: &mut Session, id: u32, revision: Revision, templates: &[String]) {
    let page = serde_json::json!({"command": "page", "id": id, "revision": written(revision), "templates": templates});
    session.receive(&page.to_string()).unwrap();
}

fn lengths(told: &[serde_json::Value]) -> Vec<usize> {
    told.iter().map(|message| message["updates"].as_array().unwrap().len()).collect()
}

#[test]
fn a_page_that_is_up_to_date_is_told_its_revision_and_no_update() {
    let hub = hub();
    let mut session = own(&hub);
    page(&mut session, 1, hub.revision(), &[]);
    assert_eq!(lengths(&told(&mut session)), [0]);
    assert_eq!(session.take(), None);
    session.receive(r#"{"command":"page","id":2}"#).unwrap();
    assert_eq!(told(&mut session)[0]["revision"], written(hub.revision()));
}

#[test]
fn one_that_was_away_is_caught_up_with_in_one_message() {
    let hub = hub();
    change(&hub, "a", 1, style());
    let before = hub.revision();
    (2..50).for_each(|content| change(&hub, "a", content, style()));
    let mut session = own(&hub);
    page(&mut session, 1, before, &[]);
    let told = told(&mut session);
    assert_eq!(lengths(&told), [1]);
    assert_eq!(told[0]["revision"], written(hub.revision()));
}

#[test]
fn a_template_concerns_only_the_pages_that_were_made_of_it() {
    let hub = hub();
    let mut session = own(&hub);
    page(&mut session, 1, hub.revision(), &[template_id("home.html")]);
    page(&mut session, 2, hub.revision(), &[template_id("about.html")]);
    page(&mut session, 3, hub.revision(), &[]);
    told(&mut session);
    change(&hub, "about.html", 2, Update::Page { templates: vec!["about.html".into()] });
    assert_eq!(lengths(&told(&mut session)), [0, 1, 1]);
}

#[test]
fn a_page_that_is_gone_is_told_nothing_and_the_dashboard_sees_those_that_are_there() {
    let hub = hub();
    let mut session = own(&hub);
    for id in [1, 2] {
        let page = serde_json::json!({"command": "page", "id": id, "path": format!("/{id}")});
        session.receive(&page.to_string()).unwrap();
    }
    assert_eq!(hub.clients().browsers()[0].pages, ["/1", "/2"]);
    session.receive(r#"{"command":"gone","id":1}"#).unwrap();
    assert_eq!(hub.clients().browsers()[0].pages, ["/2"]);
    told(&mut session);
    change(&hub, "a", 2, style());
    assert_eq!(told(&mut session).len(), 1);
    drop(session);
    assert!(hub.clients().browsers().is_empty());
}

#[test]
fn nobody_is_told_anything_without_the_token() {
    let hub = hub();
    for token in ["\"\"", "null", "\"AAAAAAAAAAAAAAAA\""] {
        let (mut session, _) = session(&hub, false);
        let hello = format!(r#"{{"command":"hello","protocols":["{OWN}"],"token":{token}}}"#);
        assert_eq!(session.receive(&hello).unwrap_err().code, POLICY);
        assert_eq!(session.take(), None);
    }
}

#[test]
fn livereload_clients_are_told_in_their_own_words() {
    let hub = hub();
    let (mut session, _) = session(&hub, false);
    hub.set_problems("test", vec![crate::Problem::new("a", "A", "not for them")]);
    session.receive(&format!(r#"{{"command":"hello","protocols":["{LIVERELOAD}"],"ver":"4"}}"#)).unwrap();
    assert_eq!(told(&mut session)[0]["protocols"], serde_json::json!([LIVERELOAD]));
    session.receive(r#"{"command":"info","plugins":{}}"#).unwrap();
    session.receive(r#"{"command":"url","url":"http://localhost/"}"#).unwrap();
    change(&hub, "a", 2, style());
    change(&hub, "b", 2, Update::Image { old: "/b.png".into(), new: "/b.png".into() });
    let both = told(&mut session);
    assert_eq!(both.iter().map(|told| &told["path"]).collect::<Vec<_>>(), ["/a.css", "/b.png"]);
    change(&hub, "a", 3, style());
    change(&hub, "page", 2, Update::Page { templates: Vec::new() });
    let whole = told(&mut session);
    assert_eq!((whole.len(), &whole[0]["command"], &whole[0]["path"]), (1, &"reload".into(), &"/".into()));
}

#[test]
fn what_makes_no_sense_ends_the_connection() {
    let hub = hub();
    let fresh = || session(&hub, true).0;
    assert_eq!(fresh().receive("{").unwrap_err().code, POLICY);
    assert_eq!(fresh().receive(r#"{"command":"gone","id":1}"#).unwrap_err().code, POLICY);
    assert_eq!(fresh().receive(&" ".repeat(LARGEST + 1)).unwrap_err(), Close::TOO_LARGE);
    let mut session = own(&hub);
    (0..64).for_each(|id| page(&mut session, id, 1, &[]));
    page(&mut session, 0, 2, &[]);
    let one_more = r#"{"command":"page","id":64,"revision":"1"}"#;
    assert_eq!(session.receive(one_more).unwrap_err().code, POLICY);
}

#[tokio::test(start_paused = true)]
async fn who_says_no_hello_and_who_answers_no_ping_is_given_up() {
    let hub = hub();
    let (mut silent, _) = session(&hub, true);
    assert_eq!(silent.next().await, Outgoing::Close(refusal("a hello did not come in time")));
    let mut session = own(&hub);
    for _ in 0..3 {
        assert_eq!(session.next().await, Outgoing::Ping);
        session.heard();
    }
    assert_eq!(session.next().await, Outgoing::Ping);
    assert_eq!(session.next().await, Outgoing::Close(refusal("a ping was not answered in time")));
}

#[tokio::test]
async fn the_end_of_the_hub_is_the_end_of_every_session() {
    let hub = hub();
    let mut session = own(&hub);
    hub.close();
    assert_eq!(session.next().await, Outgoing::Close(Close::GOING_AWAY));
}
