//! A request in, the fields of its answer out: by way of the engine's handle, as the program itself would.
//!
//! Every value is masked here.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::wire::{self, Fields, fields};
use super::{Request, values};
use crate::commit::Snapshot;
use crate::edit::Patch;
use crate::error::{Error, ErrorKind, Result};
use crate::history::HistoryEntry;
use crate::load::{Candidate, Externals};
use crate::manager::HotReloadManager;
use crate::observe::Pending;
use crate::validate::{Secrets, below, changed_pointers, overlaps};

/// Does what is asked for.
pub(super) async fn answer(manager: &HotReloadManager, request: Request) -> Result<Fields> {
    match request {
        Request::Status {} => Ok(status(manager)),
        Request::List {} => Ok(list(manager)),
        Request::Get { config_name, pointer } => get(manager, config_name, &pointer),
        Request::Explain { config_name, pointer } => explain(manager, config_name, &pointer),
        Request::Diff { config_name, revisions: None } => diff(manager, config_name).await,
        Request::Diff { config_name, revisions: Some(revisions) } => {
            let name = config_name.ok_or_else(|| unfit("revisions are those of a `config_name`"))?;
            compare(manager, name, revisions).await
        }
        Request::History { config_name } => history(manager, config_name).await,
        Request::Restore { config_name, revision } => {
            receipt(manager, manager.engine().restore_revision(&config_name, revision).await?)
        }
        Request::Set { config_name, pointer, value, expect } => {
            update(manager, &config_name, Patch::set(pointer, value), expect).await
        }
        Request::Remove { config_name, pointer, expect } => {
            update(manager, &config_name, Patch::remove(pointer), expect).await
        }
        Request::Patch { config_name, merge, operations, expect } => {
            update(manager, &config_name, patch(merge, operations)?, expect).await
        }
        Request::Receipts {} => Ok(receipts(manager)),
        Request::Reload {} => receipt(manager, manager.reload_now().await?),
        Request::Schema { config_name } => schema(manager, config_name),
        Request::Events {} => Err(unfit("events are told through the control socket only")),
    }
}

fn unfit(why: &str) -> Error {
    Error::new(ErrorKind::Other, why)
}

fn status(manager: &HotReloadManager) -> Fields {
    let (status, fingerprint) = (manager.status(), manager.snapshot().fingerprint());
    fields(json!({"status": wire::status(&status, &fingerprint)}))
}

fn list(manager: &HotReloadManager) -> Fields {
    let status = manager.status();
    let configs = status.configs.iter().map(|(name, config)| {
        let told = wire::config_status(config, &status.root);
        json!({
            "config_name": name,
            "state": told["state"],
            "drift": told["drift"],
            "generation": told["generation"],
            "files": told["files"],
        })
    });
    let configs: Vec<Value> = configs.collect();
    fields(json!({"generation": manager.snapshot().generation(), "configs": configs}))
}

/// The configurations that are meant: one, or all in which there is something under the pointer.
fn meant(snapshot: &Snapshot, name: Option<String>, pointer: &str) -> Result<Vec<String>> {
    let missing = |message: String| Err(Error::new(ErrorKind::NotFound, message).about(pointer));
    let Some(name) = name else {
        let names = snapshot.names().into_iter();
        let holds = |name: &&str| snapshot.get(name).is_some_and(|value| value.pointer(pointer).is_some());
        let names: Vec<String> = names.filter(holds).map(str::to_owned).collect();
        if names.is_empty() && !pointer.is_empty() {
            return missing(format!("no configuration has a value at `{pointer}`"));
        }
        return Ok(names);
    };
    match snapshot.get(&name) {
        None => missing(format!("there is no configuration {name:?} in use")),
        Some(value) if value.pointer(pointer).is_none() => {
            missing(format!("there is no value at `{pointer}` in {name}"))
        }
        Some(_) => Ok(vec![name]),
    }
}

/// What stands under a pointer, without its secrets.
fn shown(secrets: &Secrets, value: &Value, pointer: &str) -> Option<Value> {
    value.pointer(pointer).map(|part| secrets.mask_at(pointer, part))
}

fn get(manager: &HotReloadManager, name: Option<String>, pointer: &str) -> Result<Fields> {
    let snapshot = manager.snapshot();
    let is_one = name.is_some();
    let mut values = Map::new();
    for name in meant(&snapshot, name, pointer)? {
        let value = snapshot.get(&name).and_then(|value| shown(&snapshot.secrets(&name), value, pointer));
        values.extend(value.map(|value| (name, value)));
    }
    let mut told = fields(json!({"generation": snapshot.generation()}));
    match values.iter().next() {
        Some((name, value)) if is_one => {
            told.insert("config_name".into(), name.as_str().into());
            told.insert("value".into(), value.clone());
        }
        _ => drop(told.insert("values".into(), values.into())),
    }
    Ok(told)
}

fn explain(manager: &HotReloadManager, name: Option<String>, pointer: &str) -> Result<Fields> {
    let (snapshot, status) = (manager.snapshot(), manager.status());
    let mut values = Vec::new();
    for name in meant(&snapshot, name, pointer)? {
        let secrets = snapshot.secrets(&name);
        let pending = status.configs.get(&name).map_or(&[][..], |config| &config.pending);
        let Some(part) = snapshot.get(&name).and_then(|value| value.pointer(pointer)) else { continue };
        for leaf in leaves(part, &secrets.name(pointer), &secrets) {
            values.push(explained(manager.root(), &snapshot, &name, &leaf, pending));
        }
    }
    Ok(fields(json!({"generation": snapshot.generation(), "values": values})))
}

/// The values that are set as one: what is no table with something in it, and every secret.
fn leaves(value: &Value, pointer: &str, secrets: &Secrets) -> Vec<String> {
    match value {
        Value::Object(members) if !members.is_empty() && !secrets.is_secret(pointer) => {
            let leaves = |(key, value): (&String, _)| leaves(value, &below(pointer, key), secrets);
            members.iter().flat_map(leaves).collect()
        }
        _ => vec![pointer.to_owned()],
    }
}

/// A value, where it is from, and what else was said of it.
fn explained(root: &Path, snapshot: &Snapshot, name: &str, pointer: &str, pending: &[Pending]) -> Value {
    let secrets = snapshot.secrets(name);
    let value = snapshot.get(name).and_then(|value| shown(&secrets, value, pointer));
    let origin = snapshot.origin(name, pointer);
    let layers = snapshot.layers(name, pointer).into_iter().map(|(origin, value)| {
        json!({"origin": wire::origin(&origin, root), "value": secrets.mask_at(pointer, &value)})
    });
    let layers: Vec<Value> = layers.collect();
    json!({
        "config_name": name,
        "pointer": pointer,
        "value": value,
        "origin": origin.map(|origin| wire::origin(&origin, root)),
        "layers": layers,
        "pending": pending.iter().any(|field| overlaps(&field.pointer, pointer)),
    })
}

/// What differs, without the secrets: of each side what there is.
fn changes(old: &Value, new: &Value, secrets: &Secrets) -> Vec<Value> {
    let pointers = secrets.conceal(&changed_pointers(old, new));
    let change = |pointer: &String| {
        let mut told = fields(json!({"pointer": pointer}));
        let sides = [("from", old), ("to", new)];
        let sides = sides
            .into_iter()
            .filter_map(|(side, value)| Some((side.to_owned(), shown(secrets, value, pointer)?)));
        told.extend(sides);
        Value::Object(told)
    };
    pointers.iter().map(change).collect()
}

/// What runs against what is on disk.
async fn diff(manager: &HotReloadManager, name: Option<String>) -> Result<Fields> {
    let names: Vec<String> = match name {
        Some(name) => {
            crate::route::check_name(&name)?;
            vec![name]
        }
        None => manager.status().configs.into_keys().collect(),
    };
    let manager = manager.clone();
    let compare = move || {
        let settings = manager.engine().settings();
        let externals = Externals::read(&settings, crate::engine::environment(), manager.root());
        let snapshot = manager.snapshot();
        let (environment, root) = (manager.status().environment, manager.root());
        let configs = names.iter().map(|name| {
            let secrets = snapshot.secrets(name);
            let on_disk = values::on_disk(name, root, &settings, &environment, &externals, &secrets);
            against(&snapshot, name, on_disk, root)
        });
        configs.collect::<Vec<Value>>()
    };
    Ok(fields(json!({"configs": tokio::task::spawn_blocking(compare).await?})))
}

fn against(snapshot: &Snapshot, name: &str, on_disk: Result<Arc<Candidate>>, root: &Path) -> Value {
    let nothing = Value::Object(Map::new());
    let running = snapshot.get(name).unwrap_or(&nothing);
    match on_disk {
        Ok(on_disk) => {
            let secrets = snapshot.secrets(name).and(&on_disk.secrets());
            let changes = changes(running, &on_disk.value, &secrets);
            json!({"config_name": name, "in_sync": changes.is_empty(), "changes": changes})
        }
        Err(error) => json!({"config_name": name, "in_sync": false, "error": wire::error(&error, root)}),
    }
}

/// One revision against another.
async fn compare(manager: &HotReloadManager, name: String, (old, new): (u64, u64)) -> Result<Fields> {
    let before = value_of(manager, &name, old).await?;
    let after = value_of(manager, &name, new).await?;
    let (settings, known) = (manager.engine().settings(), manager.snapshot().secrets(&name));
    let (root, of) = (manager.root().to_path_buf(), name.clone());
    let secrets = tokio::task::spawn_blocking(move || values::secrets(&of, &root, &settings, &known)).await?;
    let changes = changes(&before, &after, &secrets);
    let config = json!({
        "config_name": name, "revisions": [old, new], "in_sync": changes.is_empty(), "changes": changes,
    });
    Ok(fields(json!({"configs": [config]})))
}

async fn value_of(manager: &HotReloadManager, name: &str, revision: u64) -> Result<Value> {
    let contents = manager.engine().revision(name, revision).await?;
    let (name, root) = (name.to_owned(), manager.root().to_path_buf());
    tokio::task::spawn_blocking(move || values::of_revision(&name, contents, &root)).await?
}

async fn history(manager: &HotReloadManager, name: Option<String>) -> Result<Fields> {
    let entries: Vec<HistoryEntry> = manager.engine().revisions(name).await?;
    let revisions: Vec<Value> = entries.iter().map(wire::revision).collect();
    Ok(fields(json!({"revisions": revisions})))
}

fn patch(merge: Option<Value>, operations: Option<Value>) -> Result<Patch> {
    match (merge, operations) {
        (Some(merge), None) => Ok(Patch::merge(merge)),
        (None, Some(operations)) => Patch::json(operations),
        _ => Err(unfit("a patch has either `merge` (RFC 7396) or `operations` (RFC 6902)")),
    }
}

/// An update. Without a generation that is expected, the value is changed whatever it is.
async fn update(manager: &HotReloadManager, name: &str, patch: Patch, expect: Option<u64>) -> Result<Fields> {
    let expect = expect.unwrap_or_else(|| manager.snapshot().generation());
    receipt(manager, manager.update(name, expect, patch).await?)
}

/// Of the last reloads, the newest last.
fn receipts(manager: &HotReloadManager) -> Fields {
    let receipts = manager.recent();
    let told = receipts.iter().map(|receipt| wire::receipt(receipt, manager.root()));
    fields(json!({"receipts": told.collect::<Vec<_>>()}))
}

#[expect(clippy::needless_pass_by_value, reason = "it comes straight from what gives it")]
fn receipt(manager: &HotReloadManager, receipt: crate::Receipt) -> Result<Fields> {
    Ok(fields(json!({"receipt": wire::receipt(&receipt, manager.root())})))
}

/// The schema of one configuration, or of all that the program exports one of.
fn schema(manager: &HotReloadManager, name: Option<String>) -> Result<Fields> {
    let schemas = manager.engine().settings().schemas;
    let Some(name) = name else { return Ok(fields(json!({"schemas": schemas}))) };
    let missing = || {
        let message = format!("this program exports no schema of {name:?}");
        Error::new(ErrorKind::NotFound, message)
            .help("it does with `HotReloadBuilder::schema_of::<T>(name)`, of the feature `schemars`")
    };
    let schema = schemas.get(&name).ok_or_else(missing)?;
    Ok(fields(json!({"config_name": name, "schema": schema})))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::Fields;

    #[test]
    fn leaves_are_what_is_set_as_one() {
        let value = json!({"a": {"b/": 1, "c": {}}, "l": [{"x": 1}], "s": {"k": 1}});
        let secrets = Fields::secret(["/s".to_owned()]).secrets();
        assert_eq!(leaves(&value, "", &secrets), ["/a/b~1", "/a/c", "/l", "/s"]);
    }

    #[test]
    fn a_change_of_a_secret_is_told_without_it() {
        let (old, new) = (json!({"a": 1, "s": {"k": "one"}}), json!({"b": null, "s": {"k": "two"}}));
        let secrets = Fields::secret(["/s".to_owned()]).secrets();
        let expected = [
            json!({"pointer": "/a", "from": 1}),
            json!({"pointer": "/b", "to": null}),
            json!({"pointer": "/s", "from": "***", "to": "***"}),
        ];
        assert_eq!(changes(&old, &new, &secrets), expected);
    }
}
