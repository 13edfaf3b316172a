//! Links and pictures of the documentation: what they point at exists.

use super::files::{File, files, none_found, root};
use regex::Regex;
use std::path::Path;

#[test]
fn relative_links_and_pictures_resolve() {
    let link = Regex::new(r"!?\[[^\]\n]*\]\(([^)\s]+)[^)\n]*\)").unwrap();
    let broken = files(".md").into_iter().flat_map(|file| {
        let text = without_code(&file.text);
        let targets = link.captures_iter(&text).map(|found| found[1].to_owned());
        let broken = targets.filter(|target| !resolves(&file, target));
        broken.map(|target| format!("{}: {target}", file.path)).collect::<Vec<_>>()
    });
    none_found(broken.collect());
}

fn resolves(file: &File, target: &str) -> bool {
    if target.contains("://") || target.starts_with("mailto:") {
        return true;
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let absolute = root().join(&file.path);
    let there = if path.is_empty() { absolute } else { absolute.parent().unwrap().join(path) };
    there.exists() && anchor.is_none_or(|anchor| !is_markdown(&there) || has_heading(&there, anchor))
}

fn is_markdown(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}

fn has_heading(path: &Path, anchor: &str) -> bool {
    let text = without_code(&std::fs::read_to_string(path).unwrap());
    let mut headings = text.lines().filter(|line| line.starts_with('#'));
    headings.any(|heading| slug(heading.trim_start_matches('#').trim()) == anchor)
}

/// The anchor that git hosts make of a heading.
fn slug(heading: &str) -> String {
    let kept = heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .collect::<String>();
    kept.replace(' ', "-")
}

fn without_code(text: &str) -> String {
    let mut fenced = false;
    let mut kept = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            kept.push(line);
        }
    }
    kept.join("\n")
}
