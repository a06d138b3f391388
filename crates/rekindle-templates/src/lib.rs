//! Templates and static files that are kept live.

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
