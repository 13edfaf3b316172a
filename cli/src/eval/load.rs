//! The files that are named on the command line, as texts: files, folders, `-` for standard input.

use crate::inputs::{NoParser, Parser};
use anyhow::Context;
use std::fs;
use std::io::Read;
use std::path::Path;

/// The largest file that is read.
const MAX_BYTES: u64 = 64 << 20;
/// The deepest folder that is looked into; links to folders may go round.
const DEEPEST: usize = 64;

/// One file to judge.
#[derive(Debug)]
pub(super) struct Given {
    /// As people named it; `-` for standard input.
    pub(super) path: String,
    pub(super) parser: Parser,
    pub(super) text: String,
    /// Whether it was named itself, not found in a folder.
    pub(super) named: bool,
}

/// Reads every file of these paths. In folders only what has a parser that `wants` it is read, sorted by path.
pub(super) fn read(
    paths: &[String],
    parser: Option<Parser>,
    wants: fn(Parser) -> bool,
    ignore: Option<&regex::Regex>,
) -> anyhow::Result<Vec<Given>> {
    let mut given = vec![];
    for path in paths.iter().filter(|path| !path.is_empty()) {
        if path != "-" && Path::new(path).is_dir() {
            let mut found = vec![];
            list(Path::new(path), DEEPEST, &mut found).with_context(|| format!("could not read {path}"))?;
            found.sort();
            let known = |found: &String| parser.map_or_else(|| Parser::for_path(found), Ok).is_ok_and(wants);
            let chosen =
                found.into_iter().filter(|found| known(found) && !ignore.is_some_and(|ignore| ignore.is_match(found)));
            for found in chosen {
                given.push(one(&found, parser, false)?);
            }
        } else {
            given.push(one(path, parser, true)?);
        }
    }
    anyhow::ensure!(!given.is_empty(), "no files to judge were found");
    Ok(given)
}

/// The pattern of paths that are passed over.
pub(super) fn pattern(text: Option<&str>) -> anyhow::Result<Option<regex::Regex>> {
    let parsed = text.map(regex::Regex::new).transpose();
    parsed.context("--ignore is not a regular expression")
}

fn list(dir: &Path, depth: usize, found: &mut Vec<String>) -> anyhow::Result<()> {
    anyhow::ensure!(depth > 0, "{} is nested too deeply; does a link lead back?", dir.display());
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let is_git = path.file_name().is_some_and(|name| name == ".git");
        if path.is_dir() && !is_git {
            list(&path, depth - 1, found)?;
        } else if path.is_file() {
            found.push(path.to_string_lossy().into_owned());
        }
    }
    Ok(())
}

fn one(path: &str, parser: Option<Parser>, named: bool) -> anyhow::Result<Given> {
    let parser = match parser.map_or_else(|| Parser::for_path(path), Ok) {
        Ok(parser) => parser,
        Err(NoParser::Refused(name)) => {
            anyhow::bail!("{path}: {name} is not supported; convert it to JSON or YAML first")
        }
        Err(NoParser::Unknown) => anyhow::bail!("{path}: no parser is known for this name; choose one with --parser"),
    };
    let text = text(path).with_context(|| format!("could not read {path}"))?;
    Ok(Given { path: path.to_owned(), parser, text, named })
}

fn text(path: &str) -> anyhow::Result<String> {
    let mut bytes = vec![];
    if path == "-" {
        std::io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    } else {
        fs::File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    }
    anyhow::ensure!(bytes.len() as u64 <= MAX_BYTES, "it has more than {MAX_BYTES} bytes");
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        anyhow::anyhow!("line {line} is not UTF-8; save the file as UTF-8")
    })
}
