//! Secrets reach streams and handlers, and nothing that people read.

use std::fmt::Debug;
use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};

use rekindle::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tracing_subscriber::fmt::MakeWriter;

use crate::site::*;

/// Everything that any engine of this test program logs. Each test has secrets of its own.
#[derive(Clone, Copy)]
struct Log;

static LOG: OnceLock<Mutex<Vec<u8>>> = OnceLock::new();

impl Log {
    /// Listens from now on, if nobody does yet.
    fn listen() -> Self {
        LOG.get_or_init(|| {
            let subscriber = tracing_subscriber::fmt().with_writer(Self).with_ansi(false);
            let subscriber = subscriber.with_max_level(tracing::level_filters::LevelFilter::TRACE).finish();
            tracing::subscriber::set_global_default(subscriber).expect("the only subscriber");
            Mutex::default()
        });
        Self
    }

    fn text(self) -> String {
        let log = LOG.get().expect("a log").lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&log).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(log) = LOG.get() {
            log.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

/// All that an engine shows of itself.
fn everything(manager: &HotReloadManager, events: &mut Receiver<ChangeEvent>) -> String {
    let status = manager.status();
    let mut all = vec![format!("{manager:?} {status:?} {:?}", manager.snapshot()), Log.text()];
    all.extend(so_far(events).iter().map(|event| format!("{event:?}")));
    for (_, error) in status.failures() {
        all.extend(error.problems().flat_map(shown));
    }
    all.join("\n")
}

/// What printing an error shows, and printing what caused it.
fn shown(error: &Error) -> Vec<String> {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    causes.flat_map(|error| [error.to_string(), format!("{error:?}")]).collect()
}

fn assert_free_of(secrets: &[&str], all: impl AsRef<str> + Debug) {
    for secret in secrets {
        assert!(!all.as_ref().contains(secret), "{secret} is in {all:#?}");
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Db {
    password: String,
}

#[tokio::test]
async fn a_change_is_masked_for_people_and_true_for_programs() {
    let log = Log::listen();
    let site = Site::new(&[("config/db.toml", "password = 'change-one'\nauth = { change-key = 1 }\n")]);
    let (told, heard) = std::sync::mpsc::channel();
    let handler = move |event: ChangeEvent| {
        drop(told.send(event));
        Ok(())
    };
    let builder = site.builder().secret("db", "/password").secret("db", "/auth").handler(handler);
    let manager = builder.start().await.expect("an engine");
    let mut stream = manager.watch::<Db>("db").await.expect("a stream");
    let (mut events, mut all) = (manager.subscribe(), manager.subscribe());

    site.write("config/db.toml", "password = 'change-two'\nauth = { change-other = 1 }\n");
    let value = changed(&mut events, "db").await;
    assert_eq!(value["password"], "change-two", "programs get the true value");
    assert_eq!(soon("the value", stream.next()).await, Some(Db { password: "change-two".into() }));
    assert_eq!(manager.snapshot().get("db").expect("a value")["password"], "change-two");
    soon("a receipt", manager.reload_now()).await.expect("a running engine");
    let change = heard.iter().find(|event| matches!(event, ChangeEvent::ConfigChanged { .. }));
    let change = change.expect("the change");
    let ChangeEvent::ConfigChanged { old_value, new_value, secrets, changed, .. } = &change else {
        unreachable!("found as such")
    };
    assert_eq!(
        (&old_value["password"], &new_value["password"]),
        (&json!("change-one"), &json!("change-two"))
    );
    assert_eq!(secrets.mask(new_value), json!({"password": "***", "auth": "***"}));
    assert_eq!(*changed, ["/auth/change-key", "/auth/change-other", "/password"]);
    assert!(format!("{change:?}").contains("***"));
    assert_eq!(manager.snapshot().secrets("db"), *secrets);
    assert!(log.text().contains("configuration changed"), "the log is listened to");
    assert_free_of(&["change-"], everything(&manager, &mut all));
    assert_free_of(&["change-"], format!("{change:?}"));
}

/// Refuses a sequence of contents for `config/db.toml`, and looks at all there is to see each time.
async fn refuse(builder: HotReloadBuilder, site: &Site, secrets: &[&str], contents: &[&str]) -> Vec<String> {
    Log::listen();
    let manager = builder.start().await.expect("an engine");
    let _stream = manager.watch::<Db>("db").await.expect("a stream");
    let mut errors = Vec::new();
    for content in contents {
        let (mut events, mut all) = (manager.subscribe(), manager.subscribe());
        site.write("config/db.toml", content);
        let (error, ..) = refused(&mut events, "db").await;
        assert_free_of(secrets, everything(&manager, &mut all));
        errors.push(error);
    }
    let receipt = soon("a receipt", manager.reload_now()).await.expect("a running engine");
    assert!(!receipt.refusals().is_empty());
    assert_free_of(secrets, format!("{receipt:?}"));
    errors
}

#[tokio::test]
async fn a_type_error_says_what_was_expected_and_not_what_was_found() {
    let site = Site::new(&[("config/db.toml", "password = 'good'\n")]);
    let builder = site.builder().secret("db", "/password");
    let contents = ["password = 918273645\n", "password = ['type-secret']\n", "password = 77777.2583\n"];
    let errors = refuse(builder, &site, &["918273645", "type-secret", "77777.2583"], &contents).await;
    assert_eq!(errors.len(), 3);
    for error in &errors {
        assert!(error.starts_with("config/db.toml:1:12: invalid type: ***, expected a string"), "{error}");
    }
}

#[tokio::test]
async fn a_schema_error_says_what_was_expected_and_not_what_was_found() {
    let schema = r#"{
        "properties": {
            "password": {"x-rekindle": "secret", "type": "string", "maxLength": 8},
            "auth": {"x-rekindle": "secret", "additionalProperties": false, "propertyNames": {"maxLength": 4}},
            "list": {"items": {"properties": {"key": {"x-rekindle": "secret"}}}, "uniqueItems": true}
        },
        "not": {"required": ["never"]}
    }"#;
    let site = Site::new(&[("config/db.toml", "password = 'good'\n"), ("config/db.schema.json", schema)]);
    let contents = [
        "password = 'schema-secret'\n",
        "password = ''\n[auth]\nschema-key = 'schema-value'\n",
        "password = ''\nlist = [{ key = 'schema-item' }, { key = 'schema-item' }]\n",
        "password = 'schema-secret'\nnever = 1\n",
    ];
    let errors = refuse(site.builder(), &site, &["schema-"], &contents).await;
    let expected = [
        "config/db.toml:1:12: *** is longer than 8 characters",
        "config/db.toml:2:1: False schema does not allow ***; and 1 more problem",
        "config/db.toml:2:8: *** has non-unique elements",
    ];
    assert_eq!(errors[..3], expected);
}

#[tokio::test]
async fn a_check_and_a_panic_are_quoted_without_the_secret() {
    #[derive(Debug)]
    struct Cause(String);
    impl std::fmt::Display for Cause {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "caused by {}", self.0)
        }
    }
    impl std::error::Error for Cause {}

    let site = Site::new(&[("config/db.toml", "password = 'good'\n")]);
    let check = |value: &Value| match value["password"].as_str() {
        Some(password) if password.starts_with("check-panic") => panic!("bad password {password:?}"),
        Some(password) if password.starts_with("check-cause") => {
            let cause: Box<dyn std::error::Error + Send + Sync> = Box::new(Cause(password.to_owned()));
            Err(cause.into())
        }
        Some(password) if password != "good" => Err(Error::from(format!("{password} is weak"))),
        _ => Ok(()),
    };
    let builder = site.builder().secret("db", "/password").check("db", check);
    let contents = [
        "password = 'check-weak'\n",
        "password = 'check-cause'\n",
        "password = 'check-panic \"check-quoted\"'\n",
    ];
    let errors =
        refuse(builder, &site, &["check-weak", "check-cause", "check-panic", "check-quoted"], &contents)
            .await;
    let expected = [
        "config/db.toml:1:1: *** is weak",
        "config/db.toml:1:1: caused by ***",
        "config/db.toml:1:1: a check panicked: bad password \"***\"",
    ];
    assert_eq!(errors, expected);
}

#[tokio::test]
async fn a_syntax_error_quotes_no_value() {
    let site = Site::new(&[("config/db.toml", "password = 'good'\n")]);
    let contents = [
        "password = 'syntax-a\n",
        "password = syntax-b\n",
        "password = \"syntax-c\\q\"\n",
        "password = 'syntax-d' 'syntax-e'\n",
        "password 'syntax-f'\n",
        "password = 2020-13-45-syntax\n",
        "password = \"\"\"\nsyntax-g\n",
        "password = 'a'\npassword = 'syntax-h'\n",
        "password = { x = 'syntax-i'\n",
    ];
    let builder = site.builder().secret("db", "/password").debounce(std::time::Duration::from_millis(20));
    refuse(builder, &site, &["syntax-", "2020-13"], &contents).await;
}

#[tokio::test]
async fn the_places_of_secrets_are_told_with_an_error() {
    let schema = r#"{"properties": {"keys": {"additionalProperties": {"x-rekindle": "secret"}}, "n": {"maximum": 1}}}"#;
    let text = "n = 1\n[keys]\na = 'one'\nb = \"\"\"\ntwo\nthree\"\"\"\n";
    let site = Site::new(&[("config/app.toml", text), ("config/app.schema.json", schema)]);
    let manager = site.start().await;
    let hidden = |text: &str| {
        let status = manager.status();
        let (_, error) = status.failures().next().expect("a failure");
        let spans = error.masked_spans().iter().map(|span| text[span.clone()].to_owned());
        spans.collect::<Vec<_>>()
    };
    let mut events = manager.subscribe();
    let wrong = text.replace("n = 1", "n = 2");
    site.write("config/app.toml", &wrong);
    refused(&mut events, "app").await;
    assert_eq!(hidden(&wrong), ["'one'", "\"\"\"", "two", "three\"\"\""]);
    let broken = text.replace("n = 1", "n = = 1");
    site.write("config/app.toml", &broken);
    refused(&mut events, "app").await;
    assert_eq!(hidden(&broken), ["a = 'one'", "b = \"\"\"", "two", "three\"\"\""]);
    // Other rules for the same broken file.
    site.write("config/app.schema.json", r#"{"properties": {"n": {"x-rekindle": "secret"}}}"#);
    soon("a receipt", manager.reload_now()).await.expect("a running engine");
    assert_eq!(hidden(&broken), ["= 1"]);
    // Nobody knows what a schema would call a secret that cannot be read.
    site.write("config/app.schema.json", "{");
    site.write("config/app.toml", "a = 'x'\nb = = 1\n");
    soon("a receipt", manager.reload_now()).await.expect("a running engine");
    assert_eq!(hidden("a = 'x'\nb = = 1\n"), ["a = 'x'", "b = = 1"]);
}

#[tokio::test]
async fn what_is_pending_is_masked() {
    let log = Log::listen();
    let site = Site::new(&[("config/app.toml", "key = 'pending-one'\nn = 1\n")]);
    let builder = site.builder().secret("app", "/key").restart("app", "/key").immutable("app", "/n");
    let manager = builder.start().await.expect("an engine");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "key = 'pending-two'\nn = 1\n");
    soon("a receipt", manager.reload_now()).await.expect("a running engine");
    let pending = &manager.status().configs["app"].pending[0];
    assert_eq!((&pending.running, &pending.on_disk), (&Some(json!("***")), &Some(json!("***"))));
    assert_free_of(&["pending-"], everything(&manager, &mut events));
    assert_free_of(&["pending-"], log.text());
}

#[tokio::test]
async fn a_handler_that_fails_over_a_secret_is_quoted_without_it() {
    let log = Log::listen();
    let site = Site::new(&[("config/db.toml", "password = 'handler-one'\n")]);
    let handler = |event: ChangeEvent| match event {
        ChangeEvent::ConfigChanged { new_value, .. } if new_value["password"] == "handler-panic" => {
            panic!("cannot use {new_value}")
        }
        ChangeEvent::ConfigChanged { old_value, new_value, .. } => {
            Err(Error::from(format!("from {old_value} to {new_value}")))
        }
        _ => Ok(()),
    };
    let manager = site.builder().secret("db", "/password").handler(handler).start().await.expect("an engine");
    let mut events = manager.subscribe();
    for (next, expected) in [
        ("handler-two", r#"from {"password":"***"} to {"password":"***"}"#),
        ("handler-panic", r#"it panicked: cannot use {"password":"***"}"#),
    ] {
        site.write("config/db.toml", format!("password = '{next}'\n"));
        let failed = event(&mut events, "the failure", |event| match event {
            ChangeEvent::HandlerFailed { error, .. } => Some(error.clone()),
            _ => None,
        });
        assert_eq!(failed.await, expected);
    }
    assert_free_of(&["handler-one", "handler-two", "handler-panic"], log.text());
}
