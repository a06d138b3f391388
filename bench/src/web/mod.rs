//! What a web developer waits for: renders, pages through the layer, browsers that are told.

pub(crate) mod clients;
pub(crate) mod inject;
pub(crate) mod render;
pub(crate) mod screen;
pub(crate) mod serve;
mod server;
mod site;
