//! What is said of a page.
