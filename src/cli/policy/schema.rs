//! `portcullis policy schema`: the form of policy files as JSON Schema, draft 2020-12, so that editors can complete and check
//! them. Made from the tables by which the compiler checks the same files.

use serde_json::{Map, Value, json};

use policy::When;
use policy::table::{Key, Shape};
use policy_compiler::schema::{EXAMPLE, LAYER};

/// Where the shipped copy is: `portcullis policy schema` prints the same.
pub const FILE: &str = "policies/portcullis.schema.json";

/// The schema of a layer's file.
pub fn schema() -> Value {
    let mut schema = table(LAYER);
    if let Value::Object(keys) = &mut schema {
        keys.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        keys.insert("title".to_owned(), json!("Portcullis policy"));
    }
    schema
}

fn table(keys: &'static [Key]) -> Value {
    let all = || keys.iter().flat_map(|key| if matches!(key.shape, Shape::Kinds) { When::KINDS } else { std::slice::from_ref(key) });
    let properties: Map<String, Value> = all().map(|key| (key.name.to_owned(), of(key))).collect();
    let required: Vec<&str> = all().filter(|key| key.must).map(|key| key.name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn one_or_more(one: &Value) -> Value {
    json!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
}

fn of(key: &Key) -> Value {
    match (key.name, key.shape) {
        ("tier" | "weakening", Shape::Number) => json!({ "type": "integer", "minimum": 1, "maximum": 4 }),
        ("schema", Shape::Number) => json!({ "const": 1 }),
        ("catches" | "spares" | "unsure", _) => json!({ "type": "array", "minItems": 1, "items": { "anyOf": [{ "type": "string" }, table(EXAMPLE)] } }),
        (_, Shape::Text) => json!({ "type": "string" }),
        (_, Shape::Texts) => one_or_more(&json!({ "type": "string" })),
        (_, Shape::Flag) => json!({ "type": "boolean" }),
        (_, Shape::Number) => json!({ "type": "integer" }),
        // TOML has dates of its own; readers of schemas give them as texts.
        (_, Shape::Day) => json!({ "type": "string", "format": "date" }),
        // A subcommand is described as its program is, to any depth.
        ("subcommand", Shape::Tables(_)) => one_or_more(&json!({ "type": "object" })),
        // These are written as `[[rule]]`: an editor points at the key that is wrong, and not at all of them.
        ("rule" | "waiver" | "program" | "shadow", Shape::Tables(keys)) => json!({ "type": "array", "items": table(keys), "minItems": 1 }),
        (_, Shape::Table(keys)) => table(keys),
        (_, Shape::Tables(keys)) => one_or_more(&table(keys)),
        (_, Shape::Map) => json!({ "type": "object" }),
        (_, Shape::Later | Shape::Kinds) => json!({}),
    }
}
