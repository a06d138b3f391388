//! Pages of a directory: templates rendered with the configurations, or plain files.

use http::{Method, Request, Response, StatusCode, Uri};
use rekindle::HotReloadManager;
use rekindle_templates::{MiniJinja, ProblemKind, TemplateError, TemplateProblem, Templates};
use rekindle_web::{Body, Files, LiveReload};

use super::disk::Disk;
use super::pages::{self, Found};
use super::{answer, context, notice};

/// Below what address static files are.
const STATIC: &str = "/static/";

/// A site with templates.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub(super) manager: HotReloadManager,
    pub(super) templates: Templates<MiniJinja>,
    pub(super) files: Files,
    pub(super) live: LiveReload,
}

impl Site {
    /// Answers a request.
    pub(super) async fn answer<B>(&self, request: &Request<B>) -> Response<Body> {
        if !is_looking(request) {
            return answer::only_get();
        }
        let (path, query) = (request.uri().path(), request.uri().query());
        if self.files.has(request.uri()) {
            return self.files.answer(request.method(), request.uri(), request.headers()).await;
        }
        match pages::find(path, |name| pages::is_page(name) && self.has(name)) {
            Found::Page(name) => self.page(&name, request.uri()),
            Found::Elsewhere(to) => answer::elsewhere(&to, query),
            Found::Nothing => self.nothing(path),
        }
    }

    /// Whether there is a template of this name, be it a broken one that was never good.
    fn has(&self, name: &str) -> bool {
        let is_broken = |problem: &TemplateProblem| {
            problem.template == name && !matches!(problem.kind, ProblemKind::Missing | ProblemKind::NotFound)
        };
        self.templates.digest().contains_key(name) || self.templates.problems().iter().any(is_broken)
    }

    fn page(&self, name: &str, uri: &Uri) -> Response<Body> {
        let context = context::context(&self.manager.snapshot(), uri.path(), uri.query());
        match self.templates.render(name, &context) {
            Ok(text) => answer::whole(StatusCode::OK, &media_type(name), text.into()),
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&self, error: &TemplateError) -> Response<Body> {
        self.live.error_page(&error.problem().into())
    }

    fn nothing(&self, path: &str) -> Response<Body> {
        let digest = self.templates.digest();
        let names: Vec<String> = digest.keys().filter(|name| pages::is_page(name)).cloned().collect();
        let below = if path.starts_with(STATIC) { "" } else { "templates/" };
        let missing = notice::where_it_would_be(path, below);
        answer::page(StatusCode::NOT_FOUND, notice::nothing_here(path, &missing, &names))
    }
}

/// A directory of plain files.
#[derive(Debug, Clone)]
pub(super) struct Plain(pub(super) Disk);

impl Plain {
    /// Answers a request.
    pub(super) fn answer<B>(&self, request: &Request<B>) -> Response<Body> {
        if !is_looking(request) {
            return answer::only_get();
        }
        let path = request.uri().path();
        match pages::find(path, |name| self.0.has(name)) {
            Found::Page(name) => file_of(&self.0, &name).unwrap_or_else(|| self.nothing(path)),
            Found::Elsewhere(to) => answer::elsewhere(&to, request.uri().query()),
            Found::Nothing => self.nothing(path),
        }
    }

    fn nothing(&self, path: &str) -> Response<Body> {
        let contents = self.0.contents();
        let mut names: Vec<String> = contents.into_keys().filter(|name| name.ends_with(".html")).collect();
        names.sort();
        let missing = notice::where_it_would_be(path, "");
        answer::page(StatusCode::NOT_FOUND, notice::nothing_here(path, &missing, &names))
    }
}

fn is_looking<B>(request: &Request<B>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

fn file_of(disk: &Disk, name: &str) -> Option<Response<Body>> {
    let bytes = disk.read(name).ok()?;
    Some(answer::whole(StatusCode::OK, &media_type(name), bytes))
}

/// The media type of a file, texts as UTF-8.
fn media_type(name: &str) -> String {
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let is_text =
        kind.type_() == "text" || matches!(kind.essence_str(), "application/json" | "application/xml");
    if is_text { format!("{}; charset=utf-8", kind.essence_str()) } else { kind.essence_str().to_owned() }
}
