//! The pure stages of rekindle, each alone, for [`instructions`](crate::instructions).

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use rekindle::internals::{Machine, Router, Told, layer, parse};

use crate::harness::Result;
use crate::harness::app::content;

const MS: Duration = Duration::from_millis(1);

/// A finished write, observed and taken out.
pub(crate) fn settle_one(repeat: u64) -> Result<()> {
    settle(&mut Machine::new(2 * MS, 500 * MS), repeat)
}

/// The same while a thousand other files are open for writing.
pub(crate) fn settle_among_many(repeat: u64) -> Result<()> {
    let mut machine = Machine::new(2 * MS, 24 * 3600 * 1000 * MS);
    for other in 0..1000 {
        machine.tell(&format!("static/{other}.css"), Told::Writing, Duration::ZERO);
    }
    settle(&mut machine, repeat)
}

/// Fails unless the one path was due each time: a figure of anything else would look no different.
fn settle(machine: &mut Machine, repeat: u64) -> Result<()> {
    let mut now = Duration::ZERO;
    for _ in 0..repeat {
        machine.tell("config/app.toml", Told::Finished, now);
        now = machine.deadline().ok_or("nothing is pending")?;
        match machine.count_due(now) {
            1 => {}
            count => return Err(format!("{count} paths are due").into()),
        }
    }
    Ok(())
}

/// A path held against the default patterns, and routed.
pub(crate) fn route(repeat: u64) -> Result<()> {
    let router = Router::new()?;
    (0..repeat).for_each(|_| _ = black_box(router.wants(black_box(Path::new("static/css/site/app.css")))));
    Ok(())
}

/// Three layers made one.
pub(crate) fn merge(repeat: u64) -> Result<()> {
    let contents = [content(1), content(2), "number = 3\n[limits]\nconnections = 7\n".to_owned()];
    let trees = contents.iter().map(|content| parse("app.toml", content.as_bytes()));
    let trees = trees.collect::<std::result::Result<Vec<_>, _>>().map_err(|refusal| refusal.error)?;
    (0..repeat).for_each(|_| _ = black_box(layer("app", &trees, "", &[])));
    Ok(())
}

pub(crate) fn parse_toml(repeat: u64) -> Result<()> {
    parse_all(repeat, "app.toml", &content(1))
}

pub(crate) fn parse_json(repeat: u64) -> Result<()> {
    parse_all(repeat, "app.json", &serde_json::to_string_pretty(&value()?)?)
}

/// JSON in one line is YAML as well; this is the same in block style.
pub(crate) fn parse_yaml(repeat: u64) -> Result<()> {
    let block = "number: 1\nhost: 127.0.0.1\nport: 8080\nfeatures:\n  - search\n  - export\n\
        limits:\n  connections: 100\n  body_bytes: 1048576\n  timeout_ms: 30000\n";
    parse_all(repeat, "app.yaml", block)
}

fn value() -> Result<serde_json::Value> {
    let tree = parse("app.toml", content(1).as_bytes()).map_err(|refusal| refusal.error)?;
    Ok(tree.value())
}

fn parse_all(repeat: u64, name: &str, content: &str) -> Result<()> {
    for _ in 0..repeat {
        black_box(parse(name, content.as_bytes()).map_err(|refusal| refusal.error)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_runs() -> Result<()> {
        let stages = [settle_one, settle_among_many, route, merge, parse_toml, parse_json, parse_yaml];
        stages.into_iter().try_for_each(|stage| stage(1))
    }

    #[test]
    fn settling_fails_where_another_path_is_due_as_well() {
        let mut machine = Machine::new(2 * MS, 500 * MS);
        machine.tell("config/other.toml", Told::Finished, Duration::ZERO);
        let why = settle(&mut machine, 1).expect_err("two are due").to_string();
        assert_eq!(why, "2 paths are due");
    }
}
