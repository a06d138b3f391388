//! Templates and static files that are kept live: compiled on save, swapped as a whole, the last good ones kept.
//!
//! ```
//! # #[cfg(feature = "minijinja")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (_dir, ws) = rekindle::testing::create_test_workspace_with_structure();
//! # std::fs::create_dir(ws.root().join("templates"))?;
//! # let page = ws.root().join("templates/page.html");
//! use rekindle_templates::{MiniJinja, TemplateEvent, Templates};
//! use serde_json::json;
//!
//! std::fs::write(&page, "Hello {{ name | shout }}")?;
//! let templates = Templates::<MiniJinja>::builder()
//!     .configure(|raw| raw.add_filter("shout", |text: String| text.to_uppercase() + "!"))
//!     .watch(&ws, "templates/**")
//!     .await?;
//! assert_eq!(templates.render("page.html", &json!({"name": "you"}))?, "Hello YOU!");
//!
//! let mut events = templates.subscribe();
//! std::fs::write(&page, "Hello {{ name")?;
//! let Ok(TemplateEvent::Problems(problems)) = events.recv().await else { panic!("it is broken") };
//! assert_eq!((problems[0].file.as_deref(), problems[0].line), (Some("templates/page.html"), Some(1)));
//! assert_eq!(templates.render("page.html", &json!({"name": "you"}))?, "Hello YOU!");
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "minijinja"))]
//! # fn main() {}
//! ```
//!
//! # What holds
//!
//! - **A render waits for nobody.** It takes the set of templates that is in use at its beginning, and no lock of
//!   this crate. A save is compiled on a thread of its own; then the whole set is swapped at once.
//! - **A broken template is no broken site.** A template that does not compile keeps its last good source, and
//!   keeps no other back: a set is made of the newest good source of each, in which all that is used by name is there.
//!   A partial that was removed stays as long as somebody uses it.
//! - **What is wrong is said until it is mended**, with file, line, column, the lines around and the chain of
//!   templates that leads there, as data: [`Templates::problems`], [`TemplateProblem`]. The start with broken
//!   templates, or with none, is a start.
//! - **Only what is affected is told of.** The engines' own parsers say which template uses which;
//!   [`TemplateChange::affected`] names all that are rendered differently after a save.
//! - Files that an editor leaves for a moment, hidden files, and links that lead out of the root are no templates. A
//!   template has at most 4 MiB and is UTF-8.
//!
//! Templates that are compiled into the program cannot be replaced in it: [`RebuildNeeded`] says when they were
//! saved since.
//!
//! # Engines
//!
//! All are held to the same tests. More can be added by [`Engine`].
//!
//! | engine | feature | what it depends on is known from | templates in a circle |
//! |---|---|---|---|
//! | `MiniJinja` | `minijinja` (default) | `extends`, `include`, `import`, `from` | an error when rendered too deep |
//! | `Tera` 2 | `tera` | `extends`, `include`, components | refused when saved |
//! | `Handlebars` | `handlebars` | partials, with and without a block | an error when rendered too deep |
//!
//! A template that names another only when it is rendered, such as `{% include name %}`, depends on all of them.
//!
//! # Static files
//!
//! [`Assets`] gives them addresses that change with their content.

mod assets;
mod engine;
mod files;
mod inbox;
mod place;
mod problem;
mod rebuild;
mod source;
mod templates;

pub use assets::{
    Asset, AssetChange, AssetChanges, AssetKind, AssetNews, AssetProblem, Assets, AssetsBuilder, Encoding,
    Manifest, OpenedAsset, Representation,
};
#[cfg(feature = "handlebars")]
pub use engine::Handlebars;
#[cfg(feature = "minijinja")]
pub use engine::MiniJinja;
#[cfg(feature = "tera")]
pub use engine::Tera;
pub use engine::{Edit, Engine, Fault, Parsed, Place, Reference, Target};
pub use place::FrameLine;
pub use problem::{ChainLink, ProblemKind, TemplateError, TemplateProblem};
pub use rebuild::RebuildNeeded;
pub use source::Source;
pub use templates::{TemplateChange, TemplateEvent, Templates, TemplatesBuilder, recorded};
