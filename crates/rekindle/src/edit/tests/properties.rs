//! What holds for any file and any patch.
