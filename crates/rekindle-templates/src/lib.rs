//! Templates and static files that are kept live.

mod engine;
mod files;
mod inbox;
mod place;
mod problem;
mod source;
mod templates;

#[cfg(feature = "minijinja")]
pub use engine::MiniJinja;
pub use engine::{Edit, Engine, Fault, Parsed, Place, Reference, Target};
pub use place::FrameLine;
pub use problem::{ChainLink, ProblemKind, TemplateError, TemplateProblem};
pub use source::Source;
pub use templates::{TemplateChange, TemplateEvent, Templates, TemplatesBuilder, recorded};
