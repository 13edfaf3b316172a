//! The files of several sources as those of one tree: every source but the first is a folder of its name.

use crate::repository::Read;
use writ_policy::source::{MAX_FILES, MAX_TOTAL_BYTES, checked_path};
use writ_policy::{Diagnostic, SourceFile};

/// What was read of a source, below the folder of its name.
pub(super) fn folder(name: &str, read: Read) -> Read {
    if name.is_empty() {
        return read;
    }
    match read {
        Ok(files) => {
            files.into_iter().map(|file| moved(name, file)).collect::<Result<_, _>>().map_err(|found| vec![found])
        }
        Err(findings) => Err(findings.into_iter().map(|finding| moved_finding(name, finding)).collect()),
    }
}

fn moved(name: &str, file: SourceFile) -> Result<SourceFile, Diagnostic> {
    let path = format!("{name}/{}", file.path);
    match checked_path(&path) {
        Ok(_) => Ok(SourceFile { path, ..file }),
        Err(reason) => Err(Diagnostic::error(&path, reason.to_string())),
    }
}

fn moved_finding(name: &str, finding: Diagnostic) -> Diagnostic {
    let path = if finding.path.is_empty() { name.to_owned() } else { format!("{name}/{}", finding.path) };
    Diagnostic { path, ..finding }
}

/// One tree of what was read of several sources, each already below its folder; or everything that keeps it from being
/// one.
pub(super) fn merged(reads: Vec<(String, Read)>) -> Read {
    let (mut files, mut findings, mut names) = (vec![], vec![], vec![]);
    for (name, read) in reads {
        match read {
            Ok(read) => files.extend(read.into_iter().map(|file| (name.is_empty(), file))),
            Err(found) => findings.extend(found),
        }
        names.extend((!name.is_empty()).then_some(name));
    }
    for name in names {
        let taken = files.iter().find(|(is_firsts, file)| *is_firsts && is_below(&file.path.to_lowercase(), &name));
        findings.extend(taken.map(|(_, file)| in_the_way(&file.path, &name)));
    }
    let bytes: usize = files.iter().map(|(_, file)| file.text.len()).sum();
    if files.len() > MAX_FILES || bytes > MAX_TOTAL_BYTES {
        let message = format!("the sources have {} files with {bytes} bytes together", files.len());
        let help = format!("A bundle has at most {MAX_FILES} files and {MAX_TOTAL_BYTES} bytes.");
        findings.push(Diagnostic::error("", message).help(help));
    }
    if findings.is_empty() { Ok(files.into_iter().map(|(_, file)| file).collect()) } else { Err(findings) }
}

/// Whether a path is that folder's.
pub(crate) fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn in_the_way(path: &str, name: &str) -> Diagnostic {
    let message = format!("`{name}/` is the folder of the source `{name}`, and the first repository has it too");
    Diagnostic::error(path, message).help("Rename the folder, or the source (--sources).")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> SourceFile {
        SourceFile { path: path.into(), text: "x".into() }
    }

    #[test]
    fn every_source_but_the_first_is_a_folder() {
        let read = folder("security", Ok(vec![file("a.rego"), file("b/c.rego")]));
        let all = merged(vec![(String::new(), Ok(vec![file("a.rego")])), ("security".into(), read)]).unwrap();
        let paths: Vec<_> = all.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["a.rego", "security/a.rego", "security/b/c.rego"]);
    }

    #[test]
    fn folder_of_a_source_is_nobody_elses() {
        for taken in ["security/a.rego", "security"] {
            let first = Ok(vec![file(taken), file("security-too/a.rego")]);
            let findings = merged(vec![(String::new(), first), ("security".into(), Ok(vec![]))]).unwrap_err();
            assert_eq!((findings.len(), findings[0].path.as_str()), (1, taken));
        }
    }

    #[test]
    fn what_is_wrong_with_a_source_is_told_with_its_folder() {
        let wrong =
            folder("security", Err(vec![Diagnostic::error("a.rego", "odd"), Diagnostic::error("", "too many")]));
        let findings = merged(vec![(String::new(), Ok(vec![])), ("security".into(), wrong)]).unwrap_err();
        let paths: Vec<_> = findings.iter().map(|finding| finding.path.as_str()).collect();
        assert_eq!(paths, ["security/a.rego", "security"]);
    }
}
