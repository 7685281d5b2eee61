//! JSON Schemas: CloudEvents' own, and the toolkit's, as they are committed.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value;

/// The project's folder.
pub fn project() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("tests lie in the project").to_owned()
}

/// The folder of the toolkit's schemas.
pub fn folder() -> PathBuf {
    project().join("schemas")
}

/// Holds a value against CloudEvents 1.0.
///
/// # Panics
/// When it is not valid.
#[track_caller]
pub fn cloud_event(value: &Value) {
    static SCHEMA: OnceLock<Validator> = OnceLock::new();
    let path = project().join("tests/schemas/cloudevents-1.0.json");
    hold(SCHEMA.get_or_init(|| read(&path)), value);
}

/// Holds an event's data against the schema of its type.
///
/// # Panics
/// When it is not valid, or the type has no schema.
#[track_caller]
pub fn data(kind: &str, value: &Value) {
    hold(&named(kind), value);
}

/// The schema of this name, an event's type or a file's stem.
///
/// # Panics
/// When there is none.
#[track_caller]
pub fn named(name: &str) -> Validator {
    // Problems and runs have one form, whatever tool tells of them.
    let own = folder().join(format!("{name}.json"));
    let shared =
        name.splitn(3, '.').nth(2).map(|rest| folder().join(format!("phc.any.{rest}.json")));
    let path = [Some(own), shared].into_iter().flatten().find(|path| path.exists());
    read(&path.unwrap_or_else(|| panic!("{name} has no schema in {}", folder().display())))
}

/// Holds a value against a schema.
///
/// # Panics
/// When it is not valid.
#[track_caller]
pub fn hold(schema: &Validator, value: &Value) {
    let errors: Vec<String> =
        schema.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{value} is not valid: {errors:?}");
}

/// The schema that a file holds.
///
/// # Panics
/// When it is none.
pub fn read(path: &Path) -> Validator {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let schema: Value = serde_json::from_str(&text).expect("a schema is JSON");
    let options = jsonschema::options().should_validate_formats(true);
    options.build(&schema).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
