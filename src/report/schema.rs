//! JSON Schemas of the reports, made from the models; the files in `schema/` are held to them.
//!
//! `CHAINGAP_UPDATE=1 cargo test --lib schemas` rewrites the files. `.ci/formats.sh` checks real output by an
//! independent validator.

use std::fs;
use std::path::Path;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::{
    CERTS_SCHEMA, CHECK_SCHEMA, COMPARE_SCHEMA, CertsReport, CheckReport, Comparison, EXPLAIN_SCHEMA, ExplainReport,
    PREFLIGHT_SCHEMA, PROFILES_SCHEMA, PreflightReport, ProfilesReport, REPORT_SCHEMA, Report, STACKS_SCHEMA,
    SUMMARY_SCHEMA, StacksReport, Summary,
};

/// The name of a format, and how its schema is made.
type Format = (&'static str, fn() -> Schema);

const SCHEMAS: &[Format] = &[
    (REPORT_SCHEMA, schema::<Report>),
    (PREFLIGHT_SCHEMA, schema::<PreflightReport>),
    (PROFILES_SCHEMA, schema::<ProfilesReport>),
    (COMPARE_SCHEMA, schema::<Comparison>),
    (CERTS_SCHEMA, schema::<CertsReport>),
    (CHECK_SCHEMA, schema::<CheckReport>),
    (SUMMARY_SCHEMA, schema::<Summary>),
    (STACKS_SCHEMA, schema::<StacksReport>),
    (EXPLAIN_SCHEMA, schema::<ExplainReport>),
];

/// The schema of what is written, not of what can be read: no member is left out, and unknown values are null.
fn schema<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}

/// Removes the crate's documentation links from descriptions.
fn plain(schema: &mut Value) {
    match schema {
        Value::Array(values) => values.iter_mut().for_each(plain),
        Value::Object(members) => {
            if let Some(Value::String(text)) = members.get_mut("description") {
                for (link, rest) in [("[`", "`"), ("`]", "`")] {
                    *text = text.replace(link, rest);
                }
                while let Some((before, after)) = text.split_once("`(") {
                    let after = after.split_once(')').map_or("", |(_, after)| after);
                    *text = format!("{before}`{after}");
                }
            }
            members.values_mut().for_each(plain);
        }
        _ => {}
    }
}

#[test]
fn the_schemas_are_those_of_the_models() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    for (name, make) in SCHEMAS {
        let mut schema = serde_json::to_value(make()).unwrap();
        plain(&mut schema);
        schema["title"] = json!(name);
        schema["properties"]["schema"]["const"] = json!(name);
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        // chaingap.report/2 is in report-2.json.
        let file = folder.join(format!("{}.json", name.trim_start_matches("chaingap.").replace('/', "-")));
        if std::env::var_os("CHAINGAP_UPDATE").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&file, text).unwrap();
        } else {
            let there = fs::read_to_string(&file).unwrap_or_default();
            let why = "the model and its schema differ; CHAINGAP_UPDATE=1 cargo test --lib schemas";
            assert!(there == text, "{}: {why}", file.display());
        }
    }
}

#[test]
fn every_member_is_required_and_may_be_null_where_it_can_be_unknown() {
    let report = serde_json::to_value(schema::<Report>()).unwrap();
    let members = |object: &Value| {
        let names = object["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let required = object["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
        let mut required: Vec<_> = required.collect();
        required.sort();
        let mut names = names;
        names.sort();
        (names, required)
    };
    let mut objects = vec![&report];
    objects.extend(report["$defs"].as_object().unwrap().values().filter(|schema| schema["properties"].is_object()));
    assert!(objects.len() > 20);
    for object in objects {
        let (names, required) = members(object);
        assert_eq!(names, required, "{object}");
    }
    let types = &report["$defs"]["Finding"]["properties"]["device"]["type"];
    assert_eq!(*types, json!(["string", "null"]));
}
