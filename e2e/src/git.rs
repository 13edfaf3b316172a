//! The `git` program as an author uses it, away from the settings of whoever runs the tests.

use anyhow::{Context, ensure};
use std::path::Path;
use std::process::Command;

/// Runs git in a folder and returns what it printed.
pub fn git(folder: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = command(folder).args(arguments).output().context("running git")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "git {} failed: {errors}", arguments.join(" "));
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Writes a file and commits everything; returns the new commit.
pub fn commit(folder: &Path, file: &str, text: &str, message: &str) -> anyhow::Result<String> {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
    std::fs::write(path, text)?;
    git(folder, &["add", "--all"])?;
    git(folder, &["commit", "--quiet", "--message", message])?;
    git(folder, &["rev-parse", "HEAD"])
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Ada Author").env(format!("GIT_{role}_EMAIL"), "ada@example.com");
    }
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(variable);
    }
    command
}
