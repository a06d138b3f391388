//! rekindle for axum.
