//! What a push webhook must show before the hub looks at the source: a signature over its raw body by the shared
//! secret, in the header of the git host at hand. What the body says is not read: it is a hint to look, and no more.

use anyhow::{Context, ensure};
use aws_lc_rs::{constant_time, hmac};
use http::HeaderMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

/// The shortest secret.
const MIN_SECRET: usize = 16;
/// Requests that may come at once, and how many more in each second. Hosts send one per push.
const BURST: f64 = 60.0;
const PER_SECOND: f64 = 5.0;
/// Headers with the hex of an HMAC-SHA256, and what stands before it: GitHub and Forgejo, Gitea, ours, Bitbucket.
const SIGNATURES: [(&str, &str); 4] = [
    ("x-hub-signature-256", "sha256="),
    ("x-gitea-signature", ""),
    ("x-writ-signature", "sha256="),
    ("x-hub-signature", "sha256="),
];
/// GitLab's header, with the secret itself.
const TOKEN: &str = "x-gitlab-token";

/// Lets webhooks in.
#[derive(Debug)]
pub struct Gatekeeper {
    secret_file: Option<PathBuf>,
    tokens: Mutex<(f64, Instant)>,
}

/// Why a webhook is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It shows no signature.
    Unsigned,
    /// It shows a wrong one.
    Wrong,
}

impl Gatekeeper {
    /// Lets in who knows the secret in the file; nobody without a file. The file is read for each webhook, so that a
    /// new secret needs no restart.
    pub fn new(secret_file: Option<PathBuf>) -> anyhow::Result<Self> {
        if let Some(file) = &secret_file {
            secrets(file)?;
        }
        Ok(Self { secret_file, tokens: Mutex::new((BURST, Instant::now())) })
    }

    /// Whether there are webhooks at all.
    pub fn is_open(&self) -> bool {
        self.secret_file.is_some()
    }

    /// Whether there were not too many of late.
    pub fn admits_another(&self) -> bool {
        let mut tokens = self.tokens.lock().expect("no holder of the lock panics");
        let (left, since) = *tokens;
        let now = Instant::now();
        let left = (left + now.duration_since(since).as_secs_f64() * PER_SECOND).min(BURST);
        let is_admitted = left >= 1.0;
        *tokens = (if is_admitted { left - 1.0 } else { left }, now);
        is_admitted
    }

    /// Whether a request shows anything that could be a signature, before its body is read.
    pub fn shows_something(headers: &HeaderMap) -> bool {
        shown(headers).is_some()
    }

    /// Whether who sent this knows a secret.
    pub fn check(&self, headers: &HeaderMap, body: &[u8]) -> anyhow::Result<Result<(), Refusal>> {
        let Some(file) = &self.secret_file else { return Ok(Err(Refusal::Unsigned)) };
        let Some(shown) = shown(headers) else { return Ok(Err(Refusal::Unsigned)) };
        let knows = secrets(file)?.iter().any(|secret| shown.proves(secret.as_bytes(), body));
        Ok(if knows { Ok(()) } else { Err(Refusal::Wrong) })
    }
}

/// What a request shows.
enum Shown {
    Signature(Vec<u8>),
    Token(Vec<u8>),
}

impl Shown {
    fn proves(&self, secret: &[u8], body: &[u8]) -> bool {
        match self {
            Shown::Signature(signature) => {
                hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, secret), body, signature).is_ok()
            }
            Shown::Token(token) => constant_time::verify_slices_are_equal(token, secret).is_ok(),
        }
    }
}

/// The first that is there counts alone: GitHub sends an older one beside it.
fn shown(headers: &HeaderMap) -> Option<Shown> {
    for (name, start) in SIGNATURES {
        if let Some(value) = headers.get(name) {
            let hex = value.to_str().ok().and_then(|value| value.strip_prefix(start)).unwrap_or_default();
            return Some(Shown::Signature(from_hex(hex).unwrap_or_default()));
        }
    }
    headers.get(TOKEN).map(|value| Shown::Token(value.as_bytes().to_vec()))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?);
    text.as_bytes().chunks(2).map(pair).collect()
}

/// The secrets in a file, one or two while one is replaced. The error names the file, never the content.
fn secrets(file: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let secrets: Vec<String> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    ensure!(!secrets.is_empty(), "{} is empty", file.display());
    let long = secrets.iter().all(|secret| secret.len() >= MIN_SECRET);
    ensure!(long, "a webhook secret in {} has less than {MIN_SECRET} characters", file.display());
    Ok(secrets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_come_in_at_once() {
        let gatekeeper = Gatekeeper::new(None).unwrap();
        let admitted = (0..200).filter(|_| gatekeeper.admits_another()).count();
        assert!((60..70).contains(&admitted), "{admitted}");
    }

    #[test]
    fn odd_hex_is_nothing() {
        assert_eq!(from_hex("0aFF"), Some(vec![0x0a, 0xff]));
        assert_eq!(from_hex("0"), None);
        assert_eq!(from_hex("zz"), None);
    }
}
