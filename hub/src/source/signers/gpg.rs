//! Signatures by GPG keys, by the `gpg` program with a key ring of its own that holds nothing but the configured keys.

use super::Verified;
use super::program::run;
use crate::repository::Signature;
use anyhow::{Context, ensure};
use std::ffi::{OsStr, OsString};
use std::path::Path;

pub(super) async fn verify(keys: &Path, signature: &Signature) -> anyhow::Result<Verified> {
    let home = tempfile::tempdir().context("making a folder for a key ring")?;
    let arguments = |more: &[&OsStr]| {
        let fixed =
            ["--batch", "--no-tty", "--no-autostart", "--no-auto-key-retrieve", "--status-fd", "1", "--homedir"];
        let mut all: Vec<OsString> = fixed.map(OsString::from).to_vec();
        all.push(home.path().into());
        all.extend(more.iter().map(OsString::from));
        all
    };
    let os = OsStr::new;
    let content = tokio::fs::read(keys).await.with_context(|| format!("reading {}", keys.display()))?;
    let imported = run("gpg", arguments(&[os("--import")]), &content).await?;
    ensure!(imported.output.contains("IMPORT_OK"), "{} holds no GPG keys: {}", keys.display(), imported.reason());
    let file = home.path().join("signature");
    tokio::fs::write(&file, &signature.text).await.context("writing a signature")?;
    let verify = arguments(&[os("--trust-model"), os("always"), os("--verify"), file.as_os_str(), os("-")]);
    let said = run("gpg", verify, &signature.signed).await?;
    Ok(judge(&said.output, said.succeeded))
}

/// What the status lines of one verification mean. One good signature, and nothing that is not good.
fn judge(status: &str, succeeded: bool) -> Verified {
    let lines =
        || status.lines().filter_map(|line| line.strip_prefix("[GNUPG:] ")).filter_map(|line| line.split_once(' '));
    let has = |word: &str| lines().any(|(first, _)| first == word);
    let good: Vec<&str> = lines().filter(|(first, _)| *first == "GOODSIG").map(|(_, rest)| rest).collect();
    let bad = [
        ("BADSIG", "has a GPG signature that does not match it"),
        ("EXPKEYSIG", "is signed with a GPG key that has expired"),
        ("REVKEYSIG", "is signed with a GPG key that was revoked"),
        ("EXPSIG", "has a GPG signature that has expired"),
        ("NO_PUBKEY", "is signed with a GPG key that the hub does not know"),
        ("ERRSIG", "has a GPG signature that cannot be verified"),
    ];
    if let Some((_, reason)) = bad.into_iter().find(|(word, _)| has(word)) {
        return Err(reason.to_owned());
    }
    match (good.as_slice(), succeeded && has("VALIDSIG")) {
        // The key's id, then its user.
        ([one], true) => Ok(one.split_once(' ').map_or(*one, |(_, user)| user).chars().take(200).collect()),
        _ => Err("has a GPG signature that cannot be verified".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_good_signature_and_nothing_else_is_good() {
        let good = "[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG AB12 Ada <ada@example.com>\n[GNUPG:] VALIDSIG FF\n";
        assert_eq!(judge(good, true), Ok("Ada <ada@example.com>".to_owned()));
        assert!(judge(good, false).is_err());
        assert!(judge(&format!("{good}{good}"), true).is_err(), "two signatures");
        assert!(judge(&good.replace("GOODSIG", "EXPKEYSIG"), true).unwrap_err().contains("expired"));
        assert!(judge(&format!("{good}[GNUPG:] BADSIG CD Eve\n"), true).is_err());
        assert!(judge("GOODSIG AB Ada\nVALIDSIG FF", true).is_err(), "what a key's user is called is no status");
        assert!(judge("", true).is_err());
    }
}
