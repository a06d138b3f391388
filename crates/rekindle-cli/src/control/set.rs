//! `rekindle set`: a change of the files, judged before it is made.

use serde_json::{Value, json};

use super::args::SetArgs;
use super::receipt;
use super::target::Target;
use crate::stop::Stop;

/// Changes a configuration.
///
/// # Errors
///
/// [`Stop::Failed`] when the change is refused, [`Stop::Told`] when it cannot be made.
pub(super) async fn run(args: &SetArgs) -> Result<(), Stop> {
    let request = request(args)?;
    let mut target = Target::any(&args.at).await?;
    let answer = target.ask(request).await?;
    receipt::shown(&answer, &target, args.at.json)
}

fn request(args: &SetArgs) -> Result<Value, Stop> {
    let (config, expect) = (&args.config, args.expect);
    if let Some(merge) = &args.merge {
        let merge: Value = serde_json::from_str(merge)
            .map_err(|fault| Stop::Usage(format!("what is to be merged is no JSON: {fault}")))?;
        return Ok(json!({"cmd": "patch", "config_name": config, "merge": merge, "expect": expect}));
    }
    if args.remove {
        let pointer = &args.pointer;
        return Ok(json!({"cmd": "remove", "config_name": config, "pointer": pointer, "expect": expect}));
    }
    let value = typed(args.value.as_deref().unwrap_or_default());
    Ok(
        json!({"cmd": "set", "config_name": config, "pointer": args.pointer, "value": value, "expect": expect}),
    )
}

/// JSON if it is any, else a text.
fn typed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_json_if_it_can_be() {
        assert_eq!(typed("80"), 80);
        assert_eq!(typed("true"), true);
        assert_eq!(typed("[1, {}]"), json!([1, {}]));
        assert_eq!(typed("\"80\""), "80");
        assert_eq!(typed("info"), "info");
        assert_eq!(typed(""), "");
    }
}
