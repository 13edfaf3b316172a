//! The shape of files: how they begin, how long they are, and what may not stand in them.

use super::files::{files, none_found, outside};
use regex::Regex;

const MAX_LINES: usize = 450;
const MAX_FUNCTION_LINES: usize = 60;
/// Files that may be longer, each with its reason.
const LONG: &[(&str, &str)] = &[];

#[test]
fn every_file_says_what_it_owns() {
    let silent = files(".rs").into_iter().filter(|file| !file.text.starts_with("//!"));
    none_found(silent.map(|file| format!("{}: does not begin with `//!`", file.path)).collect());
}

#[test]
fn no_file_is_too_long() {
    let long = files(".rs").into_iter().filter(|file| file.text.lines().count() > MAX_LINES);
    let long = long.filter(|file| !LONG.iter().any(|(path, _)| *path == file.path));
    none_found(long.map(|file| format!("{}: {} lines", file.path, file.text.lines().count())).collect());
}

#[test]
fn no_function_is_too_long() {
    let head = Regex::new(r"^( *)(pub(\([a-z]+\))? )?((const|async|unsafe) )*fn (\w+)").unwrap();
    let long = files(".rs").into_iter().flat_map(|file| {
        let lines: Vec<_> = file.text.lines().collect();
        let heads = lines.iter().enumerate().filter_map(|(n, line)| Some((n, head.captures(line)?)));
        let long = heads.filter_map(|(n, found)| {
            lines[n..].iter().find(|line| line.ends_with(['{', ';', '}']))?.ends_with('{').then_some(())?;
            // rustfmt ends a function where it began, so the indent finds its last line.
            let end = format!("{}}}", &found[1]);
            let length = 1 + lines[n..].iter().position(|line| *line == end)?;
            (length > MAX_FUNCTION_LINES).then(|| format!("{}:{}: {} lines: {}", file.path, n + 1, length, &found[6]))
        });
        long.collect::<Vec<_>>()
    });
    none_found(long.collect());
}

#[test]
fn modules_are_files_of_their_name() {
    none_found(files("mod.rs").into_iter().map(|file| format!("{}: use foo.rs beside foo/", file.path)).collect());
}

#[test]
fn no_test_is_ignored_and_nothing_is_left_for_later() {
    let files: Vec<_> = files("").into_iter().filter(|file| !file.path.starts_with("e2e/tests/it/tidy")).collect();
    let rust: Vec<_> = files.into_iter().filter(|file| file.path.ends_with(".rs")).collect();
    let word = Regex::new(r"#\[ignore|\bTODO\b|\bFIXME\b|\bXXX\b").unwrap();
    let in_code = outside(&word, &rust, &[]);
    let in_comments = rust.iter().flat_map(|file| {
        let lines =
            file.text.lines().enumerate().filter(|(_, line)| line.trim().starts_with("//") && word.is_match(line));
        lines.map(|(n, line)| format!("{}:{}: {}", file.path, n + 1, line.trim())).collect::<Vec<_>>()
    });
    none_found(in_code.iter().cloned().chain(in_comments).collect());
}

#[test]
fn no_path_of_one_machine_is_committed() {
    let word = Regex::new(r#"(^|[\s"'`(=])(/work/|/root\b|/home/[a-z])"#).unwrap();
    let files: Vec<_> = files("").into_iter().filter(|file| !file.path.starts_with("e2e/tests/it/tidy")).collect();
    let hits = files.iter().flat_map(|file| {
        let lines = file.text.lines().enumerate().filter(|(_, line)| word.is_match(line));
        lines.map(|(n, line)| format!("{}:{}: {}", file.path, n + 1, line.trim())).collect::<Vec<_>>()
    });
    none_found(hits.collect());
}

#[test]
fn pages_hold_no_inline_script_or_style() {
    let word =
        Regex::new(r#"(?i)<style|<script(\s*>|\s+[^>]*>[^<])|\sstyle\s*=|\son[a-z]+\s*=|javascript:|hx-on"#).unwrap();
    let templates: Vec<_> = files(".html").into_iter().filter(|file| file.path.starts_with("web/templates/")).collect();
    none_found(outside(&word, &templates, &[]));
}
