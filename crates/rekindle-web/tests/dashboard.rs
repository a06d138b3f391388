//! The dashboard on a real engine and real files.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use rekindle::{HotReloadBuilder, HotReloadManager};
use rekindle_test::{LIMIT, Running, Site};
use rekindle_web::dashboard::{About, Browser, Dashboard, Route};
use rekindle_web::{Body, LiveReload, Problem};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;
use tower_layer::Layer;
use tower_service::Service;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; \
    require-trusted-types-for 'script'";

/// Whatever is true of the files here, without waiting for anything.
async fn running(site: Site, options: impl FnOnce(HotReloadBuilder) -> HotReloadBuilder) -> Running {
    Running::start_with(site, options).await
}

fn post(body: &str) -> Request<Bytes> {
    let request = Request::post("/_rekindle/api").header(CONTENT_TYPE, "application/json");
    request.body(Bytes::copy_from_slice(body.as_bytes())).expect("a request")
}

fn of(method: Method, path: &str) -> Request<Bytes> {
    Request::builder().method(method).uri(path).body(Bytes::new()).expect("a request")
}

async fn answer(manager: &HotReloadManager, request: Request<Bytes>, about: &About<'_>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let dashboard = Dashboard::new(manager.clone());
    timeout(LIMIT, dashboard.answer(&parts, body, about)).await.expect("an answer in time")
}

async fn text(answer: Response<Body>) -> String {
    let body = timeout(LIMIT, answer.into_body().collect()).await.expect("its end").expect("a whole body");
    String::from_utf8(body.to_bytes().to_vec()).expect("UTF-8")
}

async fn ask(manager: &HotReloadManager, request: Value) -> Value {
    ask_about(manager, request, &About::default()).await
}

async fn ask_about(manager: &HotReloadManager, mut request: Value, about: &About<'_>) -> Value {
    request["rekindle"] = 1.into();
    let answer = answer(manager, post(&request.to_string()), about).await;
    assert_eq!(answer.headers()[CONTENT_TYPE], "application/json");
    serde_json::from_str(&text(answer).await).expect("JSON")
}

async fn next(body: &mut Body) -> Option<String> {
    let frame = timeout(LIMIT, body.frame()).await.expect("an event in time")?;
    let data = frame.expect("no error").into_data().expect("data");
    Some(String::from_utf8(data.to_vec()).expect("UTF-8"))
}

#[tokio::test]
async fn every_answer_keeps_other_sites_and_caches_out() {
    let engine = running(Site::new(), |builder| builder).await;
    let requests = [
        (of(Method::GET, "/_rekindle/"), StatusCode::OK),
        (of(Method::GET, "/_rekindle/dashboard.js"), StatusCode::OK),
        (of(Method::GET, "/_rekindle/dashboard.css"), StatusCode::OK),
        (of(Method::GET, "/_rekindle/dashboard-events"), StatusCode::OK),
        (of(Method::GET, "/_rekindle"), StatusCode::PERMANENT_REDIRECT),
        (of(Method::GET, "/_rekindle/api"), StatusCode::METHOD_NOT_ALLOWED),
        (of(Method::POST, "/_rekindle/api"), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (of(Method::GET, "/_rekindle/page/dashboard.html"), StatusCode::NOT_FOUND),
        (of(Method::GET, "/_rekindle/dashboard/../api"), StatusCode::NOT_FOUND),
        (post("{}"), StatusCode::FORBIDDEN),
        (post(r#"{"rekindle": 1, "cmd": "status"}"#), StatusCode::OK),
    ];
    for (request, status) in requests {
        let asked = request.uri().to_string();
        let answer = answer(&engine.manager, request, &About::default()).await;
        assert_eq!(answer.status(), status, "{asked}");
        for (name, value) in [
            ("content-security-policy", POLICY),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            let told = answer.headers().get(name).and_then(|value| value.to_str().ok());
            assert_eq!(told, Some(value), "{name} of {asked}");
        }
        assert!(!answer.headers().contains_key("access-control-allow-origin"), "{asked}");
    }
}

#[tokio::test]
async fn the_page_has_the_token_and_nothing_that_the_policy_forbids() {
    let engine = running(Site::new(), |builder| builder).await;
    let about = About { token: "t0-ken_", ..About::default() };
    let page = answer(&engine.manager, of(Method::GET, "/_rekindle/"), &about).await;
    assert_eq!(page.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
    assert_eq!(page.headers()[CONTENT_SECURITY_POLICY], POLICY);
    let page = text(page).await;
    assert!(page.contains("<meta name=\"rekindle-token\" content=\"t0-ken_\">"));
    assert!(!page.contains("style=") && !page.contains("<style") && !page.contains(" on"), "{page}");
    assert_eq!(page.matches("<script").count(), page.matches("<script type=\"module\" src=").count());

    let head = answer(&engine.manager, of(Method::HEAD, "/_rekindle/"), &about).await;
    assert_eq!((head.status(), text(head).await), (StatusCode::OK, String::new()));
    let refused = answer(&engine.manager, of(Method::DELETE, "/_rekindle/api"), &about).await;
    assert_eq!(refused.headers()[ALLOW], "POST");
}

#[tokio::test]
async fn every_file_that_the_page_names_is_there() {
    let engine = running(Site::new(), |builder| builder).await;
    let page = text(answer(&engine.manager, of(Method::GET, "/_rekindle/"), &About::default()).await).await;
    let named = page.split('"').filter(|part| part.ends_with(".css") || part.ends_with(".js"));
    for name in named {
        let path = format!("/_rekindle/{name}");
        assert!(matches!(Route::of(&path), Some(Route::File(_))), "{name}");
        let file = answer(&engine.manager, of(Method::GET, &path), &About::default()).await;
        let mime =
            if name.ends_with(".js") { "text/javascript; charset=utf-8" } else { "text/css; charset=utf-8" };
        assert_eq!(file.headers()[CONTENT_TYPE], mime);
    }
}

#[tokio::test]
async fn the_overview_tells_how_everything_is_without_a_secret() {
    let site = Site::new()
        .with("config/app.toml", "port = 80\nkey = 'hunter2'\n")
        .with("config/db.toml", "password = 'swordfish'\nsize = [\n");
    let engine = running(site, |builder| builder.secret("app", "/key").secret("db", "/password")).await;
    let browser = Browser {
        pages: vec!["/".into()],
        transport: "SSE".into(),
        agent: None,
        since: SystemTime::UNIX_EPOCH + Duration::from_secs(1),
    };
    let problem = |id: &str| Problem::new(id, "", "");
    let problems = vec![problem("template:page.html"), problem("config:db")];
    let about = About { browsers: vec![browser], problems, ..About::default() };
    let told = ask_about(&engine.manager, json!({"cmd": "overview"}), &about).await;
    assert_eq!(told["ok"], true);
    assert_eq!(told["status"]["configs"]["app"]["state"], "good");
    assert_eq!(told["status"]["configs"]["db"]["drift"], "invalid");
    assert!(told["receipts"].is_array());
    let since = json!([{"pages": ["/"], "transport": "SSE", "agent": null, "since": "1970-01-01T00:00:01Z"}]);
    assert_eq!(told["browsers"], since);
    let ids: Vec<_> = told["problems"].as_array().expect("a list").iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, ["config:db", "template:page.html"]);
    let frame = &told["problems"][0]["frame"];
    assert_eq!(frame[0], json!({"number": 1, "text": "password = ***", "marked": null}), "{frame}");
    assert_eq!(told["problems"][0]["file"], "config/db.toml");

    let explained = ask(&engine.manager, json!({"cmd": "explain"})).await;
    assert_eq!(explained["values"].as_array().map(Vec::len), Some(2));
    let all = format!("{told}{explained}");
    assert!(all.contains("***") && !all.contains("hunter2") && !all.contains("swordfish"), "{all}");
}

#[tokio::test]
async fn a_problem_whose_file_is_gone_or_another_has_no_lines() {
    let site = Site::new().with("config/app.toml", "port = \n");
    let engine = running(site, |builder| builder).await;
    let overview = async || ask(&engine.manager, json!({"cmd": "overview"})).await["problems"][0].clone();
    let problem = overview().await;
    assert_eq!(problem["frame"][0]["text"], "port = ");
    assert_eq!((&problem["line"], &problem["column"]), (&json!(1), &json!(8)));

    // The engine is patient with what is missing, and so the problem stays for now.
    engine.site.remove("config/app.toml");
    assert_eq!(overview().await["frame"], json!([]));
    std::fs::create_dir(engine.site.path("config/app.toml")).expect("a directory");
    assert_eq!(overview().await["frame"], json!([]));
}

#[tokio::test]
async fn a_roll_back_writes_the_file_and_reloads_it() {
    let mut engine =
        running(Site::new().with("config/app.toml", "port = 80 # usual\n"), |builder| builder).await;
    engine.site.replace("config/app.toml", "port = 81\n");
    engine.events.reloaded("app").await;
    let history = ask(&engine.manager, json!({"cmd": "history", "config_name": "app"})).await;
    assert_eq!(history["revisions"].as_array().map(Vec::len), Some(2));
    let differs = json!({"cmd": "diff", "config_name": "app", "revisions": [2, 1]});
    let differs = ask(&engine.manager, differs).await;
    assert_eq!(differs["configs"][0]["changes"], json!([{"pointer": "/port", "from": 81, "to": 80}]));

    let told = ask(&engine.manager, json!({"cmd": "restore", "config_name": "app", "revision": 1})).await;
    assert_eq!(
        (&told["receipt"]["outcome"], &told["receipt"]["trigger"]),
        (&json!("applied"), &json!("rollback"))
    );
    assert_eq!(engine.site.read("config/app.toml"), "port = 80 # usual\n");
    assert_eq!(engine.value("app"), json!({"port": 80}));

    let missing = ask(&engine.manager, json!({"cmd": "restore", "config_name": "app", "revision": 9})).await;
    assert_eq!((&missing["ok"], &missing["error"]["kind"]), (&json!(false), &json!("not-found")));
}

#[tokio::test]
async fn a_broken_file_is_mended_by_going_back_to_what_is_in_use() {
    let mut engine = running(Site::new().with("config/app.toml", "port = 80\n"), |builder| builder).await;
    engine.site.replace("config/app.toml", "port = \n");
    engine.manager.reload_now().await.expect("a receipt");
    let told = ask(&engine.manager, json!({"cmd": "restore", "config_name": "app", "revision": 1})).await;
    assert_eq!(told["ok"], true, "{told}");
    assert_eq!(engine.site.read("config/app.toml"), "port = 80\n");
    engine.quiet().await;
    let overview = ask(&engine.manager, json!({"cmd": "overview"})).await;
    assert_eq!(overview["problems"], json!([]));
}

#[tokio::test]
async fn only_the_dashboard_itself_may_change_anything_and_only_go_back() {
    let mut engine = running(Site::new().with("config/app.toml", "port = 80\n"), |builder| builder).await;
    engine.site.replace("config/app.toml", "port = 81\n");
    engine.events.reloaded("app").await;
    let restore = r#"{"rekindle": 1, "cmd": "restore", "config_name": "app", "revision": 1}"#;
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "http://localhost:3000"),
        ("origin", "null"),
    ] {
        let mut request = post(restore);
        request.headers_mut().insert("host", HeaderValue::from_static("localhost:7878"));
        request.headers_mut().insert(name, HeaderValue::from_static(value));
        let refused = answer(&engine.manager, request, &About::default()).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{name}: {value}");
    }
    let as_a_form = of(Method::POST, "/_rekindle/api").map(|_| Bytes::from_static(restore.as_bytes()));
    let refused = answer(&engine.manager, as_a_form, &About::default()).await;
    assert_eq!(refused.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    for command in ["set", "remove", "patch", "events", "schema", "dance"] {
        let request = json!({"cmd": command, "config_name": "app", "pointer": "/port", "value": 1});
        let refused = ask(&engine.manager, request).await;
        assert_eq!(refused["error"]["kind"], "request", "{command}");
    }
    assert_eq!(engine.site.read("config/app.toml"), "port = 81\n");
    assert_eq!(engine.value("app"), json!({"port": 81}));
}

#[tokio::test]
async fn an_open_dashboard_is_told_when_to_ask_again() {
    let mut engine = running(Site::new().with("config/app.toml", "port = 80\n"), |builder| builder).await;
    let (changes, changed) = watch::channel(0);
    let about = About { changed: Some(changed), ..About::default() };
    let events = of(Method::GET, "/_rekindle/dashboard-events");
    let answer = answer(&engine.manager, events, &about).await;
    assert_eq!(answer.headers()[CONTENT_TYPE], "text/event-stream");
    let mut body = answer.into_body();
    assert_eq!(next(&mut body).await.as_deref(), Some("retry: 1000\ndata: changed\n\n"));

    changes.send_replace(1);
    assert_eq!(next(&mut body).await.as_deref(), Some("data: changed\n\n"));
    for port in 1..=20 {
        engine.site.replace("config/app.toml", &format!("port = {port}\n"));
        engine.events.reloaded("app").await;
    }
    assert_eq!(next(&mut body).await.as_deref(), Some("data: changed\n\n"));

    engine.manager.clone().shutdown().await.expect("it ends");
    // 20 saves are not 20 events, when nobody takes them meanwhile.
    let mut further = 0;
    while let Some(told) = next(&mut body).await {
        further += 1;
        assert!(further < 10);
        assert!(
            ["data: changed\n\n", "event: stopped\ndata: stopped\n\n"].contains(&told.as_str()),
            "{told}"
        );
        if told.starts_with("event: stopped") {
            assert_eq!(next(&mut body).await, None);
            return;
        }
    }
    panic!("the end of the engine was not told");
}

#[tokio::test]
async fn without_anybody_who_tells_of_browsers_the_events_go_on() {
    let mut engine = running(Site::new().with("config/app.toml", "port = 80\n"), |builder| builder).await;
    let (changes, changed) = watch::channel(0);
    let about = About { changed: Some(changed), ..About::default() };
    drop(changes);
    let events = of(Method::GET, "/_rekindle/dashboard-events");
    let mut body = answer(&engine.manager, events, &about).await.into_body();
    next(&mut body).await;
    engine.site.replace("config/app.toml", "port = 81\n");
    engine.events.reloaded("app").await;
    assert_eq!(next(&mut body).await.as_deref(), Some("data: changed\n\n"));
}

/// A site that has no page at all.
#[derive(Clone)]
struct Nothing;

impl Service<Request<Full<Bytes>>> for Nothing {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        ready(Ok(Response::new(Full::default())))
    }
}

/// What a server with live reload answers, asked by the name of this machine or as the request says.
async fn served(live: &LiveReload, request: Request<Bytes>) -> Response<Body> {
    let mut request = request.map(Full::new);
    request.headers_mut().entry(HOST).or_insert(HeaderValue::from_static("localhost:7878"));
    let mut service = live.layer().layer(Nothing);
    timeout(LIMIT, service.call(request)).await.expect("an answer in time").expect("an answer")
}

#[tokio::test]
async fn on_a_server_only_its_page_has_the_token_that_opens_the_api() {
    let engine = running(Site::new().with("config/app.toml", "port = 80\n"), |builder| builder).await;
    let live = LiveReload::builder(&engine.manager).in_release(true).start().expect("it starts");
    let page = text(served(&live, of(Method::GET, "/_rekindle/")).await).await;
    let (_, rest) = page.split_once("rekindle-token\" content=\"").expect("the token is there");
    let (token, _) = rest.split_once('"').expect("its end");

    let status = r#"{"rekindle": 1, "cmd": "status"}"#;
    let ask = |query: &str| {
        let mut request = post(status);
        *request.uri_mut() = format!("/_rekindle/api{query}").parse().expect("an address");
        request
    };
    let answer = served(&live, ask(&format!("?token={token}"))).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(text(answer).await.contains("\"generation\":1"));
    for query in ["", "?token=", "?token=0123456789abcdef"] {
        let refused = served(&live, ask(query)).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{query}");
        // By this the page knows that it is the token that is missing, and asks for the one of by now.
        assert_ne!(refused.headers()[CONTENT_TYPE], "application/json");
        let events = served(&live, of(Method::GET, &format!("/_rekindle/dashboard-events{query}"))).await;
        assert_eq!(events.status(), StatusCode::FORBIDDEN, "{query}");
    }
    let mut rebound = of(Method::GET, "/_rekindle/");
    rebound.headers_mut().insert(HOST, HeaderValue::from_static("evil.example"));
    let refused = served(&live, rebound).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(!text(refused).await.contains(token));
}
