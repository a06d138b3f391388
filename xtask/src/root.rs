//! Where the workspace is.

use std::path::{Path, PathBuf};

/// The workspace's root: every command runs there, wherever `cargo xtask` was called from.
///
/// Asked for at run time first: a checkout that was moved keeps its compiled xtask.
pub(crate) fn root() -> PathBuf {
    let manifest_dir =
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let xtask = Path::new(&manifest_dir);
    xtask.parent().unwrap_or(xtask).to_path_buf()
}
