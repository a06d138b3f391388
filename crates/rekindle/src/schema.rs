//! [`schema_for`]: the JSON Schema of a type, for `config/NAME.schema.json`.

use serde_json::Value;

/// The JSON Schema of a type (draft 2020-12), as [`HotReloadBuilder::schema_of`](crate::HotReloadBuilder::schema_of)
/// exports it.
///
/// It describes what is decoded: names as serde reads them, fields with a default not required. An
/// attribute of a field states a [rule](crate::HotReloadBuilder::restart) for it:
/// `#[schemars(extend("x-rekindle" = "secret"))]`.
///
/// ```
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct App {
///     /// Where to listen.
///     port: u16,
///     #[serde(default)]
///     #[schemars(extend("x-rekindle" = "secret"))]
///     key: String,
/// }
///
/// let schema = rekindle::schema_for::<App>();
/// assert_eq!(schema["properties"]["port"]["description"], "Where to listen.");
/// assert_eq!(schema["properties"]["key"]["x-rekindle"], "secret");
/// assert_eq!(schema["required"], serde_json::json!(["port"]));
/// ```
pub fn schema_for<T: schemars::JsonSchema>() -> Value {
    schemars::SchemaGenerator::default().into_root_schema_for::<T>().to_value()
}
