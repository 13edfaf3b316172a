//! `--data`: YAML and JSON files as one object. A file of a folder below is found below the folder's name.

use crate::inputs::Parser;
use anyhow::Context;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

pub(super) fn read(paths: &[PathBuf]) -> anyhow::Result<Value> {
    let mut data = Map::new();
    for path in paths {
        add(&mut data, path).with_context(|| format!("could not read the data of {}", path.display()))?;
    }
    Ok(Value::Object(data))
}

fn add(data: &mut Map<String, Value>, path: &Path) -> anyhow::Result<()> {
    if !path.is_dir() {
        return add_file(data, path);
    }
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() && !entry.is_symlink() {
            let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let mut inner = Map::new();
            add(&mut inner, &entry)?;
            if !inner.is_empty() {
                merge(data, Map::from_iter([(name, Value::Object(inner))]), &entry)?;
            }
        } else if entry.extension().is_some_and(|ending| ["yaml", "yml", "json"].iter().any(|known| ending == *known)) {
            add_file(data, &entry)?;
        }
    }
    Ok(())
}

fn add_file(data: &mut Map<String, Value>, path: &Path) -> anyhow::Result<()> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("could not read {shown}"))?;
    let parser = Parser::for_path(&path.to_string_lossy()).unwrap_or(Parser::Yaml);
    let value = parser.parse(&text).map_err(|error| anyhow::anyhow!("{shown}:{}: {}", error.line, error.reason))?;
    match value {
        Value::Object(object) => merge(data, object, path),
        Value::Null => Ok(()),
        _ => anyhow::bail!("{shown} is no object; data is found by the names of its fields"),
    }
}

/// Objects are joined; two values of one name are a contradiction.
fn merge(data: &mut Map<String, Value>, more: Map<String, Value>, path: &Path) -> anyhow::Result<()> {
    for (key, value) in more {
        match (data.get_mut(&key), value) {
            (None, value) => {
                data.insert(key, value);
            }
            (Some(Value::Object(before)), Value::Object(value)) => merge(before, value, path)?,
            _ => anyhow::bail!("{} gives `{key}` a second value", path.display()),
        }
    }
    Ok(())
}
