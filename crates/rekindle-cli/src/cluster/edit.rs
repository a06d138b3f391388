//! `rekindle edit`: one configuration of a fleet in an editor, and out to all.

use std::io::{self, BufRead, IsTerminal};
use std::path::Path;
use std::process::Command;

use rekindle_cluster::{Document, Payload, Plan};

use super::args::EditArgs;
use super::{check, client, documents, publish};
use crate::output;
use crate::stop::Stop;

/// Has it edited, and publishes what comes of that unless something else is in use meanwhile.
///
/// # Errors
///
/// [`Stop::Usage`] when there is no such configuration; [`Stop::Failed`] when the editor fails. What was written is
/// kept whenever it is not published.
pub(crate) async fn edit(args: &EditArgs) -> Result<(), Stop> {
    let client = client(&args.at).await?;
    let (release, payload) = publish::stable(&client).await?;
    let document = named(&payload, &args.config)?;
    // Nobody else may look into it.
    let directory = tempfile::tempdir()?;
    let path = directory.path().join(file_name(document));
    std::fs::write(&path, &document.text)?;
    loop {
        open(&path)?;
        let text = std::fs::read_to_string(&path)?;
        if text == document.text {
            return output::print("nothing has changed\n");
        }
        let changed = changed(&payload, document, text).because(&*args.message);
        let changed = publish::signed_off(changed);
        let checked = check::check(&changed).await;
        let published = match checked {
            Ok(()) => client.publish_over(Some(release.payload), &changed, Plan::at_once()).await,
            Err(stop) if wants_another_try(&stop)? => continue,
            Err(stop) => return Err(kept(directory, &path, stop)),
        };
        return match published {
            Ok(release) => publish::begun(&client, release, args.wait, args.at.json).await,
            Err(error) => Err(kept(directory, &path, error.into())),
        };
    }
}

/// The configuration of a name, as `app` or as its file is called.
fn named<'a>(payload: &'a Payload, name: &str) -> Result<&'a Document, Stop> {
    let is_it = |document: &&Document| document.config == name || documents::file_name(document) == name;
    payload.documents.iter().find(is_it).ok_or_else(|| {
        let names: Vec<&str> = payload.documents.iter().map(|document| &*document.config).collect();
        Stop::Usage(format!("{name:?} is not in use; there are: {}", names.join(", ")))
    })
}

/// Its file alone: an editor shows it, and knows by its ending what is in it.
fn file_name(document: &Document) -> String {
    let name = documents::file_name(document);
    name.rsplit('/').next().unwrap_or(&name).to_owned()
}

fn changed(payload: &Payload, document: &Document, text: String) -> Payload {
    let with = Document { text, ..document.clone() };
    let others = payload.documents.iter().filter(|other| other.config != document.config);
    Payload::new(others.cloned().chain([with]))
}

/// Runs the editor that the user has chosen, with the options that it is given there.
fn open(path: &Path) -> Result<(), Stop> {
    let chosen = ["VISUAL", "EDITOR"].into_iter().filter_map(|name| std::env::var(name).ok());
    let editor = chosen
        .map(|editor| editor.trim().to_owned())
        .find(|editor| !editor.is_empty())
        .unwrap_or_else(|| {
            let usual = if cfg!(windows) { "notepad" } else { "vi" };
            usual.to_owned()
        });
    let mut words = editor.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or("vi"));
    let status = command.args(words).arg(path).status().map_err(|cause| {
        Stop::Usage(format!("{editor}: {cause}; which editor to use is in VISUAL or EDITOR"))
    })?;
    if status.success() {
        return Ok(());
    }
    output::complain(&format!("{editor} ended with {status}: nothing is published"));
    Err(Stop::Failed)
}

/// Shows what is wrong and asks, where somebody can answer.
fn wants_another_try(stop: &Stop) -> Result<bool, Stop> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    output::explain(stop.report().unwrap_or_default());
    output::print("Edit it again? [Y/n] ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(!answer.is_empty() && !answer.trim().to_lowercase().starts_with('n'))
}

/// Says where what was written is.
fn kept(directory: tempfile::TempDir, path: &Path, stop: Stop) -> Stop {
    let _path = directory.keep();
    output::note(&format!("what you wrote is kept in {}", path.display()));
    stop
}
