//! Lists that get longer or shorter: what stays of them need not be written anew.

use serde_json::Value;

use super::pointer::{self, Change, Edit, Steps};
use crate::load::Node;
use crate::validate::changed_pointers;

/// The edits with each list changed item by item. `None` when there is no such list.
pub(super) fn by_item(edits: &[Edit], root: &Node) -> Option<Vec<Edit>> {
    let mut any = false;
    let mut fine = Vec::new();
    for edit in edits {
        match items_of(edit, root) {
            Some(items) => {
                any = true;
                fine.extend(items);
            }
            None => fine.push(edit.clone()),
        }
    }
    any.then_some(fine)
}

/// The edits of items that make one list of another. What both begin with stays, and what both end
/// with where the list gets shorter.
fn items_of(edit: &Edit, root: &Node) -> Option<Vec<Edit>> {
    let Change::Set(Value::Array(new)) = &edit.change else { return None };
    let Value::Array(old) = pointer::node(root, &edit.steps)?.to_value() else { return None };
    if old.is_empty() || new.is_empty() {
        return None;
    }
    let both = old.len().min(new.len());
    let equal = |at: &usize| old.len() > new.len() && old[old.len() - 1 - at] == new[new.len() - 1 - at];
    let tail = (0..both).take_while(equal).count();
    let list = |at: usize| edit.steps.iter().cloned().chain([at.to_string()]).collect::<Steps>();
    let mut edits = Vec::new();
    for at in 0..both - tail {
        changes(&old[at], &new[at], &list(at), &mut edits);
    }
    // From the last to the first, so that the others keep their index.
    let gone = (both - tail..old.len() - tail).rev();
    edits.extend(gone.map(|at| Edit { steps: list(at), change: Change::Remove }));
    let more = new.iter().skip(old.len());
    edits.extend(more.map(|item| Edit { steps: edit.steps.clone(), change: Change::Append(item.clone()) }));
    Some(edits)
}

/// The edits within one item.
fn changes(old: &Value, new: &Value, item: &[String], edits: &mut Vec<Edit>) {
    for pointer in changed_pointers(old, new) {
        let steps = pointer::steps(&pointer).unwrap_or_default();
        let change = match pointer::get(new, &steps) {
            Some(value) => Change::Set(value.clone()),
            None => Change::Remove,
        };
        edits.push(Edit { steps: [item, &steps].concat(), change });
    }
}
