//! `writ rollback`: shows what undoing a commit changes, then makes the revert commit in the author's clone.

use crate::arguments::Rollback;
use crate::check::count;
use crate::exit::{DONE, FAILED, Outcome};
use crate::terminal;
use std::fmt::Write;
use std::path::Path;
use writ_hub::repository::author::{self, Revert};

pub(crate) fn run(options: &Rollback) -> Outcome {
    let repo = &options.repo;
    let plan = author::plan_revert(repo, &options.commit)?;
    let identity = author::identity(repo)?;
    terminal::say(&render(&plan))?;
    if !options.yes && !terminal::confirm("Make this commit?")? {
        terminal::say("Nothing was changed. (--yes makes the commit without asking.)")?;
        return Ok(FAILED);
    }
    let commit = author::revert(repo, &plan, &identity)?;
    terminal::say(&format!("\n{} {commit}", terminal::green("committed")))?;
    if author::has_remote(repo)? {
        terminal::say("Push it, and the fleet follows: git push")?;
    }
    terminal::say(&format!("Watch it enforced: writ wait --commit {commit}"))?;
    Ok(DONE)
}

fn render(plan: &Revert) -> String {
    let when = jiff::Timestamp::from_second(plan.at).map(|at| at.strftime("%Y-%m-%d").to_string());
    let mut text = format!(
        "Undo {} {:?}, by {}, {}:\n\n",
        plan.commit.short(),
        plan.subject,
        plan.author,
        when.unwrap_or_else(|_| "at an unknown time".into())
    );
    for change in &plan.changes {
        let _ = writeln!(text, "  {:8} {}", change.kind, change.path);
    }
    let _ = writeln!(text, "\n{}", concerns(plan));
    let _ = write!(text, "\n{}", painted(&plan.patch));
    text
}

/// Which policies and settings the revert concerns, in one sentence.
fn concerns(plan: &Revert) -> String {
    let policies: Vec<&str> = plan.changes.iter().filter_map(|change| policy(&change.path)).collect();
    let is_fleet = plan.changes.iter().any(|change| change.path.ends_with("fleet.yaml"));
    let fleet = if is_fleet { " The fleet's settings change." } else { "" };
    match policies.len() {
        0 => format!("No policy changes.{fleet}"),
        number => format!("{} would change: {}.{fleet}", count(number, "policy", "policies"), policies.join(", ")),
    }
}

/// The name of the policy that a file holds, by its file name.
fn policy(path: &str) -> Option<&str> {
    let file = Path::new(path).file_name()?.to_str()?;
    file.strip_suffix(".rego").filter(|stem| !stem.ends_with("_test"))
}

fn painted(patch: &str) -> String {
    let line = |line: &str| match line.as_bytes().first() {
        Some(b'+') => terminal::green(line),
        Some(b'-') => terminal::red(line),
        _ => terminal::dim(line),
    };
    patch.lines().map(line).collect::<Vec<_>>().join("\n")
}
