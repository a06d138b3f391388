//! Temporary workspaces for tests.

use tempfile::TempDir;
use workspace_tools::Workspace;

/// A temporary workspace with `config/`, `data/`, `logs/`, `docs/`, `tests/` and `.workspace/`.
///
/// The directory is removed when the first half of the pair is dropped. Unlike the function of the
/// same name in `workspace_tools` this one touches no environment variable, so that tests can run side by side.
///
/// # Panics
///
/// When the temporary directory cannot be made.
///
/// ```
/// let (_dir, ws) = rekindle::testing::create_test_workspace_with_structure();
/// assert!(ws.config_dir().is_dir());
/// ```
#[must_use]
#[expect(clippy::expect_used, reason = "a test without a directory can only fail")]
pub fn create_test_workspace_with_structure() -> (TempDir, Workspace) {
    let directory = TempDir::new().expect("a temporary directory can be made");
    let workspace = Workspace::new(directory.path());
    let standard = [
        workspace.config_dir(),
        workspace.data_dir(),
        workspace.logs_dir(),
        workspace.docs_dir(),
        workspace.tests_dir(),
        workspace.workspace_dir(),
    ];
    for path in standard {
        std::fs::create_dir_all(path).expect("a directory can be made in a temporary one");
    }
    (directory, workspace)
}
