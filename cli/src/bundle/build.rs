//! `writ bundle build`: reads a commit as the hub does, checks it as the hub does, and writes what agents need.

use crate::arguments::BundleBuild;
use crate::exit::{DONE, FAILED, Outcome};
use crate::terminal;
use anyhow::Context;
use std::collections::BTreeMap;
use std::time::Duration;
use writ_policy::SourceFile;
use writ_policy::author::{BundleFile, ClassContent};
use writ_runtime::SelfTest;

/// As the hub's.
const TIMEOUT: Duration = Duration::from_secs(60);
const MEMORY: u64 = 2 << 30;

pub(super) async fn run(options: BundleBuild) -> Outcome {
    let (revision, read) = writ_hub::repository::files_of(&options.repo, options.commit.as_ref(), &options.path)?;
    let checked = match read {
        Ok(files) => check(files).await?,
        Err(diagnostics) => Err(diagnostics.iter().map(ToString::to_string).collect()),
    };
    let Checked { files, policies, classes } = match checked {
        Ok(checked) => checked,
        Err(errors) => {
            errors.iter().for_each(|error| terminal::complain(error));
            terminal::complain(&format!("{} is not put into a bundle", revision.short()));
            return Ok(FAILED);
        }
    };
    let bundle = BundleFile { classes, ..BundleFile::new(revision.clone(), policies, &files) };
    super::write(&options.output, &bundle)?;
    let (name, count) = (options.output.display(), bundle.files.len());
    terminal::say(&format!("{name} holds {} with {policies} policies in {count} files; sign it", revision.short()))?;
    Ok(DONE)
}

/// A commit that is good.
struct Checked {
    files: Vec<SourceFile>,
    policies: u32,
    classes: BTreeMap<String, ClassContent>,
}

/// The files and how many policies they hold, in all and for each class of clusters, or what is wrong.
async fn check(files: Vec<SourceFile>) -> anyhow::Result<Result<Checked, Vec<String>>> {
    let self_test = SelfTest::new(Some(std::env::current_exe()?), TIMEOUT, MEMORY);
    let report = self_test.run(&files).await.context("checking the commit")?.check;
    let errors: Vec<_> = report.diagnostics.iter().filter(|one| one.is_error()).map(ToString::to_string).collect();
    if !errors.is_empty() {
        return Ok(Err(errors));
    }
    let parts = self_test.classes(&report.fleet, &files).await.context("checking what classes are served")?;
    let checked = parts.map(|parts| {
        let classes = parts.into_iter().map(|part| (part.name, part.content)).collect();
        Checked { files, policies: report.policies.len() as u32, classes }
    });
    Ok(checked.map_err(|findings| findings.diagnostics.iter().map(ToString::to_string).collect()))
}
