//! rekindle for actix-web.
