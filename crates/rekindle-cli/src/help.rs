//! What `--help` says below the options: examples, the interface of `--json`, and the exit codes.
//!
//! No line is longer than 80 columns, so that no terminal breaks one.

pub(crate) const REKINDLE: &str = "\
Examples:
  rekindle demo                     See it work, on a project of its own
  rekindle watch                    Tell of every change below this directory
  rekindle check --env production   Fail if something is not fit for production

Exit codes:
  0    All is well; also: watching was ended by a signal or a closed pipe
  1    A configuration is invalid, the demo went wrong, files cannot be watched
  2    Wrong usage: an unknown option, a bad pattern, a missing directory
  130  Interrupted before the end (demo)";

pub(crate) const WATCH: &str = "\
Examples:
  rekindle watch                            This directory
  rekindle watch app --env production       Another, with its production layer
  rekindle watch --json | jq -c .event      One JSON object a line
  rekindle watch /mnt/nfs/app --poll 2000   Where the system tells of no changes
  rekindle watch --watch 'locales/**/*' --exclude '**/*.bak' --debounce 100

Lines of --json, by their `event`:
  ready              root, watched_dirs
  config_changed     config_name, generation, changed (JSON pointers),
                     old_value, new_value, duration_us
  file_changed       path, change_type (created, modified, deleted, renamed),
                     from (if renamed), kind (config, schema, template, asset,
                     other)
  validation_failed  config_name, path, line, column, error
  reload_completed   config_name, duration_us
  recovered          config_name (null: the engine as a whole)
  handler_failed     handler, error
  degraded           reason
  rescanned          reason, found
  config_shadowed    config_name, used, ignored
  backup_failed      path, error
  lagged             missed
What is invalid already at the start follows `ready`. Paths are relative to the
root; of a name that is not UTF-8, the parts that are not are replaced.

Exit codes:
  0  Ended by SIGINT (Ctrl-C) or SIGTERM, or nobody reads the output any more
  1  Files cannot be watched
  2  Wrong usage: an unknown option, a bad pattern, a missing directory";

pub(crate) const CHECK: &str = "\
Examples:
  rekindle check                        All configurations of this directory
  rekindle check app --env production   With the production layer
  rekindle check --json | jq 'select(.ok == false)'

Lines of --json:
  for each configuration  config_name, ok, files,
                          errors (path, line, column, message, advice)
  at last                 ok, configs, failed, environment, root,
                          degraded (if not all could be looked at)

Exit codes:
  0  Every configuration is good, or there is none
  1  At least one is not, or not all could be looked at
  2  Wrong usage: an unknown option, a missing directory";

pub(crate) const DEMO: &str = "\
Examples:
  rekindle demo          Make a project, edit it, show what a program sees of it
  rekindle demo --keep   Then go on watching it: edit it yourself

Exit codes:
  0    The program saw what it should, every time
  1    It did not
  130  Interrupted before the end";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  rekindle completions bash > /etc/bash_completion.d/rekindle
  rekindle completions zsh > ~/.zfunc/_rekindle
  rekindle completions fish > ~/.config/fish/completions/rekindle.fish";

#[cfg(test)]
mod tests {
    #[test]
    fn no_line_is_broken_by_a_terminal() {
        for text in [super::REKINDLE, super::WATCH, super::CHECK, super::DEMO, super::COMPLETIONS] {
            assert!(text.contains("Examples:"));
            let longest = text.lines().map(str::len).max();
            assert!(longest <= Some(80), "{longest:?}");
        }
    }
}
