//! The template's own policies have a plan, and it says what the interpreter says when any field is of another type.

use super::{Engine, LIMIT, Said, Value};
use crate::SourceFile;
use crate::engine::load::{self, LoadedSource};
use crate::engine::quick::samples;
use serde_json::{Value as Json, json};

macro_rules! sources {
    ($($name:literal)*) => { [$(($name, include_str!(concat!("../../../../../policies-repo-template/policies/", $name)))),*] };
}

const LIBRARIES: [(&str, &str); 2] = sources!["lib/fields.rego" "lib/pod.rego"];
const POLICIES: [(&str, &str); 12] = sources![
    "mt1001_liveness_probe.rego"
    "mt1002_readiness_probe.rego"
    "mt1003_resource_limits.rego"
    "mt1004_resource_requests.rego"
    "mt1005_pdb.rego"
    "mt1006_port_name_mismatch.rego"
    "mt1007_singleton_pod.rego"
    "mt1008_hostport.rego"
    "mt1009_emptydir.rego"
    "mt1010_host_path.rego"
    "mt2001_privileged_pod.rego"
    "mt2002_nodeport_range.rego"
];

fn loaded((path, text): (&str, &str)) -> LoadedSource {
    load::load(&SourceFile { path: path.into(), text: text.into() }, false).unwrap()
}

/// The samples, and each of them with one field that holds something else.
fn inputs() -> Vec<Json> {
    let others =
        [json!(null), json!(""), json!(0), json!([]), json!({}), json!(false), json!("50%"), json!([{"a": 1}])];
    let mut inputs = vec![];
    for sample in samples::inputs() {
        let mut whole: Json = serde_json::from_str(&sample.to_string()).unwrap();
        whole["namespaceObject"] =
            json!({"metadata": {"annotations": {"k8s.t-mobile.com/nodeportRange": "1-9, 30001"}}});
        let mut places = vec![];
        fields(&whole, String::new(), &mut places);
        inputs.push(whole.clone());
        for (at, place) in places.iter().filter(|place| !place.starts_with("/request")).enumerate() {
            for other in [&others[at % others.len()], &others[(at * 3 + 1) % others.len()]] {
                let mut changed = whole.clone();
                *changed.pointer_mut(place).unwrap() = other.clone();
                inputs.push(changed);
            }
        }
    }
    inputs
}

/// The places of all that is within.
fn fields(json: &Json, place: String, places: &mut Vec<String>) {
    let mut within = |key: &str, json: &Json| {
        let place = format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"));
        places.push(place.clone());
        fields(json, place, places);
    };
    match json {
        Json::Object(object) => object.iter().for_each(|(key, json)| within(key, json)),
        Json::Array(list) => list.iter().enumerate().for_each(|(at, json)| within(&at.to_string(), json)),
        _ => {}
    }
}

#[test]
fn all_policies_of_the_template_are_fit_and_agree() {
    let inputs = inputs();
    for policy @ (name, _) in POLICIES {
        let sources = [policy, LIBRARIES[0], LIBRARIES[1]].map(loaded);
        let package = format!("data.{}", sources[0].module().package.refr.span().text());
        let mut engine = Engine::build(sources.iter()).unwrap();
        engine.quicken(&package, &["deny"]);
        let rule = format!("{package}.deny");
        for input in &inputs {
            engine.set_input(Value::from(input.clone()));
            let said = engine.quick.as_mut().unwrap_or_else(|| panic!("{name} is not fit")).eval(&rule, LIMIT);
            if let Said::Value(found) = said {
                assert_eq!(engine.interpret(&rule, LIMIT), Ok(found), "{name}: {input}");
            }
        }
    }
}
