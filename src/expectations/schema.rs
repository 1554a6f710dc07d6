//! The JSON Schema of expectation files, for editors; made from the model.
//!
//! In: the model's types. Out: `schema/expect-1.json`, which `CHAINGAP_UPDATE=1 cargo test --lib schemas` writes. Left to
//! others: reading files, which does not use the schema.

use std::fs;
use std::path::Path;

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::model::{Expectation, SCHEMA};

/// Takes null out of the types: TOML has none, a key is left out instead.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Array(values) => values.iter_mut().for_each(without_null),
        Value::Object(members) => {
            if let Some([of, Value::String(null)]) = members.get("type").and_then(Value::as_array).map(Vec::as_slice) {
                assert_eq!(null, "null");
                let of = of.clone();
                members.insert("type".to_owned(), of);
            }
            if let Some(Value::Array(any)) = members.remove("anyOf") {
                members.extend(any.into_iter().next().and_then(|of| of.as_object().cloned()).unwrap_or_default());
            }
            members.values_mut().for_each(without_null);
        }
        _ => {}
    }
}

fn schema() -> Value {
    let settings = SchemaSettings::draft07().for_deserialize();
    let schema = settings.into_generator().into_root_schema_for::<Expectation>();
    let mut schema = serde_json::to_value(schema).unwrap();
    without_null(&mut schema);
    schema["title"] = json!(SCHEMA);
    schema["properties"]["schema"] = json!({"description": "The schema of the file.", "const": SCHEMA});
    schema["required"].as_array_mut().unwrap().insert(0, json!("schema"));
    schema
}

#[test]
fn the_schemas_of_expectations_are_those_of_the_model() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/expect-1.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var_os("CHAINGAP_UPDATE").is_some() {
        fs::write(&file, text).unwrap();
    } else {
        let why = "the model and its schema differ; CHAINGAP_UPDATE=1 cargo test --lib schemas";
        assert!(fs::read_to_string(&file).unwrap_or_default() == text, "{}: {why}", file.display());
    }
}
