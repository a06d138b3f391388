//! Every measurement still runs. What it measures is not looked at.

use std::process::Command;

#[test]
fn a_quick_run_of_everything_works_and_is_drawn() {
    for what in ["all", "plot"] {
        let run =
            Command::new(env!("CARGO_BIN_EXE_rekindle-bench")).args([what, "--quick"]).output().unwrap();
        let told = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{what}: {told}{}", String::from_utf8_lossy(&run.stdout));
    }
}
