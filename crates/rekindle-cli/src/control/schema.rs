//! `rekindle schema`: the JSON Schema that a program exports, printed or written where it counts.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::args::SchemaArgs;
use super::{show, target::Target};
use crate::render::GOOD;
use crate::stop::Stop;
use crate::text::printable;

/// Prints a schema, or writes it.
///
/// # Errors
///
/// [`Stop::NotRunning`] when there is no program, [`Stop::Told`] when it exports none.
pub(super) async fn run(args: &SchemaArgs) -> Result<(), Stop> {
    let mut target = Target::program(&args.at).await?;
    let answer = target.ask(json!({"cmd": "schema", "config_name": args.config})).await?;
    let schema = format!("{:#}\n", answer["schema"]);
    if !args.write {
        return show(args.at.json, &answer, || schema);
    }
    let file = format!("config/{}.schema.json", args.config);
    let path = target.root.join(&file);
    let is_news = std::fs::read(&path).ok().as_deref() != Some(schema.as_bytes());
    if is_news {
        replace(&path, schema.as_bytes())?;
    }
    let told = json!({"ok": true, "config_name": args.config, "path": file, "written": is_news});
    show(args.at.json, &told, || line(&told))
}

fn line(told: &Value) -> String {
    let word = if told["written"] == true { "written" } else { "same" };
    format!("{GOOD}{word:<7}{GOOD:#}  {}\n", printable(told["path"].as_str().unwrap_or_default()))
}

/// Replaces a file, or makes it, in one step: a program that reads it sees the old one or the new one.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".rekindle-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(directory)?;
    file.write_all(content)?;
    if let Ok(before) = path.metadata() {
        file.as_file().set_permissions(before.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
