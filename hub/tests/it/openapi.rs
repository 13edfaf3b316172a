//! The document of the API against what the API is: its routes, the parameters that it takes, and real answers.

use crate::pages::{enforcing, evaluations, reviews, send};
use crate::support::{NOW, TestHub, failure, violation};
use serde_json::Value;
use std::collections::BTreeSet;
use writ_policy::wire::Report;

/// Where routes are written.
const ROUTES: &str = include_str!("../../src/api.rs");

async fn document(hub: &TestHub) -> Value {
    hub.get("/api/v1/openapi.json").await.json()
}

/// A hub with something of everything.
async fn hub() -> TestHub {
    let hub = TestHub::new().await;
    let agent = enforcing(&hub, "prod").await;
    let counts = vec![reviews(5, "shop", [100, 40, 10]), reviews(80, "shop", [100, 4, 1])];
    send(&hub, &agent, vec![evaluations(5, "shop", [60, 40, 10]), evaluations(80, "shop", [96, 4, 1])], counts).await;
    let report = Report { violations: vec![violation("web", NOW)], ..agent.report(2, vec![failure("web-1")]) };
    assert_eq!(agent.send(&hub, &report).await.status, 200);
    hub
}

#[tokio::test]
async fn document_names_the_routes_that_there_are() {
    let document = document(&TestHub::new().await).await;
    let told: BTreeSet<&str> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let routed: BTreeSet<&str> =
        ROUTES.split('"').filter(|text| text.starts_with("/api/v1/") && !text.contains('\n')).collect();
    assert_eq!(told, routed);
}

#[tokio::test]
async fn parameters_of_the_document_are_taken_and_others_are_not() {
    let hub = hub().await;
    let document = document(&hub).await;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let parameters = methods["get"]["parameters"].as_array().cloned().unwrap_or_default();
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
            let name = parameter["name"].as_str().unwrap();
            // What one cannot be asked for without, or with, is told apart from what is not known by the words.
            let answer = hub.get(&format!("{path}?{name}={}", value_of(parameter))).await;
            let is_known = answer.status == 200 || !answer.error().contains("unknown field");
            assert!(is_known, "{path}?{name}: {} {}", answer.status, answer.text());
        }
    }
    for path in ["/api/v1/violations", "/api/v1/failures", "/api/v1/trends", "/api/v1/movers", "/api/v1/matrix"] {
        assert_eq!(hub.get(&format!("{path}?nonsense=1")).await.status, 400, "{path}");
    }
}

fn value_of(parameter: &Value) -> String {
    let schema = &parameter["schema"];
    match (schema["enum"].get(0), schema["type"].as_str()) {
        (Some(first), _) => first.as_str().unwrap().to_owned(),
        (None, Some("integer")) => "1".to_owned(),
        (None, Some("boolean")) => "true".to_owned(),
        _ => "x".to_owned(),
    }
}

#[tokio::test]
async fn answers_are_as_the_document_says() {
    let hub = hub().await;
    let document = document(&hub).await;
    let id = hub.get("/api/v1/violations").await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let revision = hub.served().await.as_str().unwrap().to_owned();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let Some(operation) = methods.get("get") else { continue };
        let asked = path.replace("{id}", &id).replace("{revision}", &revision);
        let asked = asked.replace("/explain", "/explain?policy=TEST1&cluster=prod");
        let answer = hub.get(&asked).await;
        assert_eq!(answer.status, 200, "{asked}: {}", answer.text());
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        check(&document, schema, &answer.json(), path);
    }
    let error = hub.get("/api/v1/trends?resolution=century").await.json();
    check(&document, &document["components"]["schemas"]["Error"], &error, "an error");
}

/// Every property is told, and of its type; a schema without properties says no more than the type.
fn check(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return check(document, &document["components"]["schemas"][name], value, place);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        if !value.is_null() {
            check(document, &choices[0], value, place);
        }
        return;
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => vec![kind.as_str().unwrap()],
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(kinds.contains(&kind), "{place}: {kind} where the document says {kinds:?}");
    for item in value.as_array().into_iter().flatten() {
        check(document, &schema["items"], item, &format!("{place}[]"));
    }
    let (Some(properties), Some(told)) = (schema["properties"].as_object(), value.as_object()) else { return };
    let names = |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(told), names(properties), "{place}");
    for (name, property) in properties {
        check(document, property, &told[name], &format!("{place}.{name}"));
    }
}
