//! `rekindle get`: one value, or all of them.

use serde_json::{Value, json};

use super::args::PlaceArgs;
use super::{show, target::Target};
use crate::stop::Stop;
use crate::text::printable;

/// Prints what is in use.
///
/// # Errors
///
/// [`Stop::Told`] when there is no such value.
pub(super) async fn run(args: &PlaceArgs) -> Result<(), Stop> {
    let (config, pointer) = args.place();
    let mut target = Target::of(args).await?;
    let answer = target.ask(json!({"cmd": "get", "config_name": config, "pointer": pointer})).await?;
    show(args.at.json, &answer, || {
        lines(answer.get("value").or_else(|| answer.get("values")).unwrap_or(&Value::Null))
    })
}

/// A text as it is, everything else as JSON.
fn lines(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{}\n", printable(text)),
        other => {
            let pretty = format!("{other:#}");
            pretty.lines().map(|line| printable(line).into_owned() + "\n").collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_bare_and_a_table_is_json() {
        assert_eq!(lines(&json!("a\u{1b}b")), "a\\u{1b}b\n");
        assert_eq!(lines(&json!(80)), "80\n");
        assert_eq!(lines(&json!({"a": [1]})), "{\n  \"a\": [\n    1\n  ]\n}\n");
    }
}
