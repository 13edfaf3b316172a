//! A signature as cosign makes it (simple signing): ECDSA P-256 over a small document that names the digest. The
//! transparency log is not told.

use anyhow::{Context, ensure};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use std::path::Path;
use writ_agent::registry::Address;
use writ_policy::Digest;

/// The document and its signature in base64.
pub(super) fn sign(key_file: &Path, address: &Address, digest: &Digest) -> anyhow::Result<(String, String)> {
    let pem = std::fs::read(key_file).with_context(|| format!("could not read {}", key_file.display()))?;
    let key = PrivatePkcs8KeyDer::from_pem_slice(&pem).ok();
    let key = key.with_context(|| format!("{} holds no PKCS#8 key in PEM", key_file.display()))?;
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.secret_pkcs8_der()).ok();
    let key = key.with_context(|| format!("{} is not an ECDSA P-256 key", key_file.display()))?;
    let payload = payload(address, digest);
    let signature = key.sign(&SystemRandom::new(), payload.as_bytes()).ok().context("signing for cosign")?;
    ensure!(!signature.as_ref().is_empty(), "the signature is empty");
    Ok((payload, BASE64.encode(signature.as_ref())))
}

fn payload(address: &Address, digest: &Digest) -> String {
    let reference = format!("{}/{}", address.host, address.repository);
    serde_json::json!({
        "critical": {
            "identity": {"docker-reference": reference},
            "image": {"docker-manifest-digest": format!("sha256:{digest}")},
            "type": "cosign container image signature",
        },
        "optional": null,
    })
    .to_string()
}
