//! Which Rego files are read, and which of their packages judge.

use crate::arguments::Eval;
use anyhow::Context;
use std::path::{Path, PathBuf};
use writ_policy::SourceFile;

/// Every `.rego` file of these paths, as people named them.
pub(super) fn read(paths: &[PathBuf]) -> anyhow::Result<Vec<SourceFile>> {
    let mut files = vec![];
    for path in paths {
        anyhow::ensure!(
            path.exists(),
            "{} does not exist; name the folder of the packages with --policy",
            path.display()
        );
        for found in rego_files(path)? {
            let shown = found.to_string_lossy();
            let content = std::fs::read(&found).with_context(|| format!("could not read {shown}"))?;
            let text = String::from_utf8(content).with_context(|| format!("{shown} is not UTF-8"))?;
            anyhow::ensure!(text.len() <= writ_policy::source::MAX_FILE_BYTES, "{shown} is larger than 1 MiB");
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            files.push(SourceFile { path: shown.trim_start_matches("./").to_owned(), text: text.into() });
        }
    }
    let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    anyhow::ensure!(!files.is_empty(), "no policies were found in {}", shown.join(", "));
    files.sort_by(|a: &SourceFile, b| a.path.cmp(&b.path));
    files.dedup_by(|a, b| a.path == b.path);
    Ok(files)
}

fn rego_files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = vec![];
    for entry in std::fs::read_dir(path).with_context(|| format!("could not read {}", path.display()))? {
        let entry = entry?;
        // Links to folders may lead round in a circle.
        if entry.file_type()?.is_dir() {
            found.extend(rego_files(&entry.path())?);
        } else if entry.path().extension().is_some_and(|ending| ending == "rego") && entry.path().is_file() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// The packages that are asked for: all, those that a pattern matches, or those that are named, known or not.
pub(super) fn choose(known: &[String], options: &Eval) -> Vec<String> {
    let is_pattern = |name: &String| name.contains(['*', '?', '[']);
    if options.all_namespaces {
        return known.to_vec();
    }
    if !options.namespace.iter().any(is_pattern) {
        return options.namespace.clone();
    }
    let patterns: Vec<regex::Regex> = options.namespace.iter().filter_map(|pattern| glob(pattern)).collect();
    known.iter().filter(|name| patterns.iter().any(|pattern| pattern.is_match(name))).cloned().collect()
}

/// `*`, `?` and `[...]`; dots are characters like others.
fn glob(pattern: &str) -> Option<regex::Regex> {
    let mut text = String::from("^");
    let mut in_class = false;
    for c in pattern.chars() {
        match c {
            '*' if !in_class => text.push_str(".*"),
            '?' if !in_class => text.push('.'),
            '[' | ']' => {
                in_class = c == '[';
                text.push(c);
            }
            '^' | '-' if in_class => text.push(c),
            c => text.push_str(&regex::escape(&c.to_string())),
        }
    }
    regex::Regex::new(&(text + "$")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_take_dots_as_characters() {
        let matches = |pattern: &str, name: &str| glob(pattern).unwrap().is_match(name);
        assert!(matches("main.*", "main.gke") && matches("*", "a.b.c") && matches("c[a-o]?mands", "commands"));
        assert!(!matches("main.*", "mainxgke") && !matches("c*", "main"));
    }
}
