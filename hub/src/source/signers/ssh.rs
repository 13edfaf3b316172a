//! Signatures by SSH keys, by `ssh-keygen -Y`: first who may have signed, then whether they did. A key counts by the
//! hub's clock, not by the commit's, which whoever has an old key could set.

use super::Verified;
use super::program::run;
use crate::repository::Signature;
use anyhow::Context;
use std::ffi::OsStr;
use std::path::Path;

/// What git signs for.
const NAMESPACE: &str = "git";

pub(super) async fn verify(allowed_signers: &Path, signature: &Signature) -> anyhow::Result<Verified> {
    let readable = tokio::fs::File::open(allowed_signers).await;
    readable.with_context(|| format!("reading {}", allowed_signers.display()))?;
    let folder = tempfile::tempdir().context("making a folder for a signature")?;
    let file = folder.path().join("signature");
    tokio::fs::write(&file, &signature.text).await.context("writing a signature")?;
    let (allowed, file) = (allowed_signers.as_os_str(), file.as_os_str());
    let os = OsStr::new;
    let found = run("ssh-keygen", [os("-Y"), os("find-principals"), os("-f"), allowed, os("-s"), file], &[]).await?;
    let mut reason = found.reason();
    for principal in found.output.lines().filter(|line| !line.is_empty()).take(16) {
        let arguments = ["-Y", "verify", "-n", NAMESPACE, "-I", principal, "-f"].map(os);
        let arguments = arguments.into_iter().chain([allowed, os("-s"), file]);
        let said = run("ssh-keygen", arguments, &signature.signed).await?;
        if said.succeeded {
            return Ok(Ok(principal.to_owned()));
        }
        reason = format!("{} {}", said.output.trim(), said.reason());
    }
    Ok(Err(format!("is not signed by an allowed signer: {}", reason.trim())))
}
