//! Who missed what, pure: a ring of steps from one state of the content to the next.
//!
//! A revision is a digest of the content, not a count: a program that is started anew on the same files has the
//! same revision, and a page that was built from it need do nothing.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::Update;

/// How many steps are remembered. A page that is further behind is loaded anew.
pub(crate) const STEPS: usize = 256;

/// A digest of all that pages are made of.
pub(crate) type Revision = u64;

/// What a page has to be told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Missed {
    /// It shows what is there.
    Nothing,
    /// It has these updates to do, merged. None, when what it missed was taken back and only something that
    /// no page shows is another.
    Updates(Vec<Update>),
    /// It was built from something that nobody remembers.
    Unknown,
}

/// What became of resources that changed together.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub(crate) resources: Vec<Resource>,
    /// What brings pages up to date with them.
    pub(crate) updates: Vec<Update>,
}

/// What became of one resource: digests of its name and content, `None` where there was or is none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resource {
    pub(crate) id: u64,
    pub(crate) before: Option<u64>,
    pub(crate) after: Option<u64>,
}

/// The last steps, and where they have led to.
#[derive(Debug)]
pub(crate) struct Log {
    /// The revision before each step, and what the step brought.
    steps: VecDeque<(Revision, Vec<Turn>)>,
    current: Revision,
}

impl Log {
    pub(crate) fn new(current: Revision) -> Self {
        Self { steps: VecDeque::new(), current }
    }

    pub(crate) fn current(&self) -> Revision {
        self.current
    }

    /// Takes a step. One that leads nowhere is none.
    pub(crate) fn step(&mut self, to: Revision, turns: Vec<Turn>) {
        if to == self.current {
            return;
        }
        if self.steps.len() == STEPS {
            self.steps.pop_front();
        }
        self.steps.push_back((self.current, turns));
        self.current = to;
    }

    /// What has happened since a revision: since it was last the current one.
    pub(crate) fn since(&self, revision: Revision) -> Missed {
        if revision == self.current {
            return Missed::Nothing;
        }
        match self.steps.iter().rposition(|(before, _)| *before == revision) {
            None => Missed::Unknown,
            Some(first) => {
                let turns: Vec<&Turn> = self.steps.range(first..).flat_map(|(_, turns)| turns).collect();
                Missed::Updates(merge(lasting(&turns)))
            }
        }
    }
}

/// The updates of what is another than before all of the turns; what was taken back is none to tell of.
fn lasting<'a>(turns: &[&'a Turn]) -> impl Iterator<Item = &'a Update> {
    let kept = kept(turns);
    let is_kept = move |turn: &&Turn| turn.resources.iter().any(|resource| kept.contains(&resource.id));
    turns.iter().copied().filter(is_kept).flat_map(|turn| &turn.updates)
}

/// The resources whose updates are told: those that are another by now, and those that shared a turn with one of
/// them. Of a resource all updates are told or none: each address leads from the one before.
fn kept(turns: &[&Turn]) -> HashSet<u64> {
    let mut ends: HashMap<u64, (Option<u64>, Option<u64>)> = HashMap::new();
    for resource in turns.iter().flat_map(|turn| &turn.resources) {
        ends.entry(resource.id).or_insert((resource.before, None)).1 = resource.after;
    }
    let differs = ends.into_iter().filter(|(_, (first, last))| first != last);
    let mut kept: HashSet<u64> = differs.map(|(id, _)| id).collect();
    loop {
        let known = kept.len();
        for turn in turns {
            if turn.resources.iter().any(|resource| kept.contains(&resource.id)) {
                kept.extend(turn.resources.iter().map(|resource| resource.id));
            }
        }
        if kept.len() == known {
            return kept;
        }
    }
}

/// What several steps come to: each thing once, as it is by now.
pub(crate) fn merge<'a>(updates: impl IntoIterator<Item = &'a Update>) -> Vec<Update> {
    let mut merged = Vec::new();
    for update in updates {
        match update {
            Update::Reload => return vec![Update::Reload],
            Update::Page { templates } => add_page(&mut merged, templates),
            Update::Style { .. } | Update::Image { .. } => add_address(&mut merged, update),
        }
    }
    merged
}

/// One render shows all that changed. Without names it concerns every page.
fn add_page(merged: &mut Vec<Update>, more: &[String]) {
    let page = merged.iter_mut().find_map(|update| match update {
        Update::Page { templates } => Some(templates),
        _ => None,
    });
    match page {
        None => merged.push(Update::Page { templates: more.to_vec() }),
        Some(templates) if templates.is_empty() || more.is_empty() => templates.clear(),
        Some(templates) => {
            templates.extend(more.iter().cloned());
            templates.sort_unstable();
            templates.dedup();
        }
    }
}

/// A page uses the address from before all steps, whatever was between.
fn add_address(merged: &mut Vec<Update>, update: &Update) {
    let joined = merged.iter_mut().any(|earlier| match (earlier, update) {
        (Update::Style { new: reached, .. }, Update::Style { old, new })
        | (Update::Image { new: reached, .. }, Update::Image { old, new })
            if reached == old =>
        {
            reached.clone_from(new);
            true
        }
        _ => false,
    });
    if !joined {
        merged.push(update.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(old: &str, new: &str) -> Update {
        Update::Style { old: old.into(), new: new.into() }
    }

    fn page(templates: &[&str]) -> Update {
        Update::Page { templates: templates.iter().map(ToString::to_string).collect() }
    }

    /// The resource 0 goes from one content to another.
    fn turn(before: u64, after: u64, update: Update) -> Vec<Turn> {
        of(0, before, after, update)
    }

    fn of(id: u64, before: u64, after: u64, update: Update) -> Vec<Turn> {
        vec![Turn { resources: vec![resource(id, before, after)], updates: vec![update] }]
    }

    fn resource(id: u64, before: u64, after: u64) -> Resource {
        Resource { id, before: Some(before), after: Some(after) }
    }

    #[test]
    fn a_page_is_told_what_it_missed_and_nothing_else() {
        let mut log = Log::new(1);
        log.step(2, of(1, 1, 2, style("/a.css", "/a.css")));
        log.step(3, of(2, 1, 2, page(&["x"])));
        assert_eq!(log.since(1), Missed::Updates(vec![style("/a.css", "/a.css"), page(&["x"])]));
        assert_eq!(log.since(2), Missed::Updates(vec![page(&["x"])]));
        assert_eq!(log.since(3), Missed::Nothing);
        assert_eq!(log.since(9), Missed::Unknown);
    }

    #[test]
    fn content_that_came_back_is_what_the_page_shows_already() {
        let mut log = Log::new(1);
        log.step(2, turn(1, 2, style("/a.css", "/a.css")));
        log.step(1, turn(2, 1, style("/a.css", "/a.css")));
        assert_eq!(log.since(1), Missed::Nothing);
        log.step(3, of(1, 1, 2, page(&[])));
        assert_eq!(log.since(1), Missed::Updates(vec![page(&[])]));
        assert_eq!(log.since(2), Missed::Updates(vec![style("/a.css", "/a.css"), page(&[])]));
    }

    #[test]
    fn what_was_taken_back_among_other_changes_is_not_told_of() {
        let mut log = Log::new(1);
        log.step(2, turn(1, 2, Update::Reload));
        log.step(3, of(1, 1, 2, style("/a.css", "/a.css")));
        log.step(4, turn(2, 1, Update::Reload));
        assert_eq!(log.since(1), Missed::Updates(vec![style("/a.css", "/a.css")]));
        assert_eq!(log.since(2), Missed::Updates(vec![Update::Reload]));
    }

    #[test]
    fn of_what_changed_together_with_something_that_lasts_every_step_is_told() {
        let mut log = Log::new(1);
        let together = vec![resource(1, 1, 2), resource(2, 1, 2)];
        log.step(
            2,
            vec![Turn { resources: together, updates: vec![style("/a.1.css", "/a.2.css"), page(&["x"])] }],
        );
        log.step(3, of(1, 2, 1, style("/a.2.css", "/a.1.css")));
        assert_eq!(log.since(1), Missed::Updates(vec![style("/a.1.css", "/a.1.css"), page(&["x"])]));
    }

    #[test]
    fn what_is_forgotten_is_unknown() {
        let mut log = Log::new(0);
        (1..=300).for_each(|revision| log.step(revision, turn(revision - 1, revision, page(&[]))));
        assert_eq!(log.since(300 - STEPS as u64), Missed::Updates(vec![page(&[])]));
        assert_eq!(log.since(300 - STEPS as u64 - 1), Missed::Unknown);
    }

    #[test]
    fn steps_are_merged_into_each_thing_once() {
        let two = [style("/a.1.css", "/a.2.css"), style("/b.css", "/b.css"), style("/a.2.css", "/a.3.css")];
        assert_eq!(merge(&two), [style("/a.1.css", "/a.3.css"), style("/b.css", "/b.css")]);
        assert_eq!(merge(&[page(&["b"]), page(&["a", "b"])]), [page(&["a", "b"])]);
        assert_eq!(merge(&[page(&["b"]), page(&[])]), [page(&[])]);
        assert_eq!(merge(&[page(&["b"]), Update::Reload, page(&[])]), [Update::Reload]);
    }
}
