//! What must hold of the hub for any history: pages end at what there is, and are told nothing needless.

use std::collections::HashMap;

use proptest::prelude::*;

use super::{Hub, Revision};
use crate::{Change, Update};

/// What pages of the model are made of.
const RESOURCES: [Kind; 6] =
    [Kind::Style, Kind::Style, Kind::Fingerprinted, Kind::Template, Kind::Template, Kind::Script];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Style,
    Fingerprinted,
    Template,
    Script,
}

#[derive(Debug, Clone)]
enum Act {
    /// A resource gets a content; few of them, so that they come back often.
    Save(usize, u64),
    /// A page is loaded, in the place of an earlier one.
    Load(usize),
    /// A page is told what there is to tell.
    Tell(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0..RESOURCES.len(), 0..3_u64).prop_map(|(resource, content)| Act::Save(resource, content)),
        1 => (0..4_usize).prop_map(Act::Load),
        2 => (0..4_usize).prop_map(Act::Tell),
    ];
    prop::collection::vec(act, 0..60)
}

/// A page: its revision, and the content of each resource as it shows it.
#[derive(Debug, Clone)]
struct Page {
    revision: Revision,
    shown: [u64; RESOURCES.len()],
}

fn address(resource: usize, content: u64) -> String {
    match RESOURCES[resource] {
        Kind::Fingerprinted => format!("/{resource}.{content}.css"),
        _ => format!("/{resource}.css"),
    }
}

fn update(resource: usize, from: u64, to: u64) -> Update {
    match RESOURCES[resource] {
        Kind::Style | Kind::Fingerprinted => {
            Update::Style { old: address(resource, from), new: address(resource, to) }
        }
        Kind::Template => Update::Page { templates: vec![resource.to_string()] },
        Kind::Script => Update::Reload,
    }
}

impl Page {
    /// What a browser does. Panics on what changes nothing.
    fn apply(&mut self, update: &Update, now: &[u64; RESOURCES.len()]) {
        let before = self.shown;
        match update {
            Update::Style { old, new } => {
                let resource = (0..now.len()).find(|at| address(*at, self.shown[*at]) == *old);
                let resource = resource.unwrap_or_else(|| panic!("no page has {old}: {self:?}"));
                self.shown[resource] = now[resource];
                assert_eq!(*new, address(resource, now[resource]));
            }
            Update::Image { .. } => unreachable!("there are none"),
            Update::Page { templates } => {
                for resource in templates.iter().map(|name| name.parse::<usize>().unwrap()) {
                    assert_ne!(self.shown[resource], now[resource], "not affected");
                    self.shown[resource] = now[resource];
                }
            }
            Update::Reload => {
                let script = RESOURCES.iter().position(|kind| *kind == Kind::Script).unwrap();
                assert_ne!(before[script], now[script], "a needless reload");
                self.shown = *now;
            }
        }
        assert_ne!(self.shown, before, "a needless update: {update:?}");
    }

    fn catch_up(&mut self, hub: &Hub, now: &[u64; RESOURCES.len()]) {
        if let Some(news) = hub.news(self.revision) {
            news.updates.iter().for_each(|update| self.apply(update, now));
            self.revision = news.revision;
        }
        assert_eq!(self.shown, *now);
    }
}

proptest! {
    #[test]
    fn pages_end_at_what_there_is_and_are_told_nothing_needless(acts in acts()) {
        let hub = Hub::new(1);
        let mut now = [0; RESOURCES.len()];
        let begin: HashMap<String, u64> = (0..now.len()).map(|resource| (resource.to_string(), 0)).collect();
        hub.begin("model", begin);
        let mut pages = vec![Page { revision: hub.revision(), shown: now }; 4];
        for act in acts {
            match act {
                Act::Save(resource, content) => {
                    let update = update(resource, now[resource], content);
                    now[resource] = content;
                    hub.change("model", [Change { resource: resource.to_string(), content: Some(content), update }]);
                }
                Act::Load(page) => pages[page] = Page { revision: hub.revision(), shown: now },
                Act::Tell(page) => pages[page].catch_up(&hub, &now),
            }
        }
        pages.iter_mut().for_each(|page| page.catch_up(&hub, &now));
    }

    #[test]
    fn a_hub_made_anew_knows_pages_of_the_same_content_and_reloads_the_others(acts in acts()) {
        let contents = |now: &[u64]| now.iter().enumerate().map(|(at, content)| (at.to_string(), *content)).collect();
        let hub = Hub::new(1);
        let mut now = [0; RESOURCES.len()];
        hub.begin("model", contents(&now));
        let first = (hub.revision(), now);
        for act in acts {
            if let Act::Save(resource, content) = act {
                let update = update(resource, now[resource], content);
                now[resource] = content;
                hub.change("model", [Change { resource: resource.to_string(), content: Some(content), update }]);
            }
        }
        let anew = Hub::new(1);
        anew.begin("model", contents(&now));
        prop_assert_eq!(anew.news(hub.revision()), None);
        let told = anew.news(first.0).map(|news| news.updates);
        prop_assert_eq!(told, (first.1 != now).then(|| vec![Update::Reload]));
    }
}
