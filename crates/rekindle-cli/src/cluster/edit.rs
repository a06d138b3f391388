//! `rekindle edit`: one configuration of a fleet in an editor, and out to all.

use std::io::{self, BufRead, IsTerminal};
use std::path::Path;
use std::process::Command;

use rekindle_cluster::{Client, Document, Payload, Plan, Release};

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
    match edited(&client, args, (release, &payload), document, &path).await {
        Ok(Some(release)) => publish::begun(&client, release, args.wait, args.at.json).await,
        Ok(None) => output::print("nothing has changed\n"),
        Err(stop) => {
            if std::fs::read(&path).is_ok_and(|now| now != document.text.as_bytes()) {
                let _path = directory.keep();
                output::note(&format!("what you wrote is kept in {}", path.display()));
            }
            Err(stop)
        }
    }
}

/// Publishes what somebody makes of a document; nothing if that is what it was.
async fn edited(
    client: &Client,
    args: &EditArgs,
    (release, payload): (Release, &Payload),
    document: &Document,
    path: &Path,
) -> Result<Option<Release>, Stop> {
    loop {
        open(path)?;
        let text = std::fs::read(path)?;
        let text = String::from_utf8(text)
            .map_err(|_| Stop::Usage(format!("{}: the file is not UTF-8", path.display())))?;
        if text == document.text {
            return Ok(None);
        }
        let changed = publish::signed_off(changed(payload, document, text).because(&*args.message));
        match check::check(&changed).await {
            Ok(()) => {
                let stable = Some(release.payload);
                return Ok(Some(client.publish_over(stable, &changed, Plan::at_once()).await?));
            }
            Err(stop) if wants_another_try(&stop)? => {}
            Err(stop) => return Err(stop),
        }
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
