//! Whether somebody who may has signed a commit. `ssh-keygen` and `gpg` verify, as git itself has them do: they know
//! every kind of key, certificates, and when keys end.

mod gpg;
mod program;
mod ssh;

use crate::config::{RequireSignatures, SourceConfig};
use crate::repository::Signature;
use std::path::PathBuf;

/// Who signed, or why that is not good enough: the end of a sentence that begins with the commit.
type Verified = Result<String, String>;

/// Those who may sign.
#[derive(Debug, Clone)]
pub struct Signers {
    require: RequireSignatures,
    allowed_signers: Option<PathBuf>,
    gpg_keys: Option<PathBuf>,
}

impl Signers {
    /// As configured. Files are read for each commit, so a new key needs no restart.
    pub fn of(config: &SourceConfig) -> Self {
        let SourceConfig { require_signatures: require, allowed_signers, gpg_keys, .. } = config.clone();
        Self { require, allowed_signers, gpg_keys }
    }

    /// Nobody, and nobody is asked for.
    pub fn nobody() -> Self {
        Self { require: RequireSignatures::Off, allowed_signers: None, gpg_keys: None }
    }

    pub(super) fn require(&self) -> RequireSignatures {
        self.require
    }

    /// Who made this signature. An error is about this machine, not about the commit.
    pub(super) async fn verify(&self, signature: Option<&Signature>) -> anyhow::Result<Verified> {
        let Some(signature) = signature else { return Ok(Err("is not signed".to_owned())) };
        let text = String::from_utf8_lossy(&signature.text);
        if text.trim_start().starts_with("-----BEGIN SSH SIGNATURE-----") {
            return match &self.allowed_signers {
                Some(file) => ssh::verify(file, signature).await,
                None => Ok(Err("is signed with an SSH key, and the hub was told of none (--allowed-signers)".into())),
            };
        }
        if text.trim_start().starts_with("-----BEGIN PGP SIGNATURE-----") {
            return match &self.gpg_keys {
                Some(file) => gpg::verify(file, signature).await,
                None => Ok(Err("is signed with a GPG key, and the hub was told of none (--gpg-keys)".into())),
            };
        }
        Ok(Err("has a signature that is neither SSH's nor GPG's".to_owned()))
    }
}
