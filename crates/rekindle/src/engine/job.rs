//! One job: the configurations that hang together, from their files to a verdict.
//!
//! Runs on a thread of its own, since it calls user code (decoding, checks) that may hang. It reads
//! only what changed; what is known of the other layers comes with it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::edit::Edit;
use super::fallback::{Fallback, FellBack};
use crate::commit::backup;
use crate::config::Settings;
use crate::error::{Error, ErrorKind, Location, Result};
use crate::load::{Bytes, Candidate, Externals, Failure, Source, load_source, too_large, understand};
use crate::observe::spans;
use crate::propagate::Topic;
use crate::route::Routes;
use crate::validate::{
    Check, Fields, Rules, Schema, Secrets, Verified, immutable, of_mixture, revert, until_restart, validate,
};

/// What is known of one file of a configuration.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    Good(Arc<Source>),
    Bad(Error),
}

/// A file that takes part.
#[derive(Debug)]
pub(crate) struct Input {
    /// Relative to the root.
    pub(crate) path: PathBuf,
    /// Where it is not to be read anew: what is known of it.
    pub(crate) known: Option<Known>,
}

/// One configuration of a job.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Its layers, weakest first.
    pub(crate) layers: Vec<Input>,
    pub(crate) schema: Option<Input>,
    /// The schema as compiled last.
    pub(crate) compiled: Option<Schema>,
    /// What is in use.
    pub(crate) current: Option<Arc<Candidate>>,
    /// Whether to go through with it even if no byte changed.
    pub(crate) forced: bool,
    /// A value that was applied, did harm and was taken back.
    pub(crate) undone: Option<Arc<Undone>>,
}

/// Everything a job needs.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) root: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) externals: Arc<Externals>,
    pub(crate) members: Vec<Member>,
    /// The configurations in use that topics read beside the members.
    pub(crate) others: Vec<Arc<Candidate>>,
    pub(crate) checks: Vec<Arc<Check>>,
    pub(crate) topics: Vec<Arc<dyn Topic>>,
    /// What files are to hold, instead of what they hold.
    pub(crate) edit: Option<Arc<Edit>>,
    /// Where to go back to if nothing of it has ever been good in this run.
    pub(crate) fallback: Option<Arc<Fallback>>,
}

/// A value that was applied, did harm and was taken back: it is not tried again as long as it stays.
#[derive(Debug)]
pub(crate) struct Undone {
    pub(crate) value: Value,
    pub(crate) error: Error,
    /// What was taken back with it: perhaps it was not this one that did harm.
    pub(crate) together: Vec<String>,
}

/// What became of it.
#[derive(Debug, Default)]
pub(crate) enum Verdict {
    /// No byte of any file differs from what is in use.
    #[default]
    Unchanged,
    Verified(Verified),
    Failed(Failure),
}

/// A job's verdict and what it learned on the way.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    /// The files that were read.
    pub(crate) read: HashMap<PathBuf, Known>,
    /// Schemas compiled, by configuration.
    pub(crate) schemas: Vec<(String, Option<Schema>)>,
    pub(crate) backup_errors: Vec<Error>,
    /// How long reading, parsing and layering took.
    pub(crate) load: Duration,
    /// What is used instead of what is on disk, and what is wrong with that.
    pub(crate) fell_back: Option<FellBack>,
}

impl Job {
    /// Runs it.
    pub(crate) fn run(mut self) -> Outcome {
        let mut read = HashMap::new();
        let mut schemas = Vec::new();
        let began = Instant::now();
        let mut harmful = Vec::new();
        let loaded = spans::load().in_scope(|| self.candidates(&mut read, &mut schemas, &mut harmful));
        let load = began.elapsed();
        let verdict = match loaded {
            Err(failure) => Verdict::Failed(failure),
            Ok(None) => Verdict::Unchanged,
            Ok(Some(candidates)) => spans::validate().in_scope(|| self.judge(candidates, &schemas)),
        };
        let (verdict, fell_back) = self.fall_back(verdict, harmful);
        let is_trial = self.edit.as_ref().is_some_and(|edit| edit.is_trial);
        let is_kept = matches!(verdict, Verdict::Verified(_)) && !is_trial;
        let keeps = is_kept && self.settings.config.backup_on_change;
        let backup_errors = if keeps { self.back_up(&read) } else { Vec::new() };
        Outcome { verdict, read, schemas, backup_errors, load, fell_back }
    }

    /// Loads every member. `None` when nothing differs from what is in use.
    fn candidates(
        &mut self,
        read: &mut HashMap<PathBuf, Known>,
        schemas: &mut Vec<(String, Option<Schema>)>,
        harmful: &mut Vec<(String, Value)>,
    ) -> Result<Option<Vec<Arc<Candidate>>>, Failure> {
        let (mut candidates, mut failures, mut changed) = (Vec::new(), Vec::new(), false);
        for member in &self.members {
            let schema = self.schema(member, read);
            let fields = self.fields(member, schema.as_ref());
            match self.load(member, &fields, !matches!(schema, Ok((_, false))), read) {
                Ok(candidate) => {
                    failures.extend(self.undone(member, &candidate));
                    if let Some(harm) = self.harm(member, &candidate) {
                        failures.push(harm);
                        harmful.push((member.name.clone(), candidate.value.clone()));
                    }
                    let current = member.current.as_deref();
                    let same = current.is_some_and(|current| candidate.has_same_sources(current));
                    changed |= member.forced || !same;
                    candidates.push(Arc::new(candidate));
                }
                Err(failure) => failures.push(failure),
            }
            match schema {
                Ok((schema, differs)) => {
                    changed |= differs;
                    schemas.push((member.name.clone(), schema));
                }
                Err(failure) => failures.push(failure),
            }
        }
        if let Some(failure) = together(failures) {
            return Err(failure);
        }
        Ok(changed.then_some(candidates))
    }

    /// Whether it is what was taken back. Whoever restores it by name wants it all the same.
    fn undone(&self, member: &Member, candidate: &Candidate) -> Option<Failure> {
        let undone = member.undone.as_ref().filter(|undone| undone.value == candidate.value);
        let undone = undone.filter(|_| self.edit.is_none());
        undone.map(|undone| Failure::definitive(undone.error.clone()))
    }

    /// Whether it did harm in an earlier run, and is what there would be to start with.
    fn harm(&self, member: &Member, candidate: &Candidate) -> Option<Failure> {
        let fallback = self.fallback.as_ref().filter(|_| member.current.is_none());
        fallback.and_then(|fallback| fallback.harm(candidate, &self.root))
    }

    /// At the start, the last good revisions in the place of what is refused, if all of it has one.
    fn fall_back(&self, verdict: Verdict, harmful: Vec<(String, Value)>) -> (Verdict, Option<FellBack>) {
        let is_start = self.members.iter().all(|member| member.current.is_none());
        let fallback = self.fallback.as_ref().filter(|_| is_start);
        match (verdict, fallback) {
            (Verdict::Failed(failure), Some(fallback)) => match self.last_good(fallback) {
                Some((verified, revisions)) => {
                    let fell_back = FellBack { error: failure.error, revisions, harmful };
                    (Verdict::Verified(verified), Some(fell_back))
                }
                None => (Verdict::Failed(failure), None),
            },
            (verdict, _) => (verdict, None),
        }
    }

    fn last_good(&self, fallback: &Fallback) -> Option<(Verified, Vec<(String, u64)>)> {
        let (mut candidates, mut revisions) = (Vec::new(), Vec::new());
        for of_now in &self.members {
            let (member, revision) = fallback.member(&of_now.name, &self.root)?;
            let schema = self.schema(of_now, &mut HashMap::new());
            let fields = self.fields(of_now, schema.as_ref());
            candidates.push(Arc::new(self.load(&member, &fields, false, &mut HashMap::new()).ok()?));
            revisions.push((member.name, revision));
        }
        let others = |name: &str| self.others.iter().find(|other| other.name == name).cloned();
        // It has passed all checks once. Its schema may be what is wrong.
        let (verified, errors) = revert(candidates, &others, &self.topics, &self.root);
        errors.is_empty().then_some((verified, revisions))
    }

    /// The rules for a member's fields: those that code states, and those of its schema. While that cannot
    /// be read it may call anything a secret, beside what it did before.
    fn fields(&self, member: &Member, schema: Result<&(Option<Schema>, bool), &Failure>) -> Fields {
        let stated = Fields::declared(&member.name, &self.settings.fields);
        match schema {
            Ok((Some(schema), _)) => stated.and(&schema.fields),
            Ok((None, _)) => stated,
            Err(_) => stated.and(&Fields::all_secret()),
        }
    }

    fn load(
        &self,
        member: &Member,
        fields: &Fields,
        rules_differ: bool,
        read: &mut HashMap<PathBuf, Known>,
    ) -> Result<Candidate, Failure> {
        let secrets = fields.secrets();
        // What is known of a file that cannot be parsed says where secrets are by the rules of then.
        let is_outdated = |known: &Known| rules_differ && matches!(known, Known::Bad(_));
        let known = |input: &Input| input.known.clone().filter(|known| !is_outdated(known));
        let inputs =
            member.layers.iter().map(|input| Input { path: input.path.clone(), known: known(input) });
        let layers: Vec<_> = inputs.map(|input| self.source(&input, &secrets, read)).collect();
        let (good, bad): (Vec<_>, Vec<_>) = layers.into_iter().partition(Result::is_ok);
        let beside = self.externals.faults(&member.name).cloned();
        if let Some(failure) = together(bad.into_iter().filter_map(Result::err).chain(beside)) {
            return Err(failure);
        }
        let layers: Vec<Arc<Source>> = good.into_iter().flatten().collect();
        Candidate::layered(&member.name, &layers, &self.externals, fields).ok_or_else(|| self.missing(member))
    }

    /// There is no layer: never was, or not any more.
    fn missing(&self, member: &Member) -> Failure {
        let directory = Routes::directory(&member.name);
        let base = member.name.rsplit('/').next().unwrap_or(&member.name);
        let looked_for = format!("{}/{base}.{{toml,yaml,yml,json,jsonc}}", directory.display());
        let error = match member.current.as_ref().and_then(|current| current.files().next()) {
            Some(last) => Error::new(
                ErrorKind::NotFound,
                "the file was deleted and no other layer of the configuration is left",
            )
            .at(Location::file(&last.bytes.path, &self.root)),
            None => Error::new(ErrorKind::NotFound, format!("there is no configuration {:?}", member.name)),
        };
        Failure::maybe_unfinished(error.help(format!("looked for {looked_for}")))
    }

    /// The file was there a moment ago: a gap in a save, until the window says that it is none.
    fn vanished(&self, path: &Path) -> Failure {
        let error = Error::new(ErrorKind::NotFound, "the file was deleted while it was being read");
        Failure::maybe_unfinished(error.at(Location::file(path, &self.root)))
    }

    /// The source of an input: as known, or read now.
    fn source(
        &self,
        input: &Input,
        secrets: &Secrets,
        read: &mut HashMap<PathBuf, Known>,
    ) -> Result<Arc<Source>, Failure> {
        if let Some(content) = self.edit.as_ref().and_then(|edit| edit.of(&input.path)?.content.as_ref()) {
            return self.edited(input, content, secrets, read);
        }
        match &input.known {
            Some(Known::Good(source)) => return Ok(Arc::clone(source)),
            Some(Known::Bad(error)) => return Err(Failure::definitive(error.clone())),
            None => {}
        }
        let path = self.root.join(&input.path);
        match load_source(&path, &self.root, self.settings.max_file_size, secrets) {
            Ok(Some(source)) => {
                let source = Arc::new(source);
                read.insert(input.path.clone(), Known::Good(Arc::clone(&source)));
                Ok(source)
            }
            Ok(None) => Err(self.vanished(&path)),
            Err(failure) => {
                read.insert(input.path.clone(), Known::Bad(failure.error.clone()));
                Err(failure)
            }
        }
    }

    /// The source that a file will be once it is written.
    fn edited(
        &self,
        input: &Input,
        content: &Arc<[u8]>,
        secrets: &Secrets,
        read: &mut HashMap<PathBuf, Known>,
    ) -> Result<Arc<Source>, Failure> {
        let path = self.root.join(&input.path);
        let (size, limit) = (content.len() as u64, self.settings.max_file_size);
        if size > limit {
            // Nobody could read it at the next start.
            return Err(too_large(&path, &self.root, size, limit));
        }
        let kept = std::fs::metadata(&path).or_else(|_| std::fs::metadata(&self.root));
        let permissions = kept.map_err(|cause| Failure::definitive(cause.into()))?.permissions();
        let (text, node) = understand(content, &path, &self.root).map_err(|Failure { error, .. }| {
            Failure::definitive(error.masking(secrets.suspected_spans(&String::from_utf8_lossy(content))))
        })?;
        let bytes = Bytes { path, content: Arc::clone(content), hash: blake3::hash(content), permissions };
        let source = Arc::new(Source::new(bytes, text, node, &self.root));
        read.insert(input.path.clone(), Known::Good(Arc::clone(&source)));
        Ok(source)
    }

    /// The member's schema, and whether it is another one than before.
    fn schema(
        &self,
        member: &Member,
        read: &mut HashMap<PathBuf, Known>,
    ) -> Result<(Option<Schema>, bool), Failure> {
        let wanted = self.settings.config.validate_before_reload;
        let source = match member.schema.as_ref().filter(|_| wanted) {
            Some(input) => Some(self.source(input, &Secrets::default(), read)?),
            None => None,
        };
        let Some(source) = source else { return Ok((None, member.compiled.is_some())) };
        if let Some(known) =
            member.compiled.as_ref().filter(|known| known.source.bytes.hash == source.bytes.hash)
        {
            return Ok((Some(known.clone()), false));
        }
        let schema = Schema::compile(source, &self.root).map_err(Failure::maybe_unfinished)?;
        Ok((Some(schema), true))
    }

    fn judge(&self, candidates: Vec<Arc<Candidate>>, schemas: &[(String, Option<Schema>)]) -> Verdict {
        let rules = Rules {
            root: &self.root,
            schemas: schemas
                .iter()
                .filter_map(|(name, schema)| Some((name.as_str(), schema.as_ref()?)))
                .collect(),
            checks: if self.settings.config.validate_before_reload {
                self.checks.clone()
            } else {
                Vec::new()
            },
            topics: self.topics.clone(),
        };
        match self.verify(candidates, &rules) {
            Ok(verified) => Verdict::Verified(verified),
            Err(error) => Verdict::Failed(Failure::maybe_unfinished(error)),
        }
    }

    /// What there is to commit. Where fields keep their running values, what is on disk has to be good as
    /// well: a restart is to work.
    fn verify(&self, on_disk: Vec<Arc<Candidate>>, rules: &Rules<'_>) -> Result<Verified> {
        let running = |config: &Candidate| self.members.iter().find(|member| member.name == config.name);
        let running = |config: &Candidate| running(config).and_then(|member| member.current.as_deref());
        let refusals = on_disk.iter().filter_map(|config| immutable(config, running(config)?, &self.root));
        if let Some(error) = Error::all(refusals.flat_map(|error| error.apart().collect::<Vec<_>>())) {
            return Err(error);
        }
        let others = |name: &str| self.others.iter().find(|other| other.name == name).cloned();
        let mixed: Vec<_> = on_disk.iter().map(|config| until_restart(config, running(config))).collect();
        if mixed.iter().all(|config| config.held.is_empty()) {
            return validate(on_disk, &others, rules);
        }
        validate(on_disk, &others, rules)?;
        validate(mixed.clone(), &others, rules).map_err(|error| of_mixture(&error, &mixed))
    }

    /// Keeps the bytes in use of every file that is about to be replaced by others, or by none.
    fn back_up(&self, read: &HashMap<PathBuf, Known>) -> Vec<Error> {
        let replaced = |source: &Source| match read.get(relative(&source.bytes.path, &self.root)) {
            Some(Known::Good(new)) => new.bytes.hash != source.bytes.hash,
            Some(Known::Bad(_)) => false,
            None => !source.bytes.path.exists(),
        };
        let in_use = self.members.iter().filter_map(|member| member.current.as_ref());
        let old = in_use.flat_map(|current| current.files()).filter(|source| replaced(source));
        old.filter_map(|source| {
            let bytes = &source.bytes;
            if backup::newest_is(&self.root, &bytes.path, &bytes.content) {
                // An earlier job got as far as this, and was overtaken by another write.
                return None;
            }
            let keep = self.settings.backups_kept;
            backup::write(&self.root, &bytes.path, &bytes.content, &bytes.permissions, keep).err()
        })
        .collect()
    }
}

fn relative<'a>(path: &'a Path, root: &Path) -> &'a Path {
    path.strip_prefix(root).unwrap_or(path)
}

/// Several failures as one: it can be waited for only if none of them is definitive.
fn together(failures: impl IntoIterator<Item = Failure>) -> Option<Failure> {
    let failures: Vec<Failure> = failures.into_iter().collect();
    let definitive = failures.iter().any(|failure| failure.definitive);
    let error = Error::all(failures.into_iter().map(|failure| failure.error))?;
    Some(Failure { error, definitive })
}
