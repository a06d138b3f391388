//! What a web developer waits for: renders, pages through the layer, browsers that are told.

pub(crate) mod clients;
pub(crate) mod inject;
pub(crate) mod render;
pub(crate) mod screen;
mod server;
mod site;
