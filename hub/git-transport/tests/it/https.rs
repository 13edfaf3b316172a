//! Over https: what works, and what a remote may not do to us.

use crate::host::{PASSWORD, TIMEOUT, fetch, host, mirror, push};
use std::time::Instant;

/// The error of a fetch from one of the host's odd paths. It never holds the password.
fn refusal(name: &str) -> String {
    let (_folder, mirror) = mirror();
    let message = fetch(&mirror, &host().url(name)).unwrap_err().message().to_owned();
    assert!(!message.contains(PASSWORD), "{message}");
    message
}

#[test]
fn a_clone_and_then_a_new_commit_arrive() {
    let (work, first) = host().repository("cloned");
    let (_folder, mirror) = mirror();
    assert_eq!(fetch(&mirror, &host().url("cloned.git")).unwrap(), first);

    let second = push(&work, "package b\n");
    assert_eq!(fetch(&mirror, &host().url("cloned.git")).unwrap(), second);
}

#[test]
fn many_new_commits_take_several_rounds() {
    let (work, _) = host().repository("rounds");
    let (_folder, mirror) = mirror();
    fetch(&mirror, &host().url("rounds.git")).unwrap();
    let mut head = String::new();
    for n in 0..40 {
        head = writ_e2e::git::commit(&work, "a.rego", &format!("package a{n}\n"), "Change a").unwrap();
    }
    writ_e2e::git::git(&work, &["push", "--quiet", "origin", "HEAD:main"]).unwrap();
    assert_eq!(fetch(&mirror, &host().url("rounds.git")).unwrap(), head);
}

#[test]
fn a_redirect_on_the_same_host_is_followed_to_the_pack() {
    let (_, head) = host().repository("redirected");
    let (_folder, mirror) = mirror();
    assert_eq!(fetch(&mirror, &host().url("old-redirected.git")).unwrap(), head);
}

#[test]
fn a_redirect_to_another_host_is_refused() {
    assert_eq!(
        refusal("elsewhere.git"),
        "the remote redirects to another host, `localhost`: name that one as the source"
    );
    assert_eq!(refusal("circle.git"), "the remote redirects more than 3 times");
}

#[test]
fn wrong_credentials_are_named_without_being_told() {
    assert_eq!(refusal("locked.git"), "the remote refuses the user name or password (401)");
}

#[test]
fn what_is_not_a_repository_is_said_so() {
    assert_eq!(refusal("absent.git"), "the remote knows no such repository, or hides it (404)");
    assert_eq!(refusal("page.git"), "the remote does not speak git's smart protocol there");
}

#[test]
fn a_silent_remote_ends_at_the_deadline() {
    let start = Instant::now();
    assert_eq!(refusal("silent.git"), "asking the remote: the remote did not finish within 4s");
    assert!(start.elapsed() < TIMEOUT * 3);
}

#[test]
fn too_large_an_answer_is_cut_off() {
    assert_eq!(refusal("flood.git"), "the remote sent more than 1048576 bytes");
}

#[test]
fn addresses_with_a_password_are_refused_without_repeating_it() {
    host();
    let (_folder, mirror) = mirror();
    let error = fetch(&mirror, "https://ada:hunter2@127.0.0.1:1/p.git").unwrap_err();
    assert!(error.message().contains("pass them as options"), "{error}");
    assert!(!error.message().contains("hunter2"), "{error}");
}

#[test]
fn a_password_is_not_sent_in_the_clear() {
    host();
    let (_folder, mirror) = mirror();
    let error = fetch(&mirror, "http://192.0.2.1/p.git").unwrap_err();
    assert_eq!(error.message(), "a password is not sent over plain http: use https");
}

#[test]
fn a_second_registration_is_refused() {
    host();
    let error = writ_git_transport::register(|_| None).unwrap_err();
    assert_eq!(error.to_string(), "the git transports of this process are registered already");
}

#[test]
fn address_that_nobody_configured_is_not_spoken_to() {
    host();
    let (_folder, mirror) = mirror();
    let error = fetch(&mirror, "https://unknown.example/p.git").unwrap_err();
    assert_eq!(error.message(), "this is not the address of a source");
}
