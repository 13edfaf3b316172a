//! `writ bundle key`: the author's key pair, and how it is read.

use crate::arguments::BundleKey;
use crate::exit::{DONE, Outcome};
use crate::terminal;
use anyhow::{Context, ensure};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use writ_policy::sign::{PublicKey, SigningKey};

pub(super) fn run(options: &BundleKey) -> Outcome {
    let private = &options.file;
    let mut name = private.as_os_str().to_owned();
    name.push(".pub");
    let public = Path::new(&name);
    ensure!(!private.exists() && !public.exists(), "{} is there already", private.display());
    let (key, pkcs8) = SigningKey::generate();
    let create = || {
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(private)?;
        file.write_all(&pkcs8)?;
        file.sync_all()?;
        fs::write(public, format!("{}\n", key.public()))
    };
    create().with_context(|| format!("could not write {}", private.display()))?;
    let (private, public) = (private.display(), public.display());
    terminal::say(&format!(
        "{private} signs: keep it where commits are approved. Agents get {public} by --author-key."
    ))?;
    Ok(DONE)
}

pub(super) fn private(file: &Path) -> anyhow::Result<SigningKey> {
    let pkcs8 = fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
    SigningKey::from_pkcs8(&pkcs8).with_context(|| format!("{} is not an author's private key", file.display()))
}

pub(super) fn public(file: &Path) -> anyhow::Result<PublicKey> {
    let text = fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
    text.parse().with_context(|| format!("{} is not an author's public key", file.display()))
}
