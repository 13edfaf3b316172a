//! `writ bundle build`: reads a commit as the hub does, checks it as the hub does, and writes what agents need.

use crate::arguments::BundleBuild;
use crate::exit::{DONE, FAILED, Outcome};
use crate::terminal;
use anyhow::Context;
use std::collections::BTreeMap;
use std::time::Duration;
use writ_policy::author::{BundleFile, ClassContent};
use writ_policy::bundle::Index;
use writ_policy::fleet::Class;
use writ_policy::{CheckReport, Digest, SourceFile};
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
    let mut errors = errors(&report);
    let mut classes = BTreeMap::new();
    let wanted: &[Class] = if errors.is_empty() { &report.fleet.classes } else { &[] };
    for class in wanted {
        let part = class.files(&files);
        let report = self_test.run(&part).await.context("checking what a class is served")?.check;
        let content = ClassContent { index: Digest::of(Index::build(&part).1), policies: report.policies.len() as u32 };
        classes.insert(class.name.clone(), content);
        errors.extend(self::errors(&report).iter().map(|error| format!("class `{}`: {error}", class.name)));
    }
    Ok(if errors.is_empty() {
        Ok(Checked { files, policies: report.policies.len() as u32, classes })
    } else {
        Err(errors)
    })
}

fn errors(report: &CheckReport) -> Vec<String> {
    report.diagnostics.iter().filter(|one| one.is_error()).map(ToString::to_string).collect()
}
