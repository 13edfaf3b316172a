//! The conversations by which the configuration is made, repaired and left alone.

use super::catalog::tests::catalog;
use super::wanted::NAME;
use super::*;
use crate::kubernetes::script::{Script, absent, conflict};
use serde_json::{Value, json};

const PATH: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/writ";
const ALL: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

fn keeper(script: &Script, held: bool, arguments: &[&str]) -> (Keeper, Registration) {
    let registration = Registration::default();
    registration.set_targets(&["Pod"]);
    let (seen, _) = watch::channel(String::new());
    let trusted = watch::channel(Some("authority".to_owned())).1;
    let held = watch::channel(held).1;
    let ends = Ends { held, trusted, seen, registration: registration.clone() };
    let cluster = script.cluster_of(arguments);
    let api = Api::all(script.client());
    (Keeper { cluster, api, ends, catalog: Some((catalog(), Instant::now())) }, registration)
}

/// What the keeper would write.
fn right(annotations: Value) -> Value {
    let kinds = BTreeSet::from(["Pod".to_owned()]);
    let settings = super::wanted::tests::settings(&[]);
    let webhooks = settings.wanted(&catalog(), &kinds, Some(b"authority")).webhooks;
    json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "writ", "resourceVersion": "7", "annotations": annotations}, "webhooks": webhooks})
}

#[tokio::test]
async fn absent_configuration_is_made_and_a_right_one_left_alone() {
    let script = Script::new().expect("GET", PATH, absent()).expect("POST", ALL, (201, right(json!({})))).expect(
        "GET",
        PATH,
        (200, right(json!({}))),
    );
    let (mut keeper, registration) = keeper(&script, true, &[]);
    keeper.look().await.unwrap();
    assert_eq!(script.bodies()[1]["webhooks"][0]["name"], NAME);
    keeper.look().await.unwrap();
    assert!(registration.gaps().is_empty());
    script.assert_done();
}

#[tokio::test]
async fn edit_by_hand_is_repaired_by_the_holder_alone() {
    let mut edited = right(json!({}));
    edited["webhooks"][0]["failurePolicy"] = json!("Ignore");
    edited["webhooks"][0]["rules"] = json!([]);
    let script = Script::new().expect("GET", PATH, (200, edited.clone()));
    let (mut other, registration) = keeper(&script, false, &[]);
    other.look().await.unwrap();
    assert!(registration.gaps()[0].contains("requests for Pod may not be judged"));
    script.assert_done();

    let script = Script::new().expect("GET", PATH, (200, edited)).expect("PUT", PATH, (200, right(json!({}))));
    let (mut holder, registration) = keeper(&script, true, &[]);
    holder.look().await.unwrap();
    assert_eq!(script.bodies()[1]["webhooks"], right(json!({}))["webhooks"]);
    assert_eq!(script.bodies()[1]["metadata"]["resourceVersion"], "7", "a newer edit is not overwritten unseen");
    assert!(registration.gaps().is_empty());
    script.assert_done();
}

#[tokio::test]
async fn suspended_configuration_is_emptied_and_told() {
    let suspended = right(json!({"writ.dev/suspended": "INC-7"}));
    let mut emptied = suspended.clone();
    emptied["webhooks"] = json!([]);
    let script = Script::new().expect("GET", PATH, (200, suspended)).expect("PUT", PATH, (200, emptied));
    let (mut keeper, registration) = keeper(&script, true, &[]);
    keeper.look().await.unwrap();
    assert_eq!(script.bodies()[1]["webhooks"], json!([]));
    assert!(registration.gaps()[0].contains("INC-7"));
    script.assert_done();
}

#[tokio::test]
async fn authority_that_another_injects_is_kept() {
    let annotations = json!({"cert-manager.io/inject-ca-from": "writ-system/writ-agent"});
    let script = Script::new().expect("GET", PATH, (200, right(annotations)));
    let arguments = ["--certificate=secret", "--inject-ca-from=writ-system/writ-agent"];
    let (mut keeper, _) = keeper(&script, true, &arguments);
    keeper.ends.trusted = watch::channel(None).1;
    keeper.look().await.unwrap();
    script.assert_done();
}

#[tokio::test]
async fn writer_that_was_too_late_looks_again() {
    let script = Script::new().expect("GET", PATH, absent()).expect("POST", ALL, conflict());
    let (mut keeper, _) = keeper(&script, true, &[]);
    assert!(keeper.look().await.is_err());
    script.assert_done();
}
