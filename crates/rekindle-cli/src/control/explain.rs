//! `rekindle explain`: each value, where it is from, and what it overrode.

use serde_json::{Value, json};

use super::args::PlaceArgs;
use super::table::{Cell, cell, lines};
use super::{list, show, target::Target, text};
use crate::output;
use crate::render::{BOLD, DIM, WARNING};
use crate::stop::Stop;
use crate::text::printable;

const PLAIN: anstyle::Style = anstyle::Style::new();

/// Explains values.
///
/// # Errors
///
/// [`Stop::Told`] when there is no such value.
pub(super) async fn run(args: &PlaceArgs) -> Result<(), Stop> {
    let (config, pointer) = args.place();
    let mut target = Target::of(args).await?;
    let answer = target.ask(json!({"cmd": "explain", "config_name": config, "pointer": pointer})).await?;
    show(args.at.json, &answer, || report(list(&answer["values"]), output::width()))
}

/// The values of each configuration below its name.
fn report(values: &[Value], terminal: Option<usize>) -> String {
    let same = |a: &Value, b: &Value| a["config_name"] == b["config_name"];
    let configs = values.chunk_by(same).map(|values| {
        let rows: Vec<Vec<Cell>> = values.iter().flat_map(rows).collect();
        let name = printable(text(&values[0]["config_name"])).into_owned();
        format!("{BOLD}{name}{BOLD:#}\n{}", lines(&rows, 2, terminal))
    });
    let shown: String = configs.collect();
    if shown.is_empty() { "There is no configuration\n".to_owned() } else { shown }
}

/// The value in use, and below it what else is said of it.
fn rows(value: &Value) -> Vec<Vec<Cell>> {
    let is_pending = value["pending"] == true;
    let first = vec![
        cell(PLAIN, or_whole(text(&value["pointer"]))),
        cell(BOLD, &value["value"].to_string()),
        cell(PLAIN, text(&value["origin"]["text"])),
    ];
    let others = list(&value["layers"]).iter().skip(usize::from(!is_pending)).enumerate();
    let others = others.map(|(at, layer)| {
        let (style, word) =
            if is_pending && at == 0 { (WARNING, "after a restart") } else { (DIM, "overridden") };
        let origin = format!("{}, {word}", text(&layer["origin"]["text"]));
        vec![cell(DIM, ""), cell(style, &layer["value"].to_string()), cell(style, &origin)]
    });
    std::iter::once(first).chain(others).collect()
}

fn or_whole(pointer: &str) -> &str {
    if pointer.is_empty() { "(all of it)" } else { pointer }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(value: u32, place: &str) -> Value {
        json!({"value": value, "origin": {"text": place}})
    }

    #[test]
    fn a_value_stands_above_what_it_overrode() {
        let port = json!({
            "config_name": "app", "pointer": "/port", "value": 81, "origin": {"text": "local:1:8"},
            "layers": [said(81, "local:1:8"), said(80, "base:1:8")],
        });
        let held = json!({
            "config_name": "app", "pointer": "/n", "value": 1, "origin": {"text": "base"}, "pending": true,
            "layers": [said(2, "base:2:5")],
        });
        let expected = "\
app
  /port  81  local:1:8
         80  base:1:8, overridden
  /n     1   base
         2   base:2:5, after a restart
";
        let shown = report(&[port, held], None);
        assert_eq!(anstream::adapter::strip_str(&shown).to_string(), expected);
    }
}
