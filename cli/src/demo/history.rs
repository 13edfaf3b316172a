//! The demo's policies repository: the template, laid down as a few commits over the last days, so that there is a
//! history to look at and to revert.

use crate::template::{self, TemplateFile};
use anyhow::Context;
use std::borrow::Cow;
use std::path::Path;
use writ_hub::repository::author::{self, Identity};

const DAY: i64 = 86_400;

/// The fleet as it was before anything was denied.
const FIRST_FLEET: &str = "\
# What the platform wants from each cluster. Nothing is denied yet: first see what would be.
apiVersion: writ.dev/v1
kind: Fleet
denyLevel: OFF
";

/// Message, days ago, and the codes of the policies that came with it.
const COMMITS: [(&str, i64, std::ops::RangeInclusive<u32>); 4] = [
    ("Start with probes and resources\n\nMT1001 to MT1004, recorded only.\n", 12, 1001..=1004),
    ("Judge disruption budgets and port names\n\nMT1005 and MT1006.\n", 9, 1005..=1006),
    ("Judge pods that nobody owns, host ports and volumes\n\nMT1007 to MT1010.\n", 6, 1007..=1010),
    ("Judge privileged containers and node ports\n\nMT2001 and MT2002.\n", 3, 2001..=2002),
];
const LAST: &str = "Deny: HIGH in dev, MED in staging, all in prod\n";

/// Lays down the repository with commits dated backwards from `now` (Unix seconds).
pub(crate) fn lay_down(dir: &Path, identity: &Identity, now: i64) -> anyhow::Result<()> {
    author::init(dir)?;
    let files = template::files();
    for (index, (message, days, codes)) in COMMITS.iter().enumerate() {
        let came = files.iter().filter(|file| belongs(file, codes) || index == 0 && is_general(file));
        template::write(dir, came)?;
        if index == 0 {
            template::write(dir, [&fleet(FIRST_FLEET)])?;
        }
        commit(dir, message, identity, now - days * DAY)?;
    }
    template::write(dir, &files)?;
    commit(dir, LAST, identity, now - DAY / 2)
}

fn commit(dir: &Path, message: &str, identity: &Identity, at: i64) -> anyhow::Result<()> {
    author::commit_all(dir, message, identity, Some(at))
        .with_context(|| format!("could not commit in {}", dir.display()))?;
    Ok(())
}

fn belongs(file: &TemplateFile, codes: &std::ops::RangeInclusive<u32>) -> bool {
    code(&file.path).is_some_and(|code| codes.contains(&code))
}

fn is_general(file: &TemplateFile) -> bool {
    code(&file.path).is_none() && file.path != "fleet.yaml"
}

/// The number in the first `mtNNNN` of a path.
fn code(path: &str) -> Option<u32> {
    let path = path.to_ascii_lowercase();
    path.match_indices("mt").find_map(|(at, _)| path.get(at + 2..at + 6)?.parse().ok())
}

fn fleet(text: &'static str) -> TemplateFile {
    TemplateFile { path: "fleet.yaml".into(), content: Cow::Borrowed(text.as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_template_is_in_the_last_commit() {
        let dir = tempfile::tempdir().unwrap();
        let ada = Identity { name: "Ada".into(), email: "ada@example.com".into() };
        lay_down(dir.path(), &ada, 1_760_000_000).unwrap();
        for file in template::files() {
            assert_eq!(std::fs::read(dir.path().join(&file.path)).unwrap(), *file.content, "{}", file.path);
        }
        let last = author::plan_revert(dir.path(), "HEAD").unwrap();
        assert_eq!(last.subject, LAST.trim());
        assert_eq!(last.changes.len(), 1, "only the fleet changed last: {:?}", last.changes);
    }

    #[test]
    fn code_is_read_from_policies_tests_and_pages() {
        let paths = ["policies/mt1005_pdb_test.rego", "docs/MT2002.md", "policies/lib/pods.rego", "README.md"];
        assert_eq!(paths.map(code), [Some(1005), Some(2002), None, None]);
    }
}
