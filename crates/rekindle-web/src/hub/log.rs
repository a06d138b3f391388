//! Who missed what, pure: a ring of steps from one state of the content to the next.
//!
//! A revision is a digest of the content, not a count: a program that is started anew on the same files has the
//! same revision, and a page that was built from it need do nothing.

use std::collections::VecDeque;

use crate::Update;

/// How many steps are remembered. A page that is further behind is loaded anew.
const STEPS: usize = 256;

/// A digest of all that pages are made of.
pub(crate) type Revision = u64;

/// What a page has to be told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Missed {
    /// It shows what is there.
    Nothing,
    /// It has these updates to do, merged.
    Updates(Vec<Update>),
    /// It was built from something that nobody remembers.
    Unknown,
}

/// The last steps, and where they have led to.
#[derive(Debug)]
pub(crate) struct Log {
    /// The revision before each step, and what the step brought.
    steps: VecDeque<(Revision, Vec<Update>)>,
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
    pub(crate) fn step(&mut self, to: Revision, updates: Vec<Update>) {
        if to == self.current {
            return;
        }
        if self.steps.len() == STEPS {
            self.steps.pop_front();
        }
        self.steps.push_back((self.current, updates));
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
                let all = self.steps.range(first..).flat_map(|(_, updates)| updates);
                Missed::Updates(merge(all))
            }
        }
    }
}

/// What several steps come to: each thing once, as it is by now.
fn merge<'a>(updates: impl IntoIterator<Item = &'a Update>) -> Vec<Update> {
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

    #[test]
    fn a_page_is_told_what_it_missed_and_nothing_else() {
        let mut log = Log::new(1);
        log.step(2, vec![style("/a.css", "/a.css")]);
        log.step(3, vec![page(&["x"])]);
        assert_eq!(log.since(1), Missed::Updates(vec![style("/a.css", "/a.css"), page(&["x"])]));
        assert_eq!(log.since(2), Missed::Updates(vec![page(&["x"])]));
        assert_eq!(log.since(3), Missed::Nothing);
        assert_eq!(log.since(9), Missed::Unknown);
    }

    #[test]
    fn content_that_came_back_is_what_the_page_shows_already() {
        let mut log = Log::new(1);
        log.step(2, vec![style("/a.css", "/a.css")]);
        log.step(1, vec![style("/a.css", "/a.css")]);
        assert_eq!(log.since(1), Missed::Nothing);
        log.step(3, vec![page(&[])]);
        assert_eq!(log.since(1), Missed::Updates(vec![page(&[])]));
        assert_eq!(log.since(2), Missed::Updates(vec![style("/a.css", "/a.css"), page(&[])]));
    }

    #[test]
    fn what_is_forgotten_is_unknown() {
        let mut log = Log::new(0);
        (1..=300).for_each(|revision| log.step(revision, vec![page(&[])]));
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
