//! What of a repository must be examined when it differs little from one in which nothing was found. Pure. The rest is
//! what it was: what is found in a module depends on the module, on those it names, directly or not, and on those whose
//! packages are within its own or around it. Files that are not Rego are examined each time. A plan that turns out to be
//! wrong, for any reason, is dropped, and everything is examined.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use writ_policy::check::{CheckedModule, CheckedPolicy, Examined};
use writ_policy::{Digest, SourceFile};

/// The Rego files in which nothing was found, by path.
pub(super) type Clean = BTreeMap<String, Arc<CheckedModule>>;

/// A part of a repository that stands for the whole.
pub(super) struct Plan {
    /// To be examined.
    pub(super) files: Vec<SourceFile>,
    /// Policies in the files that are left out.
    pub(super) others: Vec<CheckedPolicy>,
    /// What is left out.
    pub(super) rest: Clean,
    /// Files that changed, with what they were, and files that are gone.
    before: BTreeMap<String, Option<Arc<CheckedModule>>>,
}

/// The plan for these files, when it saves more than it costs.
pub(super) fn plan(files: &[SourceFile], clean: &Clean) -> Option<Plan> {
    let rego: BTreeMap<&str, &SourceFile> =
        files.iter().filter(|file| file.is_rego()).map(|file| (file.path.as_str(), file)).collect();
    let is_same = |file: &SourceFile| clean.get(&file.path).is_some_and(|known| known.digest == file.digest());
    let changed = rego.values().filter(|file| !is_same(file)).map(|file| file.path.clone());
    let gone = clean.keys().filter(|path| !rego.contains_key(path.as_str())).cloned();
    let before: BTreeMap<_, _> = changed.chain(gone).map(|path| (path.clone(), clean.get(&path).cloned())).collect();
    let included = included(clean, &before);
    if included.len() * 2 > rego.len() || rego.len() < clean.len() / 2 {
        return None;
    }
    let is_included = |path: &str| before.contains_key(path) || included.contains(path);
    let examined = files.iter().filter(|file| !file.is_rego() || is_included(&file.path)).cloned().collect();
    let rest: Clean = clean
        .iter()
        .filter(|(path, _)| !is_included(path))
        .map(|(path, module)| (path.clone(), module.clone()))
        .collect();
    let others = rest.values().filter_map(|module| module.policy.clone()).collect();
    Some(Plan { files: examined, others, rest, before })
}

/// Of the JSON files, which are data of unit tests, and of the files that say which modules are a team's and which are
/// served to a class of clusters. With others the plan would not hold.
pub(super) fn digest_of_data(files: &[SourceFile]) -> Digest {
    let says = |file: &SourceFile| ["NamespacePolicies", "classes"].iter().any(|word| file.text.contains(word));
    let gives = |file: &&SourceFile| file.path.ends_with(".json") || (file.is_yaml() && says(file));
    let data = files.iter().filter(gives);
    Digest::of(data.map(|file| format!("{} {:?}\n", file.digest(), file.path)).collect::<String>())
}

/// The modules that may be found otherwise than before, all that these depend on, the libraries, because a change may
/// begin to use one, and those that fill `data`, because what they fill is missed without them.
fn included<'c>(clean: &'c Clean, before: &BTreeMap<String, Option<Arc<CheckedModule>>>) -> BTreeSet<&'c str> {
    let mut included: BTreeSet<&str> = BTreeSet::new();
    let mut packages: Vec<&[String]> = before.values().flatten().map(|module| module.package.as_slice()).collect();
    let mut next = 0;
    while let Some(package) = packages.get(next).copied() {
        next += 1;
        for module in clean.values().filter(|module| module.depends_on(package)) {
            if included.insert(&module.path) && !packages.contains(&module.package.as_slice()) {
                packages.push(&module.package);
            }
        }
    }
    let is_for_all = |module: &&Arc<CheckedModule>| module.is_library || fills_data(module);
    included.extend(clean.values().filter(is_for_all).map(|module| module.path.as_str()));
    let mut waiting: Vec<&str> = included.iter().copied().chain(before.keys().map(String::as_str)).collect();
    while let Some(path) = waiting.pop() {
        let Some(module) = clean.get(path) else { continue };
        for needed in clean.values().filter(|other| module.depends_on(&other.package)) {
            if included.insert(&needed.path) {
                waiting.push(&needed.path);
            }
        }
    }
    included
}

/// Whether it replaces what is nobody's; nobody misses what is filled from outside anyway.
fn fills_data(module: &CheckedModule) -> bool {
    let is_data = |name: &Vec<String>| {
        name.first().is_some_and(|first| first == "data")
            && !name.get(1).is_some_and(|part| part == "kubernetes" || part == "inventory")
    };
    module.replaces.iter().any(is_data)
}

impl Plan {
    /// Whether what was found in the part holds for the whole: nothing was found, nothing that is left out can have to
    /// do with what changed, and no two policies share a name or a code.
    pub(super) fn holds(&self, examined: &Examined) -> bool {
        let Examined { report, modules, .. } = examined;
        let loaded: BTreeMap<&str, &CheckedModule> =
            modules.iter().map(|module| (module.path.as_str(), module)).collect();
        let all_loaded = self.files.iter().filter(|file| file.is_rego()).all(|file| loaded.contains_key(&*file.path));
        report.diagnostics.is_empty()
            && all_loaded
            && self.before.iter().all(|(path, before)| self.is_apart(before.as_deref(), loaded.get(&**path).copied()))
            && self.are_unique(examined)
    }

    /// Whether a change leaves alone what is left out. What a module no longer replaces may be missed elsewhere.
    fn is_apart(&self, before: Option<&CheckedModule>, after: Option<&CheckedModule>) -> bool {
        let replaced = before.map(|module| &module.replaces);
        let still_replaced = replaced.is_none_or(|names| match after {
            Some(after) => names.is_subset(&after.replaces),
            None => names.is_empty(),
        });
        let touches = |module: &CheckedModule, other: &CheckedModule| {
            other.depends_on(&module.package) || module.depends_on(&other.package)
        };
        still_replaced && !after.is_some_and(|module| self.rest.values().any(|other| touches(module, other)))
    }

    fn are_unique(&self, examined: &Examined) -> bool {
        let codes: BTreeSet<_> = self.others.iter().map(|policy| &policy.info.code).collect();
        let names: BTreeSet<_> = self.others.iter().map(|policy| &policy.info.name).collect();
        examined.report.policies.iter().all(|info| !codes.contains(&info.code) && !names.contains(&info.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::time::Duration;
    use writ_policy::check::{Examination, InTurn, examine};

    fn file(path: &str, text: String) -> SourceFile {
        SourceFile { path: path.into(), text: text.into() }
    }

    /// Ten policies of one library, each with a test, and a fleet.
    fn repository() -> Vec<SourceFile> {
        let policy = |number| {
            let head = "# METADATA\n# title: A\n# custom:\n#   severity: LOW\n#   kinds: [Pod]\n#   code: ";
            let rule = "import data.lib.names\n\ndeny contains \"a\" if names.is_short(input.review.name)";
            file(&format!("p{number}.rego"), format!("{head}WR{number}\npackage writ.p{number}\n\n{rule}\n"))
        };
        let test = |number| {
            let rule = format!("test_a if count(data.writ.p{number}.deny) == 0 with input as {{}}");
            file(&format!("p{number}_test.rego"), format!("package writ.p{number}_test\n\n{rule}\n"))
        };
        let library = file("lib.rego", "package lib.names\n\nis_short(name) if count(name) < 3\n".into());
        let fleet = file("fleet.yaml", "apiVersion: writ.dev/v1\nkind: Fleet\ndenyLevel: LOW\n".into());
        (0..10).flat_map(|number| [policy(number), test(number)]).chain([library, fleet]).collect()
    }

    fn clean(files: &[SourceFile]) -> Clean {
        let asked =
            Examination { files, others: &[], per_test: Duration::from_secs(1), known: &HashSet::new(), now: 0 };
        let examined = examine(&asked, &InTurn);
        assert!(examined.report.diagnostics.is_empty(), "{:?}", examined.report.diagnostics);
        examined.modules.into_iter().map(|module| (module.path.clone(), Arc::new(module))).collect()
    }

    fn planned(change: impl Fn(&mut Vec<SourceFile>)) -> Option<Vec<String>> {
        let mut files = repository();
        let clean = clean(&files);
        change(&mut files);
        plan(&files, &clean).map(|plan| plan.files.into_iter().map(|file| file.path).collect())
    }

    #[test]
    fn changed_policy_is_examined_with_its_test_and_the_libraries() {
        let comment = |files: &mut Vec<SourceFile>, path: &str| {
            let file = files.iter_mut().find(|file| file.path == path).unwrap();
            file.text = format!("{}# text\n", file.text).into();
        };
        assert_eq!(
            planned(|files| comment(files, "p4.rego")).unwrap(),
            ["p4.rego", "p4_test.rego", "lib.rego", "fleet.yaml"]
        );
        assert_eq!(planned(|files| comment(files, "fleet.yaml")).unwrap(), ["lib.rego", "fleet.yaml"]);
        assert_eq!(planned(|files| comment(files, "lib.rego")), None);
        assert_eq!(
            planned(|files| files.retain(|file| file.path != "p4.rego")).unwrap(),
            ["p4_test.rego", "lib.rego", "fleet.yaml"]
        );
    }
}
