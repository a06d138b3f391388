//! Templates and static files that are kept live.
