//! `writ eval --conftest`: Conftest's packages over the configurations that it reads.

use crate::support::{Ended, writ};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// A folder with a package and files.
fn folder(package: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("policy")).unwrap();
    fs::write(dir.path().join("policy/main.rego"), package).unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn conftest(dir: &Path, arguments: &[&str]) -> Ended {
    writ(dir, &[&["eval", "--conftest"], arguments].concat())
}

const DOCKER: &str = "package main

deny contains msg if {
	some command in input
	command.Cmd == \"from\"
	startswith(command.Value[0], \"docker.io/\")
	msg := sprintf(\"base image %s is not ours\", [command.Value[0]])
}

warn contains \"runs as root\" if not user

user if input[_].Cmd == \"user\"
";

#[test]
fn dockerfile_is_judged_command_by_command() {
    let dir = folder(
        DOCKER,
        &[("Dockerfile", "FROM docker.io/alpine:3 AS base\nRUN true\n"), ("ours.Dockerfile", "FROM r/a\nUSER 1\n")],
    );
    let bad = conftest(dir.path(), &["Dockerfile"]);
    insta::assert_snapshot!(bad.stdout, @r"
    FAIL - Dockerfile - main - base image docker.io/alpine:3 is not ours
    WARN - Dockerfile - main - runs as root

    2 tests, 0 passed, 1 warning, 1 failure, 0 exceptions
    ");
    assert_eq!(bad.code, 1);
    let good = conftest(dir.path(), &["ours.Dockerfile"]);
    assert_eq!((good.code, good.stdout.as_str()), (0, "2 tests, 2 passed, 0 warnings, 0 failures, 0 exceptions\n"));
}

#[test]
fn terraform_toml_ini_and_env_are_read_by_name() {
    let package = "package main\n\ndeny contains \"open\" if input.resource.aws_rule.r[_].cidr[_] == \"0.0.0.0/0\"\n\n\
                   deny contains \"port\" if input.server.port == 80\n\ndeny contains \"user\" if input.USER == \"root\"\n";
    let files = [
        ("main.tf", "resource \"aws_rule\" \"r\" {\n  cidr = [\"0.0.0.0/0\"]\n}\n"),
        ("a.toml", "[server]\nport = 80\n"),
        ("a.ini", "[server]\nport = 80\n"),
        (".env", "USER=root\n"),
    ];
    let dir = folder(package, &files);
    let said = |file: &str| conftest(dir.path(), &[file, "-o", "tap"]).stdout;
    for (file, word) in [("main.tf", "open"), ("a.toml", "port"), ("a.ini", "port"), (".env", "user")] {
        assert!(said(file).contains(&format!("not ok 1 - {file} - main - {word}")), "{}", said(file));
    }
    let refused = conftest(dir.path(), &["policy/x.cue"]);
    assert_eq!((refused.code, refused.stderr.contains("CUE is not supported")), (1, true), "{}", refused.stderr);
}

#[test]
fn combined_files_are_one_input() {
    let package = "package main\n\ndeny contains msg if {\n\tsome i, j\n\ti < j\n\tinput[i].contents.name == input[j].contents.name\n\t\
                   msg := sprintf(\"%s and %s\", [input[i].path, input[j].path])\n}\n";
    let dir = folder(package, &[("b.yaml", "name: x\n"), ("a.yaml", "name: y\n---\nname: x\n")]);
    let combined = conftest(dir.path(), &["--combine", "b.yaml", "a.yaml"]);
    assert!(combined.stdout.contains("FAIL - Combined - main - a.yaml and b.yaml"), "{}", combined.stdout);
    assert_eq!(conftest(dir.path(), &["b.yaml", "a.yaml"]).code, 0);
}

#[test]
fn data_namespaces_and_places_are_kept() {
    let package = "package team.net\n\ndeny contains {\"msg\": \"denied port\", \"_loc\": {\"file\": \"net.tf\", \"line\": 7}, \"team\": \"net\"} if {\n\t\
                   input.port in data.denied.ports\n}\n";
    let dir = folder(package, &[("a.json", "{\"port\": 22}"), ("denied.yaml", "denied: {ports: [21, 22]}\n")]);
    let arguments = ["-d", "denied.yaml", "a.json", "--namespace", "team.*", "-o"];
    let shown = conftest(dir.path(), &[&arguments[..], &["json"]].concat());
    let value: Value = serde_json::from_str(&shown.stdout).unwrap();
    let failure = &value[0]["failures"][0];
    assert_eq!(failure["loc"], serde_json::json!({"file": "net.tf", "line": 7}));
    assert_eq!(failure["metadata"], serde_json::json!({"query": "data.team.net.deny", "team": "net"}));
    let github = conftest(dir.path(), &[&arguments[..], &["github"]].concat()).stdout;
    assert!(github.contains("::error file=net.tf,line=7::denied port"), "{github}");
    assert!(github.contains("::error file=a.json,line=1::(ORIGINATING FROM net.tf L7) denied port"), "{github}");
    let absent = conftest(dir.path(), &["a.json"]);
    assert!(
        absent.code == 0 && absent.stderr.contains("there is no package `main`, only team.net"),
        "{}",
        absent.stderr
    );
}

#[test]
fn old_rego_needs_its_version() {
    let dir = folder("package main\n\ndeny[msg] {\n\tinput.bad\n\tmsg := \"bad\"\n}\n", &[("a.yaml", "bad: true\n")]);
    assert_eq!(conftest(dir.path(), &["--rego-version", "v0", "a.yaml"]).code, 1);
    let newer = conftest(dir.path(), &["a.yaml"]);
    assert_eq!(newer.code, 1);
    assert!(newer.stdout.is_empty() && newer.stderr.contains("policy/main.rego:3"), "{}", newer.stderr);
}

#[test]
fn broken_configuration_is_told_with_its_place() {
    let dir = folder(DOCKER, &[("a.toml", "a = 1\nb = [\n"), ("Dockerfile", "FRUM a\n")]);
    assert!(conftest(dir.path(), &["a.toml"]).stderr.starts_with("error: a.toml:"));
    assert_eq!(conftest(dir.path(), &["Dockerfile"]).stderr, "error: Dockerfile:1:1: unknown instruction `FRUM`\n");
}
