//! `writ init`: the template as a git repository with a first commit.

use crate::arguments::Init;
use crate::exit::{DONE, Outcome};
use crate::{template, terminal};
use anyhow::{Context, ensure};
use std::fs;
use std::path::Path;
use writ_hub::repository::author;

pub(crate) fn run(options: &Init) -> Outcome {
    let dir = &options.dir;
    refuse_used(dir)?;
    // Asked for before anything is written, so that a refusal leaves nothing behind.
    let identity = author::identity(dir.parent().unwrap_or(dir))?;
    let files = template::files();
    fs::create_dir_all(dir).with_context(|| format!("could not make the folder {}", dir.display()))?;
    template::write(dir, &files)?;
    author::init(dir)?;
    let commit = author::commit_all(dir, "Start the policies repository", &identity, None)?;
    let shown = dir.display();
    terminal::say(&format!(
        "{shown} is a policies repository: {} files, first commit {}.\n\n  \
         writ check {shown}    what the hub will say of it\n  \
         writ test {shown}     its unit tests\n\n\
         README.md in it tells authors the rest; library/README.md lists ready policies that are off until fleet.yaml\n\
         turns them on. Push it, and give its URL to the hub as --source.",
        files.len(),
        commit.short(),
    ))?;
    Ok(DONE)
}

/// Refuses a folder that holds something.
pub(crate) fn refuse_used(dir: &Path) -> anyhow::Result<()> {
    match fs::read_dir(dir) {
        Ok(mut entries) => {
            ensure!(entries.next().is_none(), "{} is not empty; name a new folder", dir.display());
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("could not look into {}", dir.display())),
    }
}
