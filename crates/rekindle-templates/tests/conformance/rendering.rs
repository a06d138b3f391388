//! Rendering, and what goes wrong in it.

use std::sync::{Arc, Condvar, Mutex};

use rekindle_templates::{ProblemKind, Templates, recorded};
use rekindle_test::LIMIT;
use serde_json::json;

use crate::bench::Bench;
use crate::dialect::Dialect;

pub(crate) async fn html_is_escaped<E: Dialect>() {
    let bench = Bench::<E>::new(&[("page.html", "{{ who }}")]).await;
    assert_eq!(bench.render_with("page.html", &json!({"who": "<b>&"})), "&lt;b&gt;&amp;");
}

/// How many are in it, and whether they may go.
#[derive(Default)]
struct Gate {
    state: Mutex<(usize, bool)>,
    stirred: Condvar,
}

impl Gate {
    fn enter(&self) {
        self.state.lock().unwrap().0 += 1;
        self.stirred.notify_all();
        self.wait(|state| state.1);
    }

    fn wait(&self, enough: impl Fn(&(usize, bool)) -> bool) {
        let state = self.state.lock().unwrap();
        let (_state, waited) = self.stirred.wait_timeout_while(state, LIMIT, |state| !enough(state)).unwrap();
        assert!(!waited.timed_out(), "waited {LIMIT:?}: somebody keeps the others out");
    }

    fn open(&self) {
        self.state.lock().unwrap().1 = true;
        self.stirred.notify_all();
    }
}

/// If one render waited for another, the eight would never be in it together.
pub(crate) async fn eight_renders_are_in_it_at_once_also_while_sets_are_swapped<E: Dialect>() {
    let gate = Arc::new(Gate::default());
    let inside = Arc::clone(&gate);
    let call = move || {
        inside.enter();
        Ok("waited".to_owned())
    };
    let builder = Templates::<E>::builder().configure(|raw| E::define(raw, "wait", call));
    let page = format!("{} 1", E::call("wait"));
    let mut bench = Bench::with(builder, &[("page.html", &page), ("other.html", "before")]).await;
    let renders: Vec<_> = (0..8)
        .map(|_| {
            let templates = bench.templates.clone();
            std::thread::spawn(move || templates.render("page.html", &json!({})).unwrap())
        })
        .collect();
    tokio::task::block_in_place(|| gate.wait(|state| state.0 == 8));
    let old = bench.templates.digest().get("page.html").copied();
    bench.save("other.html", "after");
    bench.save("page.html", "2");
    bench.renders("other.html", "after").await;
    // Not by rendering it: what is rendered from the old one waits as those do.
    bench.until("the other page", |templates| templates.digest().get("page.html") != old.as_ref()).await;
    assert_eq!(bench.render("page.html"), "2");
    gate.open();
    for render in renders {
        assert_eq!(render.join().unwrap(), "waited 1", "a render is made from one set");
    }
}

pub(crate) async fn an_undefined_variable_points_into_the_partial<E: Dialect>() {
    let page = format!("one\n{}", E::include("part.html"));
    let files = [("page.html", &*page), ("part.html", "a\nb\nc {{ nobody }}")];
    let bench = Bench::with(Templates::<E>::builder().configure(E::strict), &files).await;
    let error = bench.templates.render("page.html", &json!({"who": 1})).unwrap_err();
    let problem = error.problem();
    assert_eq!((error.kind(), &*problem.template), (ProblemKind::Render, "part.html"), "{error}");
    assert_eq!((problem.file.as_deref(), problem.line), (Some("templates/part.html"), Some(3)), "{error}");
    assert_eq!(problem.trail().as_deref(), Some("page.html:2 → part.html:3"));
    assert!(problem.frame.iter().any(|line| line.number == 3 && line.text.contains("nobody")));
}

pub(crate) async fn a_failing_function_points_at_its_call<E: Dialect>() {
    let builder = Templates::<E>::builder().configure(|raw| E::define(raw, "fail", || Err("out of paper")));
    let page = format!("one\ntwo {}", E::call("fail"));
    let bench = Bench::with(builder, &[("page.html", &page)]).await;
    let error = bench.templates.render("page.html", &json!({})).unwrap_err();
    assert!(error.to_string().starts_with("templates/page.html:2:"), "{error}");
    assert!(error.to_string().contains("out of paper"), "{error}");
    assert_eq!(error.problem().chain, []);
}

pub(crate) async fn what_is_rendered_is_recorded<E: Dialect>() {
    let page = E::include("part.html");
    let files = [("page.html", &*page), ("part.html", "p"), ("other.html", "o")];
    let bench = Bench::<E>::new(&files).await;
    let handler = async {
        tokio::task::yield_now().await;
        bench.render("page.html") + &bench.render("other.html") + &bench.render("page.html")
    };
    let (output, names) = recorded(handler).await;
    assert_eq!(output, "pop");
    assert_eq!(names, ["page.html", "other.html"]);
    let (inner, outer) = recorded(recorded(async { bench.render("other.html") })).await;
    assert_eq!((inner.1, outer), (vec!["other.html".to_owned()], vec![]));
}

pub(crate) async fn the_engine_itself_can_be_configured_and_had<E: Dialect>() {
    let builder = Templates::<E>::builder().configure(|raw| E::define(raw, "shop", || Ok("Tea".to_owned())));
    let page = E::call("shop");
    let mut bench = Bench::with(builder, &[("page.html", &page)]).await;
    assert_eq!(bench.render("page.html"), "Tea");
    bench.save("page.html", &format!("{page}!"));
    bench.renders("page.html", "Tea!").await;
    assert!(E::has(&bench.templates.raw(), "page.html"));
}

pub(crate) async fn names_that_are_none_are_told<E: Dialect>() {
    let bench = Bench::<E>::new(&[]).await;
    for name in ["nowhere.html", "../config/app.toml", "", "/etc/passwd"] {
        let error = bench.templates.render(name, &json!({})).unwrap_err();
        assert_eq!(error.kind(), ProblemKind::NotFound, "{name}");
    }
}
