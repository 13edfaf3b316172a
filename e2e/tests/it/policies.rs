//! A policy of our own that the template does not have, and objects that it judges.

use serde_json::{Value, json};

pub(crate) const FILE: &str = "policies/e2e_no_shouting.rego";
pub(crate) const CODE: &str = "EE1001";
pub(crate) const NAME: &str = "no-shouting";
pub(crate) const MESSAGE: &str = "[FAIL] HIGH - ConfigMap \"loud\" shouts (EE1001)";

/// Denies everywhere: its severity is HIGH.
pub(crate) const NO_SHOUTING: &str = r#"# METADATA
# title: ConfigMaps do not shout
# description: Data in capitals is hard to read.
# custom:
#   code: EE1001
#   severity: HIGH
#   kinds: [ConfigMap]
package writ.no_shouting

deny contains msg if {
	some value in input.review.object.data
	value == upper(value)
	msg := sprintf("ConfigMap %q shouts", [input.review.object.metadata.name])
}
"#;

/// Does not parse: the bracket is on line 4.
pub(crate) const BROKEN: &str = "package writ.broken\n\ndeny contains msg if {\n\tmsg := [\n";

pub(crate) fn config_map(name: &str, value: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "shop"},
        "data": {"greeting": value}
    })
}
