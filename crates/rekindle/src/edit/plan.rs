//! Which edits lead from the value that the program sees to the one it is to see, and to which
//! layer each of them goes. Plain values in, edits out.

use serde_json::Value;

use super::pointer::{self, Change, Edit, Steps, child, get};
use crate::error::{Error, ErrorKind, Result};
use crate::validate::changed_pointers;

/// Who sets a pointer and is stronger than every file, if anyone.
pub(super) type Stronger<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Edits to the layers of a configuration, weakest first.
pub(super) struct Plan<'a> {
    merged: &'a Value,
    /// What the layers say after the edits.
    pub(super) layers: Vec<Value>,
    pub(super) edits: Vec<Vec<Edit>>,
}

/// The edits of each of the layers, weakest first, and what the layers say then.
pub(super) fn plan<'a>(
    merged: &'a Value,
    wanted: &Value,
    layers: Vec<Value>,
    stronger: Stronger<'_>,
) -> Result<Plan<'a>> {
    let edits = vec![Vec::new(); layers.len()];
    let mut plan = Plan { merged, layers, edits };
    for pointer in places(merged, wanted, &plan.layers) {
        refuse_stronger(&pointer, get(merged, &pointer), merged, stronger)?;
        match get(wanted, &pointer) {
            Some(new) => plan.set(&pointer, new)?,
            None => plan.remove(&pointer)?,
        }
    }
    Ok(plan)
}

/// The pointers that change. What changes in a list that no file holds is the list as a whole.
fn places(merged: &Value, wanted: &Value, layers: &[Value]) -> Vec<Steps> {
    let changed = changed_pointers(merged, wanted).into_iter();
    let mut places: Vec<Steps> = changed
        .filter_map(|pointer| pointer::steps(&pointer))
        .map(|mut steps| {
            if let Some(length) = list_on_the_way(merged, &steps)
                && !layers.iter().any(|layer| get(layer, &steps[..length]).is_some())
            {
                steps.truncate(length);
            }
            steps
        })
        .collect();
    places.dedup();
    places
}

/// How many steps lead to the first list on the way.
fn list_on_the_way(value: &Value, steps: &[String]) -> Option<usize> {
    (1..steps.len()).find(|&length| get(value, &steps[..length]).is_some_and(Value::is_array))
}

/// Refuses to change what a file cannot change.
fn refuse_stronger(
    steps: &[String],
    old: Option<&Value>,
    merged: &Value,
    stronger: Stronger<'_>,
) -> Result<()> {
    let list = list_on_the_way(merged, steps).map(|length| &steps[..length]);
    for steps in list.into_iter().chain([steps]) {
        refuse_one(&pointer::pointer(steps), stronger)?;
    }
    old.map_or(Ok(()), |old| refuse_below(&pointer::pointer(steps), old, stronger))
}

fn refuse_below(at: &str, value: &Value, stronger: Stronger<'_>) -> Result<()> {
    let Value::Object(members) = value else { return Ok(()) };
    for (key, value) in members {
        let at = format!("{at}{}", pointer::pointer(std::slice::from_ref(key)));
        refuse_one(&at, stronger)?;
        refuse_below(&at, value, stronger)?;
    }
    Ok(())
}

fn refuse_one(at: &str, stronger: Stronger<'_>) -> Result<()> {
    let Some(who) = stronger(at) else { return Ok(()) };
    let message = format!("`{at}` is set by {who}, which is stronger than any file");
    Err(Error::new(ErrorKind::Conflict, message).help("change it there").about(at))
}

impl Plan<'_> {
    fn push(&mut self, layer: usize, steps: &[String], change: Change) {
        let edit = Edit { steps: steps.to_vec(), change };
        // What cannot be done to the value cannot be done to the text either, which is told there.
        let _ = pointer::apply(&mut self.layers[layer], &edit);
        self.edits[layer].push(edit);
    }

    fn set(&mut self, steps: &[String], new: &Value) -> Result<()> {
        if self.layers.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, "the configuration has no file to change")
                .about(pointer::pointer(steps)));
        }
        let layer = match list_on_the_way(self.merged, steps) {
            Some(length) => self.strongest_with(&steps[..length]),
            None => self.strongest_with(steps).or_else(|| self.home(steps)),
        };
        let layer = layer.unwrap_or(0);
        self.set_in(layer, steps, new);
        if new.is_object() {
            self.prune(layer, steps, new);
        }
        Ok(())
    }

    /// Sets a value in a layer, in place of whatever there stands on the way to it.
    fn set_in(&mut self, layer: usize, steps: &[String], new: &Value) {
        let in_list = list_on_the_way(self.merged, steps).is_some();
        let obstacle = (1..steps.len()).find(|&length| {
            !in_list && get(&self.layers[layer], &steps[..length]).is_some_and(|value| !value.is_object())
        });
        let length = obstacle.unwrap_or(steps.len());
        let value = pointer::nested(&steps[length..], new.clone());
        self.push(layer, &steps[..length], Change::Set(value));
    }

    /// The strongest layer that sets a value.
    fn strongest_with(&self, steps: &[String]) -> Option<usize> {
        self.layers.iter().rposition(|layer| get(layer, steps).is_some())
    }

    /// The layer that sets the deepest table on the way to a new value, the strongest if several do.
    fn home(&self, steps: &[String]) -> Option<usize> {
        (1..steps.len()).rev().find_map(|length| {
            let way = &steps[..length];
            let table = |layer: &Value| get(layer, way).is_some_and(Value::is_object);
            let blocked = self.layers.iter().rposition(|layer| blocks(layer, way));
            self.layers.iter().rposition(table).filter(|&at| blocked.is_none_or(|blocked| at > blocked))
        })
    }

    /// Where a table takes the place of something else, the tables of weaker layers that it hid
    /// would show through: what is not wanted of them goes.
    fn prune(&mut self, layer: usize, steps: &[String], new: &Value) {
        for weaker in (0..layer).rev() {
            if blocks(&self.layers[weaker], steps) {
                break;
            }
            let hidden = get(&self.layers[weaker], steps).cloned();
            if let Some(hidden) = hidden {
                self.prune_below(weaker, &mut steps.to_vec(), &hidden, new);
            }
        }
    }

    fn prune_below(&mut self, layer: usize, steps: &mut Steps, hidden: &Value, new: &Value) {
        let Value::Object(members) = hidden else { return };
        for (key, hidden) in members {
            steps.push(key.clone());
            match child(new, key) {
                Some(new) if new.is_object() => self.prune_below(layer, steps, hidden, new),
                Some(_) => {}
                None => self.push(layer, steps, Change::Remove),
            }
            steps.pop();
        }
    }

    /// Removes a value from every layer that has it.
    fn remove(&mut self, steps: &[String]) -> Result<()> {
        let only = list_on_the_way(self.merged, steps).map(|length| self.strongest_with(&steps[..length]));
        let mut found = false;
        for layer in 0..self.layers.len() {
            let owner = only.is_none_or(|only| only == Some(layer));
            if owner && get(&self.layers[layer], steps).is_some() {
                self.push(layer, steps, Change::Remove);
                found = true;
            }
        }
        if found {
            return Ok(());
        }
        let at = pointer::pointer(steps);
        let message = format!("`{at}` is set in no file, so that no file can be without it");
        Err(Error::new(ErrorKind::Conflict, message)
            .help("it is one of the program's defaults: set it to another value")
            .about(at))
    }
}

/// Whether a layer has something other than a table at a pointer or on the way to it.
fn blocks(layer: &Value, steps: &[String]) -> bool {
    (1..=steps.len()).any(|length| get(layer, &steps[..length]).is_some_and(|value| !value.is_object()))
}
