//! What `--help` says below the options: examples, the interface of `--json`, and the exit codes.
//!
//! No line is longer than 80 columns, so that no terminal breaks one.

pub(crate) const REKINDLE: &str = "\
Examples:
  rekindle demo                     See it work, on a project of its own
  rekindle new site                 Write a small site to begin with,
  rekindle dev site --open          and see each save of it in the browser
  rekindle watch                    Tell of every change below this directory
  rekindle check --env production   Fail if something is not fit for production
  rekindle status                   How the program of this directory is
  rekindle explain app /port        Which line of which file a value is from

Exit codes:
  0    All is well; also: watching was ended by a signal or a closed pipe
  1    A configuration is invalid, a change is refused, the demo went wrong,
       files cannot be watched
  2    Wrong usage: an unknown option, a bad pattern, a missing directory
  3    No program listens that could be asked
  130  Interrupted before the end (demo)";

pub(crate) const WATCH: &str = "\
Examples:
  rekindle watch                            This directory
  rekindle watch app --env production       Another, with its production layer
  rekindle watch --tui                      A live screen; q ends it
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
  rolled_back        from, to, generation, config_names, reason
  confirmed          generation, config_names
  fell_back          config_name, revision, reason
  history_failed     error
  degraded           reason
  rescanned          reason, found
  config_shadowed    config_name, used, ignored
  backup_failed      path, error
  lagged             missed
What is invalid already at the start follows `ready`. Paths are relative to the
root; of a name that is not UTF-8, the parts that are not are replaced.

Exit codes:
  0  Ended by SIGINT (Ctrl-C) or SIGTERM, or nobody reads the output any more;
     with --tui also by q, Esc and SIGHUP
  1  Files cannot be watched
  2  Wrong usage: an unknown option, a bad pattern, a missing directory,
     --tui without a terminal";

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

pub(crate) const DEV: &str = "\
Examples:
  rekindle dev                              This directory
  rekindle dev site --open                  Another, and open the browser
  rekindle dev --proxy http://127.0.0.1:3000
                                            In front of a server of your own
  rekindle dev --host 0.0.0.0 --allow-host 192.168.1.5
                                            For a phone in the same network

What it shows of DIR:
  templates/index.html    is /, about.html or about/index.html is /about; with
                          MiniJinja. Names with _ in front, and what is in
                          layouts/ or partials/, are parts of pages.
  config/site.toml        is {{ site.title }} in them; beside it there are
                          {{ request.path }} and {{ request.query.name }}
  static/app.css          is /static/app.css, {{ asset('app.css') }} in a page
  A directory without templates/ is shown as it is: index.html and so on.

With --proxy the files of DIR are watched, and the other server shows them: a
stylesheet or an image is exchanged by its name, anything else renders the page
anew. WebSockets are passed through.

Only this machine can reach it, unless --host says otherwise; then whoever can
reach the machine sees the pages, and only names given with --allow-host are
answered. The dashboard is at /_rekindle/, behind a token of each run.

Exit codes:
  0  Ended by SIGINT (Ctrl-C) or SIGTERM, or nobody reads the output any more
  1  The files cannot be watched, or the system does not let it listen
  2  Wrong usage: a missing directory, a port that is taken, an unknown option";

pub(crate) const NEW: &str = "\
Examples:
  rekindle new site           Makes the directory and writes a small site to it
  rekindle new . --force      Adds to this directory what it lacks of that

Nothing is ever overwritten.

Exit codes:
  0  It is there
  1  The system does not let it be written
  2  Wrong usage: the directory is not empty";

pub(crate) const DEMO: &str = "\
Examples:
  rekindle demo          Edit a project and a server's port: what is seen of it
  rekindle demo --keep   Then go on watching it: edit it yourself
  rekindle demo --cluster   Five processes through three rollouts

Exit codes:
  0    The program saw what it should, every time
  1    It did not
  130  Interrupted before the end";

pub(crate) const STATUS: &str = "\
Examples:
  rekindle status                        Of the program of this directory
  rekindle status /srv/app --json | jq .status.configs

It asks the program, through its control socket. A program has one if it says
  HotReload::builder(root).control_socket(true)
What --json prints is described in docs/control.md, of this and of all commands
that ask a program.

Exit codes:
  0  All is well
  1  A configuration is not good, or the program cannot fully do its work
  2  Wrong usage: an unknown option, a missing directory
  3  No program listens";

pub(crate) const GET: &str = "\
Examples:
  rekindle get                         All configurations
  rekindle get app                     One of them
  rekindle get app /server/port        One value; a text without its quotes
  rekindle get /server/port --json     Of every configuration that has it
  rekindle get app --store sqlite:fleet.db     What a fleet is to use

Where no program listens, the files are read as at the start of one, without
what a program adds to them in code. Secrets are shown as ***.

Exit codes:
  0  It is there
  1  There is no such value
  2  Wrong usage: an unknown option, a missing directory";

pub(crate) const SET: &str = "\
Examples:
  rekindle set app /server/port 8080
  rekindle set app /log/level debug --expect 7
  rekindle set app /server/proxy --remove
  rekindle set app --merge '{\"server\": {\"port\": 8080, \"proxy\": null}}'

The value is changed in the file that sets it; comments and order stay. Nothing
is written unless the result is good. Where no program listens, only the schema
judges it.

Exit codes:
  0  It is applied, or was so already
  1  It is refused, or the configuration has changed since the generation
  2  Wrong usage: an unknown option, a missing directory";

pub(crate) const EXPLAIN: &str = "\
Examples:
  rekindle explain                     Every value of every configuration
  rekindle explain app /server         What is below /server
  rekindle explain /server/port        In every configuration that has it

Below each value is what it overrode. Where no program listens, the files are
read as at the start of one. Secrets are shown as ***.

Exit codes:
  0  It is explained
  1  There is no such value
  2  Wrong usage: an unknown option, a missing directory";

pub(crate) const DIFF: &str = "\
Examples:
  rekindle diff                        What runs against what is on disk
  rekindle diff app --revisions 3 5    Two revisions of the history

Secrets are shown as ***, also where they differ.

Exit codes:
  0  Nothing differs
  1  Something does, or what is on disk cannot be loaded
  2  Wrong usage: an unknown option, a missing directory
  3  No program listens whose values could be compared";

pub(crate) const PUBLISH: &str = "\
Examples:
  rekindle publish config/ --store sqlite:fleet.db -m 'a new limit' --wait
  rekindle publish --payload 60303ae2      Something from rekindle log, again
  REKINDLE_STORE=etcd:10.0.0.1:2379/shop rekindle publish config/

Every instance validates it as if it would apply it; one that refuses ends it
before anybody has used it. In steps: rekindle rollout start.

Servers that want a user or certificates: REKINDLE_STORE_USER, _PASSWORD_FILE,
_CA, _CERT, _KEY and, for NATS, _CREDENTIALS; see docs/cluster.md.

Exit codes:
  0  It is on its way; with --wait, all use it
  1  Another is on its way, or the store fails; with --wait, it was refused
  2  Wrong usage: an unknown option, a directory without configurations";

pub(crate) const EDIT: &str = "\
Examples:
  rekindle edit app --store sqlite:fleet.db -m 'more time' --wait
  EDITOR='code --wait' rekindle edit shop/prices

What comes of it is published as rekindle publish does it, unless something
else is in use by then. What is not published is kept, and where is said.

Exit codes:
  0  It is on its way, or nothing was changed; with --wait, all use it
  1  It cannot be read, something else is in use or on its way, or the store or
     the editor fails; with --wait, it was refused
  2  Wrong usage: an unknown option, no such configuration, no such editor";

pub(crate) const LOG: &str = "\
Examples:
  rekindle log --store sqlite:fleet.db
  rekindle log -n 10 --json | jq 'select(.state == \"refused\").message'
  rekindle rollout start --payload 60303ae2      Something from the list, again

Lines of --json, the newest first: payload, state (stable, candidate, refused,
rolled-back, aborted or null), time, author, message, documents; or error.

Exit codes:
  0  It is listed
  1  The store fails
  2  Wrong usage: an unknown option";

pub(crate) const SYNC: &str = "\
Examples:
  rekindle sync config/ --store sqlite:fleet.db -m 'a new limit'
  rekindle sync config/ --watch            Until a signal ends it
  rekindle sync config/ --theirs           Take back what was changed here too

What one side has changed the other takes over: files are written or removed,
or published as rekindle publish does it. Where both have changed the same file
nothing is done, and what differs is shown. What both had at last is noted in
config/.rekindle-sync.json.

Lines of --json, by their `event`: pulled, removed (path, kept), published
(release, paths), conflict (path, here, there), waiting (reason), same
(configurations, release), and how a rollout goes as rollout watch has it.

Exit codes:
  0  Both are the same; with --watch, ended by a signal
  1  Both have changed the same, a file cannot be read, the fleet refuses it,
     another rollout is on its way, or the store fails
  2  Wrong usage: an unknown option, all files gone";

pub(crate) const PULL: &str = "\
Examples:
  rekindle pull config/ --store sqlite:fleet.db

Files of that directory which the fleet does not have stay as they are.

Exit codes:
  0  The files are written
  1  Nothing has been published yet, or the store fails
  2  Wrong usage: an unknown option";

pub(crate) const ROLLOUT: &str = "\
Examples:
  export REKINDLE_STORE=sqlite:fleet.db
  rekindle rollout start config/ --steps 10,50,100 --bake 60 --wait
  rekindle rollout status
  rekindle rollout abort 'orders are down'

Exit codes: see rekindle rollout start --help";

pub(crate) const ROLLOUT_START: &str = "\
Examples:
  rekindle rollout start config/ --store sqlite:fleet.db --wait
  rekindle rollout start config/ --first canary=yes --steps 50,100 --manual
  rekindle rollout start --payload 60303ae2      Something from rekindle log

All instances validate it; then those of each step use it. One that refuses it
or is not well with it, and everybody is back on what was stable. Too few to
judge by, and it waits for a person.

Exit codes:
  0  It is on its way; with --wait, all use it
  1  Another is on its way, or the store fails; with --wait, it did not end well
  2  Wrong usage: an unknown option, a plan that leads nowhere";

pub(crate) const ROLLOUT_STATUS: &str = "\
Examples:
  rekindle rollout status --store sqlite:fleet.db
  rekindle rollout status --json | jq '.instances[].applied.rollout'

Exit codes:
  0  It is shown
  1  The store fails
  2  Wrong usage: an unknown option";

pub(crate) const ROLLOUT_WATCH: &str = "\
Examples:
  rekindle rollout watch --store sqlite:fleet.db

Where none is on its way, the end of the last one is shown.

Exit codes:
  0  All use it, or none was on its way
  1  It did not end well, or the store fails
  2  Wrong usage: an unknown option";

pub(crate) const ROLLOUT_CHANGE: &str = "\
Examples:
  rekindle rollout approve --store sqlite:fleet.db
  rekindle rollout pause 'until Monday'
  rekindle rollout abort 'orders are down'

Exit codes:
  0  It is done
  1  There is none of which that could be asked, or the store fails
  2  Wrong usage: an unknown option";

pub(crate) const HISTORY: &str = "\
Examples:
  rekindle history                     Of all configurations
  rekindle history app --json | jq '.revisions[-1].changed'

Of each revision: its number, when it came into use and why, what became of it,
and what it changed.

Exit codes:
  0  It is listed, or nothing is kept
  1  It cannot be read
  2  Wrong usage: an unknown option, a missing directory";

pub(crate) const RESTORE: &str = "\
Examples:
  rekindle history app
  rekindle restore app 3

What is overwritten is kept below data/backups/configs. Nothing is written
unless the revision is good today. Where no program listens, only the schema
judges it.

Exit codes:
  0  It is in use again, or was so already
  1  It is refused, or there is no such revision
  2  Wrong usage: an unknown option, a missing directory";

pub(crate) const RELOAD: &str = "\
Examples:
  rekindle reload
  rekindle reload /srv/app --json | jq .receipt.outcome

Exit codes:
  0  What is on disk is in use
  1  Something is refused, or was undone
  2  Wrong usage: an unknown option, a missing directory
  3  No program listens";

pub(crate) const SCHEMA: &str = "\
Examples:
  rekindle schema app | jq .properties
  rekindle schema app --write

The program exports it with
  HotReload::builder(root).schema_of::<App>(\"app\")

Exit codes:
  0  It is printed or written
  1  The program exports none for this configuration
  2  Wrong usage: an unknown option, a missing directory
  3  No program listens";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  rekindle completions bash > /etc/bash_completion.d/rekindle
  rekindle completions zsh > ~/.zfunc/_rekindle
  rekindle completions fish > ~/.config/fish/completions/rekindle.fish";

#[cfg(test)]
mod tests {
    #[test]
    fn no_line_is_broken_by_a_terminal() {
        let own = [
            super::REKINDLE,
            super::WATCH,
            super::CHECK,
            super::DEV,
            super::NEW,
            super::DEMO,
            super::COMPLETIONS,
        ];
        let asking = [super::STATUS, super::GET, super::SET, super::EXPLAIN, super::DIFF, super::HISTORY];
        let others =
            [super::RESTORE, super::RELOAD, super::SCHEMA, super::PUBLISH, super::PULL, super::ROLLOUT];
        let fleet = [super::EDIT, super::LOG, super::SYNC];
        let rollout =
            [super::ROLLOUT_START, super::ROLLOUT_STATUS, super::ROLLOUT_WATCH, super::ROLLOUT_CHANGE];
        for text in own.into_iter().chain(asking).chain(others).chain(fleet).chain(rollout) {
            assert!(text.contains("Examples:"));
            let longest = text.lines().map(str::len).max();
            assert!(longest <= Some(80), "{longest:?}");
        }
    }
}
