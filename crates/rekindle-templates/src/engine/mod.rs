//! [`Engine`]: what a template engine has to be able to do, and those that can.

#[cfg(feature = "handlebars")]
mod handlebars;
#[cfg(feature = "minijinja")]
mod minijinja;
#[cfg(feature = "tera")]
mod tera;

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Serialize;

#[cfg(feature = "handlebars")]
pub use self::handlebars::Handlebars;
#[cfg(feature = "minijinja")]
pub use self::minijinja::MiniJinja;
#[cfg(feature = "tera")]
pub use self::tera::Tera;
pub use crate::place::Place;

/// A template engine, as [`Templates`](crate::Templates) needs it.
///
/// Those of this crate are [`MiniJinja`], `Tera` and `Handlebars`. The conformance tests of this crate say
/// what has to hold of one.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use rekindle_templates::{Edit, Engine, Fault, Parsed, Place, Templates};
/// use serde::Serialize;
///
/// /// Texts without anything in them.
/// struct Plain;
///
/// impl Engine for Plain {
///     type Raw = BTreeMap<String, String>;
///     const NAME: &'static str = "Plain";
///
///     fn empty() -> Self::Raw {
///         BTreeMap::new()
///     }
///
///     fn has(raw: &Self::Raw, name: &str) -> bool {
///         raw.contains_key(name)
///     }
///
///     fn parse(_: &Self::Raw, name: &str, source: &str) -> Result<Parsed, Fault> {
///         match source.find('\t') {
///             Some(at) => Err(Fault::new(name, "no tabs, please").at(Place::Span(at..at + 1))),
///             None => Ok(Parsed::default()),
///         }
///     }
///
///     fn build(edit: &Edit<'_, Self::Raw>) -> Result<Self::Raw, Fault> {
///         Ok(edit.all.iter().map(|(name, source)| (name.to_string(), source.to_string())).collect())
///     }
///
///     fn render<C: Serialize + ?Sized>(raw: &Self::Raw, name: &str, _: &C) -> Result<String, Fault> {
///         Ok(raw[name].clone())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (_dir, ws) = rekindle::testing::create_test_workspace_with_structure();
/// # std::fs::create_dir(ws.root().join("texts"))?;
/// std::fs::write(ws.root().join("texts/good.txt"), "one")?;
/// std::fs::write(ws.root().join("texts/tab.txt"), "a\tb")?;
/// let texts = Templates::<Plain>::watch(&ws, "texts/*.txt").await?;
/// assert_eq!(texts.render("good.txt", &())?, "one");
/// assert_eq!(texts.problems()[0].to_string(), "texts/tab.txt:1:2: no tabs, please");
/// # Ok(())
/// # }
/// ```
pub trait Engine: Sized + Send + Sync + 'static {
    /// The engine itself, with a set of templates in it: `minijinja::Environment`, `tera::Tera`,
    /// `handlebars::Handlebars`. It is never changed once it is in use.
    type Raw: Send + Sync + 'static;

    /// The name of the engine, for messages.
    const NAME: &'static str;

    /// The engine without a template, as it is handed to
    /// [`configure`](crate::TemplatesBuilder::configure). HTML is escaped.
    fn empty() -> Self::Raw;

    /// Whether the engine has a template of this name without any file: one that `configure` put in.
    fn has(raw: &Self::Raw, name: &str) -> bool;

    /// Looks at one source by itself: whether it can be compiled, and which other templates it uses.
    ///
    /// # Errors
    ///
    /// What the engine says against it.
    fn parse(raw: &Self::Raw, name: &str, source: &str) -> Result<Parsed, Fault>;

    /// A set of templates, made from the one before. Everything in it has been parsed, and everything that
    /// it uses by name is there.
    ///
    /// # Errors
    ///
    /// What the engine says against the set; where a template is named, others get another chance without it.
    fn build(edit: &Edit<'_, Self::Raw>) -> Result<Self::Raw, Fault>;

    /// Renders a template of the set.
    ///
    /// # Errors
    ///
    /// What the engine says, with the template in which it happened.
    fn render<C: Serialize + ?Sized>(raw: &Self::Raw, name: &str, context: &C) -> Result<String, Fault>;
}

/// What is wrong, in an engine's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The template it is in, where the engine says.
    pub template: Option<String>,
    /// Where in that template.
    pub place: Option<Place>,
    /// What is wrong, in one line, without the place.
    pub message: String,
}

impl Fault {
    /// A fault in a template.
    pub fn new(template: &str, message: impl Into<String>) -> Self {
        Self { template: Some(template.to_owned()), place: None, message: message.into() }
    }

    /// Says where in the template.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
}

/// What is known of a source that can be compiled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The other templates that it uses, in the order of the text.
    pub references: Vec<Reference>,
    /// What it defines for all templates, whether or not they name this one: the components of Tera.
    pub components: Vec<String>,
}

/// A tag that leads to other templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What it leads to.
    pub target: Target,
    /// Whether the template is of no use when there is no such thing.
    pub needed: bool,
    /// The bytes of the text that say it.
    pub span: Range<usize>,
}

/// What a tag leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The first of these templates that exists.
    Templates(Vec<String>),
    /// The template that defines this component.
    Component(String),
    /// Which one is known when it is rendered: it may be any.
    Any,
}

/// What a set is made from.
#[derive(Debug)]
pub struct Edit<'a, R> {
    /// The configured engine, without the templates of files.
    pub base: &'a R,
    /// The set in use.
    pub previous: &'a R,
    /// All templates that are to be in the set: names and sources.
    pub all: &'a BTreeMap<&'a str, &'a str>,
    /// Those among them that are not in the set in use, or with another source.
    pub changed: Vec<&'a str>,
    /// Names that are in the set in use and no longer to be.
    pub removed: Vec<&'a str>,
}

impl<R> Edit<'_, R> {
    /// Names and sources of what changed.
    pub fn changes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.changed.iter().filter_map(|name| Some((*name, *self.all.get(name)?)))
    }
}
