//! The policies repository that `writ init` and `writ demo` lay down, embedded in the binary.

use anyhow::Context;
use std::borrow::Cow;
use std::fs;
use std::path::Path;

#[derive(rust_embed::Embed)]
#[folder = "../policies-repo-template"]
struct Embedded;

/// One file of the template.
#[derive(Debug)]
pub(crate) struct TemplateFile {
    /// Relative, with `/` between its parts.
    pub(crate) path: String,
    pub(crate) content: Cow<'static, [u8]>,
}

/// All files, sorted by path.
pub(crate) fn files() -> Vec<TemplateFile> {
    let mut paths: Vec<_> = Embedded::iter().collect();
    paths.sort();
    let content = |path: &str| Embedded::get(path).expect("an embedded path has its file").data;
    paths.iter().map(|path| TemplateFile { content: content(path), path: path.to_string() }).collect()
}

/// Writes these files under a folder, making the folders between.
pub(crate) fn write<'a>(dir: &Path, files: impl IntoIterator<Item = &'a TemplateFile>) -> anyhow::Result<()> {
    for file in files {
        let target = dir.join(&file.path);
        let parent = target.parent().expect("a file below a folder has a parent");
        fs::create_dir_all(parent).with_context(|| format!("could not make the folder {}", parent.display()))?;
        fs::write(&target, &file.content).with_context(|| format!("could not write {}", target.display()))?;
    }
    Ok(())
}
