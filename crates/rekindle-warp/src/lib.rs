//! rekindle for warp.
